"""The fastest that the processor multiplies and adds, measured in the same turns as what is compared with it."""

from collections.abc import Callable
from itertools import pairwise

from bpcore import kernels

ROUNDS = 20_000


def multiply_adds(dtype: str, threads: int) -> tuple[Callable[[], object], int]:
    """A contender that does nothing but fused multiply-adds, and its floating-point operations a call."""
    return lambda: kernels.multiply_adds(dtype, ROUNDS, threads), kernels.multiply_adds(
        dtype, 1, threads
    ) * ROUNDS


def operations_of_scores(sizes: list[int]) -> int:
    """Floating-point operations of one sample's forward pass."""
    return sum(2 * inputs * outputs for inputs, outputs in pairwise(sizes))


def operations_of_step(sizes: list[int], batch: int) -> int:
    """Those of a training step: no gradient of the input, which nobody reads."""
    return batch * (3 * operations_of_scores(sizes) - 2 * sizes[0] * sizes[1])
