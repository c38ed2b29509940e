"""A training step inside a loop over mini-batches drawn from the data, loss recorded: ours and the peers'."""

from collections.abc import Callable, Iterator

import numpy as np

import backprop as bp
from backprop.training.sampling import WithReplacement
from bench.peak import multiply_adds, operations_of_step, rate_behind
from bench.peers import Problem, all_peers
from bench.results import Result
from bench.timing import interleaved

THREADED = True
NOTES, ODD = [784, 50, 10], [783, 49, 11]
MIDDLE, LARGE, SMALL = [784, 512, 256, 10], [784, 1024, 1024, 1024, 10], [64, 64, 64, 2]
# Sizes, batch, type, rule, samples, steps a call, and what one thread is to reach: the least fraction of the peak,
# the least times as fast as the fastest peer, and as the notes' NumPy code in float64.
TABLE = [
    (NOTES, 100, "float32", "sgd", 60_000, 200, 0.75, 2.5),
    (NOTES, 100, "float64", "sgd", 60_000, 200, 0.70, None),
    (ODD, 97, "float32", "sgd", 60_000, 200, 0.675, None),
    (ODD, 97, "float64", "sgd", 60_000, 200, 0.63, None),
    (MIDDLE, 128, "float32", "sgd", 6_000, 20, 0.75, None),
    (LARGE, 256, "float32", "sgd", 3_000, 3, 0.80, None),
    (MIDDLE, 128, "float32", "adam", 6_000, 20, None, 1.5),
    (LARGE, 256, "float32", "adam", 3_000, 3, None, 1.4),
    (SMALL, 64, "float32", "adam", 6_000, 500, None, 3.0),
]


def problem_of(sizes: list[int], batch: int, dtype: str, rule: str, samples: int, steps: int) -> Problem:
    rng = np.random.default_rng(0)
    net = bp.Network(sizes, dtype=dtype, seed=0)
    weights = [(net.params[f"W{n}"], net.params[f"b{n}"]) for n in range(1, len(sizes))]
    return Problem(
        sizes,
        batch,
        rng.random((samples, sizes[0]), dtype=np.dtype(dtype)),
        rng.integers(0, sizes[-1], samples),
        # Those of `fit` with seed 0: everyone reads the same images, so nobody's are longer in the caches.
        WithReplacement(np.random.PCG64(0), samples, batch).take(steps)[0],
        [(W.copy(), b.copy()) for W, b in weights],
        rule,
        0.01 if rule == "sgd" else 0.001,
    )


def ours(problem: Problem) -> Callable[[], np.ndarray]:
    """`fit` over the same batches: what it calls once its arguments are checked and the batches drawn."""
    net = bp.Network(problem.sizes, dtype=problem.dtype, seed=0)
    optimizer = bp.SGD(problem.lr) if problem.rule == "sgd" else bp.Adam(problem.lr)
    from backprop.training.step import train_batches

    return lambda: np.array(train_batches(net, problem.x, problem.t, [problem.indices], optimizer)[0])


def fit_alone(problem: Problem) -> Callable[[], bp.History]:
    """The whole of `fit`, drawing its own batches."""
    net = bp.Network(problem.sizes, dtype=problem.dtype, seed=0)
    optimizer = bp.SGD(problem.lr) if problem.rule == "sgd" else bp.Adam(problem.lr)
    steps = len(problem.indices)
    return lambda: net.fit(
        problem.x,
        problem.t,
        iterations=steps,
        batch_size=problem.batch,
        optimizer=optimizer,
        seed=0,
        track_accuracy=False,
    )


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Check that everyone's losses agree, then time everyone, interleaved."""
    peers, _ = all_peers()
    for sizes, batch, dtype, rule, samples, steps, fraction, times in TABLE[:2] if quick else TABLE:
        problem = problem_of(sizes, batch, dtype, rule, 2000 if quick else samples, 5 if quick else steps)
        name = f"{'-'.join(map(str, sizes))} ×{batch}, {dtype}, {rule}"
        trainers = {"backprop": ours(problem)}
        for peer in peers:
            trainers |= peer.trainers(problem, threads)
        check(trainers, problem)
        peak, operations = multiply_adds(dtype, threads)
        contenders: dict[str, Callable[[], object]] = {"fit": fit_alone(problem), **trainers}
        rounds = 2 if quick else 9 if sizes is LARGE else 15
        timings = interleaved(contenders, rounds, len(problem.indices))
        per_second = operations / interleaved({"peak": peak}, 3 * rounds)["peak"].best
        yield Result("steps", f"{name}: multiply-adds alone", per_second / 1e9, "GFLOP/s")
        work = operations_of_step(sizes, batch)
        one = threads == 1 and not quick
        for who, timing in timings.items():
            label = "backprop, net.fit" if who == "fit" else who
            yield Result("steps", f"{name}: {label}", 1e6 * timing.best, "µs", median=1e6 * timing.median)
        reached = work / timings["fit"].best / per_second
        yield Result(
            "steps",
            f"{name}: net.fit, of the peak",
            reached,
            "",
            f">= {fraction}" if one and fraction else "",
        )
        if threads == 1:
            at_its_clock = work / timings["fit"].best / rate_behind(contenders["fit"], dtype, rounds)
            yield Result("steps", f"{name}: net.fit, of the peak right behind it", at_its_clock, "")
        others = {who: timing.best for who, timing in timings.items() if who not in ("fit", "backprop")}
        if others:
            fastest = min(others, key=others.__getitem__)
            required = f">= {times}" if times and not quick and (one or rule == "adam") else ""
            yield Result(
                "steps", f"{name}: times {fastest}", others[fastest] / timings["fit"].best, "", required
            )
            # What no code can pass on this processor, whatever is required.
            most = others[fastest] * per_second / work
            yield Result("steps", f"{name}: times {fastest}, of multiply-adds alone", most, "")


def check(trainers: dict[str, Callable[[], np.ndarray]], problem: Problem) -> None:
    """Everyone starts from our first loss and then stays within 2 % of ours for fifty steps.

    The first differs by rounding alone: log(classes) and sums of at most 1024 terms, far below 1e-4 in float32. Later
    ones part slowly, since Adam's epsilon stands in different places; another rate or rule would be off at once.
    """
    losses = {who: train() for who, train in trainers.items()}
    if not np.array_equal(fit_alone(problem)().loss, losses["backprop"]):
        raise AssertionError("steps: net.fit drew other batches than the contenders were given")
    for who, values in losses.items():
        difference = np.abs(values - losses["backprop"])[:50]
        if not (difference[0] <= 1e-4 and (difference <= 0.02 * losses["backprop"][:50]).all()):
            raise AssertionError(
                f"steps: losses of {who} differ from ours by {difference[0]}, then {difference.max()}"
            )
