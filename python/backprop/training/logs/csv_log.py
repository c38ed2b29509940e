"""A table of comma-separated values."""

import csv
import io
import os
from collections.abc import Sequence

from backprop._util.names import named_arguments
from backprop.training.callbacks import Running
from backprop.training.logs.base import Overwriting, Row
from backprop.training.logs.log_file import LogFile


class CSVLog(Overwriting):
    r"""Write a row an epoch to a table of comma-separated values, as spreadsheets and `pandas.read_csv` take it.

    The first line has the names: epoch (how many are complete), step, learning_rate, seconds (of the run so far), loss
    (the mean of the epoch's steps so far) and what else is recorded: train_accuracy, validation_loss,
    validation_accuracy, "validation" and the name of each metric. Lines end with "\n"; numbers are the shortest that
    are read back as they were, or `nan`, `inf` or `-inf`. What is not known stays empty: what is evaluated at the end
    of an epoch, in rows between, and the seconds of rows that are written from a history.

    Parameters
    ----------
    path : path
        The folder has to be there.
    every : int, optional
        A row after each so many steps, too.
    overwrite : bool, default False
        Whether a run from its beginning may replace rows that are there. A run that goes on by `continue_from` appends
        to its rows, and refuses those whose losses are not in its history; before its first evaluation, where there is
        no such loss, it has to be told to replace what is there.

    Raises
    ------
    ValueError
        By `fit`, before the first step: the file has other columns, or rows of another run, or another run writes to
        it; or the log is in use.
    OSError
        By `fit`: the file cannot be written.

    Examples
    --------
    >>> (x, t), _ = bp.load_digits()
    >>> log = bp.callbacks.CSVLog("log.csv", overwrite=True)
    >>> history = bp.Network([64, 20, 10], seed=0).fit(x, t, epochs=3, seed=0, callbacks=[log])
    >>> with open("log.csv") as file:
    ...     print(file.readline().strip())
    epoch,step,learning_rate,seconds,loss,train_accuracy
    """

    @named_arguments
    def __init__(
        self, path: str | os.PathLike[str], *, every: int | None = None, overwrite: bool = False
    ) -> None:
        super().__init__(path, every, overwrite)

    def _open(self, run: Running, columns: Sequence[str], past: Sequence[Row]) -> int:
        loss = columns.index("loss")

        def read_row(line: bytes) -> tuple[int, bytes]:
            cells = line.rstrip(b"\r\n").split(b",")
            if len(cells) != len(columns):
                raise ValueError(f"it has {len(cells)} cells, wanted {len(columns)}")
            return int(cells[1]), cells[loss]

        lines = [_line([row.get(name) for name in columns]) for row in past]
        self._file = LogFile(self.path, _line(columns), read_row, run.step, lines, self.overwrite)
        return self._file.last_step

    def _write(self, values: Sequence[float | None]) -> None:
        self._file.append(_line(values))

    def _close(self) -> None:
        if "_file" in vars(self):
            self._file.close()
            del self._file


def _line(cells: Sequence[str | float | None]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)  # floats by `repr`, None as nothing
    return text.getvalue().encode()
