"""The notes' whole job: 10,000 steps, accuracy over training and test images every 600; and one evaluation alone."""

from collections.abc import Iterator

import numpy as np

import backprop as bp
from bench.data import mnist_or_digits
from bench.peak import multiply_adds, operations_of_scores, operations_of_step
from bench.results import Result
from bench.timing import interleaved

THREADED = True
SIZES, BATCH, STEPS, EVERY = [784, 50, 10], 100, 10_000, 600


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give seconds and the fraction of the floor, which counts nothing but multiply-adds at the peak."""
    name, (x, t), test = mnist_or_digits()
    steps = 600 if quick else STEPS
    for dtype in ("float32", "float64"):
        data = x.astype(dtype), t
        held_out = test[0].astype(dtype), test[1]
        evaluation = (len(x) + len(test[0])) * operations_of_scores(SIZES)
        evaluations = -(-steps // max(len(x) // BATCH, 1))
        operations = steps * operations_of_step(SIZES, BATCH) + evaluations * evaluation

        def job(data=data, held_out=held_out, dtype=dtype) -> None:
            net = bp.Network(SIZES, dtype=dtype, seed=0, weight_init=0.01)
            callbacks = [lambda net, history: net.accuracy(*held_out) < 0]
            net.fit(*data, iterations=steps, batch_size=BATCH, seed=0, callbacks=callbacks)

        net = bp.Network(SIZES, dtype=dtype, seed=0)
        peak, per_call = multiply_adds(dtype, threads)
        rounds = 1 if quick else 5
        timings = interleaved({"job": job, "evaluation": lambda: net.accuracy(*data)}, rounds)
        per_second = per_call / interleaved({"peak": peak}, 5 * rounds)["peak"].best
        yield Result("job", f"{name}, {dtype}: the whole job", timings["job"].best, "s")
        fraction = operations / per_second / timings["job"].best
        bound = ">= 0.65" if threads == 1 and not quick and len(x) == 60_000 else ""
        yield Result("job", f"{name}, {dtype}: the whole job, of its floor", fraction, "", bound)
        work = len(x) * operations_of_scores(SIZES)
        what = f"{name}, {dtype}: accuracy over {len(x)} images"
        yield Result("job", what, 1e3 * timings["evaluation"].best, "ms")
        yield Result("job", f"{what}, of the peak", work / timings["evaluation"].best / per_second, "")
    images = (255 * x).round().astype(np.uint8)
    net = bp.Network(SIZES, seed=0, input_scale=1 / 255)
    timing = interleaved({"u": lambda: net.accuracy(images, t)}, rounds)["u"]
    yield Result("job", f"{name}, uint8 images: accuracy over {len(x)}", 1e3 * timing.best, "ms")
