"""What `fit` adds to its steps: records, callbacks and a progress bar, beside the bare loop over the same batches.

Three epochs, with the loss and the accuracy of the batches, a function after each epoch, a callback every 100 steps and
the progress bar of a terminal, in one call of `fit`; and the compiled loop alone.
"""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr

import numpy as np

import backprop as bp
from backprop.training.sampling import Epochs
from backprop.training.step import train_batches
from bench.results import Result
from bench.timing import interleaved, paired_ratio

THREADED = True
EPOCHS = 3
TABLE = [([784, 50, 10], 100, 20_000, "<= 1.03"), ([16, 32, 32, 4], 32, 64_000, "<= 1.1")]


class Terminal(io.StringIO):
    """What a progress bar takes for a terminal."""

    def isatty(self) -> bool:
        return True


class Every(bp.Callback):
    """A callback that looks at the run."""

    every = 100

    def __init__(self) -> None:
        self.seen: list[float] = []

    def step(self, run: object) -> None:
        self.seen.append(run.history.loss[-1])


def contenders(sizes: list[int], batch: int, samples: int) -> dict[str, Callable[[], object]]:
    rng = np.random.default_rng(0)
    x = rng.random((samples, sizes[0]), dtype=np.float32)
    t = rng.integers(0, sizes[-1], samples)
    nets = [bp.Network(sizes, seed=0) for _ in range(2)]
    rules = [bp.SGD(0.01) for _ in range(2)]

    def bare() -> None:
        batches = Epochs(np.random.PCG64(0), samples, batch).take(EPOCHS * -(-samples // batch))
        train_batches(nets[0], x, t, batches, rules[0])

    def fit() -> None:
        with redirect_stderr(Terminal()):
            nets[1].fit(
                x,
                t,
                epochs=EPOCHS,
                batch_size=batch,
                optimizer=rules[1],
                seed=0,
                progress=True,
                callbacks=[Every(), lambda net, history: False],
            )

    return {"the bare loop": bare, "fit": fit}


def run(quick: bool, threads: int) -> Iterator[Result]:
    """Time both by turns."""
    assert sys.stderr is not None
    for sizes, batch, samples, required in TABLE:
        calls = contenders(sizes, batch, samples // (50 if quick else 1))
        timings = interleaved(calls, 2 if quick else 15, EPOCHS, rest=False)
        name = f"{'-'.join(map(str, sizes))} ×{batch}"
        for what, timed in timings.items():
            yield Result(
                "fit", f"{name}: {what}, an epoch", timed.best * 1e3, "ms", median=timed.median * 1e3
            )
        ratio = paired_ratio(timings["fit"], timings["the bare loop"])
        yield Result("fit", f"{name}: fit over the bare loop", ratio, "", "" if quick else required)
