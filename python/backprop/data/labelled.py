"""A table whose labels, or numbers to predict, are compared with what a network says of its features."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from backprop._util.arrays import Array, plural
from backprop._util.files import expanded
from backprop._util.messages import listed, shown
from backprop.data.archives import Archive, features_of, labels_of, targets_of
from backprop.data.classes import same_label
from backprop.data.csv_head import Head, index_of, read_head
from backprop.data.header_row import Known
from backprop.data.numbers import numbers_of, with_point
from backprop.data.rows import line_of, read_rows
from backprop.data.tables import LABEL_KEYS, named_columns, number_of_column, suffix_of


def read_labelled(
    path: str | os.PathLike[str],
    features: Sequence[str],
    target: str | None,
    *,
    header: bool | None = None,
    classes: Sequence[str] | None = None,
) -> tuple[Array, Array]:
    """Read the features that a network was trained on, and what it is to say of them.

    Parameters
    ----------
    path, features, target, header
        As `read_features` has them; the target's column has to be there.
    classes : sequence of str, optional
        What the classes are called; without them the target is numbers.

    Returns
    -------
    x : ndarray of float64, (N, len(features))
    t : ndarray
        Labels of int64, (N,): places in `classes`. Numbers of float64, (N, 1); of an archive (N, K).

    Raises
    ------
    ValueError
        The file does not hold these, a label is none of the classes, or a number is none.
    FileNotFoundError
        There is no such file.
    """
    path = expanded(path)
    if suffix_of(path) == ".npz":
        return _of_archive(path, len(features), target, classes)
    head = read_head(path, Known(features, target, header))
    columns, column = _columns(head, features, target, header)
    rows = read_rows(head, columns, column)
    labels = rows.labels
    if head.delimiter == ";":
        points = {label: with_point(label) for label in set(labels)}
        labels = [label if classes and label in classes else points[label] for label in labels]

    def place(row: int) -> str:
        return head.place(line_of(head, row), column)

    if classes is None:
        return rows.x, numbers_of(labels, place).reshape(-1, 1)
    return rows.x, _places(labels, classes, place)


def _columns(
    head: Head, features: Sequence[str], target: str | None, header: bool | None
) -> tuple[list[int], int]:
    """Where features and target stand."""
    if head.has_header:
        columns = named_columns(head, features, header)
        if target is None:
            raise ValueError(
                f"{head.path}: it is not known which column has the labels; say it with the target"
            )
        column = index_of(head.path, head.names, target)
        if column in columns:
            raise ValueError(f"{head.path}: the target is {shown(target)}, which is one of the features")
        return columns, column
    width = len(head.names)
    if width != len(features) + 1:
        raise ValueError(
            f"{head.path}: {plural(width, 'column')}, wanted the {plural(len(features), 'feature')} and the labels"
        )
    place = number_of_column(target, width)
    if place is None:
        raise ValueError(
            f"{head.path}: the columns have no names; say with the target which has the labels: its number from 0, or "
            "'-1' for the last"
        )
    return [n for n in range(width) if n != place], place


def _of_archive(
    path: Path, features: int, target: str | None, classes: Sequence[str] | None
) -> tuple[Array, Array]:
    arrays = Archive(path)
    x = features_of(path, arrays)
    if x.shape[1] != features:
        raise ValueError(f"{path}: x has {plural(x.shape[1], 'feature')} a sample, wanted {features}")
    key = next((k for k in LABEL_KEYS if k in arrays), LABEL_KEYS[0]) if target is None else target
    if classes is not None:
        labels = labels_of(path, arrays, key, len(x))
        return x, _places(labels, classes, lambda row: f"{path}: {key}[{row}]")
    return x, targets_of(path, arrays, key, len(x))


def _places(labels: Sequence[str], classes: Sequence[str], place: Callable[[int], str]) -> Array:
    """The place of each label among the classes."""
    found: dict[str, int] = {one: n for n, one in enumerate(classes)}
    for row, label in enumerate(labels):
        if label not in found:
            is_same = same_label(label)
            same = [n for n, one in enumerate(classes) if is_same(one)]
            if not same:
                raise ValueError(
                    f"{place(row)}: {shown(label)} is none of the classes of the network, which are {listed(classes)}"
                )
            found[label] = same[0]
    return np.array([found[label] for label in labels], dtype=np.int64)
