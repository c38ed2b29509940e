"""Labels as numbers from 0, and what each was called."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from backprop._util.arrays import Array, plural
from backprop._util.messages import cut, shown
from backprop.data.numbers import BOOLEANS, MISSING, is_number, number

MOST_CLASSES = 1000
ONLY_CLASSES = (
    "this looks like a regression target, and classes are read; wanted --regression of backprop train, or "
    "read_table(path, numbers=True)"
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
        If all are numbers, `1`, `1.0` and `01` are one class, called `1`; so are `TRUE` and `true`, called `True`.
    place : callable
        What to begin an error about label n with; only called for an error.

    Returns
    -------
    t : ndarray of int64, (N,)
    classes : tuple of str

    Raises
    ------
    ValueError
        A label is missing or not finite, or the labels are too few, too many or fractions, or may be one class or two.
    """
    first: dict[str, int] = {}
    for n, label in enumerate(labels):
        first.setdefault(label, n)
    for label, n in first.items():
        if not label:
            raise ValueError(f"{place(n)}: the label is missing")
        if label.lower() in MISSING and not (label == "-" and "+" in first):
            way = ", wanted a class" if is_number(label) else (
                ", which stands for a missing value; leave such rows out, or call the class otherwise"
            )  # fmt: skip
            raise ValueError(f"{place(n)}: the label is {shown(label)}{way}")
        if is_number(label) and not math.isfinite(float(label)):
            raise ValueError(f"{place(n)}: the label is {shown(label)}, wanted a class")
    names = _names(first, place)
    numeric = all(map(is_number, names.values()))
    ordered = sorted(set(names.values()), key=int if numeric else None)
    if not 2 <= len(ordered) <= MOST_CLASSES:
        hint = f"; {ONLY_CLASSES}" if numeric and len(ordered) > MOST_CLASSES else ""
        raise ValueError(
            f"{path}: the target has {plural(len(ordered), 'value')}, wanted 2 to {MOST_CLASSES} classes{hint}"
        )
    numbers = {name: n for n, name in enumerate(ordered)}
    return np.array([numbers[names[label]] for label in labels], dtype=np.int64), tuple(ordered)


def is_one_of(label: str, classes: Collection[str]) -> bool:
    """Whether a label is one of these classes, or stands for a missing one."""
    return label in classes or label.lower() in MISSING or any(map(same_label(label), classes))


def same_label(one: str) -> Callable[[str], bool]:
    """What says whether a label is the same class as `one`."""
    value = _value(one)
    return lambda other: other == one or (value is not None and _value(other) == value)


def _value(label: str) -> float | None:
    """What number or truth value a label is, if it is one."""
    try:
        value = number(label)
    except ValueError:
        return None
    try:
        return int(label)  # exact beyond 2^53, unlike float
    except ValueError:
        return value


def _names(first: Mapping[str, int], place: Callable[[int], str]) -> dict[str, str]:
    """What the class of each label is called: numbers and truth values by one name each."""
    if all(map(is_number, first)):
        return {label: str(_whole(label, n, place)) for label, n in first.items()}
    spellings: dict[float, list[str]] = {}
    for label in first:
        value = _value(label)
        if value is not None:
            spellings.setdefault(value, []).append(label)
    names = {label: label for label in first}
    for alike in spellings.values():
        if all(label.lower() in BOOLEANS for label in alike):
            names |= {label: alike[0].capitalize() if len(alike) > 1 else label for label in alike}
        elif len(alike) > 1:
            # Among numbers these are one class, among texts two: codes such as 1 and 01 can differ.
            raise ValueError(
                f"{place(first[alike[1]])}: the label is {shown(alike[1])}, and {shown(alike[0])} above is the same "
                "number, but others are text; write both alike if they are one class, else call one otherwise"
            )
    return names


def _whole(label: str, n: int, place: Callable[[int], str]) -> int:
    try:
        return int(label)  # exact beyond 2^53, unlike float
    except ValueError:
        value = float(label)
    if not value.is_integer():
        raise ValueError(f"{place(n)}: the label is {cut(label)}, with a fraction: {ONLY_CLASSES}")
    return int(value)
