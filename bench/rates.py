"""What a machine's threads reach with products and copies that stay in their caches: contenders of `timing`."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bpcore import kernels

# Rows, terms and columns of a product whose panel and operands stay in a second-level cache.
PRODUCT = 240, 256, 96
REPEATED = 100  # calls of a thread, which takes up to a tenth of a millisecond to begin
COPIED = 1 << 26  # bytes that a thread copies, at least


class OnThreads:
    """The same work on so many threads of Python at once."""

    def __init__(self, pool: ThreadPoolExecutor, threads: int) -> None:
        self.pool, self.threads = pool, threads
        self.cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

    def __call__(self) -> None:
        """Do it once on each thread."""
        list(self.pool.map(self.placed, range(self.threads)))

    def placed(self, rank: int) -> None:
        """Do the work of a rank on a processor of its own: a system may wake all threads on one."""
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {self.cpus[rank % len(self.cpus)]})
        self.work(rank)

    def work(self, rank: int) -> None:
        """What a thread does."""
        raise NotImplementedError("a subclass says it")


class Products(OnThreads):
    """Products; `operations` are those of all threads."""

    def __init__(self, pool: ThreadPoolExecutor, threads: int) -> None:
        super().__init__(pool, threads)
        rows, terms, columns = PRODUCT
        x, W = np.ones((rows, terms), np.float32), np.ones((terms, columns), np.float32)
        b = np.zeros(columns, np.float32)
        self.operations = 2.0 * threads * REPEATED * rows * terms * columns
        self.calls: list[Callable[[], object]] = []
        for _ in range(threads):
            arrays = x.copy(), W.copy(), b, np.empty((rows, columns), np.float32)
            self.calls.append(lambda arrays=arrays: kernels.affine_forward(*arrays, threads=1))  # type: ignore[misc]

    def work(self, rank: int) -> None:
        """The products of a thread, each of arrays of its own."""
        for _ in range(REPEATED):
            self.calls[rank]()


class Copies(OnThreads):
    """Copies of so much memory that a thread uses `used` bytes; `bytes` are those that all threads read and write."""

    def __init__(self, pool: ThreadPoolExecutor, threads: int, used: float) -> None:
        super().__init__(pool, threads)
        self.sources = [np.ones(max(int(used) // 2, 64), np.uint8) for _ in range(threads)]
        self.targets = [np.empty_like(source) for source in self.sources]
        self.repeated = max(1, COPIED // self.sources[0].nbytes)
        self.bytes = 2.0 * threads * self.repeated * self.sources[0].nbytes

    def work(self, rank: int) -> None:
        """The copies of a thread."""
        for _ in range(self.repeated):
            np.copyto(self.targets[rank], self.sources[rank])
