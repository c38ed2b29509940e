"""The affine kernels into an `out`, against np.matmul into one plus the bias or the column sum."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from bench.results import Result
from bench.timing import interleaved
from bpcore import kernels

THREADED = True
Call = Callable[[], object]
SHAPES = [
    (1, 16, 16),
    (1, 784, 50),
    (8, 32, 32),
    (32, 32, 32),
    (64, 64, 64),
    (97, 783, 49),
    (100, 784, 50),
    (100, 50, 10),
    (128, 128, 128),
    (128, 256, 256),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
]


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Give every ratio, and the geometric mean up to 256³."""
    one = threads == 1 and not quick
    for dtype in ("float32", "float64"):
        ratios = []
        for B, I, O in SHAPES[:4] if quick else SHAPES:  # noqa: E741  # the sizes' letters
            large = max(B, I, O) > 256
            for kind, ratio in ratios_of(dtype, B, I, O, 2 if quick else 5 if large else 15).items():
                bound = ">= 0.95" if one and min(B, I, O) >= 32 else ""
                yield Result("products", f"{dtype} {B}×{I}×{O}, {kind}: times NumPy", ratio, "", bound)
                if not large:
                    ratios.append(ratio)
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        what = f"{dtype}: times NumPy up to 256³, geometric mean"
        yield Result("products", what, mean, "", ">= 1.3" if one else "")


def ratios_of(dtype: str, B: int, I: int, O: int, rounds: int) -> dict[str, float]:  # noqa: E741
    ratios = {}
    for kind, (ours, theirs) in contenders_of(dtype, B, I, O).items():
        timings = interleaved({"ours": ours, "theirs": theirs}, rounds)
        ratios[kind] = timings["theirs"].best / timings["ours"].best
    return ratios


def contenders_of(dtype: str, B: int, I: int, O: int) -> dict[str, tuple[Call, Call]]:  # noqa: E741
    """Of each product ours and NumPy's, which give the same numbers."""
    rng = np.random.default_rng(0)
    x, W, b, dout = (rng.normal(size=shape).astype(dtype) for shape in ((B, I), (I, O), (O,), (B, O)))
    out, dx, dW, db = (np.empty_like(array) for array in (dout, x, W, b))
    theirs = [np.empty_like(array) for array in (dout, x, W, b)]

    def forward() -> None:
        np.matmul(x, W, out=theirs[0])
        np.add(theirs[0], b, out=theirs[0])

    def backward_params() -> None:
        np.matmul(x.T, dout, out=theirs[2])
        np.sum(dout, axis=0, out=theirs[3])

    pairs = {
        "forward": (lambda: kernels.affine_forward(x, W, b, out), forward),
        "dx": (
            lambda: kernels.affine_backward_input(dout, W, dx),
            lambda: np.matmul(dout, W.T, out=theirs[1]),
        ),
        "dW and db": (lambda: kernels.affine_backward_params(x, dout, dW, db), backward_params),
    }
    for pair in pairs.values():
        for call in pair:
            call()
    u = float(np.finfo(dtype).eps)
    for mine, their in zip((out, dx, dW, db), theirs, strict=True):
        # Sums of max(B, I, O) products of normal numbers, each side off by that many roundings of their magnitudes.
        assert np.abs(mine - their).max() <= 40 * max(B, I, O) ** 1.5 * u
    return pairs
