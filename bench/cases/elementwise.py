"""Softmax with cross-entropy, sigmoid, tanh and ReLU against NumPy's own functions and the machine's copy bandwidth."""

from collections.abc import Iterator

import numpy as np

from bench.results import Result
from bench.timing import interleaved
from bpcore import kernels
from tests import reference

THREADED = True


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give ratios to NumPy, and for ReLU the bytes a second as a fraction of a copy's."""
    one = threads == 1 and not quick
    rounds = 2 if quick else 15
    rng = np.random.default_rng(0)
    for B, K, least in ((100, 10, 8), (1024, 1000, 3)):
        x, t = rng.normal(size=(B, K)).astype(np.float32), rng.integers(0, K, B)
        y, dx = np.empty_like(x), np.empty_like(x)
        contenders = {
            "ours": lambda x=x, t=t, y=y, dx=dx: kernels.softmax_cross_entropy(x, t, y, dx),
            "theirs": lambda x=x, t=t: numpys(x, t),
        }
        loss, gradient = numpys(x, t)
        assert abs(contenders["ours"]() - loss) < 1e-4
        assert np.abs(dx - gradient).max() < 1e-5
        timings = interleaved(contenders, rounds)
        ratio = timings["theirs"].best / timings["ours"].best
        what = f"softmax-cross-entropy and gradient {B}×{K}: times NumPy"
        yield Result("elementwise", what, ratio, "", f">= {least}" if one else "")

    yield from tanh(rounds, one)
    n = 100_000 if quick else 10_000_000
    x, out, mask = rng.normal(size=n).astype(np.float32), np.empty(n, np.float32), np.empty(n, bool)
    dx = np.empty_like(out)
    contenders = {
        "copy": lambda: np.copyto(out, x),
        "relu_forward": lambda: kernels.relu_forward(x, out, mask),
        "relu_backward": lambda: kernels.relu_backward(x, mask, dx),
        "sigmoid_forward": lambda: kernels.sigmoid_forward(x, out),
        "sigmoid_forward twin": lambda: reference.sigmoid_forward(x, out),
        "tanh_forward": lambda: kernels.tanh_forward(x, out),
        "tanh_forward twin": lambda: reference.tanh_forward(x, out),
        "relu_forward twin": lambda: reference.relu_forward(x, out, mask),
    }
    timings = interleaved(contenders, rounds)
    copied = 8 * n / timings["copy"].best
    yield Result("elementwise", f"copy of {n} float32", copied / 1e9, "GB/s")
    for name in ("relu_forward", "relu_backward"):
        fraction = 9 * n / timings[name].best / copied
        yield Result(
            "elementwise", f"{name}, of the copy's bandwidth", fraction, "", ">= 0.85" if one else ""
        )
    for name in ("relu_forward", "sigmoid_forward", "tanh_forward"):
        ratio = timings[f"{name} twin"].best / timings[name].best
        yield Result("elementwise", f"{name}: times NumPy", ratio, "")


def tanh(rounds: int, one: bool) -> Iterator[Result]:
    """NumPy's time over ours, from numbers that stay in the first-level cache to such that do not."""
    for dtype in (np.float32, np.float64):
        for n in (1_000, 10_000, 100_000, 1_000_000):
            x = np.random.default_rng(0).normal(size=n).astype(dtype)
            out = np.empty_like(x)
            contenders = {
                "ours": lambda x=x, out=out: kernels.tanh_forward(x, out),
                "theirs": lambda x=x, out=out: np.tanh(x, out),
            }
            timings = interleaved(contenders, rounds)
            ratio = timings["theirs"].median / timings["ours"].median
            what = f"tanh of {n} {np.dtype(dtype)}: times NumPy"
            yield Result("elementwise", what, ratio, "", ">= 0.91" if one else "")


def numpys(x: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    """What a careful NumPy user writes."""
    shifted = x - x.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = float(np.mean(np.log(total[:, 0]) - shifted[rows, t]))
    e /= total
    e[rows, t] -= 1
    e /= len(x)
    return loss, e
