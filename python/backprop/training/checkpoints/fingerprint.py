"""What tells data apart from other data, so that a run does not go on with that of another."""

import zlib
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.sparse import SparseRows

# So many rows of the samples are looked at, the first and the last among them; of the targets all are.
ROWS = 256


def fingerprint(
    x: Array, t: Array, weights: Array | None, validation: tuple[Array, Array, Array | None] | None
) -> dict[str, Any]:
    """Shape, type and CRC-32 of what a run trains on and evaluates, by the names of `fit`'s arguments."""
    parts = {"x": x, "t": t, "sample_weight": weights}
    if validation is not None:
        parts |= zip(("validation x", "validation t", "validation sample_weight"), validation, strict=True)
    return {
        name: None if array is None else _of(array, ROWS if name.endswith("x") else len(array))
        for name, array in parts.items()
    }


def _of(array: Array, rows: int) -> list[Any]:
    some = np.unique(np.linspace(0, len(array) - 1, min(rows, len(array))).astype(np.int64))
    if isinstance(array, SparseRows):
        chosen = array[some]
        # Whatever type SciPy has chosen for the indices.
        parts = (chosen.indptr, chosen.indices.astype(np.int64), chosen.data)
        return [list(array.shape), f"{array.dtype.name} csr", zlib.crc32(b"".join(parts))]
    chosen = np.ascontiguousarray(array if len(some) == len(array) else array[some])
    return [list(array.shape), array.dtype.name, zlib.crc32(chosen.reshape(-1).view(np.uint8).data)]
