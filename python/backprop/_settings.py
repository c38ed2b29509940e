"""What the settings of an optimizer may be, in its constructor and whenever one is assigned."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from backprop._elsewhere.arguments import ARGUMENTS, SAME
from backprop._names import did_you_mean

INFINITY, NAN = float("inf"), float("nan")
MOST_STEPS = 2**62  # a kernel counts in 64 bits


def taken(rule: Any, settings: Sequence[str], name: str, value: Any, ours: bool) -> Any:
    """`value` as an attribute of an optimizer takes it.

    Parameters
    ----------
    rule : Rule
    settings : sequence of str
        The names that its constructor takes.
    name : str
    value : object
    ours : bool
        Whether its class is one of the package's, and not one that inherits from it and may have more attributes.
    """
    if name.startswith("_"):
        return value
    owner = type(rule).__name__
    if callable(getattr(type(rule), name, None)):
        raise AttributeError(f"{owner}.{name} is a method; override it in a subclass")
    if name in settings or name in STATE:
        return CHECKS[name](rule, owner, value)
    if ours:
        hint = did_you_mean(name, settings, instead=ARGUMENTS, same=SAME) or f"; it has {', '.join(settings)}"
        raise AttributeError(f"{owner} has no attribute {name!r}{hint}", name=name, obj=None)
    return value


def require(rule: Any, settings: Sequence[str]) -> None:
    """Raise if a setting, or what the rule keeps, is not what `taken` takes; `vars` and pickles go past it."""
    owner = type(rule).__name__
    for name in (*settings, *STATE):
        CHECKS[name](rule, owner, getattr(rule, name))


def _number(owner: str, name: str, value: Any, high: float, includes_0: bool) -> float:
    """`value` as a float between 0 and high."""
    number = NAN
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        with suppress(OverflowError):  # an int that no float can hold
            number = float(value)
    if not ((number >= 0 if includes_0 else number > 0) and number < high):
        wanted = "a positive finite number" if high == INFINITY else f"a number from 0 to below {high}"
        raise ValueError(f"{owner}: {name} is {value!r}, wanted {wanted}")
    return number


def _rate(name: str) -> Callable[[Any, str, Any], Any]:
    return lambda rule, owner, value: _number(owner, name, value, INFINITY, False)


def _share(name: str) -> Callable[[Any, str, Any], Any]:
    return lambda rule, owner, value: _number(owner, name, value, 1, True)


def _betas(rule: Any, owner: str, value: Any) -> tuple[float, float]:
    if not isinstance(value, (tuple, list, np.ndarray)) or np.shape(value) != (2,):
        raise ValueError(f"{owner}: betas is {value!r}, wanted two numbers")
    return (
        _number(owner, "betas[0]", value[0], 1, True),
        _number(owner, "betas[1]", value[1], 1, True),
    )


def _momentum(rule: Any, owner: str, value: Any) -> float:
    momentum = _number(owner, "momentum", value, 1, True)
    _require_momentum(owner, momentum, vars(rule).get("nesterov", False))
    return momentum


def _nesterov(rule: Any, owner: str, value: Any) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{owner}: nesterov is {value!r}, wanted True or False")
    _require_momentum(owner, rule.momentum, value)
    return bool(value)


def _require_momentum(owner: str, momentum: float, nesterov: Any) -> None:
    if nesterov and not momentum:
        raise ValueError(f"{owner}: nesterov is True, momentum is 0; wanted momentum above 0")


def _steps(rule: Any, owner: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 0 <= value < MOST_STEPS:
        raise ValueError(f"{owner}: steps is {value!r}, wanted a whole number of at least 0 and below 2**62")
    return int(value)


def _moments(rule: Any, owner: str, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(
            f"{owner}: moments is a {type(value).__name__}, wanted a dict of names to tuples of arrays"
        )
    return value


STATE = ("steps", "moments")
CHECKS: dict[str, Callable[[Any, str, Any], Any]] = {
    "lr": _rate("lr"),
    "eps": _rate("eps"),
    "momentum": _momentum,
    "alpha": _share("alpha"),
    "betas": _betas,
    "nesterov": _nesterov,
    "steps": _steps,
    "moments": _moments,
}
