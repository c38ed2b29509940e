"""What may stand in a node: numbers, and arrays that nobody can change."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import FLOAT64, floats, real_array


def fixed(value: Any) -> Any:
    """`value` as a number, or as a view of an array that cannot be written to."""
    if not isinstance(value, np.ndarray):
        return value
    if not value.ndim:
        return value[()]
    value = value.view()
    value.setflags(write=False)
    return value


def leaf_value(owner: str, value: ArrayLike, labels: bool = False) -> Any:
    """A Python number as a float, anything else as a NumPy number or array of its own of floating-point type.

    With `labels` arrays of integers stay as they are.
    """
    if type(value) in (bool, int, float):
        return float(value)  # type: ignore[arg-type]  # takes the type of the arrays beside it
    array = real_array(owner, "value", value)
    if not (labels and array.ndim and array.dtype.kind in "iu"):
        (array,) = floats(owner, value=array)
    return fixed(array.copy())


def output_value(operation: Any, value: Any) -> Any:
    """What a layer's `forward` returned, as a node's value; an error that names the layer if it is none."""
    owner = f"{type(operation).__name__}.forward"
    array = real_array(owner, "what it returned", value)
    if array.dtype.kind != "f":
        array = array.astype(FLOAT64)
    return fixed(array) if isinstance(value, np.ndarray) else array[()]


def gradient_type(value: Any) -> Any:
    """The type of the gradient of a value: its own, of a Python number float64."""
    return value.dtype if isinstance(value, (np.ndarray, np.generic)) else FLOAT64
