"""How the time of a step grows with width, depth and batch: the fraction of the peak at each size."""

from collections.abc import Iterator

from bench.cases.steps import fit_alone, problem_of
from bench.peak import multiply_adds, operations_of_step
from bench.results import Result
from bench.timing import interleaved

THREADED = True
WIDTHS = [([64, width, 10], 100) for width in (16, 64, 256, 1024)]
DEPTHS = [([64] + depth * [64] + [10], 100) for depth in (1, 2, 4, 8)]
BATCHES = [([784, 50, 10], batch) for batch in (1, 10, 100, 1000)]


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Time `net.fit` alone, float32 and SGD."""
    peak, operations = multiply_adds("float32", threads)
    for sizes, batch in (WIDTHS[:1] + BATCHES[:1]) if quick else WIDTHS + DEPTHS + BATCHES:
        work = operations_of_step(sizes, batch)
        steps = max(2, min(1000, int(1e9 / work)))
        fit = fit_alone(problem_of(sizes, batch, "float32", "sgd", 4000, steps))
        timing = interleaved({"fit": fit}, 2 if quick else 7, steps)["fit"]
        per_second = operations / interleaved({"peak": peak}, 5)["peak"].best
        name = f"{'-'.join(map(str, sizes))} ×{batch}"
        yield Result("growth", f"{name}: a step", 1e6 * timing.best, "µs", "", 1e6 * timing.median)
        yield Result("growth", f"{name}: of the peak", work / timing.best / per_second, "")
