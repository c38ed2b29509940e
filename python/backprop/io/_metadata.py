"""Metadata of networks, and options of layers, as JSON gives them back."""

import json
import math
from typing import Any

import numpy as np

from backprop._util.messages import cut, shown

# NumPy's that are numbers and texts of Python.
SCALARS = (np.bool_, np.integer, np.float16, np.float32, np.float64, np.str_)
# Any reader of JSON takes lists in lists so deep, and whole numbers of so many bits: Python's has a limit of digits.
MOST_NESTED, MOST_BITS = 100, 14_000


def storable(metadata: Any, owner: str = "", what: str = "metadata") -> dict[str, Any]:
    """Metadata as a file gives it back: as it is, NumPy's numbers as Python's.

    Raises
    ------
    TypeError
        Something would not come back as it is; the message begins with `owner`, and calls it `what`.
    """
    if not isinstance(metadata, dict):
        raise TypeError(f"{owner}the {what} is a {type(metadata).__name__}, wanted names with values")
    stored: dict[str, Any] = {}
    for key, value in metadata.items():
        if not isinstance(key, str):
            raise TypeError(f"{owner}{what} has the key {shown(key)}, wanted a text")
        try:
            stored[_plain(key)] = _plain(value)
        except ValueError as error:
            raise TypeError(
                f"{owner}{what}[{shown(key)}] is a {type(value).__name__} that would not come back as it is: "
                f"{error}; wanted a text, a finite number, a boolean, None, or lists and dicts of them by texts"
            ) from None
    return stored


def _plain(value: Any, depth: int = 1) -> Any:
    """A value as JSON gives it back; ValueError if that is another one."""
    if isinstance(value, SCALARS) and not isinstance(value, np.timedelta64):
        value = value.item()
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        if not value.isascii() and json.loads(json.dumps(value)) != value:
            raise ValueError(f"the text {cut(ascii(value))} has halves of letters side by side")
        return value
    if kind is float:
        if not math.isfinite(value):
            raise ValueError(f"{value} is not finite")
        return value
    if kind is int:
        if value.bit_length() > MOST_BITS:
            raise ValueError(f"a number has {value.bit_length()} bits, wanted {MOST_BITS} at most")
        return value
    if kind not in (list, dict):
        raise ValueError(f"it has a {kind.__name__}" if depth > 1 else "no JSON value")
    if depth > MOST_NESTED:
        raise ValueError(f"it is nested more than {MOST_NESTED} deep")
    if kind is list:
        return [_plain(item, depth + 1) for item in value]
    for key in value:
        if not isinstance(key, str):
            raise ValueError(f"it has the key {shown(key)}")
    return {_plain(key): _plain(item, depth + 1) for key, item in value.items()}
