"""When a run writes a checkpoint."""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from backprop._util.files import before, check_writable, expanded
from backprop.training import arguments
from backprop.training.checkpoints.state import captured


class Saver:
    """What writes the checkpoints of one call of `fit`.

    Attributes
    ----------
    path : path
    steps : int or None
        After how many steps, again and again, one is written.
    seconds : float or None
        After how many seconds.
    """

    def __init__(self, path: str, every: Any, resumed: str | None) -> None:
        self.path = path
        self.data: dict[str, Any] = {}  # its fingerprint
        # Another file, which may be damaged, does not become the one before.
        self._keeps = resumed is not None and _is_one_of(expanded(resumed), [expanded(path)])
        self.steps: int | None = None
        self.seconds: float | None = None
        if isinstance(every, timedelta):
            self.seconds = every.total_seconds()
            if self.seconds <= 0:
                raise ValueError(f"fit: every is {every}, wanted more than no time")
        elif every is not None:
            self.steps = arguments.whole("every", every)
        self._last = time.perf_counter()
        self._saved: tuple[int, bool] | None = None

    def require_storable(self, net: Any, run: Any) -> None:
        """Raise for a network, an optimizer or a schedule that a file could not hold."""
        from backprop.io import _checkpoint

        if run.given["optimizer"] is None:
            raise TypeError(
                f"fit: checkpoint is given, and the optimizer is a {type(run.optimizer).__name__}, whose state no file "
                "holds; wanted one of backprop's"
            )
        _checkpoint.require_storable(net)

    def begin(self, run: Any) -> None:
        """Take note of the run's place, if the file has just that."""
        if self._keeps:
            self._saved = run.step, run.has_ended

    def is_due(self, step: int, epoch_ended: bool) -> bool:
        """Whether to write one after a step."""
        if self.seconds is not None:
            return time.perf_counter() - self._last >= self.seconds
        return epoch_ended if self.steps is None else step % self.steps == 0

    def save(self, run: Any) -> None:
        """Write one, unless the last has the same."""
        if self._saved == (run.step, run.has_ended):
            return
        from backprop.io import _checkpoint  # which is above training

        arrays, state, others = captured(run)
        _checkpoint.write(self.path, run.network, arrays, state | {"data": self.data}, others, self._keeps)
        self._saved, self._last, self._keeps = (run.step, run.has_ended), time.perf_counter(), True


def checked_paths(checkpoint: Any, resume: Any) -> tuple[str | None, str | None]:
    """Where checkpoints are written, and the one that a run goes on from; None for neither.

    Raises
    ------
    FileExistsError
        There is a file at `checkpoint`, and the run does not go on from it.
    """
    path = None if checkpoint is None else _text("checkpoint", checkpoint)
    if resume is True and path is None:
        raise ValueError("fit: resume is True, and checkpoint is None; wanted checkpoint=path")
    found = None if resume is None or isinstance(resume, bool) else _text("resume", resume)
    if path is None:
        return path, found
    there, own = check_writable(path), [expanded(path), before(expanded(path))]
    if resume is True:
        found = next((os.fspath(one) for one in own if one.exists()), None)
    elif there is not None and (found is None or not _is_one_of(expanded(found), own)):
        raise FileExistsError(
            f"fit: checkpoint: {path} is there, and would be replaced; wanted another path, or resume=True to go on "
            "from it"
        )
    return path, found


def _is_one_of(path: Path, others: list[Path]) -> bool:
    return path.exists() and any(one.exists() and path.samefile(one) for one in others)


def _text(name: str, path: Any) -> str:
    if not isinstance(path, (str, os.PathLike)) or not isinstance(found := os.fspath(path), str) or not found:
        raise TypeError(f"fit: {name} is {path!r}, wanted a path")
    return found
