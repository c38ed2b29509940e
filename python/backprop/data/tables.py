"""The user's own data for the command line: CSV files and NumPy archives.

A table has numeric features and one column of classes. Whatever is wrong with a file is said with its name and,
in a CSV file, the row (counted from 1, as editors do) and the column.
"""

import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from backprop._util.arrays import Array, plural
from backprop._util.files import expanded
from backprop._util.messages import listed, shown
from backprop.data.archives import Archive, features_of, labels_of, targets_of
from backprop.data.classes import classes_of, is_one_of, same_label
from backprop.data.csv_head import UNNAMED, Head, index_of, read_head
from backprop.data.header_row import Known, may_be_names, unsure
from backprop.data.numbers import is_number, numbers_of, with_point
from backprop.data.rows import line_of, read_rows

LABEL_KEYS = ("t", "y")
# A column's; Python takes digits of other scripts too, and refuses thousands of them with an error of its own.
NUMBER = re.compile("-?[0-9]{1,18}")
# Names of labels, wherever the column stands; a first column may be called y, too.
LABEL_NAMES = {"label", "labels", "target", "targets", "class", "classes"}


@dataclass(frozen=True)
class Table:
    """Samples with their classes, or with numbers to predict.

    Attributes
    ----------
    x : ndarray of float64, (N, I)
    t : ndarray of int64, (N,)
        Labels from 0; label k is `classes[k]` in the file. Numbers to predict are float64, (N, K).
    classes, features : tuple of str
        Without classes the target is numbers.
    target : str
        The column or key that the labels came from.
    has_header : bool
        Whether the columns have names; without, `features` and `target` are their numbers.
    notes : tuple of str
        What was left out of the file, or taken for granted.
    """

    x: Array
    t: Array
    classes: tuple[str, ...]
    features: tuple[str, ...]
    target: str
    has_header: bool = False
    notes: tuple[str, ...] = ()


def read_table(path: str | os.PathLike[str], target: str | None = None, *, numbers: bool = False) -> Table:
    """Read samples and classes, or numbers to predict, from a `.csv` or `.npz` file.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8, or UTF-16 with its mark (comma, semicolon or tab; a first row of names or none), or an npz
        archive with `x` and `t` (or `y`).
    target : str, optional
        The column (its name, or its number where there is no header) or key of the labels; by default the last
        column, or `t` or `y`.
    numbers : bool, default False
        Whether the target is numbers to predict, and not classes; an archive may have several a sample, (N, K).

    Raises
    ------
    ValueError
        The file does not hold numeric features and classes, or numbers.
    FileNotFoundError
        There is no such file.

    Notes
    -----
    A first row of numbers is a sample, and so is one with a single text that is not `target`; but a row of 0, 1, 2, …
    with at least four columns is a header, as pandas writes of an array. A row is refused that may be either: whole
    numbers in other equal steps, or one whose label is in no other row. A `target` that is counted from the end, as
    "-1", says that it is a sample. True and False are 1 and 0. Between semicolons
    numbers may have decimal commas. A column without a name, as pandas writes of the rows' numbers, is left out, and so
    are lines with `#` above the table; `notes` says so. A line `sep=;` names the delimiter.

    If pyarrow or pandas is installed it reads large files, else NumPy does, with the same numbers and errors.
    """
    path = expanded(path)
    if suffix_of(path) == ".npz":
        return _table_of_archive(path, target, numbers)
    head = read_head(path, Known((), target))
    column = _target_column(head, target)
    names, notes = head.names, list(head.notes)
    features = [n for n in range(len(names)) if n != column and not _is_unnamed(head, n)]
    left_out = [n for n in range(len(names)) if n != column and _is_unnamed(head, n)]
    notes += [f"column {n + 1}, which has no name, left out" for n in left_out]
    rows = read_rows(head, features, column)
    labels = rows.labels
    if head.delimiter == ";":
        points = {label: with_point(label) for label in set(labels)}
        if all(map(is_number, points.values())):
            labels = [points[label] for label in labels]
    x, kept = rows.x, (tuple(names[n] for n in features), names[column], head.has_header, tuple(notes))

    def place(row: int) -> str:
        return head.place(line_of(head, row), column)

    if numbers:
        return Table(x, numbers_of(labels, place).reshape(-1, 1), (), *kept)
    alone = not head.has_header and may_be_names(head.first, column, target)
    if alone and not any(map(same_label(labels[0]), labels[1:])):
        raise unsure(f"{path}, row {head.line}", head.first, Known((), target))
    t, classes = classes_of(path, labels, place)
    return Table(x, t, classes, *kept)


def read_features(
    path: str | os.PathLike[str],
    features: Sequence[str],
    target: str | None = None,
    *,
    header: bool | None = None,
    classes: Collection[str] | None = None,
) -> Array:
    """Read the features that a network was trained on, without labels.

    Parameters
    ----------
    path : path
        A CSV file with a header may have its columns in any order and others beside them; without one it has the
        features' columns in their order, and may have the column of the labels too. An npz archive has `x`.
    features : sequence of str
        The columns' names, as `Table.features` has them.
    target : str, optional
        `Table.target`: in a CSV file without a header, the number of the column of labels, which is left out.
    header : bool, optional
        `Table.has_header`: features that are numbers are then known to be names, or not.
    classes : collection of str, optional
        `Table.classes`: a column that is left out has to have these, or nothing.

    Returns
    -------
    ndarray of float64, (N, len(features))

    Raises
    ------
    ValueError
        The file does not hold these features, or it cannot be told which columns they are.
    FileNotFoundError
        There is no such file.
    """
    path = expanded(path)
    if suffix_of(path) == ".npz":
        x = features_of(path, Archive(path))
        if x.shape[1] != len(features):
            raise ValueError(
                f"{path}: x has {plural(x.shape[1], 'feature')} a sample, wanted {len(features)}"
            )
        return x
    head = read_head(path, Known(features, target, header))
    if head.has_header:
        return read_rows(head, named_columns(head, features, header)).x
    columns = list(range(len(head.names)))
    if len(columns) != len(features) + 1:
        if len(columns) != len(features):
            raise ValueError(
                f"{path}: {plural(len(columns), 'column')}, wanted the {plural(len(features), 'feature')}"
            )
        return read_rows(head, columns).x
    if number_of_column(target, len(columns)) is None:
        raise ValueError(
            f"{path}: {len(columns)} columns without names, wanted the {plural(len(features), 'feature')}; say with "
            "the target which column to leave out: its number from 0, or '-1' for the last"
        )
    left_out = columns.pop(_target_column(head, target))
    rows = read_rows(head, columns, left_out)
    _require_labels(head, left_out, rows.labels, classes)
    return rows.x


def named_columns(head: Head, features: Sequence[str], header: bool | None) -> list[int]:
    """Where the features stand in a file whose columns have names; ValueError if one is not there."""
    if header is False and not set(features) <= set(head.names):
        raise ValueError(
            f"{head.path}: the columns are called {listed(head.names)}, those of the table for training had no "
            "names; write the columns in the order of that table, and no names"
        )
    places = {name: n for n, name in reversed(list(enumerate(head.names)))}
    missing = next((name for name in features if name not in places), None)
    if missing is not None:
        index_of(head.path, head.names, missing)  # raises
    return [places[name] for name in features]


def _require_labels(head: Head, column: int, labels: list[str], classes: Collection[str] | None) -> None:
    """A column that is left out for the labels' has labels: else a feature is left out and another taken for it."""
    if classes is None:
        return
    if head.delimiter == ";":
        labels = list(map(with_point, labels))
    strange = {label for label in set(labels) if not is_one_of(label, classes)}
    row = next((n for n, label in enumerate(labels) if label in strange), None)
    if row is not None:
        raise ValueError(
            f"{head.place(line_of(head, row), column)}: {shown(labels[row])} is none of the classes, so this may not "
            "be the column of the labels, which is left out; write the features' columns alone"
        )


def suffix_of(path: Path) -> str:
    """What kind of file a name says; ValueError for another than those that are read."""
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
    number = None if head.has_header else number_of_column(target, columns)
    return index_of(head.path, names, target) if number is None else number


def number_of_column(target: str | None, columns: int) -> int | None:
    """The column that a target means where there are no names; None if it is no number of one."""
    if target is None or not NUMBER.fullmatch(target) or not -columns <= int(target) < columns:
        return None
    return int(target) % columns


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
            f"{head.path}: the labels may be in {named[0]!r} or in the last column, {shown(last)}; "
            f"say which with the target {named[0]!r} or {shown(last)}"
        )


def _is_unnamed(head: Head, column: int) -> bool:
    return head.has_header and UNNAMED.fullmatch(head.names[column]) is not None


def _table_of_archive(path: Path, target: str | None, numbers: bool) -> Table:
    arrays = Archive(path)
    x = features_of(path, arrays)
    key = next((k for k in LABEL_KEYS if k in arrays), LABEL_KEYS[0]) if target is None else target
    features = tuple(str(n) for n in range(x.shape[1]))
    if numbers:
        return Table(x, targets_of(path, arrays, key, len(x)), (), features, key)
    labels = labels_of(path, arrays, key, len(x))
    t, classes = classes_of(path, labels, lambda sample: f"{path}: {key}[{sample}]")
    return Table(x, t, classes, features, key)
