"""The fastest that the processor multiplies and adds, measured in the same turns as what is compared with it."""

from collections.abc import Callable

from bpcore import kernels

ROUNDS = 20_000


def multiply_adds(dtype: str, threads: int) -> tuple[Callable[[], object], int]:
    """A contender that does nothing but fused multiply-adds, and its floating-point operations a call."""
    return lambda: kernels.multiply_adds(dtype, ROUNDS, threads), kernels.multiply_adds(
        dtype, 1, threads
    ) * ROUNDS


def operations_of_step(sizes: list[int], batch: int) -> int:
    """Floating-point operations of a training step: no gradient of the input, which nobody reads."""
    products = [2 * batch * inputs * outputs for inputs, outputs in zip(sizes, sizes[1:], strict=False)]
    return 3 * sum(products) - products[0]
