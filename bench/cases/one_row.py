"""One row at a time through networks with ReLU, in a loop without the GIL, on one thread.

Ours is `rows_forward` of network.pxd and `layer_forward` of layers.pxd; beside them are plain C loops, and SciPy's BLAS
with the activations by hand. All are functions of one module, compiled with the same flags.

Each of our sums is one chain of multiply-adds in the order of its terms (the bits contract), which wait for each other:
a row takes about as long as the chains of its layers one after the other. Rows do not depend on each other here, so a
processor may begin one before the last has ended.
"""

import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.modules import build, load
from bench.results import Result
from bench.timing import interleaved, paired_ratio

SIZES = ([4, 16, 2], [16, 32, 32, 4], [64, 64, 64, 2])
OURS, PLAIN, BLAS = ("network", "layers"), "plain_loops", ("gemv", "gemm")
CONTENDERS = (*OURS, PLAIN, *BLAS)
# What ours may take, in times of the other's.
PLAIN_LIMIT, BLAS_LIMIT = 1.0, 0.7
ROWS = 8
WORK = 200_000  # multiply-adds a call, so that what Python adds is small


def run(quick: bool) -> Iterator[Result]:
    """Hold all to each other, then time them in turns; the ratios are medians of those of each turn."""
    if find_spec("scipy") is None:
        print("one_row: SciPy is not installed (pip install 'bpcore[bench]')")
        return
    with tempfile.TemporaryDirectory() as folder:
        module = load(build("one_row", Path(folder)))
        for sizes in SIZES:
            for dtype in ("float32", "float64"):
                yield from measured(module, sizes, dtype, quick)


def measured(module, sizes: list[int], dtype: str, quick: bool) -> Iterator[Result]:
    name = f"{'-'.join(map(str, sizes))}, {dtype}"
    x, weights = problem(sizes, dtype)
    check(module, x, weights, name)
    repeat = max(1, WORK // (ROWS * sum(inputs * outputs for inputs, outputs in pairwise(sizes))))
    out = np.empty((ROWS, sizes[-1]), dtype)
    functions = {who: getattr(module, f"by_{who}") for who in CONTENDERS}
    contenders = {
        who: lambda function=function: function(x, weights, out, repeat)
        for who, function in functions.items()
    }
    contenders["chain"] = lambda: module.chain(x, sum(sizes[:-1]) * ROWS * repeat)
    timings = interleaved(contenders, 2 if quick else 51, repeat * ROWS, sample_seconds=0.002, rest=False)
    for who, timing in timings.items():
        what = f"by {who.replace('_', ' ')}" if who != "chain" else "multiply-adds that wait for each other"
        yield Result("one_row", f"{name}: {what}", 1e9 * timing.best, "ns", "", 1e9 * timing.median)
    for who in OURS:
        for other in (PLAIN, *BLAS):
            limit = PLAIN_LIMIT if other == PLAIN else BLAS_LIMIT
            ratio = paired_ratio(timings[who], timings[other])
            what = f"{name}: {who}: of the time of {other.replace('_', ' ')}"
            yield Result("one_row", what, ratio, "", "" if quick else f"<= {limit}")


def problem(sizes: list[int], dtype: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows, and the weights and biases of each layer."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, sizes[0])).astype(dtype)
    weights = []
    for inputs, outputs in pairwise(sizes):
        weights.append((rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs)).astype(dtype))
        weights.append(rng.normal(size=outputs).astype(dtype))
    return x, weights


def check(module, x: np.ndarray, weights: list[np.ndarray], name: str) -> None:
    """Two ways of ours give the same bits; the others differ by no more than their roundings."""
    expected, bound = with_bound(x, weights)
    outs = {}
    for who in CONTENDERS:
        outs[who] = np.full(expected.shape, np.nan, x.dtype)
        getattr(module, f"by_{who}")(x, weights, outs[who], 1)
        assert (np.abs(outs[who] - expected) <= 2 * bound).all(), f"{name}: {who}"
    assert np.array_equal(*(outs[who] for who in OURS)), name


def with_bound(x: np.ndarray, weights: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The outputs in float64, and how far those of x's type may be from what is exact, whatever their order of adding.

    A sum of I products and a bias has at most I + 1 roundings in a row: (I + 1)·u of the magnitudes to first order, γ
    in full. ReLU enlarges no difference. `expected` has an error of its own, which is no larger than the bound.
    """
    u = np.finfo(x.dtype).eps / 2
    out, error = x.astype(np.float64), np.zeros(x.shape)
    for n, (W, b) in enumerate(zip(weights[::2], weights[1::2], strict=True)):
        if n > 0:
            out = np.maximum(out, 0)
        gamma = (len(W) + 1) * u / (1 - (len(W) + 1) * u)
        magnitude = (np.abs(out) + 2 * error) @ np.abs(W).astype(np.float64) + np.abs(b)
        out, error = out @ W.astype(np.float64) + b, error @ np.abs(W).astype(np.float64) + gamma * magnitude
    return out, error
