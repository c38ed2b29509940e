"""A module of one's own with one `affine_forward` by pointers: how long it compiles, and its size."""

import os
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.modules import USED_ONLY, build, load
from bench.results import Result
from bpcore import kernels


def run(quick: bool) -> Iterator[Result]:
    """Build it several times, one process after the other; its numbers are those of `bpcore.kernels`."""
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(1 if quick else 5):
            # Of the processes that have ended: what else the machine does counts little.
            before = os.times()
            path = build("one_affine", Path(folder), *USED_ONLY)
            after = os.times()
            seconds.append(after[2] + after[3] - before[2] - before[3])
        size = path.stat().st_size
        check(load(path))
    time, required = statistics.median(seconds), "" if quick else "<= 3"
    yield Result("own_module", "one affine_forward: Cython and C compiler", min(seconds), "s", "", time)
    yield Result("own_module", "one affine_forward: Cython and C compiler, median", time, "s", required)
    yield Result("own_module", "one affine_forward: the module", size / 1e3, "kB", "<= 150")


def check(module) -> None:
    rng = np.random.default_rng(0)
    for B, I, O in ((1, 4, 16), (5, 200, 23), (70, 9, 600)):  # noqa: E741  # the sizes' letters
        x, W, b = (rng.normal(size=shape).astype(np.float32) for shape in ((B, I), (I, O), (O,)))
        out, expected = np.empty((B, O), np.float32), np.empty((B, O), np.float32)
        module.forward(*(array.ctypes.data for array in (x, W, b, out)), B, I, O)
        kernels.affine_forward(x, W, b, expected)
        assert np.array_equal(out, expected)
