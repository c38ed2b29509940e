"""The kernels of compressed sparse rows beside the dense ones and SciPy's products, on one thread.

Mini-batches of 100 rows of MNIST, of whose pixels a fifth are not 0, and of a made bag of words: 20,000 columns, of
which a row has about 80, drawn with Zipf's frequencies.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.data import mnist_or_digits
from bench.results import Result
from bench.timing import interleaved, paired_ratio
from bpcore import kernels

ROWS, OUTPUTS, WORDS = 100, 50, 20_000
Arrays = tuple[Any, Any, Any]
Call = Callable[[], object]


def run(quick: bool) -> Iterator[Result]:
    """Give the time of each product of ours, and what share it is of the others'."""
    name, (x, _), *_ = mnist_or_digits()
    for what, batches in ((name, x[: 20 * ROWS].reshape(20, ROWS, -1)), ("bag of words", bags_of_words(2))):
        yield from shares(what, batches, 2 if quick else 40)


def bags_of_words(count: int) -> np.ndarray:
    """Batches of rows of how often each word stands in a text of 120 words."""
    rng = np.random.default_rng(0)
    frequencies = 1 / np.arange(2, WORDS + 2)
    words = rng.choice(WORDS, (count, ROWS, 120), p=frequencies / frequencies.sum())
    x = np.zeros((count, ROWS, WORDS), np.float32)
    np.add.at(x, (np.arange(count)[:, None, None], np.arange(ROWS)[:, None], words), 1)
    # Columns in no order of their frequency, as a vocabulary's are.
    return np.ascontiguousarray(x[:, :, rng.permutation(WORDS)])


def compressed(x: np.ndarray) -> Arrays:
    """The three arrays of a batch in compressed sparse rows."""
    rows, columns = np.nonzero(x)
    indptr = np.searchsorted(rows, np.arange(len(x) + 1)).astype(np.int32)
    return indptr, columns.astype(np.int32), x[rows, columns]


def shares(name: str, batches: np.ndarray, rounds: int) -> Iterator[Result]:
    """The figures of each product of a data set's batches."""
    stored = [compressed(x) for x in batches]
    density = sum(len(data) for _, _, data in stored) / batches.size
    for what, calls in contenders(batches, stored).items():
        timings = interleaved(calls, rounds, len(batches), rest=False)
        ours = timings["sparse"]
        label = f"{name} ({density:.1%} stored), {ROWS} rows, {what}"
        yield Result("sparse", label, ours.best * 1e6, "µs", median=ours.median * 1e6)
        required = "<= 0.7" if rounds > 2 and name == "MNIST" else ""
        for other in [key for key in calls if key != "sparse"]:
            ratio = paired_ratio(ours, timings[other])
            bound = required if other == "the dense kernel" else ""
            yield Result("sparse", f"{label}: of {other}", ratio, "", bound)


def contenders(batches: np.ndarray, stored: list[Arrays]) -> dict[str, dict[str, Call]]:
    """Of each product who computes it: each call does all batches."""
    inputs = batches.shape[2]
    rng = np.random.default_rng(1)
    W, b, dout = (
        rng.normal(size=size).astype(np.float32) for size in ((inputs, OUTPUTS), OUTPUTS, (ROWS, OUTPUTS))
    )
    out, dW, db = np.empty_like(dout), np.empty_like(W), np.empty_like(b)
    keywords = {"threads": 1}

    def each(kernel: Callable[..., object], matrices: Any, *arguments: Any) -> Call:
        return lambda: [kernel(*x, *arguments, **keywords) for x in matrices]

    dense = [(x,) for x in batches]
    forward = {
        "sparse": each(kernels.csr_forward, stored, W, b, out),
        "the dense kernel": each(kernels.affine_forward, dense, W, b, out),
    }
    backward = {
        "sparse": each(kernels.csr_backward_params, stored, dout, dW, db),
        "the dense kernel": each(kernels.affine_backward_params, dense, dout, dW, db),
    }
    try:
        from scipy.sparse import csr_array
    except ImportError:
        return {"forward": forward, "dW and db": backward}
    matrices = [csr_array(x) for x in batches]
    transposed = [x.T for x in matrices]
    forward["SciPy's x @ W + b"] = lambda: [x @ W + b for x in matrices]
    backward["SciPy's x.T @ dout"] = lambda: [(x @ dout, dout.sum(axis=0)) for x in transposed]
    return {"forward": forward, "dW and db": backward}
