"""What Python adds to a layer's kernel at small batches, and a walk over a network's params."""

from collections.abc import Callable, Iterator

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import interleaved
from bpcore import kernels

UNITS, CALLS = 50, 200


def run(quick: bool) -> Iterator[Result]:
    """Time layers and kernels, interleaved."""
    rng = np.random.default_rng(0)
    for batch in (1, 16, 100):
        x = rng.normal(size=(batch, UNITS)).astype(np.float32)
        W, b = rng.normal(size=(UNITS, UNITS)).astype(np.float32), np.zeros(UNITS, np.float32)
        out, mask = np.empty_like(x), np.empty(x.size, bool)
        flat, flat_out = x.reshape(-1), out.reshape(-1)
        relu, sigmoid, affine = bp.Relu(), bp.Sigmoid(), bp.Affine(W, b)
        contenders: dict[str, Callable[[], object]] = {
            "Relu.forward": lambda: relu.forward(x),
            "relu_forward": lambda: kernels.relu_forward(flat, flat_out, mask),
            "Sigmoid.forward": lambda: sigmoid.forward(x),
            "sigmoid_forward": lambda: kernels.sigmoid_forward(flat, flat_out),
            "Affine.forward": lambda: affine.forward(x),
            "affine_forward": lambda: kernels.affine_forward(x, W, b, out),
        }
        yield from timed(contenders, f"{batch}×{UNITS}, float32", quick)
    net, arrays = bp.Network([4] * 25, seed=0), dict(bp.Network([4] * 25, seed=0).params)
    walks: dict[str, Callable[[], object]] = {
        "net.params.items() of 24 layers": lambda: [array for _, array in net.params.items()],
        "a dict of the same": lambda: [array for _, array in arrays.items()],
    }
    yield from timed(walks, "a walk", quick)


def timed(contenders: dict[str, Callable[[], object]], name: str, quick: bool) -> Iterator[Result]:
    """One line each, in microseconds a call."""
    repeated = {who: lambda call=call: [call() for _ in range(CALLS)] for who, call in contenders.items()}
    for who, timing in interleaved(repeated, 3 if quick else 15, CALLS).items():
        required = "<= 40" if who.startswith("net.params") and not quick else ""
        yield Result("layers", f"{name}: {who}", 1e6 * timing.best, "µs", required, 1e6 * timing.median)
