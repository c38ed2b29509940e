"""What is given to a check, and what forward and backward return, in the form in which they are compared."""

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop._util.arrays import is_floating, plural, require_no_mask
from backprop.layers.parameter_discovery import convert_arrays

OWNER = "check_gradients"


def no_floats(inputs: Mapping[str, Any]) -> str:
    """What the inputs are, of which none is an array of floating-point numbers."""
    given = ", ".join(f"{name} {_kind(value)}" for name, value in inputs.items())
    first = next(iter(inputs), "x")
    advice = f"give floating-point numbers, {first}.astype(float) or 1.0 for 1"
    return f"{given}; {advice}" if given else "it was given no inputs and has no parameters"


def _kind(value: Any) -> str:
    array = as_array(value)
    return f"is a {type(value).__name__}" if array is None else f"has dtype {array.dtype}"


def as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """Value as an array; None where it is a list of lists of several lengths or the like."""
    try:
        return np.asarray(value)
    except ValueError:
        return None


def as_input(name: str, value: Any) -> Any:
    """A float64 copy of floating-point numbers; what else there is, labels say, as it is, lists of them as an array.

    A tuple may be a shape or axes, unless there are tuples in it.
    """
    require_no_mask(OWNER, name, value)
    array = as_array(value)
    if array is None:
        return value
    if array.dtype.kind == "c":
        raise TypeError(f"{OWNER}: {name} has dtype {array.dtype}, wanted real numbers")
    if array.dtype.kind == "f":
        return np.array(array, dtype=np.float64)
    listed = isinstance(value, list) or (isinstance(value, tuple) and array.ndim > 1)
    return array if listed and array.dtype.kind in "biu" else value


def require_floats(source: str, out: Any, *, number: bool = False) -> None:
    """Raise where `out`, which `source` returned, is nothing that has a derivative: no floating-point numbers."""
    array = as_array(out)
    if array is None or array.dtype.kind != "f":
        wanted = "a floating-point number" if number else "an array of floating-point numbers"
        raise TypeError(f"{OWNER}: {source} returned {_said(out)}, wanted {wanted}")


def _said(out: Any) -> str:
    if isinstance(out, np.ndarray):
        return f"an array of {out.dtype}"
    return (
        repr(out) if out is None or isinstance(out, (int, complex, np.generic)) else f"a {type(out).__name__}"
    )


def by_input(source: str, names: list[str], given: list[str], returned: Any) -> dict[str, Any]:
    """What went back, by the inputs that it belongs to; None where an input is said to have no gradient.

    Parameters
    ----------
    source : str
        What returned it.
    names : list of str
        All inputs: as many gradients are theirs, one each.
    given : list of str
        Those of floating-point numbers: fewer gradients are those of the first of these.
    returned : object
        A gradient, or a tuple or list of them; nothing at all belongs to no input.
    """
    if returned is None:
        return {}
    gradients = tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)
    if len(gradients) > len(names):
        raise ValueError(
            f"{OWNER}: {source} returned {len(gradients)} gradients for {plural(len(names), 'input')}"
        )
    return dict(zip(names if len(gradients) == len(names) else given, gradients, strict=False))


def batch_of(inputs: tuple[Any, ...]) -> int:
    """Rows of the first input that has some."""
    array = as_array(inputs[0]) if inputs else None
    return 1 if array is None or array.ndim < 2 else len(array)


def input_names(function: Any, count: int) -> list[str]:
    """The names of a function's first arguments, or numbered ones."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # built-in functions may have no signature
        parameters = []
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return named[:count] if len(named) >= count else [f"x{n}" for n in range(1, count + 1)]


def in_float64(layer: Any) -> Any:
    """A copy of a layer whose arrays of floating-point numbers are float64."""
    twin = copy.deepcopy(layer)
    convert_arrays([twin], np.float64)
    return twin


def checked_params(layer: Any, params: Mapping[str, str]) -> dict[str, str]:
    """Names of a layer's parameters and of the attributes that take their gradients."""
    for name in params:
        if not is_floating(getattr(layer, name, None)):
            raise ValueError(
                f"{OWNER}: params names {name!r}, which is no array of floating-point numbers of {type(layer).__name__}"
            )
    return dict(params)
