"""What messages show of a file's content: it may be long, a message is not."""

from collections.abc import Iterable
from itertools import islice
from reprlib import Repr

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


def cut(text: str, most: int = LONGEST) -> str:
    """A text, or its beginning."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def listed(names: Iterable[str]) -> str:
    """Names with commas between them: the first of many."""
    first = [cut(name) for name in islice(names, MOST_NAMES + 1)]
    return ", ".join(first if len(first) <= MOST_NAMES else [*first[:-1], "..."])
