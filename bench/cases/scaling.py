"""Steps on 1, 2, 4, … and all threads, beside multiply-adds on as many and beside a model: what more threads bring."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from bench.cases.steps import LARGE, MIDDLE, NOTES, fit_alone, problem_of
from bench.peak import multiply_adds, operations_of_step
from bench.rates import Copies, Products
from bench.results import Result
from bench.step_model import Rates, bytes_of_thread, memory_of_thread, seconds_of_step
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


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give a step's time, its share of what multiply-adds reach, and its time in that of the model."""
    rounds = 2 if quick else 9
    with ThreadPoolExecutor(threads) as pool:
        for sizes, batch, samples, steps in JOBS[:1] if quick else JOBS:
            problem = problem_of(
                sizes, batch, "float32", "sgd", 1000 if quick else samples, 2 if quick else steps
            )
            peak, operations = multiply_adds("float32", threads)
            products = Products(pool, threads)
            copies = Copies(pool, threads, memory_of_thread(sizes, batch, threads))
            # All in one run, each round behind the other, so that other load slows all.
            timings = interleaved(
                {"fit": fit_alone(problem), "peak": peak, "products": products, "copies": copies}, rounds
            )
            rates = Rates(
                products.operations / timings["products"].best, copies.bytes / timings["copies"].best
            )
            step, median = (
                seconds / len(problem.indices) for seconds in (timings["fit"].best, timings["fit"].median)
            )
            reached = operations_of_step(sizes, batch) / step / (operations / timings["peak"].best)
            predicted = seconds_of_step(sizes, batch, threads, rates)
            name = f"{'-'.join(map(str, sizes))} ×{batch}: a step"
            yield Result("scaling", name, 1e6 * step, "µs", median=1e6 * median)
            yield Result("scaling", f"{name}, of the peak", reached, "")
            moved = threads * bytes_of_thread(sizes, batch, threads)
            yield Result("scaling", f"{name}: bytes that it moves", moved / 1e6, "MB")
            yield Result("scaling", f"{name}: these, by a copy's rate", 1e6 * moved / rates.copied, "µs")
            yield Result("scaling", f"{name}: what the model says", 1e6 * predicted, "µs")
