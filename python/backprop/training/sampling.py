"""Which samples make a mini-batch, from PCG64's raw stream.

NumPy keeps the raw stream of a bit generator stable between versions, but not what its distributions make of it;
so the indices are made here, and a seed gives the same batches in five years. (Annotations with np.random are quoted,
because naming it imports it.)
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Sampler(Protocol):
    """Where the mini-batches come from."""

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches, as arrays (batches of one size, size); they hold that many in all."""


class WithReplacement:
    """Batches of indices below `samples`, each drawn independently.

    An index is the high word of (a draw of 32 bits) × samples; `samples` is below 2^32, and an index is likelier
    than another by at most samples / 2^32.
    """

    def __init__(self, bits: "np.random.PCG64", samples: int, batch_size: int) -> None:
        self.bits, self.samples, self.batch_size = bits, samples, batch_size

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches."""
        # In place: new memory for each operation would cost more than the operations.
        draws = self.bits.random_raw(batches * self.batch_size)
        draws >>= np.uint64(32)
        draws *= np.uint64(self.samples)
        draws >>= np.uint64(32)
        return [draws.view(np.int64).reshape(batches, self.batch_size)]


class Epochs:
    """Batches that visit every index once an epoch, in the order of random keys; an epoch's last may be short."""

    def __init__(self, bits: "np.random.PCG64", samples: int, batch_size: int) -> None:
        self.bits, self.samples, self.batch_size = bits, samples, batch_size
        self.left = np.empty(0, dtype=np.int64)

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches; asked for more than the epoch has left, it goes on with the next epoch."""
        drawn: list[Indices] = []
        while batches > 0:
            if not len(self.left):
                order = np.argsort(self.bits.random_raw(self.samples), kind="stable")
                self.left = order.astype(np.int64, copy=False)
            whole = min(batches, len(self.left) // self.batch_size)
            size = self.batch_size if whole else len(self.left)
            count = whole or 1
            drawn.append(self.left[: count * size].reshape(count, size))
            self.left, batches = self.left[count * size :], batches - count
        return drawn
