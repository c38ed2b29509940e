"""Which samples make a mini-batch, from PCG64's raw stream.

NumPy keeps the raw stream of a bit generator stable between versions, but not what its distributions make of it;
so the indices are made here, and a seed gives the same batches in five years. (Annotations with np.random are quoted,
because naming it imports it.)
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


class Sampler(Protocol):
    """Where the mini-batches come from.

    Attributes
    ----------
    samples, batch_size : int
    state : Any
        What the next batches follow from. It may be set to what it was before.
    """

    samples: int
    batch_size: int
    state: Any

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches, as arrays (batches of one size, size); they hold that many in all."""


class WithReplacement:
    """Batches of indices below `samples`, each drawn independently.

    An index is the high word of (a draw of 32 bits) × samples; `samples` is below 2^32, and an index is likelier
    than another by at most samples / 2^32.
    """

    def __init__(self, bits: "np.random.PCG64", samples: int, batch_size: int) -> None:
        self.bits, self.samples, self.batch_size = bits, samples, batch_size

    @property
    def state(self) -> dict[str, Any]:
        """The state of the stream."""
        return dict(self.bits.state)

    @state.setter
    def state(self, state: Any) -> None:
        self.bits.state = state

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches."""
        # In place: new memory for each operation would cost more than the operations.
        draws = self.bits.random_raw(batches * self.batch_size)
        draws >>= np.uint64(32)
        draws *= np.uint64(self.samples)
        draws >>= np.uint64(32)
        return [draws.view(np.int64).reshape(batches, self.batch_size)]


class Epochs:
    """Batches that visit every index once an epoch, in the order of random keys; an epoch's last may be short.

    Without `bits` the order is that of the indices.
    """

    def __init__(self, bits: "np.random.PCG64 | None", samples: int, batch_size: int) -> None:
        self.bits, self.samples, self.batch_size = bits, samples, batch_size
        self.left = np.empty(0, dtype=np.int64)

    @property
    def state(self) -> tuple[dict[str, Any] | None, Indices]:
        """The state of the stream, and what is left of the epoch."""
        return None if self.bits is None else dict(self.bits.state), self.left

    @state.setter
    def state(self, state: tuple[Any, Indices]) -> None:
        stream, self.left = state
        if self.bits is not None:
            self.bits.state = stream

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches; asked for more than the epoch has left, it goes on with the next epoch."""
        drawn: list[Indices] = []
        while batches > 0:
            if not len(self.left):
                self.left = self._order()
            whole = min(batches, len(self.left) // self.batch_size)
            size = self.batch_size if whole else len(self.left)
            count = whole or 1
            drawn.append(self.left[: count * size].reshape(count, size))
            self.left, batches = self.left[count * size :], batches - count
        return drawn

    def _order(self) -> Indices:
        if self.bits is None:
            return np.arange(self.samples, dtype=np.int64)
        return np.argsort(self.bits.random_raw(self.samples), kind="stable").astype(np.int64, copy=False)


class Subset:
    """The batches of a sampler, of some of the samples: what it draws are places in `chosen`."""

    def __init__(self, sampler: Sampler, chosen: Indices) -> None:
        self.sampler, self.chosen = sampler, chosen
        self.samples, self.batch_size = sampler.samples, sampler.batch_size

    @property
    def state(self) -> Any:
        """That of the sampler."""
        return self.sampler.state

    @state.setter
    def state(self, state: Any) -> None:
        self.sampler.state = state

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches."""
        return [self.chosen[group] for group in self.sampler.take(batches)]
