"""The bits contract over drawn shapes: numbers of threads, plan and layers, single steps and loops, and levels."""

import json
import os
import subprocess
import sys

import pytest

import bpcore
from tests import teams

INFO = bpcore.cpu_info()
LEVELS = [level for level in bpcore.LEVELS if level in INFO["usable"] and level in INFO["built"]]


def found_on(level, count, threads, **environment):
    """What tests.core.drawn_shapes finds in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.core.drawn_shapes", str(count), *map(str, threads)],
        env={
            **os.environ,
            "BACKPROP_ISA": level,
            "PYTHONPATH": os.pathsep.join(sys.path),
            **environment,
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(count, threads):
    found = [found_on(level, count, threads) for level in LEVELS]
    print([{**each, "differing": len(each["differing"])} for each in found])
    for each in found:
        assert each["differing"] == []
        if teams.running() is not None:
            assert each["teams"] == list(range(1, teams.MOST + 1))
    # v2 has no fused multiply-add, and sums of its own.
    assert len({each["hash"] for each in found if each["level"] != "v2"}) <= 1


def test_some_shapes():
    check(32, (2, 5, 8))


def test_fewer_threads_than_were_named():
    # OpenMP cuts a team down without a word, also below what it says it allows.
    found = found_on(LEVELS[0], 16, (3, 8), OMP_THREAD_LIMIT="3")
    assert found["differing"] == []
    if teams.running() is not None:
        assert found["teams"] == [1, 2, 3, 3, 3, 3, 3, 3]


@pytest.mark.exhaustive
def test_thousands_of_shapes():
    check(2400, range(2, teams.MOST + 1))
