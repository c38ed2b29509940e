"""Numbers as the cells of a table show them."""

import re

# Between semicolons a lone comma in a number can be nothing but a decimal comma.
DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?")
BOOLEANS = {"true": 1.0, "false": 0.0}
# What spreadsheets, databases, R and Python write for a value that is missing, in small letters.
MISSING = {
    *(
        "",
        "?",
        ".",
        "-",
        "--",
        "\\n",
        "na",
        "n/a",
        "#na",
        "#n/a",
        "#n/a n/a",
        "<na>",
        "nan",
        "nat",
        "none",
        "null",
    ),
    *("#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
}


def number(text: str) -> float:
    """The number that a cell shows, True and False being 1 and 0; ValueError if it shows none."""
    if "_" in text:  # float reads 2020_01 as 202001
        raise ValueError(text)
    try:
        return float(text)
    except ValueError:
        value = BOOLEANS.get(text.lower())
        if value is None:
            raise
        return value


def is_number(text: str) -> bool:
    """Whether a cell shows a number, finite or not."""
    if text.lower() in BOOLEANS:
        return False
    try:
        number(text)
    except ValueError:
        return False
    return True


def with_point(text: str) -> str:
    """A number with a decimal comma as one with a point; other text as it is."""
    return text.replace(",", ".") if DECIMAL_COMMA.fullmatch(text) else text
