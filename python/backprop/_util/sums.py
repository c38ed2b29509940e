"""Sums of Python that are the same on every machine."""

import math
from collections.abc import Iterable


def exact_sum(values: Iterable[float]) -> float:
    """The sum, rounded once; inf or NaN where it overflows or has both infinities."""
    numbers = [*values]
    try:
        return math.fsum(numbers)
    except (OverflowError, ValueError):
        return sum(numbers)
