"""A module of one's own with one `affine_forward` by pointers: how long it is translated and compiled, and its size."""

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.modules import USED_ONLY, compiled, load, translated
from bench.results import Result
from bpcore import kernels


def run(quick: bool) -> Iterator[Result]:
    """Build it several times, one process after the other; its numbers are those of `bpcore.kernels`."""
    cython, compiler = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 if quick else 5):
            generated, seconds = processor_time(lambda: translated("one_affine", Path(folder)))
            cython.append(seconds)
            module, seconds = processor_time(lambda source=generated: compiled(source, *USED_ONLY))
            compiler.append(seconds)
        size = module.stat().st_size
        check(load(module))
    both = [sum(pair) for pair in zip(cython, compiler, strict=True)]
    for what, times in (("Cython", cython), ("C compiler", compiler), ("both", both)):
        yield Result(
            "own_module", f"one affine_forward: {what}", min(times), "s", "", statistics.median(times)
        )
    required = "" if quick else "<= 3"
    yield Result("own_module", "one affine_forward: both, median", statistics.median(both), "s", required)
    yield Result("own_module", "one affine_forward: the module", size / 1e3, "kB", "<= 150")


def processor_time(build: Callable[[], Path]) -> tuple[Path, float]:
    """What it built, and the processor time of the processes that it waited for: other work counts little."""
    before = os.times()
    path = build()
    after = os.times()
    return path, after[2] + after[3] - before[2] - before[3]


def check(module) -> None:
    rng = np.random.default_rng(0)
    for B, I, O in ((1, 4, 16), (5, 200, 23), (70, 9, 600)):  # noqa: E741  # the sizes' letters
        x, W, b = (rng.normal(size=shape).astype(np.float32) for shape in ((B, I), (I, O), (O,)))
        out, expected = np.empty((B, O), np.float32), np.empty((B, O), np.float32)
        module.forward(*(array.ctypes.data for array in (x, W, b, out)), B, I, O)
        kernels.affine_forward(x, W, b, expected)
        assert np.array_equal(out, expected)
