"""NumPy archives of the user's own: arrays of plain numbers and text, never objects.

np.load takes a header at its word, allocates what it claims and warns of what it finds odd; so members are read here,
with only their headers left to NumPy.
"""

import io
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arrays import Array, plural
from backprop._files import require_file
from backprop.data.cells import index_of
from backprop.data.pieces import read_up_to

if TYPE_CHECKING:
    from zipfile import ZipFile

SUFFIX = ".npy"
# More than any header that NumPy takes.
HEADER = 1 << 14


def read_archive(path: Path) -> dict[str, Array]:
    """Read every array of an npz file.

    Raises
    ------
    ValueError
        The file is not an archive, is damaged, or has arrays of objects.
    FileNotFoundError
        There is no such file.
    """
    import zipfile

    require_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(SUFFIX)]
            return {name.removesuffix(SUFFIX): _member(archive, name) for name in names}
    except Exception as error:  # noqa: BLE001  # a header can make its reader raise anything, MemoryError too
        raise ValueError(f"{path}: not an npz archive of plain arrays: {error}") from None


def _member(archive: "ZipFile", name: str) -> Array:
    """Read one array; nothing is allocated before its bytes are there."""
    import zipfile

    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # NumPy writes no others, and they can pack gigabytes into a small file.
        raise ValueError(f"{name} is packed in a way that NumPy does not pack")
    with archive.open(name) as file:
        start = io.BytesIO(read_up_to(file, HEADER))
        try:
            shape, by_columns, dtype = _header(start)
        except Exception as error:  # noqa: BLE001  # as in `read_archive`
            raise ValueError(f"the header of {name} is damaged: {error}") from None
        if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0:
            objects = "; save it as .astype(float) or .astype(str)" if dtype.hasobject else ""
            raise ValueError(f"{name} is {dtype} {shape}, wanted numbers or text{objects}")
        size = math.prod(shape) * dtype.itemsize
        content = bytearray(start.read())
        content += read_up_to(file, size + 1 - len(content))
    if len(content) != size:
        more = "more than " if len(content) > size else ""
        raise ValueError(
            f"{name} has {more}{min(len(content), size)} bytes of numbers, wanted {size} for {dtype} {shape}"
        )
    return np.ndarray(shape, dtype, content, order="F" if by_columns else "C")


def _header(file: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of an array; those of version 3 have fields."""
    version = np.lib.format.read_magic(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of old spellings, which are read all the same
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(file)
    raise ValueError(f"version {version} is not one of plain arrays")


def features_of(path: Path, arrays: dict[str, Array]) -> Array:
    """The array `x` as (N, features) of float64."""
    x = array_of(path, arrays, "x")
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise ValueError(f"{path}: x is {x.dtype} {x.shape}, wanted numbers of shape (N, features)")
    if not x.size:
        raise ValueError(f"{path}: x has shape {x.shape}, wanted at least one sample and feature")
    with np.errstate(over="ignore", invalid="ignore"):  # what float64 cannot hold is refused below
        x = x.reshape(len(x), -1).astype(np.float64)
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"{path}: x[{row}, {column}] is {x[row, column]}, wanted finite numbers")
    return x


def labels_of(path: Path, arrays: dict[str, Array], key: str, count: int) -> list[str]:
    """The labels of `count` samples as text."""
    labels = array_of(path, arrays, key)
    if labels.shape != (count,):
        raise ValueError(f"{path}: {key} has shape {labels.shape}, x has {plural(count, 'sample')}")
    if labels.dtype.kind not in "biufU":
        raise ValueError(f"{path}: {key} is {labels.dtype}, wanted whole numbers or text")
    if labels.dtype.kind == "U":
        try:
            labels.astype(labels.dtype.newbyteorder("<")).tobytes().decode("utf-32-le")
        except UnicodeDecodeError as error:
            sample = error.start // labels.dtype.itemsize
            raise ValueError(f"{path}: {key}[{sample}] is not text: {error.reason}") from None
    return [str(label) for label in labels.tolist()]


def array_of(path: Path, arrays: dict[str, Array], key: str) -> Array:
    """The array of this name."""
    index_of(path, list(arrays), key)
    return arrays[key]
