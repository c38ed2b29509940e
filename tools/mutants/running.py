"""Mutants one after the other, on one or several copies of the tree."""

import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.mutants import testing
from tools.mutants.enumeration import Mutant, Sample
from tools.mutants.results import CAUGHT, COUNTED, SAME_CODE, STILLBORN, SURVIVED, Result, Results
from tools.mutants.testing import Bench, SameCodeError, StillbornError, Suite


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Laboratory:
    """Copies of the tree, made when the first mutant needs them, and the results so far."""

    def __init__(self, root: Path, jobs: int, results: Results, bench: Callable[[Path, Path], Bench]):
        self.root, self.jobs, self.results, self.bench = root, jobs, results, bench
        self.benches: queue.SimpleQueue[Bench] = queue.SimpleQueue()
        self.ready = False
        # How long the tests take without a fault, by their files.
        self.yardsticks: dict[frozenset[str], float] = {}
        self.one_at_a_time, self.one_yardstick = threading.Lock(), threading.Lock()

    @contextmanager
    def open(self) -> Iterator["Laboratory"]:
        """Have a temporary folder for as long as it takes."""
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            self.folder = Path(folder)
            yield self

    def prepare(self) -> None:
        """Make the copies."""
        if self.ready:
            return
        begin = time.perf_counter()
        for job in range(self.jobs):
            self.benches.put(self.bench(self.root, self.folder / str(job)))
        self.ready = True
        say(f"level {testing.level()}: {time.perf_counter() - begin:.0f} s to prepare {self.jobs} times")

    def yardstick(self, bench: Bench, suite: Suite) -> float:
        """How long a suite takes on the source as it is, which has to pass."""
        key = frozenset(suite.paths)
        with self.one_yardstick:
            if key not in self.yardsticks:
                bench.restore()
                self.yardsticks[key] = testing.unmutated(bench, suite)
                say(f"{self.yardsticks[key]:.0f} s without a fault: {' '.join(sorted(key))}")
        return self.yardsticks[key]

    def experiment(self, mutant: Mutant) -> Result:
        """What becomes of a mutant."""
        bench = self.benches.get()
        try:
            suite = bench.suite(mutant.file)
            yardstick = self.yardstick(bench, suite)
            begin = time.perf_counter()
            outcome, verdict = SURVIVED, testing.Verdict("", 0.0)
            try:
                bench.plant(mutant)
            except StillbornError:
                outcome = STILLBORN
            except SameCodeError:
                outcome = SAME_CODE
            built = time.perf_counter() - begin
            if outcome == SURVIVED:
                verdict = testing.judge(bench, suite, yardstick)
                outcome = CAUGHT if verdict.by else SURVIVED
        finally:
            self.benches.put(bench)
        seconds = round(built, 1), round(verdict.seconds, 1)
        result = Result(mutant.name, mutant.original, mutant.mutated, outcome, verdict.by, *seconds)
        with self.one_at_a_time:
            self.results.put(result)
            say(
                f"{outcome:9} {mutant.file}:{mutant.line}: {mutant.original}  →  {mutant.mutated}  "
                f"({result.build} s, {result.tests} s{', by ' + result.by if result.by else ''})"
            )
        return result

    def run(self, mutants: list[Mutant]) -> list[tuple[Mutant, Result]]:
        """The results of all of these, known ones or new."""
        unknown = [mutant for mutant in mutants if self.results.get(mutant) is None]
        if unknown:
            self.prepare()
            executor = ThreadPoolExecutor(self.jobs)
            try:
                list(executor.map(self.experiment, unknown))
            finally:
                # After Ctrl-C those that run come to their end, and their results are kept.
                executor.shutdown(cancel_futures=True)
        return [(mutant, result) for mutant in mutants if (result := self.results.get(mutant)) is not None]

    def run_sample(self, sample: Sample) -> list[tuple[Mutant, Result]]:
        """As many of each file as it is to have, those that cannot be counted replaced by the next."""
        done: list[tuple[Mutant, Result]] = []
        wanted = dict(sample.quotas)
        while drawn := [mutant for file, count in wanted.items() for mutant in sample.draw(file, count)]:
            fresh = self.run(drawn)
            done += fresh
            for mutant, result in fresh:
                wanted[mutant.file] -= result.outcome in COUNTED
        return done
