"""A CSV file as text: its delimiter, the names of its columns, its rows, and numbers out of it."""

import io
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backprop._arrays import Array, plural
from backprop._names import did_you_mean

# In a draw the comma loses: in `1,5;2,5;a` it is the decimal point of half the world.
DELIMITERS = "\t;,"
# What stands for a missing value is no name of a column.
MISSING = {"", "?", "na", "nan", "none", "null"}


@dataclass(frozen=True)
class Cells:
    """A CSV file as text.

    Attributes
    ----------
    path : Path
    header : list of str or None
        The columns' names; None if the first row is a sample.
    rows : list of list of str
        All of the same length, at least one.
    lines : list of int
        Where each row starts in the file, counted from 1 as editors do.
    """

    path: Path
    header: list[str] | None
    rows: list[list[str]]
    lines: list[int]

    @property
    def names(self) -> list[str]:
        """The header, or "0", "1", … in its place."""
        return self.header if self.header is not None else [str(n) for n in range(len(self.rows[0]))]

    def place(self, row: int, column: int) -> str:
        """Where a cell is, to begin an error's message with."""
        return f"{self.path}, row {self.lines[row]}, column {self.names[column]!r}"


def number(text: str) -> float:
    """The number that a cell shows; ValueError if it shows none."""
    if "_" in text:  # float reads 2020_01 as 202001
        raise ValueError(text)
    return float(text)


def is_number(text: str) -> bool:
    """Whether a cell shows a number, finite or not."""
    try:
        number(text)
    except ValueError:
        return False
    return True


def read_cells(path: Path, known: Collection[str] = (), target: str | None = None) -> Cells:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
    known : collection of str
        Names that the columns may have: a first row with one of them is a header.
    target : str, optional
        The column of the labels, where the caller was told.

    Raises
    ------
    ValueError
        The file is empty, has rows of different lengths or a name twice, is not UTF-8 or not CSV; or whether its
        first row is a header cannot be told.
    """
    rows, lines = _records(path)
    if not rows:
        raise ValueError(f"{path}: the file is empty")
    header = rows[0] if _is_header(path, rows, known, target) else None
    if header is not None:
        counts = Counter(header)
        twice = next((name for name in header if counts[name] > 1), None)
        if twice is not None:
            raise ValueError(f"{path}: the column {twice!r} is there twice")
        rows, lines = rows[1:], lines[1:]
    if not rows:
        raise ValueError(f"{path}: there are no rows under the header")
    cells = Cells(path, header, rows, lines)
    columns = len(cells.names)
    for line, row in zip(lines, rows, strict=True):
        if len(row) != columns:
            raise ValueError(f"{path}, row {line}: {plural(len(row), 'cell')}, wanted {columns}")
    return cells


def numbers(cells: Cells, columns: Sequence[int]) -> Array:
    """Finite numbers of some columns, (rows, len(columns)) of float64."""
    if not columns:
        raise ValueError(f"{cells.path}: there is no column of features")
    x = np.empty((len(cells.rows), len(columns)))
    for n, row in enumerate(cells.rows):
        x[n] = [_finite(cells, n, column, row[column]) for column in columns]
    return x


def index_of(path: Path, names: Sequence[str], name: str) -> int:
    """The place of a name among those there are."""
    if name in names:
        return list(names).index(name)
    raise ValueError(f"{path}: there is no {name!r} among {', '.join(names)}{did_you_mean(name, names)}")


def _records(path: Path) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, and the line each starts in."""
    import csv

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text: {error.reason} at byte {error.start}") from None
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n ").partition("\n")[0])
    delimiter = max(DELIMITERS, key=first.count)
    # Lines end where CSV ends them: str.splitlines would end them at U+2028 and in quotes too.
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    rows, lines, line = [], [], 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if len(cells) > 1 or any(cells):
                rows.append(cells)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, row {line}: not a CSV file: {error}") from None
    return rows, lines


def _is_header(path: Path, rows: list[list[str]], known: Collection[str], target: str | None) -> bool:
    """Whether the first row names the columns.

    A header names a feature and the labels, a sample has at most its label that is not a number: two texts make a
    header. A lone text makes one if it is a known name.
    """
    first = rows[0]
    texts = [cell for cell in first if cell.lower() not in MISSING and not is_number(cell)]
    if len(texts) > 1 or any(text in known for text in texts):
        return True
    # Features may be called 0, 1, …, so a last cell that no other row has could be the labels' name.
    others = {row[-1] for row in rows[1:]}
    numbered = first[:-1] == [str(n) for n in range(len(first) - 1)] or all(map(is_number, others))
    if target is None and len(first) > 1 and texts == first[-1:] and texts[0] not in others and numbered:
        raise ValueError(
            f"{path}, row 1: {','.join(first)} may be a header or a sample; "
            f"say which with the target {texts[0]!r} (a header) or '-1' (a sample)"
        )
    return False


def _finite(cells: Cells, row: int, column: int, text: str) -> float:
    try:
        value = number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        what = f"{text!r} is not a finite number" if text else "the value is missing"
        raise ValueError(f"{cells.place(row, column)}: {what}")
    return value
