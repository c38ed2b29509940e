"""784-50-10, 100 samples, with a layer in NumPy behind `Affine1`: what a step costs beside one without it.

What the layer's own forward and backward take, in these very steps, is subtracted: the rest is what it costs that a
layer leaves the plan.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import interleaved
from bpcore.threads import limited

SIZES, ROWS = [784, 50, 10], 100


class Times:
    """Seconds that the passes of a layer took; no list, which the network would look through."""

    def __init__(self) -> None:
        self.forth: list[float] = []
        self.back: list[float] = []


class Squash:
    """x / (1 + |x|), without parameters. It measures itself."""

    def __init__(self) -> None:
        self.times = Times()

    def forward(self, x: Any) -> Any:
        started = time.perf_counter()
        self.x = x
        y = x / (1 + np.abs(x))
        self.times.forth.append(time.perf_counter() - started)
        return y

    def backward(self, dout: Any) -> Any:
        started = time.perf_counter()
        dx = dout / (1 + np.abs(self.x)) ** 2
        self.times.back.append(time.perf_counter() - started)
        return dx


class Scale(Squash):
    """x·gamma, which is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = np.ones(SIZES[1], np.float32)

    def forward(self, x: Any) -> Any:
        started = time.perf_counter()
        self.x = x
        y = x * self.gamma
        self.times.forth.append(time.perf_counter() - started)
        return y

    def backward(self, dout: Any) -> Any:
        started = time.perf_counter()
        self.dgamma = (dout * self.x).sum(axis=0)
        dx = dout * self.gamma
        self.times.back.append(time.perf_counter() - started)
        return dx


def run(quick: bool) -> Iterator[Result]:
    """Interleave both networks, on one thread; the median of all samples counts."""
    rng = np.random.default_rng(0)
    x, t = rng.random((ROWS, SIZES[0]), dtype=np.float32), rng.integers(0, SIZES[-1], ROWS)
    for rule in (bp.SGD, bp.Adam):
        for what, layer, required in (("NumPy layer", Squash(), "<= 1.5"), ("with a parameter", Scale(), "")):
            nets = {name: bp.Network(SIZES, seed=0) for name in ("without", "with")}
            nets["with"].layers.insert_after("Affine1", "Own", layer)
            optimizers = {name: rule(1e-6) for name in nets}
            steps = {
                name: (lambda net=net, own=optimizers[name]: net.train_step(x, t, own))
                for name, net in nets.items()
            }
            with limited(1):
                for step in steps.values():
                    for _ in range(10):
                        step()
                layer.times = Times()
                taken = interleaved(steps, 3 if quick else 31, rest=False)
            own = statistics.median(map(sum, zip(layer.times.forth, layer.times.back, strict=True)))
            ratio = (taken["with"].median - own) / taken["without"].median
            named = f"{what}, {rule.__name__}"
            yield Result("foreign", f"{named}: a step without it", 1e6 * taken["without"].median, "µs")
            yield Result("foreign", f"{named}: a step with it", 1e6 * taken["with"].median, "µs")
            yield Result("foreign", f"{named}: its own forward and backward", 1e6 * own, "µs")
            yield Result("foreign", f"{named}: ratio without these", ratio, "", "" if quick else required)
