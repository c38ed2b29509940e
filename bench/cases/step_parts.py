"""What an activation, a normalisation or weight decay adds to a step, beside their loops alone on as many numbers."""

import statistics
from collections.abc import Callable, Iterator

import numpy as np

import backprop as bp
from bench.results import Result
from bench.timing import Timing, interleaved
from bpcore import kernels

THREADED = True
SIZES, BATCH = [784, 512, 256, 10], 128


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give what is added to a step as a multiple of the loops' time, and as a share of the step."""
    one = threads == 1 and not quick
    sizes = [20, 16, 8, 10] if quick else SIZES
    rng = np.random.default_rng(0)
    x = rng.random((BATCH, sizes[0]), dtype=np.float32)
    t = rng.integers(0, 10, BATCH)
    hidden = [rng.normal(size=(BATCH, width)).astype(np.float32) for width in sizes[1:-1]]

    def step(net: bp.Network, rule: bp.optimizers.base.UpdateRule) -> Callable[[], object]:
        return lambda: net.train_step(x, t, rule)

    plain, gelu = without_activations(sizes), bp.Network(sizes, activation="gelu", seed=0)
    normalised = without_activations(sizes)
    for n, width in enumerate(sizes[1:-1], start=1):
        normalised.layers.insert_after(f"Affine{n}", f"LayerNorm{n}", bp.LayerNorm(width))
    rate = 1e-6
    adam, adamw = (bp.Network(sizes, seed=0) for _ in range(2))
    timings = interleaved(
        {
            "plain": step(plain, bp.SGD(rate)),
            "gelu": step(gelu, bp.SGD(rate)),
            "gelu alone": gelu_loops(hidden),
            "layer_norm": step(normalised, bp.SGD(rate)),
            "layer_norm alone": layer_norm_loops(hidden),
            "adam": step(adam, bp.Adam(rate)),
            "adamw": step(adamw, bp.AdamW(rate)),
        },
        3 if quick else 31,
    )
    for name in ("gelu", "layer_norm"):
        added = differences(timings[name], timings["plain"])
        loops, steps = timings[f"{name} alone"].turns, timings["plain"].turns
        yield Result(
            "step_parts",
            f"{name}: added to a step, times its loops alone",
            statistics.median(a / b for a, b in zip(added, loops, strict=True)),
            "",
            "<= 1.3" if one else "",
        )
        share = statistics.median(a / b for a, b in zip(added, steps, strict=True))
        yield Result("step_parts", f"{name}: added to a step", 100 * share, "%")
    ratio = statistics.median(
        a / b for a, b in zip(timings["adamw"].turns, timings["adam"].turns, strict=True)
    )
    yield Result("step_parts", "AdamW's step, times Adam's", ratio, "", "<= 1.02" if one else "")


def without_activations(sizes: list[int]) -> bp.Network:
    """A network whose affine layers follow each other."""
    net = bp.Network(sizes, seed=0)
    for name in [name for name in net.layers if name.startswith("Relu")]:
        del net.layers[name]
    return net


def gelu_loops(hidden: list[np.ndarray]) -> Callable[[], object]:
    """Forward and backward of arrays of these sizes, one thread."""
    flat = [array.reshape(-1) for array in hidden]
    out = [np.empty_like(array) for array in flat]

    def call() -> None:
        for x, y in zip(flat, out, strict=True):
            kernels.gelu_forward(x, y, threads=1)
            kernels.gelu_backward(y, x, y, threads=1)

    return call


def layer_norm_loops(hidden: list[np.ndarray]) -> Callable[[], object]:
    """Forward, backward and the parameters' gradients, likewise."""
    out, normalised = ([np.empty_like(array) for array in hidden] for _ in range(2))
    scales = [np.empty(len(array), np.float32) for array in hidden]
    vectors = [[np.ones(array.shape[1], np.float32) for _ in range(4)] for array in hidden]

    def call() -> None:
        for x, y, z, scale, (gamma, beta, dgamma, dbeta) in zip(
            hidden, out, normalised, scales, vectors, strict=True
        ):
            kernels.layer_norm_forward(x, gamma, beta, 1e-5, y, z, scale, threads=1)
            kernels.layer_norm_backward_params(z, y, dgamma, dbeta, threads=1)
            kernels.layer_norm_backward_input(y, z, scale, gamma, y, threads=1)

    return call


def differences(more: Timing, less: Timing) -> list[float]:
    """Seconds that one takes more than the other, round by round."""
    return [a - b for a, b in zip(more.turns, less.turns, strict=True)]
