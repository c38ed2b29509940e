"""Errors that a user can cause, and the line that says each."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(Exception):
    """Something that the user gave is wrong; its text is the line to show."""


@contextmanager
def user_errors() -> Iterator[None]:
    """Take the errors that bad arguments, files and data raise for what they are."""
    try:
        yield
    except (ValueError, TypeError, OverflowError, OSError, ImportError) as error:
        raise UserError(text_of(error)) from error


def out_of_memory(error: MemoryError) -> str:
    """What to say of memory that there is not."""
    return f"there is not enough memory{f': {error}' if str(error) else ''}"


def text_of(error: Exception) -> str:
    """What an error says, in one line; of the system's errors which file it is about."""
    if isinstance(error, OSError) and error.strerror:
        if error.filename is not None:
            return f"{os.fsdecode(error.filename)}: {error.strerror}"
        if isinstance(error, FileNotFoundError) and not _has_folder():
            return "the working directory does not exist any more"
    text = str(error)
    return " ".join(text.split()) if isinstance(error, ImportError) else text  # NumPy's are a page


def _has_folder() -> bool:
    """Whether the process' working directory is still there."""
    try:
        os.getcwd()  # noqa: PTH109  # Path.cwd does the same
    except FileNotFoundError:
        return False
    return True
