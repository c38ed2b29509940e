"""What messages show of a file's content: it may be long, a message is not."""

from collections.abc import Iterable
from itertools import islice
from reprlib import Repr
from typing import Any

# Characters of a value, and how many names of a list.
LONGEST, MOST_NAMES = 60, 8
_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = LONGEST


def shown(value: object) -> str:
    """`repr(value)` without the middle of what is long, which is never written out."""
    try:
        return _REPR.repr(value)
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__}"


def short_number(value: Any) -> str:
    """A number with five digits and, as minus, −."""
    return f"{value + 0.0:.5g}".replace("-", "−")  # −0 + 0 is 0


def cut(text: str, most: int = LONGEST) -> str:
    """A text, or its beginning."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def listed(names: Iterable[str]) -> str:
    """Names with commas between them: the first of many."""
    first = [cut(name) for name in islice(names, MOST_NAMES + 1)]
    return ", ".join(first if len(first) <= MOST_NAMES else [*first[:-1], "..."])
