"""What a network is asked for, checked."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._arrays import Array, frozen, real_array
from backprop._elsewhere.arguments import SAME, VALUES
from backprop._names import did_you_mean


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Units of each layer, at least two layers."""
    if isinstance(sizes, (str, bytes)) or not hasattr(sizes, "__iter__"):
        raise TypeError(
            f"Network: sizes is {sizes!r}, wanted at least two whole numbers such as [784, 50, 10]"
        )
    whole = [size for size in sizes if hasattr(size, "__index__") and not isinstance(size, bool)]
    if len(whole) != len(list(sizes)) or len(whole) < 2 or min(map(int, whole)) < 1:
        raise ValueError(
            f"Network: sizes is {list(sizes)}, wanted at least two whole numbers of 1 or more, such as [784, 50, 10]"
        )
    return tuple(int(size) for size in whole)


def one_of(name: str, value: str, known: Mapping[str, Any]) -> str:
    """A name that is known."""
    if not isinstance(value, str) or value not in known:
        hint = (
            did_you_mean(value, known, instead=VALUES.get(name), same=SAME) if isinstance(value, str) else ""
        )
        raise ValueError(f"Network: {name} is {value!r}, wanted one of {', '.join(map(repr, known))}{hint}")
    return value


def seed_number(owner: str, seed: Any, most: int | None = None) -> int | None:
    """A whole number from 0 on, or None."""
    if seed is None:
        return None
    wanted = "wanted a whole number of at least 0" + ("" if most is None else f" and at most {most}")
    if isinstance(seed, bool) or not hasattr(seed, "__index__"):
        said = repr(seed) if isinstance(seed, (str, bool, float)) else f"a {type(seed).__name__}"
        raise TypeError(f"{owner}: seed is {said}, {wanted}, or None")
    if not 0 <= int(seed) <= (int(seed) if most is None else most):
        raise ValueError(f"{owner}: seed is {seed}, {wanted}, or None")
    return int(seed)


def float_type(owner: str, dtype: DTypeLike) -> np.dtype[Any]:
    """A type that networks compute in."""
    wanted = np.dtype(dtype)
    if wanted not in (np.float32, np.float64):
        raise TypeError(f"{owner}: dtype is {wanted}, wanted float32 or float64")
    return wanted


def per_feature(name: str, value: ArrayLike, inputs: int, dtype: np.dtype[Any]) -> Array:
    """One number or one an input, finite in the network's `dtype`, as read-only float64 that is not rounded to it."""
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        array = np.array(real_array("Network", name, value), dtype=np.float64)
        finite = np.isfinite(array.astype(dtype))
    if array.shape not in ((), (inputs,)):
        raise ValueError(
            f"Network: {name} has shape {array.shape}, wanted one finite number or {inputs}, one an input"
        )
    if not finite.all():
        wrong = int(finite.argmin())
        column = f"[{wrong}]" if array.ndim else ""
        constant = np.isinf(array.flat[wrong]) and name == "input_scale"
        hint = (
            "; Network.standardised does not scale constant columns, whose deviation is 0" if constant else ""
        )
        if np.isfinite(array.flat[wrong]):
            hint = "; float64 holds it" + ("" if name == "input_mean" else ", or write it in a smaller unit")
        raise ValueError(
            f"Network: {name}{column} is {array.flat[wrong]}, wanted finite numbers of {dtype}{hint}"
        )
    return frozen(array)  # a plan has a copy of it
