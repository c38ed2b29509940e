"""The user's own data for the command line: CSV files and NumPy archives.

A table has numeric features and one column of classes. Whatever is wrong with a file is said with its name and,
in a CSV file, the row (counted from 1, as editors do) and the column.
"""

import difflib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backprop._arrays import Array, plural

MOST_CLASSES = 1000
DELIMITERS = ",;\t"
LABEL_KEYS = ("t", "y")


@dataclass(frozen=True)
class Table:
    """Samples with their classes.

    Attributes
    ----------
    x : ndarray of float64, (N, I)
    t : ndarray of int64, (N,)
        Labels from 0; label k is `classes[k]` in the file.
    classes, features : tuple of str
    target : str
        The column or key that the labels came from.
    """

    x: Array
    t: Array
    classes: tuple[str, ...]
    features: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class _Cells:
    """A CSV file as text: its columns' names (None without a header) and its rows."""

    path: Path
    header: list[str] | None
    rows: list[list[str]]

    @property
    def names(self) -> list[str]:
        return self.header if self.header is not None else [str(n) for n in range(len(self.rows[0]))]

    def line(self, row: int) -> int:
        return row + (2 if self.header is not None else 1)


def read_table(path: str | os.PathLike[str], target: str | None = None) -> Table:
    """Read samples and classes from a `.csv` or `.npz` file.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8 (comma, semicolon or tab; a first row of names or none), or an npz archive with `x` and
        `t` (or `y`).
    target : str, optional
        The column (its name, or its number where there is no header) or key of the labels; by default the last
        column, or `t` or `y`.

    Raises
    ------
    ValueError
        The file does not hold numeric features and classes.
    FileNotFoundError
        There is no such file.
    """
    path = Path(path)
    if _kind(path) == ".npz":
        return _table_of_archive(path, target)
    cells = _read_cells(path)
    place = _target_column(cells, target)
    names = cells.names
    x = _numbers(cells, [n for n in range(len(names)) if n != place])
    labels = [row[place].strip() for row in cells.rows]
    for row, label in enumerate(labels):
        if not label:
            raise ValueError(f"{path}, row {cells.line(row)}, column {names[place]!r}: the label is missing")
    t, classes = _classes(path, np.array(labels))
    return Table(x, t, classes, tuple(names[:place] + names[place + 1 :]), names[place])


def read_features(path: str | os.PathLike[str], features: Sequence[str], target: str | None = None) -> Array:
    """Read the features that a network was trained on, (N, len(features)) of float64.

    A CSV file with a header may have its columns in any order and others beside them; without one it has the
    features' columns in their order, and may have the column of the labels too (the last, or `target`).
    """
    path = Path(path)
    if _kind(path) == ".npz":
        x = _features_of_archive(path, _read_archive(path))
        if x.shape[1] != len(features):
            raise ValueError(
                f"{path}: x has {plural(x.shape[1], 'feature')} a sample, wanted {len(features)}"
            )
        return x
    cells = _read_cells(path)
    names = cells.names
    if cells.header is not None:
        return _numbers(cells, [_index(path, names, name) for name in features])
    columns = list(range(len(names)))
    if len(columns) == len(features) + 1:
        columns.remove(_target_column(cells, target))
    if len(columns) != len(features):
        raise ValueError(
            f"{path}: {plural(len(columns), 'column')}, wanted the {plural(len(features), 'feature')}"
        )
    return _numbers(cells, columns)


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in (".csv", ".npz"):
        raise ValueError(f"{path}: the name ends in {path.suffix!r}, wanted .csv or .npz")
    return kind


# --- CSV ------------------------------------------------------------------------------------------------------


def _read_cells(path: Path) -> _Cells:
    import csv

    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter, strict=True) if row]
    except csv.Error as error:
        raise ValueError(f"{path}: not a CSV file: {error}") from None
    if not rows:
        raise ValueError(f"{path}: the file is empty")
    # A header names at least one feature; a table without one has labels alone that may not be numbers.
    header = [cell.strip() for cell in rows[0]] if sum(not _is_number(c) for c in rows[0]) > 1 else None
    if header is not None and len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise ValueError(f"{path}: the column {twice!r} is there twice")
    cells = _Cells(path, header, rows[1:] if header is not None else rows)
    if not cells.rows:
        raise ValueError(f"{path}: there are no rows under the header")
    for row, values in enumerate(cells.rows):
        if len(values) != len(cells.names):
            raise ValueError(
                f"{path}, row {cells.line(row)}: {plural(len(values), 'cell')}, wanted {len(cells.names)}"
            )
    return cells


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _numbers(cells: _Cells, columns: list[int]) -> Array:
    if not columns:
        raise ValueError(f"{cells.path}: there is no column of features")
    x = np.empty((len(cells.rows), len(columns)))
    for row, values in enumerate(cells.rows):
        for n, column in enumerate(columns):
            text = values[column].strip()
            if not _is_number(text) or not math.isfinite(float(text)):
                what = f"{text!r} is not a finite number" if text else "the value is missing"
                raise ValueError(
                    f"{cells.path}, row {cells.line(row)}, column {cells.names[column]!r}: {what}"
                )
            x[row, n] = float(text)
    return x


def _index(path: Path, names: Sequence[str], name: str) -> int:
    if name in names:
        return list(names).index(name)
    nearest = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    raise ValueError(f"{path}: there is no {name!r} among {', '.join(names)}{hint}")


def _target_column(cells: _Cells, target: str | None) -> int:
    columns = len(cells.names)
    if target is None:
        return columns - 1
    if cells.header is None and target.lstrip("-").isdecimal() and -columns <= int(target) < columns:
        return int(target) % columns
    return _index(cells.path, cells.names, target)


# --- npz ------------------------------------------------------------------------------------------------------


def _read_archive(path: Path) -> dict[str, Array]:
    import zipfile
    import zlib

    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file")
    try:
        # Opened here, since np.load leaves a file that it cannot read open.
        with path.open("rb") as file, zipfile.ZipFile(file), np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (
        ValueError,
        EOFError,
        OSError,
        KeyError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise ValueError(f"{path}: not an npz archive of plain arrays: {error}") from None


def _features_of_archive(path: Path, arrays: dict[str, Array]) -> Array:
    x = arrays[list(arrays)[_index(path, list(arrays), "x")]]
    if x.dtype.kind not in "fiub" or x.ndim < 2:
        raise ValueError(f"{path}: x is {x.dtype} {x.shape}, wanted numbers of shape (N, features)")
    if not len(x) or not x[0].size:
        raise ValueError(f"{path}: x has shape {x.shape}, wanted at least one sample and feature")
    x = x.reshape(len(x), -1).astype(np.float64)
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ValueError(f"{path}: x[{row}, {column}] is {x[row, column]}, wanted finite numbers")
    return x


def _table_of_archive(path: Path, target: str | None) -> Table:
    arrays = _read_archive(path)
    x = _features_of_archive(path, arrays)
    key = target or next((key for key in LABEL_KEYS if key in arrays), LABEL_KEYS[0])
    labels = arrays[list(arrays)[_index(path, list(arrays), key)]]
    if labels.shape != (len(x),):
        raise ValueError(f"{path}: {key} has shape {labels.shape}, x has {plural(len(x), 'sample')}")
    t, classes = _classes(path, labels)
    return Table(x, t, classes, tuple(str(n) for n in range(x.shape[1])), key)


# --- Classes --------------------------------------------------------------------------------------------------


def _classes(path: Path, labels: Array) -> tuple[Array, tuple[str, ...]]:
    """Labels as numbers from 0, and what each was called: whole numbers in their order, else sorted text."""
    texts = np.array([str(label) for label in labels.tolist()])
    names = set(texts.tolist())
    if all(_is_number(name) for name in names):
        values = {name: float(name) for name in names}
        if any(value != math.floor(value) for value in values.values() if math.isfinite(value)):
            raise ValueError(
                f"{path}: the target has fractions, so this looks like a regression; only classes are supported"
            )
        ordered = sorted(names, key=lambda name: (values[name], name))
    else:
        ordered = sorted(names)
    if not 2 <= len(ordered) <= MOST_CLASSES:
        raise ValueError(
            f"{path}: the target has {plural(len(ordered), 'value')}, wanted 2 to {MOST_CLASSES} classes"
        )
    numbers = {name: n for n, name in enumerate(ordered)}
    return np.array([numbers[text] for text in texts.tolist()], dtype=np.int64), tuple(ordered)
