"""The quick suite on a tree with a fault, the tests first that most faults fail."""

import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import bpcore
from tools.mutants.enumeration import Mutant
from tools.mutants.processes import Done, finished

OF_KERNELS = (
    "tests/core",
    "tests/contracts",
    "tests/network",
    "tests/layers",
    "tests/oracles/test_mpmath.py",
    "tests/gradcheck",
)
# The tests of a Python file: those of the first of these that it is, or is in.
OF_PYTHON = {
    "python/backprop/data": ("tests/data", "tests/fuzz"),
    "python/backprop/gradcheck": (
        "tests/gradcheck",
        "tests/graph/test_chain.py",
        "tests/layers/test_traps.py",
        "tests/network/test_numerical_gradient.py",
    ),
    "python/backprop/io": ("tests/network", "tests/fuzz"),
    "python/backprop": (
        "tests/network",
        "tests/layers",
        "tests/contracts/test_layers.py",
        "tests/cli/test_check_and_info.py",
        "tests/notes",
        "tests/messages",
    ),
    "src/bpcore/threads.py": ("tests/core/test_threads.py", "tests/network/test_threads.py"),
    "src/bpcore/errors.py": ("tests/core/test_errors.py", "tests/contracts/test_entries.py"),
}
# What takes half of the time: whether the compiled plan does what the layers do, in random order, bit for bit,
# from many threads and without new memory. The kernels' suite has it.
OF_THE_PLAN = ("test_state_machine.py", "test_bits.py", "test_stress.py", "test_memory.py")
# Signals and processes come last.
LAST = ("interrupt", "pauses", "threads")
# Golden hashes are made on every level with FMA, the tiles of v3 and v4 looked for in their machine code; one is built.
MACHINE_CODE = "tests/core/test_machine_code.py"
GOLDEN = "::test_golden_hashes_on_every_level_with_fma[{}]"
GOLDEN_FILES = ("tests/core/test_bits.py", "tests/network/test_bits.py")
# Files of a terabyte without blocks, which the limit of a process's files forbids.
TERABYTES = (
    "tests/contracts/test_plan.py::test_batches_for_which_no_memory_can_be",
    "tests/data/test_sizes.py::test_a_line_without_an_end",
)
QUICK = "not training and not exhaustive and not compilers"
SLOWER, AT_LEAST = 4, 20  # times the unmutated suite, and seconds more, after which a mutant hangs
PASSED, FAILED, INTERRUPTED, INTERNAL = 0, 1, 2, 3  # pytest's


@dataclass(frozen=True)
class Suite:
    """Groups of files or folders of tests, one run after the other, and tests that are left out."""

    groups: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Those of all groups."""
        return tuple(path for group in self.groups for path in group)

    def run(self, bench: "Bench", seconds: float, limit: float) -> Done:
        """Run it up to the first failure, or a test that takes longer than `limit` seconds; how the last run ended."""
        for group in self.groups:
            command = [
                str(bench.python), "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", QUICK,
                "-o", f"faulthandler_timeout={limit:.0f}", "-o", "faulthandler_exit_on_timeout=true",
                *(f"--deselect={name}" for name in (*self.left_out, *TERABYTES)),
                *group,
            ]  # fmt: skip
            done = finished(command, bench.tree, seconds)
            if done.status != PASSED:
                break
        return done


@dataclass(frozen=True)
class Verdict:
    """What noticed the mutant, or "" if nothing did; and how long it took."""

    by: str
    seconds: float


class Bench(Protocol):
    """A copy of the tree in which faults are planted, one at a time."""

    tree: Path
    python: Path

    def suite(self, file: str) -> Suite: ...
    def restore(self) -> None: ...
    def plant(self, mutant: Mutant) -> None: ...


class StillbornError(Exception):
    """The mutant does not compile."""


class SameCodeError(Exception):
    """The mutant's machine code is that of the source."""


class SuiteError(Exception):
    """The suite could not be run, or fails without a fault."""


def level() -> str:
    """The best level that is installed and that this processor runs, or $BACKPROP_ISA."""
    return str(bpcore.cpu_info()["chosen"])


def suite_of_kernels(built: str) -> Suite:
    """What tests the kernels, of which one level is built."""
    others = [name for name in bpcore.LEVELS if name != built]
    golden = (file + GOLDEN.format(name) for file in GOLDEN_FILES for name in others)
    return Suite((OF_KERNELS,), (MACHINE_CODE, *golden))


def suite_of_python(tree: Path, file: str) -> Suite:
    """What tests a Python file: first the tests that are called after it, last those that take longest."""
    folders = (file, *map(str, Path(file).parents))
    paths = [tree / path for path in next(OF_PYTHON[folder] for folder in folders if folder in OF_PYTHON)]
    tests = [
        test.relative_to(tree).as_posix()
        for path in paths
        for test in (sorted(path.glob("test_*.py")) if path.is_dir() else [path])
        if test.name not in OF_THE_PLAN
    ]
    # To collect all tests takes longer than to run those that notice most.
    name = Path(file).stem.strip("_")
    own = tuple(test for test in tests if name in Path(test).stem)
    others = [test for test in tests if test not in own]
    others.sort(key=lambda test: Path(test).stem.removeprefix("test_") in LAST)
    return Suite(tuple(group for group in (own, tuple(others)) if group))


def unmutated(bench: Bench, suite: Suite) -> float:
    """How long a suite takes, which has to pass."""
    begin = time.perf_counter()
    done = suite.run(bench, 3600, 3600)
    if done.status != PASSED:
        raise SuiteError(f"the suite fails on the source as it is: {done.status}\n{done.output[-5000:]}")
    return time.perf_counter() - begin


def judge(bench: Bench, suite: Suite, yardstick: float) -> Verdict:
    """Run a suite on the mutant that was planted."""
    begin = time.perf_counter()
    # One test that takes longer than all of them should is not waited for.
    done = suite.run(bench, SLOWER * yardstick + AT_LEAST, yardstick + AT_LEAST)
    seconds = time.perf_counter() - begin
    if done.status == PASSED:
        return Verdict("", seconds)
    if done.status is None:
        return Verdict(f"no end after {seconds:.0f} s", seconds)
    if done.status < 0:
        return Verdict(f"signal {-done.status}", seconds)
    if done.status not in (FAILED, INTERRUPTED, INTERNAL):
        raise SuiteError(f"{sys.executable}: pytest ended with {done.status}\n{done.output[-5000:]}")
    if re.search(r"Timeout \(\d+:\d\d:\d\d\)!", done.output):  # faulthandler's
        return Verdict(f"a test without an end after {seconds:.0f} s", seconds)
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.output, re.MULTILINE)
    return Verdict(failed[1] if failed else f"pytest's status {done.status}", seconds)
