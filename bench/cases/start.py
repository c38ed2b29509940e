"""How long it takes to get going: the import, and the main job on the embedded digits."""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.results import Result


def seconds(code: str) -> float:
    """Time inside a new interpreter, which prints it."""
    timed = f"import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    return float(done.stdout)


def run(quick: bool) -> Iterator[Result]:
    """Interleave imports of NumPy alone and of both; train by the command line."""
    pairs = [
        (seconds("import numpy"), seconds("import numpy; import backprop")) for _ in range(3 if quick else 31)
    ]
    numpy_alone, both = (statistics.median(column) for column in zip(*pairs, strict=True))
    yield Result("start", "import numpy", 1e3 * numpy_alone, "ms")
    # A median of paired differences, since the machine's speed drifts; --quick has too few for a promise.
    over = statistics.median(b - a for a, b in pairs)
    yield Result("start", "import backprop, over import numpy", 1e3 * over, "ms", "" if quick else "<= 15")
    yield Result("start", "import backprop and numpy", 1e3 * both, "ms")

    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "backprop", "train", "--out", str(Path(folder) / "model")],
            capture_output=True,
            text=True,
            check=True,
        )
        elapsed = time.perf_counter() - started
    accuracy = float(done.stdout.split("test accuracy")[1].split()[0])
    yield Result("start", "backprop train: time from the shell", elapsed, "s", "<= 10")
    yield Result("start", "backprop train: test accuracy on the digits", accuracy, "", ">= 0.95")
