"""Whether the first row of a CSV file names the columns.

A header names a feature and the labels, a sample has at most its label that is not a number: two texts make a header.
A lone text makes one if it is a known name. Numbers can be names, too, as of years or wavelengths: where they could be
and nothing tells, the row is refused, with what says it. Names differ, so a row with two equal cells is a sample.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from backprop._util.messages import cut, shown
from backprop.data.numbers import BOOLEANS, MISSING, is_number

# From so many columns on, a first row of 0, 1, 2, … is a header, as pandas writes of an array; fewer can be a sample.
NUMBERED = 4
# A nanosecond's unix time has 19.
MOST_DIGITS = 19


@dataclass(frozen=True)
class Known:
    """What is known of a table before its first row is looked at.

    Attributes
    ----------
    features : sequence of str
        The columns that are wanted; none if the table is to be learned from.
    target : str or None
        The column of the labels: a name, or a number where there are no names.
    header : bool or None
        Whether the table that `features` come from had names, if that is known.
    """

    features: Sequence[str] = ()
    target: str | None = None
    header: bool | None = None

    @property
    def says_sample(self) -> bool:
        """The target is counted from the end, which columns with names are not."""
        return self.target is not None and self.target.startswith("-") and self.target[1:].isdecimal()


def is_header(place: str, rows: Sequence[Sequence[str]], known: Known, named_above: bool) -> bool:
    """Whether the first of some rows names the columns.

    Parameters
    ----------
    place : str
        To begin an error's message with.
    rows : sequence of rows
        With decimal points.
    known : Known
    named_above : bool
        A comment above has as many names.

    Raises
    ------
    ValueError
        It may be a header or a sample.
    """
    first = rows[0]
    texts = _texts(first)
    if len(texts) > 1 or any(text in (*known.features, known.target) for text in texts):
        return True
    if known.says_sample or named_above:
        return False
    if known.features:
        return _names_features(place, first, texts, known)
    names = [cell for cell in first if cell]
    if len(set(names)) < len(names):
        return False
    if _beyond(known.target, first):
        return True
    named = first[1:] if not first[0] else first  # behind the numbers of the rows, as pandas writes them
    if len(first) >= NUMBERED and list(named) == _numbers(len(named)):
        return True
    if known.target is not None and not known.target.isdecimal():
        return False
    others = rows[1:]
    if _counts(named) and not any(map(_counts, others)):
        raise unsure(place, first, known)
    # A text in a column of numbers is the name of the labels.
    label = _label(first, known.target)
    if len(names) > 1 and texts == [first[label]]:
        labels = {row[label] for row in others if len(row) > label}
        features = [cell for cell in names if cell not in texts]
        if texts[0] not in labels and (features == _numbers(len(features)) or all(map(is_number, labels))):
            raise unsure(place, first, known)
    return False


def may_be_names(first: Sequence[str], column: int, target: str | None) -> bool:
    """Whether a row that was taken for a sample may be a header, if no other has its label.

    Parameters
    ----------
    first : sequence of str
        The row.
    column : int
        Of the label.
    target : str or None
        As it was given.
    """
    if Known(target=target).says_sample or len(set(first)) < len(first):
        return False
    # Whoever names a column by its number says that it has no other name, unless there is one to see.
    return _texts(first) == [first[column]] or (target is None and all(map(_is_whole, first)))


def unsure(place: str, first: Sequence[str], known: Known) -> ValueError:
    """The error for a row that may be a header or a sample, with what says which."""
    column = _label(first, known.target)
    label, sample = first[column], column - len(first)
    if not is_number(label) or _beyond(label, first):
        ways = f"say which with the target {shown(label)} (a header) or '{sample}' (a sample)"
    else:
        header = "take it out if it is a header" if known.features else "write names there"
        ways = f"{header}, or say with the target '{sample}' that it is a sample"
    return ValueError(f"{place}: {shortened(first)} may be a header or a sample; {ways}")


def shortened(row: Sequence[str]) -> str:
    """A row for a message, without the middle of many cells."""
    return ",".join(cut(cell, 24) for cell in (row if len(row) <= 8 else [*row[:3], "…", row[-1]]))


def _names_features(place: str, first: Sequence[str], texts: list[str], known: Known) -> bool:
    """Whether a row names the columns that are wanted, and at most one of it is a text."""
    features = list(known.features)
    columns = _are_columns(features)
    if not set(features) <= set(first):
        counted = len(first) > 1 and list(first) == _numbers(len(first))
        if counted and not columns:
            raise unsure(place, first, known)
        return False
    if not all(map(is_number, features)) or _beyond(known.target, first):
        return True
    if known.header is not False and (known.header or not columns):
        if len(features) == 1 and not texts:
            raise unsure(place, first, known)
        return True
    # Columns without names are called by their numbers, which a sample may have as values.
    named = first[1:] if not first[0] else first
    if known.header is None and len(named) >= NUMBERED and list(named) == _numbers(len(named)):
        return True
    wanted = set(features)
    rest = [cell for cell in first if cell not in wanted]
    in_order = [cell for cell in first if cell in wanted] == features
    if in_order and len(rest) < 2 and (not rest or rest == texts or rest[0] in ("", known.target)):
        raise unsure(place, first, known)
    return False


def _texts(row: Sequence[str]) -> list[str]:
    """The cells that are no values."""
    return [cell for cell in row if cell.lower() not in (*MISSING, *BOOLEANS) and not is_number(cell)]


def _is_whole(cell: str) -> bool:
    """Whether it is digits alone, no more than a name would have."""
    return cell.isdecimal() and len(cell) <= MOST_DIGITS


def _numbers(count: int) -> list[str]:
    return [str(n) for n in range(count)]


def _are_columns(features: Collection[str]) -> bool:
    """Whether features may be numbers of columns: 0, 1, 2, … in their order, at most one of them left out."""
    numbers, wanted = _numbers(len(features) + 1), set(features)
    left = [n for n in numbers if n not in wanted]
    return len(left) == 1 and [n for n in numbers if n != left[0]] == list(features)


def _counts(row: Sequence[str]) -> bool:
    """Whether the cells are whole numbers in equal steps, as 400, 402, 404 and 406, or 0 and 1."""
    cells = [int(cell) for cell in row if _is_whole(cell)]
    if len(cells) < max(len(row), 2):
        return False
    steps = {after - before for before, after in pairwise(cells)}
    return list(row) == _numbers(len(row)) or (len(row) >= NUMBERED and len(steps) == 1 and 0 not in steps)


def _beyond(target: str | None, first: Sequence[str]) -> bool:
    """Whether a target is a cell of the first row and a number that no column has."""
    return target is not None and _is_whole(target) and target in first and int(target) >= len(first)


def _label(first: Sequence[str], target: str | None) -> int:
    """The column of the labels: the one of that number, or the last that has something."""
    if target is not None and _is_whole(target) and int(target) < len(first):
        return int(target)
    return max((n for n, cell in enumerate(first) if cell), default=len(first) - 1)
