"""The affine kernels on 1 to 8 rows and one thread: v4 against NumPy as it is, v3 against NumPy with Haswell's kernels.

Each level is measured in a process of its own, since OpenBLAS chooses its kernels when it is loaded.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import bpcore
from bench.cases.products import contenders_of
from bench.results import Result
from bench.timing import interleaved

ROWS = (1, 2, 3, 8)
SIZES = (50, 64, 100, 784, 1000)
LEAST = 0.95
# NumPy's kernels beside a level's; None: those that it chooses.
KERNELS = {"v4": None, "v3": "Haswell"}


def run(quick: bool) -> Iterator[Result]:
    """Give every ratio of each level."""
    info = bpcore.cpu_info()
    for level, kernels in KERNELS.items():
        if level not in info["built"] or level not in info["usable"]:
            continue
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
        environment |= {"BACKPROP_ISA": level, "BACKPROP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if kernels is not None:
            environment["OPENBLAS_CORETYPE"] = kernels
        done = subprocess.run(
            [sys.executable, "-m", __name__, *["--quick"] * quick],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        for line in done.stdout.splitlines():
            what, ratio = json.loads(line)
            required = "" if quick else f">= {LEAST}"
            yield Result("few_rows", f"{level}: {what}: times NumPy", ratio, "", required)


def ratios(quick: bool) -> Iterator[tuple[str, float]]:
    """Each shape's ratio, the median of its rounds; what is too slow is measured once more."""
    for dtype in ("float32", "float64"):
        for B in ROWS[::3] if quick else ROWS:
            for I in SIZES[::4] if quick else SIZES:  # noqa: E741  # the sizes' letters
                for O in SIZES[::4] if quick else SIZES:  # noqa: E741
                    for kind, (ours, theirs) in contenders_of(dtype, B, I, O).items():
                        ratio = ratio_of(ours, theirs, 2 if quick else 7)
                        if ratio < LEAST and not quick:
                            ratio = ratio_of(ours, theirs, 15)
                        yield f"{dtype} {B}×{I}×{O}, {kind}", ratio


def ratio_of(ours, theirs, rounds: int) -> float:
    timings = interleaved({"ours": ours, "theirs": theirs}, rounds, sample_seconds=0.003, rest=False)
    return timings["theirs"].median / timings["ours"].median


if __name__ == "__main__":
    for row in ratios("--quick" in sys.argv):
        print(json.dumps(row), flush=True)
