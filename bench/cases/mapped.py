"""Samples in a file that is mapped into memory: speed and memory beside an array, and what shuffling by blocks costs.

A file of 768 MB, MNIST over and over, in a process whose private memory is limited to 256 MB, with the file in the
system's cache. And accuracies on the test images where those that are trained on are sorted by class.
"""

import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import backprop as bp
from bench.data import mnist_or_digits
from bench.results import Result

BYTES, LIMIT = 768 << 20, 256 << 20
TRAIN = """
import resource, sys, time
import numpy as np, numpy.random
import backprop as bp

path, labels, limit = sys.argv[1], np.load(sys.argv[2]), int(sys.argv[3])
x = np.memmap(path, np.float32, "r").reshape(-1, 784)
for first in range(0, len(x), 1000):
    x[first : first + 1000].sum()
if limit:
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
else:
    x = np.array(x)
net, seconds = bp.Network([784, 50, 10], seed=0), []
for seed in range(4):
    started = time.perf_counter()
    net.fit(x, labels, epochs=1, seed=seed)
    seconds.append(time.perf_counter() - started)
with open("/proc/self/status") as status:
    private = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
print(min(seconds[1:]), private)
"""


def run(quick: bool) -> Iterator[Result]:
    """Time both kinds in processes that take turns; Linux alone limits and tells the memory."""
    if sys.platform != "linux":
        return
    name, (x, t), test = mnist_or_digits()
    with tempfile.TemporaryDirectory() as folder:
        yield from speed(Path(folder), x, t, quick)
        yield from quality(Path(folder), name, (x, t), test, quick)


def speed(folder: Path, x: np.ndarray, t: np.ndarray, quick: bool) -> Iterator[Result]:
    """Epochs of 784-50-10 with batches of 100."""
    rows = (BYTES if not quick else 96 << 20) // (784 * 4)
    file = np.memmap(folder / "x.f32", np.float32, "w+", shape=(rows, 784))
    for first in range(0, rows, len(x)):
        file[first : first + len(x)] = x[: min(len(x), rows - first)]
    file.flush()
    np.save(folder / "t.npy", np.resize(t, rows))
    found: dict[str, list[tuple[float, float]]] = {"mapped": [], "in memory": []}
    for _ in range(1 if quick else 7):
        for kind, limit in (("mapped", LIMIT), ("in memory", 0)):
            command = [sys.executable, "-c", TRAIN, str(folder / "x.f32"), str(folder / "t.npy"), str(limit)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds, private = map(float, done.stdout.split())
            found[kind].append((seconds, private))
    best = {kind: np.array(values) for kind, values in found.items()}
    size = f"{rows * 784 * 4 >> 20} MB"
    for kind, values in best.items():
        yield Result(
            "mapped",
            f"{size} {kind}: an epoch",
            values[:, 0].min(),
            "s",
            median=float(np.median(values[:, 0])),
        )
        yield Result("mapped", f"{size} {kind}: private memory (RssAnon)", values[:, 1].max() / 1024, "MB")
    ratio = float(np.median(best["in memory"][:, 0] / best["mapped"][:, 0]))
    yield Result(
        "mapped",
        f"{size} mapped, {LIMIT >> 20} MB allowed: speed of in memory",
        ratio,
        "",
        "" if quick else ">= 0.7",
    )


def quality(folder: Path, name: str, train: tuple, test: tuple, quick: bool) -> Iterator[Result]:
    """Accuracies by pairs of seeds, of samples that are sorted by class."""
    order = np.argsort(train[1], kind="stable")
    x, t = np.ascontiguousarray(train[0][order]), train[1][order]
    file = np.memmap(folder / "sorted.f32", np.float32, "w+", shape=x.shape)
    file[:] = x
    differences = []
    for seed in range(2 if quick else 8):
        accuracies = []
        for samples in (x, file):
            net = bp.Network([784, 50, 10], seed=seed)
            net.fit(samples, t, epochs=1 if quick else 3, seed=seed)
            accuracies.append(net.accuracy(*test))
        differences.append(accuracies[1] - accuracies[0])
    error = np.std(differences, ddof=1) / math.sqrt(len(differences))
    what = f"{name} sorted by class, windows of 64 MB of {x.nbytes >> 20}: accuracy beside a full shuffle"
    yield Result("mapped", what, float(np.mean(differences)), "")
    share = abs(float(np.mean(differences))) / error if error else 0.0
    yield Result(
        "mapped", f"the same in standard errors, {len(differences)} seeds", share, "", "" if quick else "<= 2"
    )
