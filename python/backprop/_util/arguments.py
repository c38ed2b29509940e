"""Arguments that several packages take, checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from backprop._util.names import did_you_mean
from backprop._util.other_libraries.arguments import SAME, VALUES


def one_of(name: str, value: str, known: Mapping[str, Any]) -> str:
    """A name that is known."""
    if not isinstance(value, str) or value not in known:
        hint = (
            did_you_mean(value, known, instead=VALUES.get(name.partition("[")[0]), same=SAME)
            if isinstance(value, str)
            else ""
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
