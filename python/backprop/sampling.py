"""Which samples make a mini-batch, from PCG64's raw stream.

NumPy keeps the raw stream of a bit generator stable between versions, but not what its distributions make of it;
so the indices are made here, and a seed gives the same batches in five years. (Annotations with np.random are quoted,
because naming it imports it.)
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


def with_replacement(
    bits: "np.random.PCG64", samples: int, batch_size: int, batches: int
) -> Iterator[Indices]:
    """Batches of indices below `samples`, each drawn independently.

    An index is the high word of (a draw of 32 bits) × samples; `samples` is below 2^32, and an index is likelier
    than another by at most samples / 2^32.
    """
    for _ in range(batches):
        high = bits.random_raw(batch_size) >> np.uint64(32)
        yield ((high * np.uint64(samples)) >> np.uint64(32)).astype(np.int64)


def epoch(bits: "np.random.PCG64", samples: int, batch_size: int) -> Iterator[Indices]:
    """Batches that visit every index once, in the order of `samples` random keys; the last may be short."""
    order = np.argsort(bits.random_raw(samples), kind="stable").astype(np.int64)
    for start in range(0, samples, batch_size):
        yield order[start : start + batch_size]
