"""How long it takes to get going: size on disk, the import, and the main job on the embedded digits."""

import importlib.metadata
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.results import Result

# Modules and the distributions that they cannot do without, but for NumPy.
PEERS = {
    "torch": ("torch", "sympy", "networkx", "jinja2", "fsspec", "filelock", "typing-extensions", "mpmath"),
    "jax": ("jax", "jaxlib", "scipy", "ml-dtypes", "opt-einsum"),
    "sklearn": ("scikit-learn", "scipy", "joblib", "threadpoolctl"),
    "onnxruntime": ("onnxruntime", "protobuf", "flatbuffers"),
}


def megabytes(distributions: tuple[str, ...]) -> float | None:
    """What the distributions' files take on disk; None if the first is not installed."""
    total = 0
    for name in distributions:
        try:
            files = importlib.metadata.files(name) or []
        except importlib.metadata.PackageNotFoundError:
            if name == distributions[0]:
                return None
            continue
        paths = (Path(str(file.locate())) for file in files if "__pycache__" not in str(file))
        total += sum(path.stat().st_size for path in paths if path.exists())
    return total / 1e6


def seconds(code: str) -> float:
    """Time inside a new interpreter, which prints it."""
    timed = f"import time; start = time.perf_counter(); {code}; print(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    return float(done.stdout)


def run(quick: bool) -> Iterator[Result]:
    """Interleave imports of NumPy alone and of both; train by the command line."""
    names = "import numpy; from backprop import Network"
    pairs = [(seconds("import numpy"), seconds(names)) for _ in range(3 if quick else 31)]
    numpy_alone, both = (statistics.median(column) for column in zip(*pairs, strict=True))
    yield Result("start", "import numpy", 1e3 * numpy_alone, "ms")
    # A median of paired differences, since the machine's speed drifts; --quick has too few for a promise.
    over = statistics.median(b - a for a, b in pairs)
    yield Result("start", "import backprop, over import numpy", 1e3 * over, "ms", "" if quick else "<= 15")
    yield Result("start", "import backprop and numpy", 1e3 * both, "ms")
    yield Result(
        "start",
        "backprop and what it needs but NumPy: installed",
        megabytes(("bpcore", "tqdm", "safetensors")) or 0,
        "MB",
    )
    yield Result("start", "bpcore alone: installed", megabytes(("bpcore",)) or 0, "MB", "<= 6")
    for module, distributions in PEERS.items():
        size = megabytes(distributions)
        if size is not None:
            yield Result("start", f"{module} and what it needs but NumPy: installed", size, "MB")
            imports = [seconds(f"import numpy, {module}") for _ in range(1 if quick else 5)]
            yield Result("start", f"import {module} and numpy", 1e3 * statistics.median(imports), "ms")

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
    yield Result("start", "backprop train: time from the shell", elapsed, "s", "" if quick else "<= 10")
    yield Result("start", "backprop train: test accuracy on the digits", accuracy, "", ">= 0.95")
