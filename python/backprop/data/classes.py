"""Labels as numbers from 0, and what each was called."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from backprop._arrays import Array, plural
from backprop.data.numbers import is_number

MOST_CLASSES = 1000
ONLY_CLASSES = (
    "this looks like a regression target; only classes are read, "
    "for numbers train Network(sizes, loss='squared_error')"
)


def classes_of(
    path: Path, labels: Sequence[str], place: Callable[[int], str]
) -> tuple[Array, tuple[str, ...]]:
    """Number the labels: whole numbers in their order, else text in its order.

    Parameters
    ----------
    path : Path
        The file, for messages.
    labels : sequence of str, N
        If all are numbers, `1`, `1.0` and `01` are one class, called `1`.
    place : callable
        What to begin an error about label n with; only called for an error.

    Returns
    -------
    t : ndarray of int64, (N,)
    classes : tuple of str

    Raises
    ------
    ValueError
        A label is missing or not finite, or the labels are too few, too many or fractions.
    """
    first: dict[str, int] = {}
    for n, label in enumerate(labels):
        first.setdefault(label, n)
    for label, n in first.items():
        if not label:
            raise ValueError(f"{place(n)}: the label is missing")
        if is_number(label) and not math.isfinite(float(label)):
            raise ValueError(f"{place(n)}: the label is {label!r}, wanted a class")
    if all(map(is_number, first)):
        values = {label: _whole(label, n, place) for label, n in first.items()}
        ordered = [str(value) for value in sorted(set(values.values()))]
        names = {label: str(value) for label, value in values.items()}
        hint = f"; {ONLY_CLASSES}"
    else:
        ordered = sorted(first)
        names = {label: label for label in first}
        hint = ""
    if not 2 <= len(ordered) <= MOST_CLASSES:
        raise ValueError(
            f"{path}: the target has {plural(len(ordered), 'value')}, wanted 2 to {MOST_CLASSES} classes"
            f"{hint if len(ordered) > MOST_CLASSES else ''}"
        )
    numbers = {name: n for n, name in enumerate(ordered)}
    return np.array([numbers[names[label]] for label in labels], dtype=np.int64), tuple(ordered)


def _whole(label: str, n: int, place: Callable[[int], str]) -> int:
    try:
        return int(label)  # exact beyond 2^53, unlike float
    except ValueError:
        value = float(label)
    if not value.is_integer():
        raise ValueError(f"{place(n)}: the label is {label}, with a fraction: {ONLY_CLASSES}")
    return int(value)
