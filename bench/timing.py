"""Timing contenders against each other, interleaved in one process, so that a busy machine slows all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# Seconds that one sample should take: long against the resolution of the clock, short against other load.
SAMPLE_SECONDS = 0.02
# OpenBLAS' threads go on spinning when their work is done, 2^28 cycles of the processor's counter or about 0.1 s, on
# the processors that the next contender's threads need. A sample begins when the process has been idle for this long,
# and in any case after LIMIT.
QUIET = 0.02
LIMIT = 1.0


@dataclass(frozen=True)
class Timing:
    """Seconds a unit of work took: the least and the median of all samples."""

    best: float
    median: float
    turns: tuple[float, ...] = ()


def paired_ratio(ours: Timing, theirs: Timing) -> float:
    """Our seconds in theirs, the median of the ratios of each round: what slows a round slows both."""
    return statistics.median(mine / their for mine, their in zip(ours.turns, theirs.turns, strict=True))


def interleaved(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    units: int = 1,
    sample_seconds: float = SAMPLE_SECONDS,
    rest: bool = True,
) -> dict[str, Timing]:
    """Take a sample of each contender in turn, `rounds` times; a call does `units` units of work.

    Where all of them run on one thread, samples may follow each other without a `rest`.
    """
    wait = _wait_until_quiet if rest else lambda: None
    calls = {
        name: _calls_per_sample(contender, sample_seconds, wait) for name, contender in contenders.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            wait()
            started = time.perf_counter()
            for _ in range(calls[name]):
                contender()
            seconds[name].append((time.perf_counter() - started) / calls[name] / units)
    return {
        name: Timing(min(values), statistics.median(values), tuple(values))
        for name, values in seconds.items()
    }


def _wait_until_quiet() -> None:
    """Sleep until no thread of this process computes any more."""
    for _ in range(round(LIMIT / QUIET)):
        before = time.process_time()
        time.sleep(QUIET)
        if time.process_time() - before < QUIET / 10:
            return


def _calls_per_sample(
    contender: Callable[[], object], sample_seconds: float, wait: Callable[[], None]
) -> int:
    wait()
    contender()
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            contender()
        elapsed = time.perf_counter() - started
        if elapsed >= sample_seconds / 4:
            return max(1, round(count * sample_seconds / elapsed))
        count *= 4
