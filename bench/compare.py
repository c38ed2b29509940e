"""Two installations of the package against each other: `python bench/compare.py PYTHON PYTHON [CASE …]`.

Each argument is the Python of an environment that has the package. A process of each times the same calls in turns, so
that a busy machine slows both, and gives way to another after some rounds, since where its threads and arrays lie stays
as it is. Printed are the medians of the second's seconds in the first's, the largest first. Only what both versions
have is timed. On one processor (`taskset -c 1`, `BACKPROP_NUM_THREADS=1`) they scatter least.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

SAMPLE_SECONDS = 0.02
PRODUCTS = [
    (1, 784, 50),
    (3, 64, 64),
    (8, 300, 200),
    (32, 784, 100),
    (100, 784, 50),
    (128, 512, 256),
    (1000, 784, 512),
]
STEPS = [
    ((16, 32, 32, 4), 1),
    ((784, 50, 10), 1),
    ((784, 50, 10), 100),
    ((784, 512, 256, 10), 128),
    ((30, 64, 64, 2), 32),
]
RULES = ("SGD", "Momentum", "Nesterov", "AdaGrad", "RMSprop", "Adam")
Cases = Iterator[tuple[str, Callable[[], object]]]


def kernels_of(dtype: str) -> Cases:
    import numpy as np

    from bpcore import kernels

    rng = np.random.default_rng(0)

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape).astype(dtype)

    for B, I, O in PRODUCTS:  # noqa: E741  # the sizes' letters
        x, W, b, dout = draw(B, I), draw(I, O), draw(O), draw(B, O)
        out, dx, dW, db = np.empty_like(dout), np.empty_like(x), np.empty_like(W), np.empty_like(b)
        shape = f"{B}×{I}×{O}"
        yield f"affine_forward {shape}", partial(kernels.affine_forward, x, W, b, out)
        yield f"affine_backward_input {shape}", partial(kernels.affine_backward_input, dout, W, dx)
        yield f"affine_backward_params {shape}", partial(kernels.affine_backward_params, x, dout, dW, db)
    for n in (8, 1000, 100000):
        x, dout, out, mask = draw(n), draw(n), np.empty(n, dtype), np.empty(n, bool)
        yield f"relu_forward {n}", partial(kernels.relu_forward, x, out, mask)
        yield f"relu_backward {n}", partial(kernels.relu_backward, dout, mask, out)
        for name in ("sigmoid", "tanh"):
            yield f"{name}_forward {n}", partial(getattr(kernels, f"{name}_forward"), x, out)
            yield f"{name}_backward {n}", partial(getattr(kernels, f"{name}_backward"), dout, x, out)
        yield f"exp {n}", partial(kernels.exp, x, out)
        yield f"log {n}", partial(kernels.log, np.abs(x), out)
        yield f"sgd_update {n}", partial(kernels.sgd_update, out, dout, 1e-9)
        moments = np.zeros(n, dtype), np.zeros(n, dtype)
        yield f"adam_update {n}", partial(kernels.adam_update, out, dout, *moments, 1e-9, 0.9, 0.999, 1e-8, 1)
    for B, K in ((1, 10), (100, 10), (1024, 1000)):
        x, t, y, dx = draw(B, K), rng.integers(0, K, B), draw(B, K), draw(B, K)
        yield f"softmax {B}×{K}", partial(kernels.softmax, x, y)
        yield f"softmax_cross_entropy {B}×{K}", partial(kernels.softmax_cross_entropy, x, t, y, dx)
        yield f"squared_error {B}×{K}", partial(kernels.squared_error, x, y.copy(), dx)


def networks_of(dtype: str, folder: Path) -> Cases:
    import numpy as np

    import backprop as bp

    rng = np.random.default_rng(0)
    for sizes, B in STEPS:
        shape = f"{'-'.join(map(str, sizes))} ×{B}"
        x, t = rng.normal(size=(B, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], B)
        for rule in RULES if B == 100 else ("SGD", "Adam"):
            net, optimizer = bp.Network(sizes, dtype=dtype, seed=0), getattr(bp, rule)(1e-9)
            yield f"train_step {shape} {rule}", partial(net.train_step, x, t, optimizer)
        net = bp.Network(sizes, dtype=dtype, seed=0)
        yield f"predict {shape}", partial(net.predict, x)
        yield f"loss {shape}", partial(net.loss, x, t)
        yield f"gradient {shape}", partial(net.gradient, x, t)
    for activation, loss in (("sigmoid", "softmax"), ("tanh", "squared_error")):
        x, t = rng.normal(size=(100, 784)).astype(dtype), rng.integers(0, 10, 100)
        t = t if loss == "softmax" else np.eye(10)[t].astype(dtype)
        net = bp.Network([784, 50, 10], activation=activation, loss=loss, dtype=dtype, seed=0)
        yield f"train_step {activation} {loss}", partial(net.train_step, x, t, bp.SGD(1e-9))
    x, t = rng.integers(0, 256, (6000, 784), dtype=np.uint8), rng.integers(0, 10, 6000)
    net = bp.Network([784, 50, 10], dtype=dtype, seed=0)
    yield "fit of an epoch, 6000 rows of uint8", partial(net.fit, x, t, epochs=1, optimizer=bp.SGD(1e-9))
    yield "accuracy, 6000 rows of uint8", partial(net.accuracy, x, t)
    layer = bp.Affine(*(rng.normal(size=shape).astype(dtype) for shape in ((784, 50), (50,))))
    rows, dout = rng.normal(size=(100, 784)).astype(dtype), rng.normal(size=(100, 50)).astype(dtype)
    layer.forward(rows)
    yield "Affine.forward 100×784×50", partial(layer.forward, rows)
    yield "Affine.backward 100×784×50", partial(layer.backward, dout)
    small = bp.Network([4, 8, 3], dtype=dtype, seed=0)
    yield "Network([4, 8, 3])", partial(bp.Network, [4, 8, 3], dtype=dtype, seed=0)
    yield "repr of a network", partial(repr, small)
    deep = bp.Network([8] * 25, dtype=dtype, seed=0)
    yield "params of 24 layers", lambda: [*deep.params.items()]
    path = folder / f"{dtype}.safetensors"
    net.save(path)
    yield "save 784-50-10", partial(net.save, path)
    yield "load 784-50-10", partial(bp.Network.load, path)
    few = rng.normal(size=(5, 4)).astype(dtype), np.array([0, 1, 2, 0, 1])
    yield "check_gradients 4-8-3", partial(bp.check_gradients, small, *few)


def all_cases(folder: Path) -> dict[str, Callable[[], object]]:
    return {
        f"{name}, {dtype}": call
        for dtype in ("float32", "float64")
        for name, call in (*kernels_of(dtype), *networks_of(dtype, folder))
    }


def work(folder: Path) -> None:
    """Answer each line of stdin, the name of a case, with the seconds that a call of it took."""
    import warnings

    warnings.simplefilter("ignore")
    cases, counts = all_cases(folder), {}
    print(json.dumps([*cases]), flush=True)
    for line in sys.stdin:
        name = line.strip()
        call = cases[name]
        if name not in counts:
            call()
            started = time.perf_counter()
            call()
            counts[name] = max(1, round(SAMPLE_SECONDS / max(time.perf_counter() - started, 1e-7)))
        started = time.perf_counter()
        for _ in range(counts[name]):
            call()
        print((time.perf_counter() - started) / counts[name], flush=True)


class Installation:
    """A process of an environment that times what it is told."""

    def __init__(self, python: str) -> None:
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        command = [python, "-P", str(Path(__file__).resolve()), "--work"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.names = json.loads(self._answer())

    def __enter__(self) -> "Installation":
        return self

    def __exit__(self, *exception: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def seconds(self, name: str) -> float:
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return float(self._answer())

    def _answer(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended with status {self.process.wait()}")
        return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", help="Python of the environment that is compared with")
    parser.add_argument("after", help="Python of the other one")
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="words that names of cases contain; all by default"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each pair of processes")
    parser.add_argument("--processes", type=int, default=3, help="pairs of processes, one after the other")
    arguments = parser.parse_args()
    measured: dict[str, list[tuple[float, float]]] = {}
    for _ in range(arguments.processes):
        with Installation(arguments.before) as before, Installation(arguments.after) as after:
            for name in before.names:
                if name in after.names and any(part in name for part in arguments.cases or [""]):
                    pairs = [(before.seconds(name), after.seconds(name)) for _ in range(arguments.rounds + 1)]
                    measured.setdefault(name, []).extend(pairs[1:])
    rows = []
    for name, pairs in measured.items():
        ratio = statistics.median(second / first for first, second in pairs)
        rows.append((ratio, name, *(statistics.median(values) for values in zip(*pairs, strict=True))))
    for ratio, name, first, second in sorted(rows, reverse=True):
        print(f"{ratio:6.3f}  {name:60}  {first * 1e6:12.2f} µs  {second * 1e6:12.2f} µs")


if __name__ == "__main__":
    if sys.argv[1:] == ["--work"]:
        with tempfile.TemporaryDirectory() as folder:
            work(Path(folder))
    else:
        main()
