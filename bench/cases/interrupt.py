"""How long Ctrl-C takes to stop a fit, and an evaluation of many rows."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

import backprop as bp
from bench.machine import cpus
from bench.results import Result


def run(quick: bool) -> Iterator[Result]:
    """Send the signal from a timer, at moments that have nothing to do with the training's own."""
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        trials = 3 if quick else 20
        yield from fits(trials, "", "" if quick else "<= 100")
        with busy_processes():
            yield from fits(trials, ", every processor busy", "" if quick else "<= 200")
        yield from evaluations(trials, "" if quick else "<= 200")
    finally:
        signal.signal(signal.SIGALRM, previous)


@contextmanager
def busy_processes() -> Iterator[None]:
    """As many processes that compute all the time as there are processors."""
    workers = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cpus())]
    try:
        yield
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def fits(trials: int, where: str, required: str) -> Iterator[Result]:
    """Interrupt fits of a small and of a large network."""
    rng = np.random.default_rng(0)
    x, t = rng.random((5000, 784), dtype=np.float32), rng.integers(0, 10, 5000)
    for sizes, batch in (([784, 50, 10], 100), ([784, 1024, 1024, 10], 256)):
        late = []
        for trial in range(trials):
            net = bp.Network(sizes, seed=0)
            delay = 0.3 + 0.0137 * trial
            signal.setitimer(signal.ITIMER_REAL, delay)
            sent = time.perf_counter() + delay
            try:
                net.fit(x, t, iterations=10**9, batch_size=batch, track_accuracy=False)
            except KeyboardInterrupt:
                # Beside busy processes a step of the large network takes longer than what is promised.
                step = net.history.seconds / len(net.history.loss)
                late.append(time.perf_counter() - sent - step)
        name = "-".join(map(str, sizes))
        what = f"{name} ×{batch}: longest time to stop beyond a step{where}"
        yield Result("interrupt", what, 1e3 * max(late), "ms", required)


def evaluations(trials: int, required: str) -> Iterator[Result]:
    """The same for what evaluates all rows in one call."""
    x, t = np.random.default_rng(0).random((20_000, 784), dtype=np.float32), np.zeros(20_000, int)
    net = bp.Network([784, 2000, 2000, 10], seed=0)
    calls = {
        "predict": lambda: net.predict(x),
        "accuracy": lambda: net.accuracy(x, t),
        "loss": lambda: net.loss(x, t),
    }
    for name, call in calls.items():
        late = []
        for trial in range(trials):
            delay = 0.05 + 0.0137 * trial
            signal.setitimer(signal.ITIMER_REAL, delay)
            sent = time.perf_counter() + delay
            try:
                while True:
                    call()
            except KeyboardInterrupt:
                late.append(time.perf_counter() - sent)
        what = f"{name} of 20,000 rows, 784-2000-2000-10: longest time to stop"
        yield Result("interrupt", what, 1e3 * max(late), "ms", required)
