"""Matrices in compressed sparse rows (CSR): what SciPy's are taken for, checked once, and rows of them.

a) SciPy is not imported: a matrix is what has `format`, `shape`, `data`, `indices` and `indptr`.
b) The columns of a row ascend, none twice, as the kernels need it. Others are refused: to sort them would change, or
   copy, what is the user's.
c) The arrays are read where they are. Rows that are chosen by indices are copied, those of a slice are not.
"""

from typing import Any

import numpy as np

from backprop._util.arrays import FLOAT32, FLOAT64, Array, plural, readable, real_array
from bpcore.plan import SparseMatrix

# Numbers of a matrix that are checked at once.
BLOCK = 1 << 20
INDICES = (np.dtype(np.int32), np.dtype(np.int64))


def is_sparse(x: Any) -> bool:
    """Whether it is rows of a sparse matrix, or a sparse matrix or array of SciPy's of any format."""
    if type(x) is np.ndarray:
        return False
    return type(x) is SparseRows or (
        isinstance(getattr(x, "format", None), str) and (hasattr(x, "tocsr") or hasattr(x, "indptr"))
    )


class SparseRows:
    """A matrix in compressed sparse rows, which was checked.

    Attributes
    ----------
    indptr, indices, data : ndarray
        As in `scipy.sparse.csr_array`.
    shape : tuple of two int
    """

    ndim = 2

    def __init__(self, indptr: Array, indices: Array, data: Array, shape: tuple[int, int]) -> None:
        self.indptr, self.indices, self.data, self.shape = indptr, indices, data, shape
        self._planned: tuple[np.dtype[Any], Array, SparseMatrix] | None = None

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the numbers."""
        return self.data.dtype

    @property
    def arrays(self) -> tuple[Array, Array, Array]:
        """The three arrays in the order in which kernels take them."""
        return self.indptr, self.indices, self.data

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> "SparseRows":
        """Some of the rows: of a slice, or an array of indices from 0 on."""
        if isinstance(rows, slice):
            first, stop, step = rows.indices(len(self))
            if step == 1:
                stop = max(first, stop)
                begin, end = self.indptr[first], self.indptr[stop]
                return self._with(
                    self.indptr[first : stop + 1] - begin, self.indices[begin:end], self.data[begin:end]
                )
            rows = np.arange(first, stop, step)
        begin = self.indptr.take(rows)
        counts = self.indptr.take(rows + 1)
        counts -= begin
        indptr = np.zeros(len(rows) + 1, np.int64)
        counts.cumsum(out=indptr[1:])
        # Place n of the new row r is that of `begin[r]`, and so many behind it.
        places = (begin - indptr[:-1]).repeat(counts)
        places += np.arange(len(places))
        return self._with(indptr, self.indices.take(places), self.data.take(places))

    def __array__(self, *_: Any, **__: Any) -> Array:
        raise TypeError("x is sparse, which is not read here; wanted an array: x.toarray()")

    def _with(self, indptr: Array, indices: Array, data: Array) -> "SparseRows":
        return SparseRows(indptr, indices, data, (len(indptr) - 1, self.shape[1]))

    def view(self) -> "SparseRows":
        """The same rows, whose arrays have shapes of their own."""
        return SparseRows(self.indptr.view(), self.indices.view(), self.data.view(), self.shape)

    def copy(self) -> "SparseRows":
        """The rows in memory of their own."""
        return SparseRows(self.indptr.copy(), self.indices.copy(), self.data.copy(), self.shape)

    def of_type(self, dtype: np.dtype[Any]) -> "SparseRows":
        """The rows with numbers of another type."""
        if self.data.dtype is dtype:
            return self
        return SparseRows(self.indptr, self.indices, readable(self.data, dtype), self.shape)

    def scaled(self, scale: Array) -> "SparseRows":
        """The rows times one number for each column, or for all; both are of one type."""
        data = self.data * (scale if scale.ndim == 0 else scale[self.indices])
        return SparseRows(self.indptr, self.indices, data, self.shape)

    def for_plan(self, scale: Array, dtype: np.dtype[Any]) -> SparseMatrix:
        """The rows times `scale` as a plan of a type takes them: made once, with places and columns of its own."""
        made = self._planned
        if made is None or made[0] != dtype or made[1] is not scale:
            rows = self.for_network(scale, dtype)
            matrix = SparseMatrix(
                rows.indptr.astype(np.int64),
                np.ascontiguousarray(rows.indices, np.int32).view(np.uint8),
                np.ascontiguousarray(rows.data),
                self.shape[1],
            )
            made = self._planned = dtype, scale, matrix
        return made[2]

    def for_network(self, scale: Array, dtype: np.dtype[Any]) -> "SparseRows":
        """The rows times `scale` as the first layer of a network of a type gets them; its mean is 0."""
        rows = self.of_type(dtype)
        return rows.scaled(scale.astype(dtype)) if (scale != 1).any() else rows

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_planned": None}

    def toarray(self) -> Array:
        """The rows with their zeros."""
        out = np.zeros(self.shape, self.dtype)
        out[np.repeat(np.arange(len(self)), np.diff(self.indptr)), self.indices] = self.data
        return out


def sparse_rows(owner: str, x: Any) -> SparseRows:
    """A sparse matrix as rows; raises for what is none in compressed sparse rows, or has columns in no order."""
    if type(x) is SparseRows:
        return x
    form = x.format
    if form != "csr":
        raise TypeError(
            f"{owner}: x is a sparse matrix of format {form!r}, wanted 'csr': x.tocsr() makes it that"
        )
    shape = tuple(map(int, x.shape))
    if len(shape) != 2:
        raise ValueError(f"{owner}: x has {plural(len(shape), 'dimension')}, wanted (batch, features)")
    data = real_array(owner, "x.data", x.data)
    indptr, indices = (_indices(owner, name, getattr(x, name)) for name in ("indptr", "indices"))
    if data.ndim != 1 or indptr.shape != (shape[0] + 1,):
        raise ValueError(
            f"{owner}: x.indptr has shape {indptr.shape} and x.data {data.shape}, wanted {(shape[0] + 1,)} and one "
            "dimension"
        )
    stored = int(indptr[-1])
    if indptr[0] != 0 or (indptr[1:] < indptr[:-1]).any() or not stored <= min(len(indices), len(data)):
        raise ValueError(
            f"{owner}: x.indptr is that of no matrix, wanted places that begin with 0, never fall and end with at most "
            f"{min(len(indices), len(data))}, the numbers stored"
        )
    rows = SparseRows(indptr, indices[:stored], data[:stored], (shape[0], shape[1]))
    for first in range(0, stored, BLOCK):
        _check_columns(owner, rows, first, min(first + BLOCK, stored))
    return rows


def _indices(owner: str, name: str, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype not in INDICES or array.ndim != 1:
        raise TypeError(
            f"{owner}: x.{name} has dtype {array.dtype} and {plural(array.ndim, 'dimension')}, wanted int32 or int64 "
            "and one"
        )
    return readable(array, array.dtype)


def _check_columns(owner: str, x: SparseRows, first: int, stop: int) -> None:
    """The columns of some of the numbers are such, and ascend in each row."""
    columns = x.indices[first:stop]
    if columns.min() < 0 or columns.max() >= x.shape[1]:
        n = int(((columns < 0) | (columns >= x.shape[1])).argmax())
        raise ValueError(
            f"{owner}: x.indices[{first + n}] is {columns[n]}, wanted 0 to {x.shape[1] - 1}, a column"
        )
    before = max(first - 1, 0)
    falls = np.flatnonzero(x.indices[before + 1 : stop] <= x.indices[before : stop - 1]) + before + 1
    # Where a row begins, its column follows one of another row.
    wrong = falls[x.indptr[np.searchsorted(x.indptr, falls)] != falls]
    if len(wrong):
        n = int(wrong[0])
        raise ValueError(
            f"{owner}: x.indices[{n}] is {x.indices[n]} behind {x.indices[n - 1]} in one row, wanted columns that "
            "ascend, none twice: x.sum_duplicates() makes them so"
        )


def common_type_of(x: SparseRows, *others: Array) -> np.dtype[Any]:
    """The type that rows are computed in with these arrays."""
    types = (x.dtype, *(one.dtype for one in others))
    return FLOAT32 if all(one == FLOAT32 for one in types) else FLOAT64


def memory_of(x: Any) -> tuple[Array, ...]:
    """The arrays that rows of either kind are in."""
    return x.arrays if type(x) is SparseRows else (x,)
