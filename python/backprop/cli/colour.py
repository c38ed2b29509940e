"""Colour on a terminal that can show it, if nobody asked for none."""

import os
from typing import TextIO

# Select Graphic Rendition of ECMA-48.
RED, GREEN, BOLD_RED, PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[1;31m", "\x1b[0m"


def wanted(stream: TextIO | None) -> bool:
    """Whether what is written there may have colours.

    NO_COLOR (no-color.org) and FORCE_COLOR count when they are not empty, and NO_COLOR more; else it takes a terminal
    that is not TERM=dumb.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream is not None and stream.isatty()


def painted(text: str, colour: str, stream: TextIO | None) -> str:
    """The text in a colour, or as it is."""
    return f"{colour}{text}{PLAIN}" if wanted(stream) else text
