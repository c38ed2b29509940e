"""The user's own data for the command line: CSV files and NumPy archives.

A table has numeric features and one column of classes. Whatever is wrong with a file is said with its name and,
in a CSV file, the row (counted from 1, as editors do) and the column.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backprop._arrays import Array, plural
from backprop.data.archives import features_of, labels_of, read_archive
from backprop.data.cells import Cells, index_of, numbers, read_cells
from backprop.data.classes import classes_of

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

    Notes
    -----
    A first row of numbers is a sample, and so is one with a single text that is not `target`.
    """
    path = Path(path)
    if _kind(path) == ".npz":
        return _table_of_archive(path, target)
    cells = read_cells(path, () if target is None else (target,), target)
    column = _target_column(cells, target)
    names = cells.names
    x = numbers(cells, [n for n in range(len(names)) if n != column])
    t, classes = classes_of(path, [row[column] for row in cells.rows], lambda row: cells.place(row, column))
    return Table(x, t, classes, tuple(names[:column] + names[column + 1 :]), names[column])


def read_features(path: str | os.PathLike[str], features: Sequence[str], target: str | None = None) -> Array:
    """Read the features that a network was trained on, without labels.

    Parameters
    ----------
    path : path
        A CSV file with a header may have its columns in any order and others beside them; without one it has the
        features' columns in their order, and may have the column of the labels too. An npz archive has `x`.
    features : sequence of str
        The columns' names, as `Table.features` has them.
    target : str, optional
        Where the labels are in a CSV file without a header; by default last.

    Returns
    -------
    ndarray of float64, (N, len(features))

    Raises
    ------
    ValueError
        The file does not hold these features.
    FileNotFoundError
        There is no such file.
    """
    path = Path(path)
    if _kind(path) == ".npz":
        x = features_of(path, read_archive(path))
        if x.shape[1] != len(features):
            raise ValueError(
                f"{path}: x has {plural(x.shape[1], 'feature')} a sample, wanted {len(features)}"
            )
        return x
    cells = read_cells(path, [*features, *([] if target is None else [target])], target)
    names = cells.names
    if cells.header is not None:
        return numbers(cells, [index_of(path, names, name) for name in features])
    columns = list(range(len(names)))
    if len(columns) == len(features) + 1:
        columns.remove(_target_column(cells, target))
    if len(columns) != len(features):
        raise ValueError(
            f"{path}: {plural(len(columns), 'column')}, wanted the {plural(len(features), 'feature')}"
        )
    return numbers(cells, columns)


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in (".csv", ".npz"):
        raise ValueError(f"{path}: the name ends in {path.suffix!r}, wanted .csv or .npz")
    return kind


def _target_column(cells: Cells, target: str | None) -> int:
    columns = len(cells.names)
    if target is None:
        return columns - 1
    if cells.header is None and target.removeprefix("-").isdecimal() and -columns <= int(target) < columns:
        return int(target) % columns
    return index_of(cells.path, cells.names, target)


def _table_of_archive(path: Path, target: str | None) -> Table:
    arrays = read_archive(path)
    x = features_of(path, arrays)
    key = next((k for k in LABEL_KEYS if k in arrays), LABEL_KEYS[0]) if target is None else target
    labels = labels_of(path, arrays, key, len(x))
    t, classes = classes_of(path, labels, lambda sample: f"{path}: {key}[{sample}]")
    return Table(x, t, classes, tuple(str(n) for n in range(x.shape[1])), key)
