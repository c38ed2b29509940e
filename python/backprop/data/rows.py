"""The samples of a CSV file: numbers of some columns, and the labels.

a) A file is read twice only if it must be. Plain lines, without quotes inside of cells and with what any reader of
   CSV takes for numbers, go to a fast reader, a chunk at a time. At the first that are not plain the file is read again
   from its first row, cell by cell: that says what is read, and what is wrong with it.
b) Nothing is kept but the numbers and the labels.
"""

import math
import re
from array import array
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice, repeat

import numpy as np

from backprop._util.arrays import Array, plural
from backprop._util.messages import shown
from backprop.data.csv_head import LONGEST_LINE, Head
from backprop.data.numbers import number, with_point
from backprop.data.readers import Reader, reader_for, with_numpy
from bpcore.threads import get_num_threads

CHUNK = 1 << 19


@dataclass(frozen=True)
class Rows:
    """What a CSV file has.

    Attributes
    ----------
    x : ndarray of float64, (N, columns)
    labels : list of str, N or 0
    """

    x: Array
    labels: list[str]


def read_rows(head: Head, columns: Sequence[int], label: int | None = None) -> Rows:
    """Read the numbers in `columns` and the text in the column `label`.

    Raises
    ------
    ValueError
        A row has more or fewer cells than the first, or a cell shows no finite number.
    """
    if not columns:
        raise ValueError(f"{head.path}: there is no column of features")
    try:
        rows = _plain(head, columns, label)
    except NotPlainError:
        rows = _careful(head, columns, label)
    if not len(rows.x):  # the head has seen some
        raise ValueError(f"{head.path}: the file was cut while it was read")
    return rows


def line_of(head: Head, row: int) -> int:
    """The line that a row begins in; only for what is said of an error, it reads the file."""
    return next(islice(head.records(), row, None), (head.line,))[0]


class NotPlainError(Exception):
    """The file has to be read cell by cell."""


def _plain(head: Head, columns: Sequence[int], label: int | None) -> Rows:
    """Rows of plain lines, or NotPlainError."""
    if head.encoding == "utf-16" or head.width == 1:
        raise NotPlainError
    part = _Part(head, columns, label, reader_for(head.path.stat().st_size))
    threads = 1 if part.reader is with_numpy else get_num_threads()  # those of packages hold no lock
    x = np.empty((_most_rows(head), len(columns)))
    labels: list[str] = []
    count, signs = 0, set[bytes]()
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[tuple[list[str], set[bytes]]]] = deque()
        for rows in chain(_chunks(head), repeat([], threads + 1)):
            if rows:
                running.append(pool.submit(part.read, rows, x[count : count + len(rows)]))
                count += len(rows)
            if running and (not rows or len(running) > threads):
                texts, found = running.popleft().result()
                labels += texts
                signs |= found
    if len(signs) > 1:  # decimal commas and decimal points
        raise NotPlainError
    return Rows(x[:count], labels)


def _most_rows(head: Head) -> int:
    """How many rows there are at most: by the line feeds of the file, and by the delimiters that each row has."""
    feeds = size = 0
    with head.path.open("rb") as file:
        for chunk in iter(lambda: file.read(CHUNK), b""):
            feeds += chunk.count(b"\n")
            size += len(chunk)
    return min(feeds, size // head.width) + 1


def _chunks(head: Head) -> Iterator[list[bytes]]:
    """The lines behind the header, some at a time."""
    delimiter = head.delimiter.encode()
    with head.path.open("rb") as file:
        if head.encoding == "utf-8-sig":
            file.seek(len(BOM_UTF8))
        # A carriage return alone ends a line too, but not here.
        if any(b"\r" in line.removesuffix(b"\r\n") for line in islice(file, head.start)):
            raise NotPlainError
        rest = b""
        for read in iter(lambda: file.read(CHUNK), b""):
            chunk = rest + read
            if b"\r" in chunk:
                chunk = chunk.replace(b"\r\n", b"\n")
            if b"\0" in chunk:
                raise NotPlainError
            rows = chunk.split(b"\n")
            rest = rows.pop()
            if len(rest) > LONGEST_LINE:
                raise NotPlainError
            if b'"' in chunk:
                rows = _unquoted(rows, delimiter)
            if b"" in rows:
                rows = [row for row in rows if row]
            if not chunk.isascii() or b"\r" in chunk:
                _require_text(rows)
            yield rows
        if rest:
            rows = _unquoted([rest.removesuffix(b"\r")], delimiter)
            _require_text(rows)
            yield rows


def _unquoted(rows: list[bytes], delimiter: bytes) -> list[bytes]:
    """Rows without the quotes around whole cells, as other programs write them around text."""
    between = rb"[%b\n]" % re.escape(delimiter)
    inside = rb'[^"%b\n]*' % re.escape(delimiter)
    # A literal comes first, for which the search is fast.
    lines = b"\n" + b"\n".join(rows) + b"\n"
    lines = re.sub(rb'"(?<=%b")(%b)"(?=%b)' % (between, inside, between), rb"\1", lines)
    if b'"' in lines:
        raise NotPlainError
    return lines[1:-1].split(b"\n")


def _require_text(rows: list[bytes]) -> None:
    try:
        b"\n".join(rows).decode()
    except UnicodeDecodeError:
        raise NotPlainError from None
    if any(b"\r" in row for row in rows):
        raise NotPlainError


@dataclass(frozen=True)
class _Part:
    """How some rows of plain lines are read."""

    head: Head
    columns: Sequence[int]
    label: int | None
    reader: Reader

    def read(self, rows: list[bytes], out: Array) -> tuple[list[str], set[bytes]]:
        """Fill `out` with the numbers; returns the labels and the decimal signs between semicolons."""
        delimiter, signs = self.head.delimiter.encode(), set[bytes]()
        if self.head.empty_last and any(row.rsplit(delimiter, 1)[-1].strip() for row in rows):
            raise NotPlainError
        numbers, labels = self._cut(rows, delimiter)
        if self.head.delimiter == ";":
            signs = {sign for sign in (b".", b",") if any(sign in row for row in numbers)}
            numbers = [row.replace(b",", b".") for row in numbers]
        try:
            self.reader(numbers, delimiter, out)
        except ValueError:
            # Readers do not agree on what is a truth value.
            numbers = _with_numbers(b"\n".join(numbers), delimiter).split(b"\n")
            try:
                self.reader(numbers, delimiter, out)
            except ValueError:
                raise NotPlainError from None
        if not np.isfinite(out).all():
            raise NotPlainError
        return labels, signs

    def _cut(self, rows: list[bytes], delimiter: bytes) -> tuple[list[bytes], list[str]]:
        """The cells of `columns` as they stand in each row, and that of the column `label`."""
        width, label = self.head.width, self.label
        first, last = self.columns[0], self.columns[-1]
        if list(self.columns) == list(range(first, last + 1)):
            before = [row.split(delimiter, first) for row in rows]
            behind = [cells[-1].rsplit(delimiter, width - 1 - last) for cells in before]
            if any(len(cells) != first + 1 for cells in before) or any(
                len(c) != width - last for c in behind
            ):
                raise NotPlainError
            numbers = [cells[0] for cells in behind]
            cut, place = (before, label) if label is None or label < first else (behind, label - last)
        else:
            cut, place = [row.split(delimiter) for row in rows], label
            if any(len(cells) != width for cells in cut):
                raise NotPlainError
            numbers = [delimiter.join([cells[n] for n in self.columns]) for cells in cut]
        return numbers, [] if place is None else [cells[place].decode().strip() for cells in cut]


def _with_numbers(lines: bytes, delimiter: bytes) -> bytes:
    """Lines with 1 and 0 for the cells that are True and False."""
    between = re.escape(delimiter)
    for word, value in ((b"true", b"1"), (b"false", b"0")):
        lines = re.sub(rb"(?im)(?:^|(?<=%b))%b(?=%b|$)" % (between, word, between), value, lines)
    return lines


def _careful(head: Head, columns: Sequence[int], label: int | None) -> Rows:
    """Any rows, one at a time."""
    x, labels, decimal = array("d"), [], _Decimal(head)
    for line, row in head.records():
        if len(row) != head.width:
            raise ValueError(
                f"{head.path}, row {line}: {plural(len(row), 'cell')}, wanted {head.width}{_hint(row)}"
            )
        if head.empty_last and row[-1]:
            raise ValueError(
                f"{head.path}, row {line}: {shown(row[-1])} in column {head.width}, "
                "which has no name and was empty above"
            )
        texts = [row[n] for n in columns]
        if head.delimiter == ";":
            texts = [decimal.read(line, n, text) for n, text in zip(columns, texts, strict=True)]
        try:
            values = list(map(number, texts))
            finite = all(map(math.isfinite, values))
        except ValueError:
            finite = False
        if not finite:
            raise _no_number(head, line, columns, texts)
        x.extend(values)
        if label is not None:
            labels.append(row[label])
    return Rows(np.frombuffer(x).reshape(-1, len(columns)), labels)


class _Decimal:
    """Decimal commas or points between semicolons, but not both in one file."""

    def __init__(self, head: Head) -> None:
        self.head = head
        self.seen = ""

    def read(self, line: int, column: int, text: str) -> str:
        """A cell with a decimal point for its comma."""
        read = with_point(text)
        sign = "," if read != text else "." if "." in text else ""
        if sign and self.seen and sign != self.seen:
            raise ValueError(
                f"{self.head.place(line, column)}: {shown(text)} where numbers above have a decimal "
                f"{'comma' if self.seen == ',' else 'point'}; write all with a point"
            )
        self.seen = self.seen or sign
        return read


def _no_number(head: Head, line: int, columns: Sequence[int], texts: list[str]) -> ValueError:
    """The error for the first cell of a row that shows no finite number."""
    for column, text in zip(columns, texts, strict=True):
        try:
            if math.isfinite(number(text)):
                continue
        except ValueError:
            pass
        hint = "; write a point for a decimal comma" if with_point(text) != text else ""
        what = f"{shown(text)} is not a finite number{hint}" if text else "the value is missing"
        return ValueError(f"{head.place(line, column)}: {what}")
    raise AssertionError("a row without an error")


def _hint(row: list[str]) -> str:
    if row[0].startswith("#"):
        return "; lines with '#' are left out above the table only"
    return "; the row ends in a delimiter" if not row[-1] else ""
