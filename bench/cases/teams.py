"""A kernel on all threads when its team has slept, and beside the threads of NumPy's BLAS, which go on spinning."""

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench.results import Result
from bpcore import kernels

THREADED = True
SIZE = 512
REST = 0.02  # seconds; OpenMP's threads sleep after some milliseconds
CALLS = 60


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Time single calls, as a program makes them that does something else in between."""
    if threads == 1:
        return
    rng = np.random.default_rng(0)
    x, W = rng.random((SIZE, SIZE), dtype=np.float32), rng.random((SIZE, SIZE), dtype=np.float32)
    b, out, product = np.zeros(SIZE, np.float32), np.empty_like(x), np.empty_like(x)

    def ours(number: int | None = None) -> None:
        kernels.affine_forward(x, W, b, out, number)  # a call without a number may use fewer

    def numpys() -> None:
        np.matmul(x, W, out=product)

    def rest() -> None:
        time.sleep(REST)

    calls = 3 if quick else CALLS
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    name = f"{SIZE}³ float32"
    situations = [
        (f"{name} forward on one thread", lambda: ours(1), nothing),
        (f"{name} forward, call after call", ours, nothing),
        (f"{name} forward, after {1000 * REST:.0f} ms of rest", ours, rest),
        (f"{name} forward, each behind np.matmul", ours, numpys),
        (f"{name} np.matmul, call after call", numpys, nothing),
        (f"{name} np.matmul, each behind a forward", numpys, ours),
    ]
    for what, timed, between in situations:
        # Threads of the situation before stop spinning.
        time.sleep(0.5)
        seconds = [one_call(timed, between) for _ in range(calls)]
        yield Result("teams", what, 1e6 * min(seconds), "µs", median=1e6 * statistics.median(seconds))


def one_call(timed: Callable[[], None], between: Callable[[], None]) -> float:
    between()
    started = time.perf_counter()
    timed()
    return time.perf_counter() - started
