"""What a command writes: its lines on stdout, and on stderr a line for what is wrong.

a) Names are those of files that anyone may have written. Control characters of theirs are written as escapes, so that
   none begins a line or moves a terminal's cursor, and so are letters that the stream's encoding does not have.
b) To write on stdout may fail: it is closed, or the disk is full. That is an error as any other. If whoever read it has
   gone, `BrokenPipeError` says so.
c) stderr is written where that is possible. The exit status says the same.
"""

import io
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from backprop.cli import colour
from backprop.cli.errors import UserError

PROGRAM = "backprop"
# C0, DEL, C1, and the line ends of Unicode beside these.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Characters of an error; what is longer is cut in the middle.
LONGEST = 1000


def escaped(text: str) -> str:
    """The text as one line that does nothing to a terminal."""
    return CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def line(text: str, paint: str = "") -> None:
    """Write a line of any text on stdout, on a terminal in a colour."""
    shown = escaped(text)
    write([colour.painted(shown, paint, sys.stdout) if paint else shown])


def write(lines: Iterable[str]) -> None:
    """Write lines on stdout as they are."""
    with _errors_of_stdout():
        for one in lines:
            print(one)


def flush() -> None:
    """Write what is buffered for stdout."""
    with _errors_of_stdout():
        sys.stdout.flush()


@contextmanager
def _errors_of_stdout() -> Iterator[None]:
    if sys.stdout is None:
        raise UserError("stdout is closed")
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UserError(f"stdout: {error.strerror}") from None


def complain(text: str, label: str = "") -> None:
    """Write a line on stderr, if that can be done; the label, as `error`, in red on a terminal."""
    shown = escaped(text)
    if len(shown) > LONGEST:
        shown = f"{shown[: LONGEST // 2]} ... {shown[-LONGEST // 2 :]}"
    if label:
        shown = f"{colour.painted(f'{label}:', colour.BOLD_RED, sys.stderr)} {shown}"
    try:
        print(f"{PROGRAM}: {shown}", file=sys.stderr, flush=True)
    except OSError:
        discard(sys.stderr)


def discard(stream: TextIO) -> None:
    """Have what a stream cannot write go nowhere: Python tries again at exit, and would leave with another status."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
    stream.flush()


@contextmanager
def prepared() -> Iterator[None]:
    """Make stdout and stderr take whatever is written while a command runs."""
    # A file that is opened takes the first descriptor that is free: that of stderr, what others write there would go
    # into the file.
    with suppress(OSError):
        while (null := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(null)
    stdout, stderr = sys.stdout, sys.stderr
    try:
        if stderr is None:
            sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115  # for as long as the command runs
        with _escapes(stdout):
            yield
    finally:
        if stderr is None:
            sys.stderr.close()
        sys.stderr = stderr


@contextmanager
def _escapes(stream: Any) -> Iterator[None]:
    """Write letters that the stream's encoding does not have as escapes, as stderr does."""
    errors = getattr(stream, "errors", None)
    # The locale C has Python take "surrogateescape", which writes the bytes of file names and still lacks letters.
    if not isinstance(stream, io.TextIOWrapper) or errors not in ("strict", "surrogateescape"):
        yield
        return
    stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        stream.reconfigure(errors=errors)
