"""Numbers out of rows of plain CSV, by the reader of another package or by NumPy's.

A reader takes rows without quotes and fills an array. All readers give the same numbers, the nearest to what a cell
shows, or raise ValueError if one shows none or a row has not as many cells as the array.

The cells are given to pandas and pyarrow as one column: what they do for each column of each chunk of a wide table
takes longer than reading it, and one column of numbers is an array of the rows as it is.
"""

import importlib
import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from backprop._util.arrays import Array

Reader = Callable[[Sequence[bytes], bytes, Array], None]

# Below so many bytes, to import a package takes longer than it saves.
LARGE = 1 << 22


def reader_for(size: int) -> Reader:
    """The fastest reader that is installed for a file of so many bytes."""
    if size >= LARGE:
        # glibc keeps freed memory up to twice the largest block that was freed; else every chunk's is zeroed anew,
        # up to a quarter of the time. Nothing is written to this one, so it costs none.
        np.empty((1 << 25) - (1 << 16), np.uint8)
        for name, reader in PACKAGES.items():
            try:
                importlib.import_module(name)
            except ImportError:
                continue
            return reader
    return with_numpy


def with_pandas(rows: Sequence[bytes], delimiter: bytes, out: Array) -> None:
    """Read by `pandas.read_csv`."""
    import pandas as pd

    column: Any = pd.read_csv(
        io.BytesIO(_joined(rows, delimiter, out.shape[1])),
        header=None,
        sep="\n",
        lineterminator=delimiter.decode(),
        dtype=np.float64,
        na_filter=False,
        float_precision=_precision(pd.__version__),
        quoting=3,
        low_memory=False,
        skip_blank_lines=False,
    )
    out[...] = column.to_numpy().reshape(out.shape)


def _precision(version: str) -> Literal["round_trip"] | None:
    """What gives the nearest numbers: from 3.1 on what is the default, and to ask for it warns."""
    major, minor = re.findall(r"\d+", version)[:2]
    return None if (int(major), int(minor)) >= (3, 1) else "round_trip"


def with_pyarrow(rows: Sequence[bytes], delimiter: bytes, out: Array) -> None:
    """Read by `pyarrow.csv`."""
    import pyarrow as pa
    from pyarrow import csv

    column = csv.read_csv(
        pa.py_buffer(_joined(rows, delimiter, out.shape[1]).replace(delimiter, b"\n")),
        csv.ReadOptions(column_names=["cells"], use_threads=False),
        csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        csv.ConvertOptions(column_types={"cells": pa.float64()}, null_values=[]),
    ).column(0)
    out[...] = column.to_numpy().reshape(out.shape)


def with_numpy(rows: Sequence[bytes], delimiter: bytes, out: Array) -> None:
    """Read by `numpy.loadtxt`."""
    if not all(rows):
        raise ValueError("an empty row, of which it warns")
    numbers = np.loadtxt([row.decode() for row in rows], delimiter=delimiter.decode(), comments=None, ndmin=2)
    if numbers.shape != out.shape:
        raise ValueError(f"numbers of shape {numbers.shape}, wanted {out.shape}")
    out[...] = numbers


def _joined(rows: Sequence[bytes], delimiter: bytes, width: int) -> bytes:
    """All cells, a delimiter behind each, of rows that have as many as they should."""
    cells = delimiter.join([*rows, b""])
    ends = np.cumsum(np.fromiter(map(len, rows), np.intp, len(rows)) + 1)
    is_end = np.frombuffer(cells, np.uint8) == ord(delimiter)
    counts = np.add.reduceat(is_end.view(np.uint8), np.concatenate(([0], ends[:-1])), dtype=np.uint32)
    if (counts != width).any():
        raise ValueError(f"a row has not {width} cells")
    return cells


# The faster first.
PACKAGES: dict[str, Reader] = {"pandas": with_pandas, "pyarrow.csv": with_pyarrow}
