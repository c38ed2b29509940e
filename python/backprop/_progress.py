"""Progress where nobody watches a bar."""

import sys
import time


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
