"""Histories of several calls made one, and whether the lists of one belong together."""

import math
from collections.abc import Sequence
from typing import Any

from backprop._util.arrays import plural

# What a history has for each number of `evaluated_at`, or not at all.
EVALUATED = ("train_accuracy", "validation_loss", "validation_accuracy")


def merge(first: Any, second: Any, result: Any) -> None:
    """Put two histories into an empty one, the second behind the first."""
    if first is second or (first._run is not None and first._run is second._run):
        raise ValueError(
            "merged: other is of the same run, by continue_from, and one of the two has all of it"
        )
    for history in (first, second):
        require_rows("merged: ", history)
    taken, counts = len(first.loss), (len(first.evaluated_at), len(second.evaluated_at))
    result.loss = [*first.loss, *second.loss]
    result.evaluated_at = [*first.evaluated_at, *(taken + step for step in second.evaluated_at)]
    result.seconds = first.seconds + second.seconds
    result.others = [*_others(first.others, counts[0]), *_others(second.others, counts[1])]
    result.best_at = first.best_at if second.best_at is None else taken + second.best_at
    for name in EVALUATED:
        lists = getattr(first, name), getattr(second, name)
        if any(lists):
            setattr(result, name, [*_filled(lists[0], counts[0]), *_filled(lists[1], counts[1])])


def _filled(values: Sequence[float], count: int) -> Sequence[float]:
    return values or count * [math.nan]


def _others(rows: Sequence[dict[str, float]], count: int) -> list[dict[str, float]]:
    return [{**row} for row in rows] if rows else [{} for _ in range(count)]


def require_rows(owner: str, history: Any) -> None:
    """Raise where a list has not one number an evaluation, and is not empty."""
    times = len(history.evaluated_at)
    for name in (*EVALUATED, "others"):
        count = len(getattr(history, name))
        if count not in (0, times):
            raise ValueError(
                f"{owner}{name} has {plural(count, 'number')}, evaluated_at has {times}; wanted as many, or none"
            )
