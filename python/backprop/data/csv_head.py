"""What stands at the head of a CSV file: its encoding and delimiter, the names of its columns, its first rows.

a) What cannot be told without a guess is refused, with what to write instead.
b) Whatever is left out, or taken for a header that need not be one, is said in `notes`.
"""

import codecs
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from backprop._util.arrays import plural
from backprop._util.files import require_file
from backprop._util.messages import cut, listed, shown
from backprop._util.names import did_you_mean
from backprop.data.header_row import Known, is_header, shortened
from backprop.data.numbers import DECIMAL_COMMA, MISSING, with_point

DELIMITERS = "\t;,"
# Rows that are looked at to tell a header from a sample.
LOOKED_AT = 50
# Characters of a line; a file without line ends would be read into memory as one.
LONGEST_LINE = 1 << 26
CHUNK = 1 << 20
SEPARATOR = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
# What pandas calls a column without a name when it reads one.
UNNAMED = re.compile(r"|Unnamed: \d+")


@dataclass(frozen=True)
class Head:
    """How a CSV file is read.

    Attributes
    ----------
    path : Path
    encoding, delimiter : str
    names : list of str
        Of the columns; "0", "1", … if the file has none.
    has_header : bool
        Whether the file has names.
    start : int
        Lines of the file before the first sample.
    empty_last : bool
        Every row ends in a delimiter, and what would follow is no column.
    line : int
        That the first row begins in, which may be the header.
    first : list of str
        Its cells, with decimal points.
    notes : list of str
        What was left out or taken for granted, as sentences.
    """

    path: Path
    encoding: str
    delimiter: str
    names: list[str]
    has_header: bool
    start: int
    empty_last: bool
    line: int
    first: list[str]
    notes: list[str] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.names) + self.empty_last

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """The samples as cells, and the line that each begins in, counted from 1 as editors do."""
        rows = records(self.path, self.encoding, self.delimiter, self.start)
        return ((line, cells) for line, cells, _ in rows)

    def place(self, line: int, column: int) -> str:
        """Where a cell is, to begin an error's message with."""
        return f"{self.path}, row {line}, column {cut(self.names[column]) or column + 1!r}"


def read_head(path: Path, known: Known) -> Head:
    """Look at the beginning of a CSV file.

    Parameters
    ----------
    path : Path
    known : Known
        What tells a header from a sample.

    Raises
    ------
    ValueError
        The file is empty, has a name twice, is no text or no CSV; or whether its first row is a header cannot be told.
    FileNotFoundError
        There is no such file.
    """
    require_file(path)
    encoding = _encoding(path)
    delimiter, comments, skipped = _preamble(path, encoding)
    first = list(islice(records(path, encoding, delimiter, skipped), LOOKED_AT))
    if not first:
        only = f" but for {plural(len(comments), 'line')} with '#'" if comments else ""
        raise ValueError(f"{path}: the file is empty{only}")
    rows = [cells for _, cells, _ in first]
    notes = []
    if comments:
        notes.append(f"{plural(len(comments), 'line')} above the table with '#' left out")
    line, start, with_points = first[0][0], first[0][1], rows
    if delimiter == ";":
        with_points = [list(map(with_point, row)) for row in rows]
    header = _commented_header(comments, rows, delimiter)
    if is_header(f"{path}, row {line}", with_points, known, named_above=header is not None):
        header, skipped, rows = start, first[0][2], rows[1:]
        if all(cell.isdecimal() for cell in header if cell):
            notes.append(f"row {line}, {shortened(header)}, taken for the names of the columns")
    elif header is not None:
        notes[-1] += ", the last one taken for the names of the columns"
    names = [str(n) for n in range(len(rows[0]))] if header is None else header
    counts = Counter(name for name in names if not UNNAMED.fullmatch(name))
    twice = next((name for name in names if counts[name] > 1), None)
    if twice is not None:
        raise ValueError(f"{path}: the column {shown(twice)} is there twice")
    if not rows:
        raise ValueError(f"{path}: there are no rows under the header")
    nameless = header is None or UNNAMED.fullmatch(names[-1]) is not None
    empty_last = len(names) > 1 and nameless and all(len(row) == len(names) and not row[-1] for row in rows)
    if empty_last:
        notes.append(f"column {len(names)}, which is empty, left out")
        names = names[:-1]
    cells = with_points[0][: len(names)]
    return Head(path, encoding, delimiter, names, header is not None, skipped, empty_last, line, cells, notes)


def index_of(path: Path, names: Sequence[str], name: str) -> int:
    """The place of a name among those there are."""
    if name in names:
        return list(names).index(name)
    hint = did_you_mean(name, names)
    raise ValueError(f"{path}: there is no {shown(name)} among {listed(names)}{hint}")


def records(path: Path, encoding: str, delimiter: str, skipped: int) -> Iterator[tuple[int, list[str], int]]:
    """The rows behind so many lines that are not blank, with the first line and the last of each."""
    import csv

    end = skipped
    with path.open(encoding=encoding, newline="") as file:
        try:
            lines = _lines(path, file)
            for _ in islice(lines, skipped):
                pass
            # Lines end where CSV ends them: str.splitlines would end them at U+2028 and in quotes too.
            reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
            for row in reader:
                line, end = end + 1, skipped + reader.line_num
                cells = [cell.strip() for cell in row]
                if len(cells) > 1 or any(cells):
                    yield line, cells, end
        except csv.Error as error:
            raise ValueError(f"{path}, row {end + 1}: not a CSV file: {error}") from None
        except UnicodeDecodeError as error:
            raise _not_text(path, encoding, error) from None


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    """The lines of a file with their ends, none of which is endless."""
    for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE), ""), start=1):
        if len(line) == LONGEST_LINE:
            raise ValueError(f"{path}, row {number}: the line has {LONGEST_LINE} characters or more")
        yield line


def _encoding(path: Path) -> str:
    """The encoding that the file's first bytes show."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(start) == 4 and (start[1::2] == b"\0\0" or start[::2] == b"\0\0"):
        raise ValueError(f"{path}: not UTF-8 text but UTF-16 without its mark, save it as UTF-8")
    return "utf-8"


def _not_text(path: Path, encoding: str, error: UnicodeDecodeError) -> ValueError:
    # Where a chunk is wrong does not say where that is in the file.
    decoder, before, place = codecs.getincrementaldecoder(encoding)(), 0, error.start
    with path.open("rb") as file:
        for chunk in chain(iter(lambda: file.read(CHUNK), b""), [b""]):
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as found:  # in the chunk and what was left of the one before
                error, place = found, before + len(chunk) - len(found.object) + found.start
                break
            before += len(chunk)
    name = "UTF-16" if encoding == "utf-16" else "UTF-8"
    return ValueError(
        f"{path}: not {name} text: {error.reason} at byte {place}; save it as UTF-8 "
        "(spreadsheets call that CSV UTF-8)"
    )


def _preamble(path: Path, encoding: str) -> tuple[str, list[str], int]:
    """The delimiter, the lines with `#` above the table, and how many lines of all kinds stand there."""
    delimiter, comments, skipped = None, [], 0
    with path.open(encoding=encoding, newline="") as file:
        try:
            for line in _lines(path, file):
                text = line.strip("\r\n ")
                separator = SEPARATOR.fullmatch(text) if not skipped else None
                if separator is not None:
                    delimiter = separator[1]
                    if delimiter not in "\t;,|":
                        raise ValueError(f"{path}, row 1: {text!r} names no delimiter (tab, ; , or |)")
                elif text.startswith("#") and re.split("[\t;,|]", text)[0].strip().lower() not in MISSING:
                    comments.append(text)
                elif text:
                    return delimiter or _delimiter(text), comments, skipped
                skipped += 1
        except UnicodeDecodeError as error:
            raise _not_text(path, encoding, error) from None
    return delimiter or ",", comments, skipped


def _delimiter(line: str) -> str:
    """What stands between the cells of a line, the likeliest."""
    text = re.sub(r'"[^"]*"', "", line)
    with_commas = [cell for cell in (part.strip() for part in text.split(";")) if "," in cell]
    if ";" in text and "\t" not in text and all(map(DECIMAL_COMMA.fullmatch, with_commas)):
        return ";"  # however many decimal commas there are
    # In a draw the comma loses: in `1,5;2,5;a` it is the decimal point of half the world.
    return max(DELIMITERS, key=text.count)


def _commented_header(comments: list[str], rows: list[list[str]], delimiter: str) -> list[str] | None:
    """The names in the last line with `#`, as NumPy's savetxt writes them; None if it is a comment."""
    cells = [cell.strip() for cell in comments[-1].lstrip("# ").split(delimiter)] if comments else []
    return cells if len(cells) == len(rows[0]) > 1 and all(cells) else None
