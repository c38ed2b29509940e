"""Runs that are killed at random instants, or whose disk becomes full, end in the bits of one that was not.

`KILLS` says how many are killed; half as many again meet a full disk.
"""

import os
import random
import subprocess
import sys

import pytest

import bpcore
from tests.training.killed import came_to, network, options

KILLS = int(os.environ.get("KILLS", "20"))
# Levels with FMA, all of which have the same bits.
LEVELS = [one for one in bpcore.cpu_info()["usable"] if one in ("v3", "v4", "neon")]


@pytest.fixture(scope="module")
def expected():
    net = network()
    return came_to(net, net.fit(**options()))


def begun(path, every, level, *fill):
    """A child that trains, on a level."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training.killed", path, str(every), *map(str, fill)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "BACKPROP_ISA": level} if level else None,
    )


def steps_of(out):
    """Where a child began, where it last was, and what it came to, if it did."""
    lines = [line.rsplit(" ", 1) for line in out.splitlines()]
    steps = [int(value) for what, value in lines if what in ("from", "step")]
    return steps, next((value for what, value in lines if what == "came to"), None)


def test_killed_at_random_instants(tmp_path, expected):
    rng, kills, runs = random.Random(0), 0, 0
    while kills < KILLS:
        path, every, found = tmp_path / f"run{runs}.safetensors", rng.choice([1, 2, 5]), None
        runs, last = runs + 1, 0
        while found is None:
            child = begun(path, every, rng.choice(LEVELS or [""]))
            first = child.stdout.readline()
            try:
                child.wait(rng.uniform(0, 0.15))
            except subprocess.TimeoutExpired:
                child.kill()
            out, error = child.communicate()
            steps, found = steps_of(first + out)
            assert child.returncode in (0, -9), error
            kills += child.returncode == -9
            # A checkpoint is written behind the line of its step: what was told before the last line is saved.
            assert steps == [] or steps[0] >= max(last - 1, 0) // every * every
            last = steps[-1] if steps else last
        assert found == expected
        assert sorted(os.listdir(tmp_path)) == sorted(
            name for n in range(runs) for name in (f"run{n}.previous.safetensors", f"run{n}.safetensors")
        )


def test_a_disk_that_becomes_full(tmp_path, expected):
    """No file gets longer than some bytes, from some step on."""
    rng = random.Random(1)
    for n in range(max(KILLS // 8, 1)):
        (tmp_path / str(n)).mkdir()
        path, step = tmp_path / str(n) / "run.safetensors", rng.randrange(1, 90)
        child = begun(path, 1, "", "fill", rng.randrange(0, 80_000), step)
        out, error = child.communicate()
        assert child.returncode == 1
        assert f"OSError: [Errno 27] File too large: '{path}'" in error
        steps, _ = steps_of(out)
        assert steps[-1] == step
        goes_on(path, step - 1, expected)


def goes_on(path, step, expected):
    """A run goes on from the step that was saved, and nothing else is left behind."""
    out, error = begun(path, 1, "").communicate()
    steps, found = steps_of(out)
    assert steps[0] == step, error
    assert found == expected
    assert sorted(os.listdir(path.parent)) == ["run.previous.safetensors", "run.safetensors"]


ON_A_SMALL_DISK = """
mount -t tmpfs -o size="$1"k none "$2" || exit 77
"$0" -m tests.training.killed "$2"/run.safetensors 1
code=$?
cp "$2"/* "$3"
exit $code
"""


def test_a_small_disk(tmp_path, expected):
    """A disk of its own, in memory, on which three files do not find room, where the system lets us have one."""
    if subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True
    ).returncode:
        pytest.skip("no disk may be mounted here")
    rng = random.Random(2)
    for n in range(max(KILLS // 8, 1)):
        disk, kept = tmp_path / f"disk{n}", tmp_path / f"kept{n}"
        disk.mkdir(), kept.mkdir()
        size = rng.randrange(130, 380, 4)
        found = subprocess.run(
            ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, sys.executable, str(size), str(disk), str(kept)],
            capture_output=True,
            text=True,
        )
        assert found.returncode == 1, found.stderr
        assert f"OSError: [Errno 28] No space left on device: '{disk / 'run.safetensors'}'" in found.stderr
        saved = steps_of(found.stdout)[0][-1] - 1
        if saved:
            goes_on(kept / "run.safetensors", saved, expected)
        assert [*disk.iterdir()] == []
