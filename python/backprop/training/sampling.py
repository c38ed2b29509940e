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
    position : dict
        The same as texts and numbers, for files. It may be set to that of another such sampler.
    """

    samples: int
    batch_size: int
    state: Any
    position: dict[str, Any]

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

    @property
    def position(self) -> dict[str, Any]:
        """The stream's numbers."""
        return numbers_of(self.bits.state)

    @position.setter
    def position(self, position: dict[str, Any]) -> None:
        self.bits.state = stream_of(position)

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
        self._before: dict[str, Any] | None = (
            None  # the stream, before the order was drawn that the epoch has
        )

    @property
    def state(self) -> tuple[dict[str, Any] | None, Indices, dict[str, Any] | None]:
        """The state of the stream, what is left of the epoch, and the state before its order."""
        return None if self.bits is None else dict(self.bits.state), self.left, self._before

    @state.setter
    def state(self, state: tuple[Any, Indices, Any]) -> None:
        stream, self.left, self._before = state
        if self.bits is not None:
            self.bits.state = stream

    @property
    def position(self) -> dict[str, Any]:
        """How many samples the epoch has left, and the stream's numbers, before its order if it has some."""
        if self.bits is None:
            return {"left": len(self.left)}
        stream = self._before if len(self.left) else self.bits.state
        assert stream is not None  # an order was drawn
        return {"left": len(self.left), **numbers_of(stream)}

    @position.setter
    def position(self, position: dict[str, Any]) -> None:
        left = position["left"]
        if "kind" in position:
            raise ValueError("its samples were shuffled by blocks; wanted x as it was, an np.memmap")
        if type(left) is not int or not 0 <= left < self.samples:
            raise ValueError(f"left is {left!r}, wanted a number of samples, of {self.samples}")
        if self.bits is not None:
            self.bits.state = stream_of(position)
        self.left = self._order()[self.samples - left :] if left else np.empty(0, dtype=np.int64)

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
        self._before = dict(self.bits.state)
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

    @property
    def position(self) -> dict[str, Any]:
        """That of the sampler."""
        return self.sampler.position

    @position.setter
    def position(self, position: dict[str, Any]) -> None:
        self.sampler.position = position

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches."""
        return [self.chosen[group] for group in self.sampler.take(batches)]


def numbers_of(stream: Any) -> dict[str, str]:
    """The numbers of PCG64's state as texts: they have 128 bits."""
    return {name: str(stream["state"][name]) for name in ("state", "inc")}


def stream_of(position: dict[str, Any]) -> Any:
    """PCG64's state of its numbers."""
    found = {}
    for name in ("state", "inc"):
        text = position[name]
        if not isinstance(text, str) or len(text) > 39 or not (text.isascii() and text.isdigit()):
            raise ValueError(f"{name} is {text!r:.60}, wanted the digits of a number")
        if (number := int(text)) >= 2**128:
            raise ValueError(f"{name} is {number}, wanted a number below 2**128")
        found[name] = number
    return {"bit_generator": "PCG64", "state": found, "has_uint32": 0, "uinteger": 0}
