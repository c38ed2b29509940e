"""Tensors out of files of the safetensors format: 8 bytes with the length of a header, the header as JSON, the numbers.

a) The file is read, not mapped into memory as the package safetensors does: where another process cuts a file that is
   mapped, the system ends this one (SIGBUS).
b) Counts before contents and sizes before memory: what a header claims is compared with the size of the file first.
"""

import math
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

import numpy as np

from backprop._util.arrays import Array, plural
from backprop._util.json import parsed
from backprop._util.messages import cut, shown

# As in the package.
MOST_HEADER = 100_000_000
METADATA = "__metadata__"
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
MOST_DIMENSIONS = 32  # as NumPy 1 has at most


@dataclass(frozen=True)
class Entry:
    """What a header says of a tensor, which is true of the size of the file.

    Attributes
    ----------
    dtype : numpy.dtype
    shape : tuple of int
    start : int
        The first of its bytes behind the header.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int

    @property
    def nbytes(self) -> int:
        """How many bytes it has."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: BufferedReader, size: int) -> tuple[dict[str, Entry], dict[str, Any]]:
    """Read the tensors' names, in the order of their numbers, and the metadata of a file of `size` bytes.

    Raises
    ------
    ValueError
        It is no such file, or the header does not agree with its size.
    """
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, MOST_HEADER):
        raise ValueError(f"not a safetensors file: a header of {length} bytes in a file of {size}")
    try:
        header = parsed(file.read(length).decode())
    except ValueError as error:
        raise ValueError(f"not a safetensors file: the header is damaged: {cut(str(error))}") from None
    if not isinstance(header, dict):
        raise ValueError(f"not a safetensors file: the header is a {type(header).__name__}")
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict):
        raise ValueError(f"not a safetensors file: the metadata is a {type(metadata).__name__}")
    entries = [(name, _entry(cut(name), said)) for name, said in header.items()]
    entries.sort(key=lambda pair: (pair[1].start, pair[1].nbytes))
    end = 0
    for name, entry in entries:
        if entry.start != end:
            raise ValueError(f"not a safetensors file: {cut(name)} begins at {entry.start}, wanted {end}")
        end += entry.nbytes
    if end != size - 8 - length:
        raise ValueError(f"not a safetensors file: {size - 8 - length} bytes of numbers, wanted {end}")
    return dict(entries), metadata


def _entry(name: str, said: Any) -> Entry:
    """One tensor's, whose offsets are those of its shape and type."""
    if not isinstance(said, dict):
        raise ValueError(f"not a safetensors file: {name} is a {type(said).__name__}")
    kind: Any = said.get("dtype")
    shape: Any = said.get("shape")
    offsets: Any = said.get("data_offsets")
    if not isinstance(kind, str) or kind not in DTYPES:
        said_type = cut(kind) if isinstance(kind, str) else shown(kind)
        raise ValueError(f"{name} is of type {said_type}, wanted {' or '.join(DTYPES)}")
    for key, numbers in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 2**63 for n in numbers):
            raise ValueError(f"{name} has the {key} {shown(numbers)}, wanted a list of whole numbers")
    if len(shape) > MOST_DIMENSIONS:
        raise ValueError(f"{name} has {plural(len(shape), 'dimension')}, wanted {MOST_DIMENSIONS} at most")
    entry = Entry(DTYPES[kind], tuple(shape), offsets[0] if offsets else 0)
    if offsets != [entry.start, entry.start + entry.nbytes]:
        raise ValueError(f"{name} has the data_offsets {shown(offsets)}, wanted {entry.nbytes} bytes")
    return entry


def read_tensors(file: BufferedReader, entries: dict[str, Entry]) -> dict[str, Array]:
    """Read the numbers behind the header."""
    tensors = {}
    for name, entry in entries.items():
        numbers = np.empty(entry.shape, entry.dtype)
        if file.readinto(numbers.reshape(-1).view(np.uint8).data) != entry.nbytes:
            raise ValueError(f"the file ends in {name}: it was cut while it was read")
        tensors[name] = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    return tensors
