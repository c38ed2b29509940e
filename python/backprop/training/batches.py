"""Batches that somebody else makes: a sequence of them, which is read ahead in a thread, or one after the other."""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.settings import MOST_STEPS
from backprop.training.sampling import Epochs

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

# Steps of a run whose end nobody knows.
UNKNOWN = MOST_STEPS - 1
# So many batches of a sequence are read before they are needed.
AHEAD = 4


class Source:
    """Where batches come from.

    Attributes
    ----------
    batches : object
        Which was given.
    length : int or None
        How many an epoch has; None where nobody says.
    samples, batch_size : int
        0: who makes the batches knows.
    """

    batches: Any
    length: int | None
    samples = batch_size = 0
    state: Any = None

    def next(self) -> Any:
        """The next batch, the same one until `done`; StopIteration behind the last."""
        raise NotImplementedError("a source says where its batches are")

    def done(self) -> None:
        """A step was taken with the last batch."""

    def replace(self, batches: Any) -> None:
        """Go on with the batches of another object."""
        self.batches = batches

    def close(self) -> None:
        """Let go of what reads ahead."""

    def take(self, batches: int) -> Any:
        """Nothing: there are no indices."""
        raise NotImplementedError("these batches are no rows of an array")

    @property
    def position(self) -> dict[str, Any]:
        """Where it is, for files."""
        raise NotImplementedError("what gives its batches one after the other cannot be asked where it is")

    @position.setter
    def position(self, position: dict[str, Any]) -> None:
        raise NotImplementedError("what gives its batches one after the other cannot be told where to be")


class FromSequence(Source):
    """Batches by their numbers, in a new order each epoch, a few of them read ahead in a thread.

    Parameters
    ----------
    batches : object with `__len__` and `__getitem__`
    bits : PCG64 or None
        What the orders are drawn by; without it they are as they stand.
    """

    def __init__(self, batches: Any, bits: "np.random.PCG64 | None") -> None:
        self.batches, self.length = batches, len(batches)
        self._order = Epochs(bits, self.length, 1)
        # Batches that are read, each with the place before it.
        self._ahead: deque[tuple[dict[str, Any], Future[Any]]] = deque()
        self._reader: ThreadPoolExecutor | None = None

    def next(self) -> Any:
        """The next batch."""
        if self._reader is None:
            from concurrent.futures import ThreadPoolExecutor

            self._reader = ThreadPoolExecutor(1, "backprop-batches")
        while len(self._ahead) < AHEAD:
            place = self._order.position
            number = int(self._order.take(1)[0][0, 0])
            self._ahead.append((place, self._reader.submit(self.batches.__getitem__, number)))
        return self._ahead[0][1].result()

    def done(self) -> None:
        """The next one is another."""
        self._ahead.popleft()

    def close(self) -> None:
        """Stop reading; what was read ahead is read again when it is needed."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.shutdown(wait=True, cancel_futures=True)
        self.position = self.position

    @property
    def position(self) -> dict[str, Any]:
        """The place of the next batch that no step was taken with."""
        return self._ahead[0][0] if self._ahead else self._order.position

    @position.setter
    def position(self, position: dict[str, Any]) -> None:
        self._order.position = position
        self._ahead.clear()


class OneByOne(Source):
    """Batches of an iterable, which begins anew where it can, or of an iterator.

    Parameters
    ----------
    batches : iterable
    length : int or None
        How many one pass has, if it says so.
    """

    def __init__(self, batches: Any, length: int | None) -> None:
        self.batches, self.length = batches, length
        self._iterator: Iterator[Any] | None = None
        self._pending: list[Any] = []
        self._given = 0

    def next(self) -> Any:
        """The next batch, of the next pass where one has ended and there can be another."""
        if self._pending:
            return self._pending[0]
        for _ in range(2):
            if self._iterator is None:
                self._iterator, self._given = iter(self.batches), 0
            try:
                self._pending.append(next(self._iterator))
            except StopIteration:
                if self._iterator is self.batches:
                    raise
                self._require_length()
                self._iterator = None
            else:
                return self._pending[0]
        raise StopIteration

    def done(self) -> None:
        """The next one is another."""
        self._pending.clear()
        self._given += 1
        if self.length is not None and self._given == self.length:
            self._iterator = None

    def replace(self, batches: Any) -> None:
        """Go on with those of another object, from its first."""
        self.batches, self._iterator = batches, None
        self._pending.clear()

    def _require_length(self) -> None:
        if self.length is not None and self._given < self.length:
            raise ValueError(f"fit: x says that it has {self.length} batches, and has given {self._given}")


def source_of(batches: Any, bits: "np.random.PCG64", shuffle: bool) -> Source:
    """What gives the batches that `fit` was given.

    Raises
    ------
    TypeError
        It is neither a sequence nor an iterable.
    """
    is_data = any(hasattr(batches, name) for name in ("__array__", "__array_interface__", "__dlpack__"))
    length = len(batches) if hasattr(batches, "__len__") and not is_data else None
    if length == 0:
        raise ValueError("fit: x has 0 batches, wanted at least 1")
    if length is not None and hasattr(batches, "__getitem__") and not hasattr(batches, "keys"):
        return FromSequence(batches, bits if shuffle else None)
    if is_data or not hasattr(batches, "__iter__"):
        raise TypeError(
            f"fit: t is not given, and x is a {type(batches).__name__}; wanted x and t, or batches (x, t): a sequence, "
            "an iterable or an iterator of them"
        )
    return OneByOne(batches, length)
