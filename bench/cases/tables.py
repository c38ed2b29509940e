"""Reading a large CSV file by each reader that is installed, against pandas and NumPy; what `train` takes for it."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from unittest.mock import patch

import numpy as np

from backprop.data import read_table, readers
from bench.results import Result
from bench.timing import interleaved

ROWS, COLUMNS = 42_000, 784
# What `backprop train` has taken at most, in GB; modules named behind the files are not there.
PEAK = """
import pathlib, resource, sys
table, network, *missing = sys.argv[1:]
sys.modules |= dict.fromkeys(missing)
from backprop.cli import main
main(["train", table, "--epochs", "1", "--out", network])
unit = 1 if sys.platform == "darwin" else 1024
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
# On Linux that is at least what the parent had; this is the process's own.
status = pathlib.Path("/proc/self/status")
if status.exists():
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    peak = int(line.split()[1]) * 1024
print(peak / 1e9)
"""


def write(path: Path, count: int) -> None:
    """Images a fifth of whose pixels are not 0, and their labels, as whole numbers."""
    rng = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(",".join([*(f"pixel{n}" for n in range(COLUMNS)), "label"]) + "\n")
        for label in rng.integers(0, 10, count).tolist():
            pixels = (rng.random(COLUMNS) < 0.2) * rng.integers(0, 256, COLUMNS)
            file.write(",".join(map(str, [*pixels.tolist(), label])) + "\n")


def ours(path: Path, packages: dict[str, readers.Reader]) -> Callable[[], object]:
    """`read_table` with no more than these packages."""

    def read() -> None:
        with patch.object(readers, "PACKAGES", packages):
            read_table(path)

    return read


def run(quick: bool) -> Iterator[Result]:
    """Take the peak memory in processes of their own, then time reading the same file, interleaved."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.csv"
        write(path, 200 if quick else ROWS)
        for missing in ([], ["pandas"], ["pandas", "pyarrow", "pyarrow.csv"]):
            command = [sys.executable, "-c", PEAK, str(path), str(path.with_suffix(".safetensors")), *missing]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            what = f"peak memory{f', without {missing[0]}' if missing else ''}{' or pyarrow' if missing[1:] else ''}"
            yield Result("tables", what, float(done.stdout.split()[-1]), "GB", "<= 0.5")
        contenders = {"by numpy": ours(path, {})}
        contenders["numpy.loadtxt"] = lambda: np.loadtxt(path, delimiter=",", skiprows=1)
        for name, reader in readers.PACKAGES.items():
            if find_spec(name.partition(".")[0]) is not None:
                contenders[f"by {name}"] = ours(path, {name: reader})
        if find_spec("pandas") is not None:
            import pandas as pd

            contenders["pandas.read_csv"] = lambda: pd.read_csv(path)
        timing = interleaved(contenders, 2 if quick else 9)
        for name, timed in timing.items():
            yield Result("tables", f"42000 × 785, {name}", timed.best, "s", "", timed.median)
        for name, peer in (("by numpy", "numpy.loadtxt"), ("by pandas", "pandas.read_csv")):
            if name in timing and peer in timing:
                ratio = timing[name].median / timing[peer].median
                yield Result("tables", f"{name}: of the time of {peer}", ratio, "", "" if quick else "<= 1.2")
