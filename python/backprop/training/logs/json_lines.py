"""Lines of JSON, an object a row."""

import json
import math
import os
from collections.abc import Sequence

from backprop._util.json import parsed
from backprop._util.names import named_arguments
from backprop.training.callbacks import Running
from backprop.training.logs.base import Overwriting, Row
from backprop.training.logs.log_file import LogFile


class JSONLines(Overwriting):
    r"""Write a line an epoch, each a JSON object, as `pandas.read_json(path, lines=True)` takes it.

    Every line has the names of `CSVLog`, in its order, and ends with "\n". JSON has no NaN and no infinity: those are
    null, as what is not known is. Other numbers are the shortest that are read back as they were.

    Parameters
    ----------
    path : path
        The folder has to be there.
    every : int, optional
        A line after each so many steps, too.
    overwrite : bool, default False
        As for `CSVLog`.

    Raises
    ------
    ValueError, OSError
        By `fit`, as for `CSVLog`.

    Examples
    --------
    >>> (x, t), _ = bp.load_digits()
    >>> log = bp.callbacks.JSONLines("log.jsonl", overwrite=True)
    >>> history = bp.Network([64, 20, 10], seed=0).fit(x, t, epochs=3, seed=0, callbacks=[log])
    >>> import json
    >>> with open("log.jsonl") as file:
    ...     print([json.loads(line)["epoch"] for line in file])
    [1, 2, 3]
    """

    @named_arguments
    def __init__(
        self, path: str | os.PathLike[str], *, every: int | None = None, overwrite: bool = False
    ) -> None:
        super().__init__(path, every, overwrite)

    def _open(self, run: Running, columns: Sequence[str], past: Sequence[Row]) -> int:
        def read_row(line: bytes) -> tuple[int, bytes]:
            row = parsed(line.decode())
            if not isinstance(row, dict) or [*row] != [*columns]:
                raise ValueError(f"it has not the names {', '.join(columns)}")
            if type(row["step"]) is not int:
                raise ValueError(f"its step is {row['step']!r}")
            return row["step"], json.dumps(row["loss"]).encode()

        lines = [self._line(columns, [row.get(name) for name in columns]) for row in past]
        self._file = LogFile(self.path, b"", read_row, run.step, lines, self.overwrite, b'{"epoch": ')
        return self._file.last_step

    def _write(self, values: Sequence[float | None]) -> None:
        self._file.append(self._line(self._columns, values))

    def _close(self) -> None:
        if "_file" in vars(self):
            self._file.close()
            del self._file

    @staticmethod
    def _line(columns: Sequence[str], values: Sequence[float | None]) -> bytes:
        finite = [value if value is not None and math.isfinite(value) else None for value in values]
        return (json.dumps(dict(zip(columns, finite, strict=True))) + "\n").encode()
