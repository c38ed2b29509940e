"""What is given to a check, and what forward and backward return, in the form in which they are compared."""

import copy
import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop._arrays import require_no_mask
from backprop.parameters import convert_arrays

OWNER = "check_gradients"


def no_floats(inputs: Mapping[str, Any]) -> str:
    """What the inputs are, of which none is an array of floating-point numbers."""
    given = ", ".join(f"{name} has dtype {np.asarray(value).dtype}" for name, value in inputs.items())
    first = next(iter(inputs), "x")
    advice = f"give floating-point numbers, {first}.astype(float)"
    return f"{given}; {advice}" if given else "it was given no inputs and has no parameters"


def as_tuple(returned: Any) -> tuple[Any, ...]:
    """What backward returned, as one gradient an input."""
    return tuple(returned) if isinstance(returned, (tuple, list)) else (returned,)


def is_floating(value: Any) -> bool:
    """Whether it is an array of floating-point numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def as_input(name: str, value: Any) -> Any:
    """A float64 copy of floating-point numbers; what else there is, labels say, as it is."""
    require_no_mask(OWNER, name, value)
    array = np.asarray(value)
    if array.dtype.kind == "c":
        raise TypeError(f"{OWNER}: {name} has dtype {array.dtype}, wanted real numbers")
    return np.array(array, dtype=np.float64) if array.dtype.kind == "f" else value


def batch_of(inputs: tuple[Any, ...]) -> int:
    """Rows of the first input that has some."""
    return len(inputs[0]) if inputs and np.ndim(inputs[0]) > 1 else 1


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
    convert_arrays(twin, np.float64)
    return twin


def checked_params(layer: Any, params: Mapping[str, str]) -> dict[str, str]:
    """Names of a layer's parameters and of the attributes that take their gradients."""
    for name in params:
        if not is_floating(getattr(layer, name, None)):
            raise ValueError(
                f"{OWNER}: params names {name!r}, which is no array of floating-point numbers of {type(layer).__name__}"
            )
    return dict(params)
