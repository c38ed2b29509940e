"""The user's own data for the command line: CSV files and NumPy archives.

A table has numeric features and one column of classes. Whatever is wrong with a file is said with its name and,
in a CSV file, the row (counted from 1, as editors do) and the column.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backprop._arrays import Array, plural
from backprop._files import expanded
from backprop.data.archives import features_of, labels_of, read_archive
from backprop.data.cells import UNNAMED, Head, index_of, read_head
from backprop.data.classes import classes_of
from backprop.data.numbers import is_number, with_point
from backprop.data.rows import line_of, read_rows

LABEL_KEYS = ("t", "y")
# Names of labels, wherever the column stands; a first column may be called y, too.
LABEL_NAMES = {"label", "labels", "target", "targets", "class", "classes"}


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
    notes : tuple of str
        What was left out of the file, or taken for granted.
    """

    x: Array
    t: Array
    classes: tuple[str, ...]
    features: tuple[str, ...]
    target: str
    notes: tuple[str, ...] = ()


def read_table(path: str | os.PathLike[str], target: str | None = None) -> Table:
    """Read samples and classes from a `.csv` or `.npz` file.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8, or UTF-16 with its mark (comma, semicolon or tab; a first row of names or none), or an npz
        archive with `x` and `t` (or `y`).
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
    A first row of numbers is a sample, and so is one with a single text that is not `target`; but a row of 0, 1, 2, …
    with at least four columns is a header, as pandas writes of an array. True and False are 1 and 0. Between semicolons
    numbers may have decimal commas. A column without a name, as pandas writes of the rows' numbers, is left out, and so
    are lines with `#` above the table; `notes` says so. A line `sep=;` names the delimiter.

    If pyarrow or pandas is installed it reads large files, else NumPy does, with the same numbers and errors.
    """
    path = expanded(path)
    if _kind(path) == ".npz":
        return _table_of_archive(path, target)
    head = read_head(path, (), target)
    column = _target_column(head, target)
    names, notes = head.names, list(head.notes)
    features = [n for n in range(len(names)) if n != column and not _is_unnamed(head, n)]
    left_out = [n for n in range(len(names)) if n != column and n not in features]
    notes += [f"column {n + 1}, which has no name, left out" for n in left_out]
    rows = read_rows(head, features, column)
    labels = rows.labels
    if head.delimiter == ";":
        points = {label: with_point(label) for label in set(labels)}
        if all(map(is_number, points.values())):
            labels = [points[label] for label in labels]
    t, classes = classes_of(path, labels, lambda row: head.place(line_of(head, row), column))
    return Table(rows.x, t, classes, tuple(names[n] for n in features), names[column], tuple(notes))


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
    path = expanded(path)
    if _kind(path) == ".npz":
        x = features_of(path, read_archive(path))
        if x.shape[1] != len(features):
            raise ValueError(
                f"{path}: x has {plural(x.shape[1], 'feature')} a sample, wanted {len(features)}"
            )
        return x
    head = read_head(path, features, target)
    if head.has_header:
        return read_rows(head, [index_of(path, head.names, name) for name in features]).x
    columns = list(range(len(head.names)))
    if len(columns) == len(features) + 1:
        columns.remove(_target_column(head, target))
    if len(columns) != len(features):
        raise ValueError(
            f"{path}: {plural(len(columns), 'column')}, wanted the {plural(len(features), 'feature')}"
        )
    return read_rows(head, columns).x


def _kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in (".csv", ".npz"):
        raise ValueError(f"{path}: the name ends in {path.suffix!r}, wanted .csv or .npz")
    return kind


def _target_column(head: Head, target: str | None) -> int:
    names, columns = head.names, len(head.names)
    if target is None:
        if head.has_header:
            _refuse_labels_elsewhere(head)
        return columns - 1
    place = target.removeprefix("-")
    if not head.has_header and place.isdecimal() and -columns <= int(target) < columns:
        return int(target) % columns
    return index_of(head.path, names, target)


def _refuse_labels_elsewhere(head: Head) -> None:
    """Refuse to take the last column for the labels where another is called that."""
    *others, last = head.names
    named = [
        name
        for n, name in enumerate(others)
        if name.lower() in LABEL_NAMES or (n == 0 and name in ("y", "Y"))
    ]
    if named and last.lower() not in LABEL_NAMES:
        raise ValueError(
            f"{head.path}: the labels may be in {named[0]!r} or in the last column, {last!r}; "
            f"say which with the target {named[0]!r} or {last!r}"
        )


def _is_unnamed(head: Head, column: int) -> bool:
    return head.has_header and UNNAMED.fullmatch(head.names[column]) is not None


def _table_of_archive(path: Path, target: str | None) -> Table:
    arrays = read_archive(path)
    x = features_of(path, arrays)
    key = next((k for k in LABEL_KEYS if k in arrays), LABEL_KEYS[0]) if target is None else target
    labels = labels_of(path, arrays, key, len(x))
    t, classes = classes_of(path, labels, lambda sample: f"{path}: {key}[{sample}]")
    return Table(x, t, classes, tuple(str(n) for n in range(x.shape[1])), key)
