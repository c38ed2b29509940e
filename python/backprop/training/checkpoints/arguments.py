"""What a run was asked for, as a checkpoint has it, and a call that goes on compared with it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from backprop.optimizers.base import RULES, UpdateRule, chosen_optimizer
from backprop.training.stopping import EarlyStopping, early_stopping_of


def settings_of(optimizer: Any) -> dict[str, Any] | None:
    """Kind and settings of an optimizer of ours; None for others, which a checkpoint cannot hold."""
    if not isinstance(optimizer, UpdateRule) or RULES.get(type(optimizer).kind) is not type(optimizer):
        return None
    return {"kind": optimizer.kind, **{name: getattr(optimizer, name) for name in optimizer.settings}}


def described(given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `fit` that are of a whole run, as a checkpoint has them; `_of_json` makes both comparable."""
    return {name: None if given[name] is None else _DESCRIBED[name](given[name]) for name in _DESCRIBED}


def agreed(path: str, saved: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a run that goes on: those of the checkpoint, with which those that are given agree.

    Raises
    ------
    ValueError
        One that is given is another.
    """
    found = dict(given)
    for name, describe in _DESCRIBED.items():
        before, value = saved.get(name), given[name]
        if value is not None:
            now = describe(value)
            if _of_json(now) != _of_json(before):
                raise ValueError(f"fit: {name} is {value!r}, and the run of {path} has {before!r}")
        elif before is not None:
            try:
                found[name] = _MADE[name](before)
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(
                    f"fit: {name} of the run of {path} is {before!r}, which it cannot be made of; "
                    f"wanted {name}= as it was: {error}"
                ) from None
    return found


def _schedule(value: Any) -> Any:
    from backprop.training.schedules import schedule_of

    return schedule_of(value, "fit")


def _optimizer(value: Any) -> dict[str, Any] | None:
    return settings_of(chosen_optimizer("fit", value))


def _optimizer_made(saved: Mapping[str, Any]) -> UpdateRule:
    settings = dict(saved)
    return RULES[settings.pop("kind")](**settings)


def _class_weight(value: Any) -> Any:
    if isinstance(value, str):
        return value
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    return sorted([int(key), float(weight)] for key, weight in pairs)


def _early_stopping(value: Any) -> dict[str, Any]:
    settings = early_stopping_of(value)
    assert settings is not None  # `described` has asked
    return asdict(settings)


def _of_json(value: Any) -> Any:
    """Lists where there are tuples, as JSON gives them back."""
    if isinstance(value, Mapping):
        return {key: _of_json(one) for key, one in value.items()}
    return (
        [_of_json(one) for one in value] if isinstance(value, Sequence) and type(value) is not str else value
    )


_DESCRIBED: dict[str, Callable[[Any], Any]] = {
    "batch_size": int,
    "accumulate": int,
    "optimizer": _optimizer,
    "schedule": lambda value: _schedule(value).settings_of(),
    "class_weight": _class_weight,
    "validation_fraction": float,
    "early_stopping": _early_stopping,
    "seed": int,
    "ema_decay": float,
}
_MADE: dict[str, Callable[[Any], Any]] = {
    "batch_size": int,
    "accumulate": int,
    "optimizer": _optimizer_made,
    "schedule": _schedule,
    "class_weight": lambda saved: saved if isinstance(saved, str) else dict(saved),
    "validation_fraction": float,
    "early_stopping": lambda saved: EarlyStopping(**saved),
    "seed": int,
    "ema_decay": float,
}
