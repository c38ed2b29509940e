"""Progress on stderr: a bar on a terminal or in a notebook, lines where nobody watches."""

import math
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any, Protocol

# What is said beside the steps, of how many of them are taken a second (NaN if that is not known): "loss 0.25".
Describe = Callable[[float], list[str]]
# Seconds between two looks at what is said; a bar is drawn no more often.
PAUSE = 0.1


def _nothing(steps_a_second: float) -> list[str]:
    return []


class Lines:
    """Progress for a log: a line on stderr at every tenth of the steps."""

    def __init__(self, steps: int | None, describe: Describe = _nothing) -> None:
        self.steps, self.done, self.tenths = steps, 0, 0
        self.describe = describe
        self.started = time.perf_counter()

    def update(self, steps: int) -> None:
        """So many more steps are done."""
        self.done += steps
        if self.steps is not None and 10 * self.done // self.steps > self.tenths:
            self.tenths = 10 * self.done // self.steps
            self._say()

    def close(self) -> None:
        """Say where it ended, if nobody knew before."""
        if self.steps is None and self.done:
            self._say()

    def _say(self) -> None:
        seconds = time.perf_counter() - self.started
        rate = self.done / max(seconds, 1e-9)
        where = f"step {self.done}" if self.steps is None else f"step {self.done} of {self.steps}"
        said = [where, *self.describe(rate), f"{rate:,.0f} steps/s"]
        said += [] if self.steps is None else [f"{(self.steps - self.done) / rate:.1f} s left"]
        print(", ".join([*said, f"{seconds:.1f} s"]), file=sys.stderr, flush=True)


class DrawnBar:
    """A bar of tqdm, with what is said behind its steps, their rate and the time left."""

    def __init__(self, bar: Any, describe: Describe) -> None:
        self.bar, self.describe = bar, describe
        self._looks = time.perf_counter() + PAUSE

    def update(self, steps: int) -> None:
        """So many more steps are done."""
        now = time.perf_counter()
        if now >= self._looks:
            self._looks = now + PAUSE
            self._say()
        self.bar.update(steps)

    def close(self) -> None:
        """Draw it for the last time."""
        try:
            self._say()
        finally:
            self.bar.close()

    def _say(self) -> None:
        found = self.bar.format_dict
        rate = found["rate"] or (found["n"] / found["elapsed"] if found["elapsed"] > 0 else math.nan)
        if said := self.describe(rate):
            self.bar.set_postfix_str(", ".join(said), refresh=False)


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


def bar_for(progress: bool, steps: int | None, describe: Describe = _nothing) -> Bar:
    """What shows the progress of so many steps: a bar on a terminal or in a notebook, lines in a log, or nothing.

    Where nobody knows how many there are the bar counts them, and a log has a line at the end alone.
    """
    if not progress or sys.stderr is None:
        return NoBar()
    if in_notebook():
        with warnings.catch_warnings():  # where a widget cannot be drawn it is a bar of text
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    elif sys.stderr.isatty():
        from tqdm import tqdm
    else:
        return Lines(steps, describe)
    return DrawnBar(tqdm(total=steps, unit="step"), describe)


def in_notebook() -> bool:
    """Whether the code runs in the kernel of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in getattr(shell, "config", ())
