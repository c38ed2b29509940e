"""A few rounds of `tests.fuzz.changes`, in a process of their own, which a fault would kill."""

import subprocess
import sys


def test_some_rounds():
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz.changes", "--rounds", "30"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # That it changed and called is part of what it has to show: calls of every kind came through, and were refused.
    counts = {line.split(maxsplit=1)[1]: int(line.split()[0]) for line in done.stdout.splitlines()}
    for what in ("fit", "train_step", "predict", "accuracy", "gradient"):
        assert counts[f"{what}: done"] > 0
        assert any(key.startswith(f"{what}: ") and "done" not in key for key in counts)
