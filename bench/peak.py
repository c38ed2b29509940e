"""The peak rate of multiply-adds, measured interleaved with what is compared with it."""

import statistics
import time
from collections.abc import Callable
from itertools import pairwise

from bpcore import kernels

ROUNDS = 20_000


def multiply_adds(dtype: str, threads: int) -> tuple[Callable[[], object], int]:
    """A contender that does nothing but fused multiply-adds, and its floating-point operations a call."""
    return lambda: kernels.multiply_adds(dtype, ROUNDS, threads), kernels.multiply_adds(
        dtype, 1, threads
    ) * ROUNDS


def rate_behind(work: Callable[[], object], dtype: str, rounds: int) -> float:
    """Operations a second that multiply-adds alone reach on one thread right behind some work, the median.

    A processor lowers its clock under work that needs more power than multiply-adds in registers do, and takes
    milliseconds to raise it again: this is the peak at the clock that the work had.
    """
    rates = []
    for _ in range(rounds):
        work()
        # The first one warms up.
        for _ in range(3):
            started = time.perf_counter()
            kernels.multiply_adds(dtype, ROUNDS, 1)
            seconds = time.perf_counter() - started
        rates.append(kernels.multiply_adds(dtype, 1, 1) * ROUNDS / seconds)
    return statistics.median(rates)


def operations_of_scores(sizes: list[int]) -> int:
    """Floating-point operations of one sample's forward pass."""
    return sum(2 * inputs * outputs for inputs, outputs in pairwise(sizes))


def operations_of_step(sizes: list[int], batch: int) -> int:
    """Those of a training step: no gradient of the input, which nobody reads."""
    return batch * (3 * operations_of_scores(sizes) - 2 * sizes[0] * sizes[1])
