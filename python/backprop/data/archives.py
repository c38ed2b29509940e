"""NumPy archives of the user's own: arrays of plain numbers and text, never objects.

a) np.load takes a header at its word, allocates what it claims and warns of what it finds odd; so members are read
   here, with only their headers left to NumPy.
b) A member is unpacked when its array is wanted, and not before its header agrees with the size that the archive says
   it has, which is no more than its bytes can hold.
"""

import io
import math
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from backprop._util.arrays import Array, plural
from backprop._util.files import opened
from backprop._util.messages import cut
from backprop.data.chunks import MOST_DEFLATED, read_up_to
from backprop.data.csv_head import index_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from zipfile import ZipFile

T = TypeVar("T")

SUFFIX = ".npy"
# More than any header that NumPy takes.
HEADER = 1 << 14
# Of a message about a file.
LONGEST = 300


class Archive(Mapping[str, Array]):
    """The arrays of an npz file by their names; each is read when it is looked up.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ValueError
        The file is not an archive, is damaged, or the array that is wanted is one of objects.
    FileNotFoundError
        There is no such file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = self._read(lambda archive: [n for n in archive.namelist() if n.endswith(SUFFIX)])

    def __getitem__(self, name: str) -> Array:
        return self._read(lambda archive: _member(archive, name + SUFFIX))

    def __contains__(self, name: object) -> bool:
        return f"{name}{SUFFIX}" in self._names  # without a look at the member

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(SUFFIX) for name in self._names)

    def __len__(self) -> int:
        return len(self._names)

    def _read(self, part: "Callable[[ZipFile], T]") -> T:
        import zipfile

        with opened(self._path) as file:
            try:
                with zipfile.ZipFile(file) as archive:
                    return part(archive)
            except Exception as error:  # noqa: BLE001  # a header can make its reader raise anything, MemoryError too
                said = cut(str(error) or type(error).__name__, LONGEST)  # zipfile's EOFError says nothing
                raise ValueError(f"{self._path}: not an npz archive of plain arrays: {said}") from None


def _member(archive: "ZipFile", name: str) -> Array:
    """Read one array; nothing is allocated before its bytes are there."""
    import zipfile

    info, short = archive.getinfo(name), cut(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # NumPy writes no others, and they can pack gigabytes into a small file.
        raise ValueError(f"{short} is packed in a way that NumPy does not pack")
    with archive.open(info) as file:
        start = io.BytesIO(read_up_to(file, HEADER))
        try:
            shape, by_columns, dtype = _header(start)
        except Exception as error:  # noqa: BLE001  # as in `Archive`
            raise ValueError(f"the header of {short} is damaged: {error}") from None
        what = f"{cut(str(dtype))} {cut(str(shape))}"
        if dtype.hasobject or not dtype.itemsize or min(shape, default=0) < 0:
            objects = "; save it as .astype(float) or .astype(str)" if dtype.hasobject else ""
            raise ValueError(f"{short} is {what}, wanted numbers or text{objects}")
        size, there = math.prod(shape) * dtype.itemsize, info.file_size - start.tell()
        if there != size:
            more = "more than " if there > size else ""
            raise ValueError(
                f"{short} has {more}{min(there, size)} bytes of numbers, wanted {size} for {what}"
            )
        if info.file_size > MOST_DEFLATED * info.compress_size:
            raise ValueError(
                f"{short} cannot be {info.file_size} bytes, which {info.compress_size} unpack to"
            )
        content = read_up_to(file, size + 1, bytearray(start.read()))
    if len(content) != size:
        raise ValueError(f"{short} has {len(content)} bytes of numbers, wanted {size} for {what}")
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


def features_of(path: Path, arrays: Mapping[str, Array]) -> Array:
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


def labels_of(path: Path, arrays: Mapping[str, Array], key: str, count: int) -> list[str]:
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


def targets_of(path: Path, arrays: Mapping[str, Array], key: str, count: int) -> Array:
    """The numbers to predict of `count` samples, (N, K) of float64."""
    t = array_of(path, arrays, key)
    if t.dtype.kind not in "fiub" or t.ndim not in (1, 2) or len(t) != count or not t.size:
        raise ValueError(
            f"{path}: {key} is {t.dtype} {t.shape}, wanted numbers of shape ({count},) or ({count}, K)"
        )
    with np.errstate(over="ignore", invalid="ignore"):  # what float64 cannot hold is refused below
        t = t.astype(np.float64).reshape(count, -1)
    finite = np.isfinite(t).all(axis=1)
    if not finite.all():
        row = int(finite.argmin())
        raise ValueError(f"{path}: {key}[{row}] is {', '.join(map(str, t[row]))}, wanted finite numbers")
    return t


def array_of(path: Path, arrays: Mapping[str, Array], key: str) -> Array:
    """The array of this name."""
    index_of(path, list(arrays), key)
    return arrays[key]
