"""Nothing is read or written past an array: not even a vector that is half inside."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.guarded import EVERY


@pytest.mark.skipif(sys.platform != "linux", reason="forbids pages through mprotect")
@pytest.mark.parametrize("where", ["end", "start"])
def test_pages_beside_arrays_are_not_touched(where):
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.contracts.pages", where],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) >= 20 * len(EVERY)
