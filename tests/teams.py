"""More threads than the machine has processors, which OpenMP would otherwise cut down to them without a word."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from bpcore import kernels  # which loads OpenMP

MOST = 8


@contextmanager
def allowed(threads: int = MOST) -> Iterator[None]:
    """Let OpenMP start so many threads for the calls of this thread; what runs by default stays as it is."""
    with threadpool_limits(threads, user_api="openmp"):
        yield


def running() -> int | None:
    """How many threads this process has, or None where that cannot be asked."""
    if sys.platform != "linux" or not kernels.has_threads():
        return None
    return len(os.listdir("/proc/self/task"))
