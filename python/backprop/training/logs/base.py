"""What all logs have in common: which rows are written, and when."""

import math
import os
from collections.abc import Sequence
from typing import Any

from backprop._util.messages import shown
from backprop._util.settings import switch
from backprop._util.sums import exact_sum
from backprop.training.callbacks import Callback, Running
from backprop.training.step import rate_of

# Before what the run records, "loss" first. Names of metrics begin with "validation_".
COLUMNS = ("epoch", "step", "learning_rate", "seconds")

Row = dict[str, float | None]


class Log(Callback):
    """A callback that writes rows; a subclass says where to."""

    def __init__(self, path: str | os.PathLike[str], every: int | None) -> None:
        owner = type(self).__name__
        try:
            self.path = os.fspath(path)
        except TypeError:
            raise TypeError(f"{owner}: path is {shown(path)}, wanted a path") from None
        if not isinstance(self.path, str):
            raise TypeError(f"{owner}: path is {shown(path)}, wanted a path as a text")
        if every is not None:
            if isinstance(every, bool) or not hasattr(every, "__index__"):
                raise TypeError(f"{owner}: every is {every!r}, wanted a whole number of steps or None")
            if every < 1:
                raise ValueError(f"{owner}: every is {every}, wanted at least 1 step")
            every = int(every)
        self.every = every
        self._of: Running | None = None  # the run that it is in use by
        self._columns: tuple[str, ...] = ()
        self._written = 0  # the step of the last row
        # The losses since the last evaluation, added up to a step.
        self._sum, self._from, self._to = 0.0, 0, 0

    def begin(self, run: Running) -> None:
        """Open the file; raise where it is not one to go on with."""
        if self._of is not None:
            what = "is given twice" if self._of is run else "is in use by another run"
            raise ValueError(f"fit: {self!r} {what}; wanted one log for each file and run")
        columns = (*COLUMNS, *run.recorded)
        past = _past(run, columns)
        self._of, self._columns = run, columns
        self._written = self._open(run, columns, past)
        for row in past:
            if int(row["step"] or 0) > self._written:
                self._put(row)
        self._sum, self._from = 0.0, int(past[-1]["step"] or 0) if past else 0
        self._to = self._from
        if self.every and run.step > self._written and run.step % self.every == 0:
            self.step(run)  # which an interrupt has kept from it

    def step(self, run: Running) -> None:
        """Write what is known within an epoch."""
        if run.step % run.steps_an_epoch == 0 or run.step == run.steps:
            return  # the epoch's row comes at once
        self._sum += exact_sum(run.history.loss[self._to : run.step])
        self._to = run.step
        row = self._timed(run)
        row["loss"] = self._sum / max(self._to - self._from, 1)
        self._put(row)

    def epoch(self, run: Running) -> None:
        """Write what was recorded after an epoch."""
        self._sum, self._from, self._to = 0.0, run.step, run.step
        if run.step > self._written:
            self._put({**self._timed(run), **run.metrics})

    def end(self, run: Running) -> None:
        """Close the file."""
        if self._of is run:
            self._of = None
            self._close()

    def _timed(self, run: Running) -> Row:
        rate = rate_of(run.optimizer)
        known = None if math.isnan(rate) else rate
        return {"epoch": run.epoch, "step": run.step, "learning_rate": known, "seconds": run.seconds}

    def _put(self, row: Row) -> None:
        values = [row.get(name) for name in self._columns]
        self._write([value if value is None or type(value) is int else float(value) for value in values])
        self._written = int(row["step"] or 0)

    def _open(self, run: Running, columns: Sequence[str], past: Sequence[Row]) -> int:
        """Open what is written to; returns the step of the last row that is there."""
        raise NotImplementedError

    def _write(self, values: Sequence[float | None]) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        """A copy is in use by no run, and has nothing open."""
        return {name: value for name, value in vars(self).items() if name != "_file"} | {"_of": None}


class Overwriting(Log):
    """A log in one file, which a run from its beginning replaces only where it is told to."""

    def __init__(self, path: str | os.PathLike[str], every: int | None, overwrite: bool) -> None:
        super().__init__(path, every)
        self.overwrite = switch(type(self).__name__, "overwrite", overwrite)

    def __repr__(self) -> str:
        more = f", every={self.every}" if self.every else ""
        more += ", overwrite=True" if self.overwrite else ""
        return f"{type(self).__name__}({self.path!r}{more})"


def _past(run: Running, columns: Sequence[str]) -> list[Row]:
    """What was recorded of the steps that a run has taken, a row an evaluation. The time of each is not known."""
    if not run.step or not run.history.evaluated_at:
        return []
    table = run.history.to_dict()
    count = len(table["step"])
    table = {name: values for name, values in table.items() if name in columns and len(values) == count}
    rows: list[Row] = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    for row in rows:
        step = int(row["step"] or 0)
        row |= {"epoch": step // run.steps_an_epoch, "step": step}
        rate = row.get("learning_rate")
        row["learning_rate"] = None if rate is None or math.isnan(rate) else rate
    return rows
