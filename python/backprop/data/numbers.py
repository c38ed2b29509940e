"""Numbers as the cells of a table show them."""

import math
import re
from collections.abc import Callable, Sequence

import numpy as np

from backprop._util.arrays import Array
from backprop._util.messages import shown

# Between semicolons a lone comma in a number can be nothing but a decimal comma.
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?")
BOOLEANS = {"true": 1.0, "false": 0.0}
# What spreadsheets, databases, R and Python write for a value that is missing, in small letters.
MISSING = {
    *(
        "",
        "?",
        ".",
        "-",
        "--",
        "\\n",
        "na",
        "n/a",
        "#na",
        "#n/a",
        "#n/a n/a",
        "<na>",
        "nan",
        "nat",
        "none",
        "null",
    ),
    *("#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
}


def number(text: str) -> float:
    """The number that a cell shows, True and False being 1 and 0; ValueError if it shows none."""
    if "_" in text:  # float reads 2020_01 as 202001
        raise ValueError(text)
    try:
        return float(text)
    except ValueError:
        value = BOOLEANS.get(text.lower())
        if value is None:
            raise
        return value


def is_number(text: str) -> bool:
    """Whether a cell shows a number, finite or not."""
    if text.lower() in BOOLEANS:
        return False
    try:
        number(text)
    except ValueError:
        return False
    return True


def with_point(text: str) -> str:
    """A number with a decimal comma as one with a point; other text as it is."""
    return text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text


def numbers_of(labels: Sequence[str], place: Callable[[int], str]) -> Array:
    """The numbers that the cells of a target show, (N,) of float64; `place` begins an error about row n."""
    values = np.empty(len(labels))
    for row, label in enumerate(labels):
        try:
            values[row] = number(label)
        except ValueError:
            values[row] = math.nan
        if not math.isfinite(values[row]):
            raise ValueError(f"{place(row)}: the target is {shown(label)}, wanted a finite number")
    return values
