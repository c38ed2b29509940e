"""The IDX format of the MNIST files: a magic number, sizes, then the numbers, big endian, gzipped or not.

Nothing is allocated before its bytes are there: sizes are what a file claims, and a file may lie.
"""

import math
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from backprop._arrays import Array

if TYPE_CHECKING:
    from gzip import GzipFile

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
CHUNK = 1 << 20
MOST_DIMENSIONS = 32


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Read an IDX file, gzipped or not.

    Parameters
    ----------
    path : path
        Whether it is gzipped is told by its first bytes, not by its name.

    Returns
    -------
    ndarray
        Of the shape and type in the file's header, in the machine's byte order.

    Raises
    ------
    ValueError
        The file is truncated, longer than its header says, damaged or no IDX file; the message names it.
    FileNotFoundError
        There is no such file.
    """
    import gzip
    import zlib

    path = Path(path)
    with path.open("rb") as raw:
        zipped = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        try:
            if zipped:
                with gzip.GzipFile(fileobj=raw) as file:
                    return _read(path, file)
            return _read(path, raw)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ValueError(f"{path}: the gzip stream is damaged or truncated: {error}") from None


def _read(path: Path, file: "IO[bytes] | GzipFile") -> Array:
    magic = _exactly(path, file, 4, "the magic number")
    if magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise ValueError(f"{path}: the magic number is 0x{magic.hex()}, which is not that of an IDX file")
    if not 1 <= magic[3] <= MOST_DIMENSIONS:
        raise ValueError(f"{path}: the header says {magic[3]} dimensions, wanted 1 to {MOST_DIMENSIONS}")
    sizes = np.frombuffer(_exactly(path, file, 4 * magic[3], "the header"), dtype=">u4")
    shape = tuple(int(size) for size in sizes)
    dtype = np.dtype(TYPES[magic[2]])
    if math.prod(max(size, 1) for size in shape) * dtype.itemsize >= 2**62:
        raise ValueError(f"{path}: the header says {shape}, more than any memory holds")
    content = _exactly(path, file, math.prod(shape) * dtype.itemsize, f"an array of {shape}")
    if file.read(1):
        raise ValueError(f"{path}: the file goes on after the {len(content)} bytes of an array of {shape}")
    array: Array = np.frombuffer(content, dtype=dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _exactly(path: Path, file: "IO[bytes] | GzipFile", count: int, what: str) -> bytearray:
    """Read `count` bytes, a piece at a time."""
    content = bytearray()
    while len(content) < count:
        piece = file.read(min(CHUNK, count - len(content)))
        if not piece:
            raise ValueError(f"{path}: the file ends after {len(content)} of the {count} bytes of {what}")
        content += piece
    return content
