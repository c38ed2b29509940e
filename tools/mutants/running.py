"""Mutants one after the other, on one or several copies of the tree."""

import queue
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tools.mutants import testing
from tools.mutants.building import Build, SameCodeError, StillbornError
from tools.mutants.enumeration import Mutant, Sample
from tools.mutants.results import CAUGHT, COUNTED, SAME_CODE, STILLBORN, SURVIVED, Result, Results


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Laboratory:
    """Copies of the tree, made when the first mutant needs them, and the results so far."""

    def __init__(self, root: Path, jobs: int, results: Results):
        self.root, self.jobs, self.results = root, jobs, results
        self.builds: queue.SimpleQueue[Build] = queue.SimpleQueue()
        self.ready = False
        self.yardstick = 0.0
        self.one_at_a_time = threading.Lock()

    @contextmanager
    def open(self) -> Iterator["Laboratory"]:
        """Have a temporary folder for as long as it takes."""
        with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
            self.folder = Path(folder)
            yield self

    def prepare(self) -> None:
        """Build the source as it is, which has to pass."""
        if self.ready:
            return
        level = testing.level()
        begin = time.perf_counter()
        for job in range(self.jobs):
            self.builds.put(Build(self.root, self.folder / str(job), level))
        built = time.perf_counter()
        build = self.builds.get()
        self.yardstick = testing.unmutated(build)
        self.builds.put(build)
        self.ready = True
        say(
            f"level {level}: {built - begin:.0f} s to build {self.jobs} times, "
            f"{self.yardstick:.0f} s for the suite without a fault"
        )

    def experiment(self, mutant: Mutant) -> Result:
        """What becomes of a mutant."""
        build = self.builds.get()
        try:
            begin = time.perf_counter()
            outcome, verdict = SURVIVED, testing.Verdict("", 0.0)
            try:
                build.plant(mutant)
            except StillbornError:
                outcome = STILLBORN
            except SameCodeError:
                outcome = SAME_CODE
            built = time.perf_counter() - begin
            if outcome == SURVIVED:
                verdict = testing.judge(build, self.yardstick)
                outcome = CAUGHT if verdict.by else SURVIVED
        finally:
            self.builds.put(build)
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
