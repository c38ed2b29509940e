"""The IDX format of the MNIST files: a magic number, sizes, then the numbers, big endian, gzipped or not."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from backprop._util.arrays import Array
from backprop._util.files import expanded, opened
from backprop.data.chunks import MOST_DEFLATED, read_exactly

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
GZIP_MAGIC = b"\x1f\x8b"
MOST_DIMENSIONS = 32

# Raises ValueError for a type and a shape that are not wanted.
Check = Callable[[np.dtype[Any], tuple[int, ...]], None]


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
    return read_checked(expanded(path), lambda dtype, shape: None)


def read_checked(path: Path, check: Check) -> Array:
    """`read_idx`, where `check` sees what the header says before the numbers are read."""
    import gzip
    import zlib

    with opened(path) as raw:
        size = os.fstat(raw.fileno()).st_size
        zipped = raw.read(2) == GZIP_MAGIC
        raw.seek(0)
        try:
            if zipped:
                with gzip.GzipFile(fileobj=raw) as file:
                    return _read(cast(IO[bytes], file), MOST_DEFLATED * size, check)
            return _read(raw, None, check)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise ValueError(f"{path}: the gzip stream is damaged or truncated: {error}") from None
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def _read(file: IO[bytes], most: int | None, check: Check) -> Array:
    """Read an array from a file that has at most so many bytes, if that is known before they are read."""
    magic = read_exactly(file, 4, "the magic number")
    if magic[:2] != b"\0\0" or magic[2] not in TYPES:
        raise ValueError(f"the magic number is 0x{magic.hex()}, which is not that of an IDX file")
    if not 1 <= magic[3] <= MOST_DIMENSIONS:
        raise ValueError(f"the header says {magic[3]} dimensions, wanted 1 to {MOST_DIMENSIONS}")
    sizes = np.frombuffer(read_exactly(file, 4 * magic[3], "the header"), dtype=">u4")
    shape = tuple(int(size) for size in sizes)
    dtype = np.dtype(TYPES[magic[2]])
    check(dtype, shape)
    if math.prod(max(size, 1) for size in shape) * dtype.itemsize >= 2**62:
        raise ValueError(f"the header says {shape}, more than any memory holds")
    nbytes = math.prod(shape) * dtype.itemsize
    if most is not None and nbytes > most:
        raise ValueError(f"the header says {shape}, {nbytes} bytes, of which the file has at most {most}")
    content = read_exactly(file, nbytes, f"an array of {shape}")
    if file.read(1):
        raise ValueError(f"the file goes on after the {len(content)} bytes of an array of {shape}")
    array: Array = np.frombuffer(content, dtype=dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)
