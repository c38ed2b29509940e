"""The file of a log: opened for one run, cut back to rows that are whole, written a row at a time."""

import contextlib
import errno
import fcntl
import os
from collections.abc import Callable, Sequence

from backprop._util.files import check_writable, expanded

# Of a line, its step and what its loss is written as; ValueError if it is no row.
ReadRow = Callable[[bytes], tuple[int, bytes]]


class LogFile:
    """A file that is open for one run.

    Parameters
    ----------
    path : str
    header : bytes
        The line it begins with; b"" for none.
    read_row : callable
    step : int
        How many steps the run has taken.
    past : sequence of bytes
        The lines of its evaluations so far.
    overwrite : bool
        Whether a run that has taken none replaces what is there.
    begins : bytes
        What every row begins with.

    Attributes
    ----------
    last_step : int
        That of the last row.
    """

    def __init__(
        self,
        path: str,
        header: bytes,
        read_row: ReadRow,
        step: int,
        past: Sequence[bytes],
        overwrite: bool,
        begins: bytes = b"",
    ) -> None:
        self.path, self.header, self.read_row, self.begins = path, header, read_row, begins
        self.last_step, self.overwrite = 0, overwrite
        check_writable(path)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_CLOEXEC
        self.handle = os.open(expanded(path), flags, 0o666)
        try:
            self._lock()
            whole = self._content()
            self.size = len(whole)
            if step == 0 and whole != header:
                if whole and not overwrite:
                    raise ValueError(
                        f"{path}: has rows already, and the run begins; go on with their run by continue_from=, or "
                        "give another path, or overwrite=True"
                    )
                self._cut_to(0)
            elif step and whole:
                self._cut_to(self._rows_to(step, whole, past))
            if not self.size and header:
                self.append(header)
        except BaseException:
            self.close()
            raise

    def append(self, line: bytes) -> None:
        """Write a line, whole or not at all."""
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self.handle, left) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self.handle, self.size)
            raise OSError(error.errno, error.strerror, self.path) from None
        self.size += len(line)

    def close(self) -> None:
        """Close it, once."""
        handle, self.handle = self.handle, -1
        if handle >= 0:
            os.close(handle)

    def _lock(self) -> None:
        """Keep other runs, also of other processes, from the file."""
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise ValueError(f"{self.path}: another run writes to it") from None
            # a file system without locks

    def _content(self) -> bytes:
        with open(self.handle, "rb", closefd=False) as file:  # a descriptor
            return file.read()

    def _cut_to(self, size: int) -> None:
        if size < self.size:
            os.ftruncate(self.handle, size)
            self.size = size

    def _rows_to(self, step: int, content: bytes, past: Sequence[bytes]) -> int:
        """How many bytes are kept: those of the rows up to a step. Raises where they are not of the run."""
        if not content.startswith(self.header):
            if self.header.startswith(content):
                return 0  # the process ended within the first line
            first = content.partition(b"\n")[0][:200].decode(errors="replace")
            raise ValueError(
                f"{self.path}: begins with {first!r}, and the run records {self.header.decode().rstrip()!r}; wanted "
                "the file of its earlier rows, or another path"
            )
        recorded = dict(map(self.read_row, past))
        kept, is_of_run = len(self.header), False
        lines = content[kept:].splitlines(keepends=True)
        for n, line in enumerate(lines):
            of_ours = line.startswith(self.begins) or self.begins.startswith(line)
            if not line.endswith(b"\n") and (n or of_ours):
                break  # in progress when its process ended
            try:
                at, loss = self.read_row(line)
            except ValueError as error:
                raise ValueError(f"{self.path}: row {n + 1} is none of a log: {error}") from None
            if at <= self.last_step:
                raise ValueError(f"{self.path}: row {n + 1} has step {at}, behind {self.last_step}")
            if at > step:
                if not is_of_run and not self.overwrite:
                    raise ValueError(
                        f"{self.path}: has step {at}, and nothing of the {step} that the run has taken tells whose "
                        "it is; give another path, or overwrite=True"
                    )
                break
            if recorded.get(at, loss) != loss:
                raise ValueError(
                    f"{self.path}: has the loss {loss.decode()} of step {at}, and the history has "
                    f"{recorded[at].decode()}; wanted the file of this run, or another path"
                )
            is_of_run |= at in recorded
            self.last_step = at
            kept += len(line)
        return kept
