"""784-50-10, 100 samples, with a layer in NumPy behind `Affine1`: what a step costs beside one without it.

What the layer's own forward and backward take, in these very steps, is subtracted: the rest is what it costs that a
layer leaves the plan.
"""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import interleaved
from bpcore.threads import limited

SIZES, ROWS = [784, 50, 10], 100


class Squash:
    """x / (1 + |x|), without parameters. It measures itself."""

    def __init__(self) -> None:
        self.seconds, self.calls = 0.0, 0

    def forward(self, x: Any) -> Any:
        started = time.perf_counter()
        self.x = x
        y = x / (1 + np.abs(x))
        self.seconds += time.perf_counter() - started
        return y

    def backward(self, dout: Any) -> Any:
        started = time.perf_counter()
        dx = dout / (1 + np.abs(self.x)) ** 2
        self.seconds += time.perf_counter() - started
        self.calls += 1
        return dx


class Scale(Squash):
    """The same, times gamma, which is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma = np.ones(SIZES[1], np.float32)

    def forward(self, x: Any) -> Any:
        started = time.perf_counter()
        self.x = x
        y = x * self.gamma
        self.seconds += time.perf_counter() - started
        return y

    def backward(self, dout: Any) -> Any:
        started = time.perf_counter()
        self.dgamma = (dout * self.x).sum(axis=0)
        dx = dout * self.gamma
        self.seconds += time.perf_counter() - started
        self.calls += 1
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
                layer.seconds, layer.calls = 0.0, 0
                taken = interleaved(steps, 3 if quick else 31, rest=False)
            own = layer.seconds / layer.calls
            ratio = (taken["with"].median - own) / taken["without"].median
            named = f"{what}, {rule.__name__}"
            yield Result("foreign", f"{named}: a step without it", 1e6 * taken["without"].median, "µs")
            yield Result("foreign", f"{named}: a step with it", 1e6 * taken["with"].median, "µs")
            yield Result("foreign", f"{named}: its own forward and backward", 1e6 * own, "µs")
            yield Result("foreign", f"{named}: ratio without these", ratio, "", "" if quick else required)
