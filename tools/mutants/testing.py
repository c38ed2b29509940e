"""The quick suite on a build, the tests first that most faults fail."""

import re
import sys
import time
from dataclasses import dataclass

import bpcore
from tools.mutants.building import Build
from tools.mutants.processes import finished

FOLDERS = (
    "tests/core",
    "tests/contracts",
    "tests/network",
    "tests/layers",
    "tests/oracles/test_mpmath.py",
    "tests/gradcheck",
)
# Golden hashes are made on every level with FMA, the tiles of v3 and v4 looked for in their machine code; one is built.
MACHINE_CODE = "tests/core/test_machine_code.py"
GOLDEN = "::test_golden_hashes_on_every_level_with_fma[{}]"
GOLDEN_FILES = ("tests/core/test_bits.py", "tests/network/test_bits.py")
SLOWER, AT_LEAST = 4, 20  # times the unmutated suite, and seconds more, after which a mutant hangs
PASSED, FAILED, INTERRUPTED, INTERNAL = 0, 1, 2, 3  # pytest's


@dataclass(frozen=True)
class Verdict:
    """What noticed the mutant, or "" if nothing did; and how long it took."""

    by: str
    seconds: float


class SuiteError(Exception):
    """The suite could not be run, or fails without a fault."""


def level() -> str:
    """The best level that is installed and that this processor runs, or $BACKPROP_ISA."""
    return str(bpcore.cpu_info()["chosen"])


def suite(build: Build) -> list[str]:
    """The command that runs it."""
    others = [name for name in bpcore.LEVELS if name != build.level]
    left_out = [MACHINE_CODE, *(file + GOLDEN.format(name) for file in GOLDEN_FILES for name in others)]
    return [
        str(build.python), "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
        "-m", "not training and not exhaustive",
        *(f"--deselect={name}" for name in left_out),
        *FOLDERS,
    ]  # fmt: skip


def unmutated(build: Build) -> float:
    """How long the suite takes, which has to pass."""
    begin = time.perf_counter()
    done = finished(suite(build), build.tree, 3600)
    if done.status != PASSED:
        raise SuiteError(f"the suite fails on the source as it is: {done.status}\n{done.output[-5000:]}")
    return time.perf_counter() - begin


def judge(build: Build, yardstick: float) -> Verdict:
    """Run the suite on the mutant that was built."""
    begin = time.perf_counter()
    done = finished(suite(build), build.tree, SLOWER * yardstick + AT_LEAST)
    seconds = time.perf_counter() - begin
    if done.status == PASSED:
        return Verdict("", seconds)
    if done.status is None:
        return Verdict(f"no end after {seconds:.0f} s", seconds)
    if done.status < 0:
        return Verdict(f"signal {-done.status}", seconds)
    if done.status not in (FAILED, INTERRUPTED, INTERNAL):
        raise SuiteError(f"{sys.executable}: pytest ended with {done.status}\n{done.output[-5000:]}")
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.output, re.MULTILINE)
    return Verdict(failed[1] if failed else f"pytest's status {done.status}", seconds)
