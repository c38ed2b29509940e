"""Steps on 1, 2, 4, … and all threads, beside multiply-adds and a copy on as many: what more threads bring."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np

from bench.cases.steps import LARGE, MIDDLE, NOTES, fit_alone, problem_of
from bench.peak import multiply_adds, operations_of_step
from bench.results import Result
from bench.timing import interleaved

THREADED = True
EVERY_COUNT = True  # of threads, and not only one and all
# Sizes, batch, samples, steps a call.
JOBS = [
    (NOTES, 100, 60_000, 100),
    (MIDDLE, 128, 6_000, 10),
    (MIDDLE, 1024, 6_000, 2),
    (LARGE, 256, 3_000, 2),
    ([784, 2048, 2048, 10], 4096, 8_192, 1),
]
COPIED = 1 << 25  # bytes that each thread copies


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give a step's time, its share of what multiply-adds reach, and the bytes that it moves at least."""
    rounds = 2 if quick else 9
    sources = [np.ones(COPIED >> (6 if quick else 0), np.uint8) for _ in range(threads)]
    targets = [np.empty_like(source) for source in sources]
    with ThreadPoolExecutor(threads) as pool:
        copy = interleaved({"copy": lambda: list(pool.map(np.copyto, targets, sources))}, rounds)["copy"]
    copied = 2 * sum(source.nbytes for source in sources) / copy.best
    yield Result("scaling", "a copy, bytes read and written", copied / 1e9, "GB/s")
    for sizes, batch, samples, steps in JOBS[:1] if quick else JOBS:
        problem = problem_of(
            sizes, batch, "float32", "sgd", 1000 if quick else samples, 2 if quick else steps
        )
        net_fit = fit_alone(problem)
        peak, operations = multiply_adds("float32", threads)
        # Both in one run, each round behind the other, so that other load slows both.
        timings = interleaved({"fit": net_fit, "peak": peak}, rounds)
        step = timings["fit"].best / len(problem.indices)
        name = f"{'-'.join(map(str, sizes))} ×{batch}"
        yield Result(
            "scaling",
            f"{name}: a step",
            1e6 * step,
            "µs",
            median=1e6 * timings["fit"].median / len(problem.indices),
        )
        reached = operations_of_step(sizes, batch) / step / (operations / timings["peak"].best)
        yield Result("scaling", f"{name}: a step, of multiply-adds on as many threads", reached, "")
        moved = least_bytes(sizes, batch)
        yield Result("scaling", f"{name}: bytes that a step moves at least", moved / 1e6, "MB")
        yield Result("scaling", f"{name}: these, by a copy's rate", moved / copied / step, "of a step")


def least_bytes(sizes: list[int], batch: int, itemsize: int = 4) -> float:
    """Bytes that pass between memories if nothing stays in a thread's cache, but a product reads every number once.

    A weight is read forwards and, but for the first, backwards, and moved: read and written. What leaves a layer is
    written and read twice; so is its gradient.
    """
    weights = sum(inputs * outputs for inputs, outputs in pairwise(sizes))
    between = sum(sizes[1:])
    return itemsize * (4.0 * weights - sizes[0] * sizes[1] + batch * (2.0 * sizes[0] + 6.0 * between))
