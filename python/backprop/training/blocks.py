"""Shuffling by blocks, for samples in a file that is mapped into memory: what is read together lies together.

An epoch takes the blocks in a random order, so many at once as make a window, and the samples of a window in a random
order. With one block a window that would be reading in order, with all in one window it is a full shuffle.
"""

import mmap
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.training.sampling import Indices, numbers_of, stream_of

# Bytes that lie together, and bytes of a window: of the samples as they are stored, the same on every machine.
BLOCK, WINDOW = 1 << 18, 1 << 26
KIND = "blocks"


class Blocks:
    """Batches that visit every index once an epoch, in windows of random blocks; an epoch's last may be short.

    Attributes
    ----------
    mapping : Mapping or None
        Where the samples are, which is told what is read next.
    """

    def __init__(
        self, bits: "np.random.PCG64", samples: int, batch_size: int, block: int, blocks: int
    ) -> None:
        self.bits, self.samples, self.batch_size = bits, samples, batch_size
        self.block, self.blocks = block, blocks
        self.mapping: Mapping | None = None
        nothing = np.empty(0, dtype=np.int64)
        # The order of the blocks that are left, the samples that are, and the stream before the epoch.
        self._ahead, self.left, self._before = nothing, nothing, dict[str, Any]()

    @property
    def state(self) -> Any:
        """The state of the stream, and what is left of the epoch."""
        return dict(self.bits.state), self._ahead, self.left, self._before

    @state.setter
    def state(self, state: Any) -> None:
        self.bits.state, self._ahead, self.left, self._before = state

    @property
    def position(self) -> dict[str, Any]:
        """How many samples the epoch has left, and the stream before it."""
        left = len(self.left) + sum(self._size(int(one)) for one in self._ahead)
        stream = self._before if left else self.bits.state
        return {"kind": KIND, "left": left, "block": self.block, "blocks": self.blocks, **numbers_of(stream)}

    @position.setter
    def position(self, position: dict[str, Any]) -> None:
        left, sizes = position["left"], [position.get("block"), position.get("blocks")]
        if position.get("kind") != KIND or sizes != [self.block, self.blocks]:
            raise ValueError("its samples were not shuffled by such blocks; wanted x as it was, an np.memmap")
        if type(left) is not int or not 0 <= left < self.samples:
            raise ValueError(f"left is {left!r}, wanted a number of samples, of {self.samples}")
        self.bits.state = stream_of(position)
        self._ahead = self.left = np.empty(0, dtype=np.int64)
        if left:
            self._begin()
            gone = self.samples - left
            while gone >= len(self.left):
                gone -= len(self.left)
                self.left = self._next()
            self.left = self.left[gone:]

    def take(self, batches: int) -> list[Indices]:
        """Draw the next batches; asked for more than the epoch has left, it goes on with the next epoch."""
        drawn: list[Indices] = []
        while batches > 0:
            if not len(self.left) and not len(self._ahead):
                self._begin()
            while len(self.left) < self.batch_size and len(self._ahead):
                self.left = np.concatenate([self.left, self._next()])
            whole = min(batches, len(self.left) // self.batch_size)
            size, count = (self.batch_size, whole) if whole else (len(self.left), 1)
            drawn.append(self.left[: count * size].reshape(count, size))
            self.left, batches = self.left[count * size :], batches - count
        return drawn

    def _size(self, block: int) -> int:
        return min(self.block, self.samples - block * self.block)

    def _begin(self) -> None:
        """Another order of the blocks."""
        self._before = dict(self.bits.state)
        keys = self.bits.random_raw(-(-self.samples // self.block))
        self._ahead = np.argsort(keys, kind="stable").astype(np.int64, copy=False)

    def _next(self) -> Indices:
        """The samples of the next window."""
        chosen, self._ahead = self._ahead[: self.blocks], self._ahead[self.blocks :]
        if self.mapping is not None:
            for block in chosen:
                self.mapping.will_read(int(block) * self.block, self._size(block))
        found = (chosen[:, np.newaxis] * self.block + np.arange(self.block)).reshape(-1)
        found = found[found < self.samples]
        return found[np.argsort(self.bits.random_raw(len(found)), kind="stable")]


class Mapping:
    """Samples in a file that is mapped into memory. What was read of it the system drops where it needs the memory."""

    def __init__(self, file: mmap.mmap, start: int, row: int) -> None:
        self._file, self._start, self._row = file, start, row

    def will_read(self, first: int, rows: int) -> None:
        """Let the system read some samples ahead of need."""
        start = self._start + first * self._row
        begin = start // mmap.PAGESIZE * mmap.PAGESIZE
        self._file.madvise(mmap.MADV_WILLNEED, begin, start + rows * self._row - begin)


def mapping_of(x: Any) -> Mapping | None:
    """The mapping of samples that are an `np.memmap`, or a part of one that lies in one run of memory."""
    if not isinstance(x, np.memmap) or x.ndim < 2 or not x.flags.c_contiguous:
        return None
    file = getattr(x, "_mmap", None)
    if not isinstance(file, mmap.mmap) or not hasattr(mmap, "MADV_WILLNEED"):
        return None
    start = x.__array_interface__["data"][0] - np.frombuffer(file, np.uint8).__array_interface__["data"][0]
    return Mapping(file, start, x.strides[0])


def blocks_of(x: Any, rows: Array) -> tuple[int, int] | None:
    """Samples in a block and blocks in a window; None where a full shuffle is as good, or x is no `np.memmap`."""
    if not isinstance(x, np.memmap):
        return None
    row = max(rows.itemsize * rows.shape[1], 1)
    block = max(BLOCK // row, 1)
    blocks = max(WINDOW // (block * row), 1)
    return (block, blocks) if len(rows) > block * blocks else None
