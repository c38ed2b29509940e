"""Progress on stderr: a bar on a terminal, lines where nobody watches."""

import sys
import time
from typing import Protocol


class Lines:
    """Progress for a log: a line on stderr at every tenth of the steps."""

    def __init__(self, steps: int) -> None:
        self.steps, self.done, self.tenths = steps, 0, 0
        self.started = time.perf_counter()

    def update(self, steps: int) -> None:
        """So many more steps are done."""
        self.done += steps
        if 10 * self.done // self.steps > self.tenths:
            self.tenths = 10 * self.done // self.steps
            seconds = time.perf_counter() - self.started
            print(f"step {self.done} of {self.steps}, {seconds:.1f} s", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is left to be written."""


class Bar(Protocol):
    """What shows progress."""

    def update(self, steps: int) -> object: ...
    def close(self) -> None: ...


class NoBar:
    """What stands in for a progress bar that nobody asked for."""

    def update(self, steps: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def bar_for(progress: bool, steps: int) -> Bar:
    """What shows the progress of so many steps: a bar on a terminal, lines in a log, or nothing."""
    if not progress or sys.stderr is None:
        return NoBar()
    if not sys.stderr.isatty():
        return Lines(steps)
    from tqdm import tqdm

    bar: Bar = tqdm(total=steps, unit="step")
    return bar
