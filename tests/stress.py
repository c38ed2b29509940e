"""Everything at once, for as long as is wanted: `python -m tests.stress --seconds 600 [--seed N]`.

Threads of Python fit, step, predict and multiply on changing numbers of threads, small networks and wide ones; beside
them NumPy's pool computes, processes are forked and train, and all threads are moved from processor to processor. Each
result has to have the bits that one thread gave. Exit status 1 where one has not, or a thread or child does not come
back.
"""

import argparse
import faulthandler
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

import backprop as bp
from bpcore import kernels
from tests import teams

PATIENCE = 120  # seconds that one job, or a child, may take beside all others
WORKERS = 4
MOST = 6  # threads that a job names; more than most machines of tests have

RNG = np.random.default_rng(0)
X = RNG.random((900, 60), dtype=np.float32)
T = RNG.integers(0, 10, 900)
A, B = RNG.standard_normal((300, 400)), RNG.standard_normal((400, 500))


def small(threads: int | None) -> bytes:
    """Steps of a network whose threads share rows, if it has any."""
    net = bp.Network([60, 50, 10], seed=0)
    loss = net.fit(X, T, iterations=60, batch_size=700, optimizer=bp.Adam(0.01), seed=0, threads=threads).loss
    return np.array(loss).tobytes() + net.params["W1"].tobytes()


def wide(threads: int | None) -> bytes:
    """Steps of a network whose threads share columns, too, and single steps."""
    net = bp.Network([60, 600, 520, 10], activation=["gelu", "tanh"], seed=0)
    optimizer = bp.SGD(0.05)
    loss = net.fit(X, T, epochs=2, batch_size=128, optimizer=optimizer, seed=0, threads=threads).loss
    loss += [net.train_step(X[:128], T[:128], optimizer) for _ in range(3)]
    return np.array(loss).tobytes() + net.params["W2"].tobytes()


NET = bp.Network([60, 700, 10], seed=1)


def outputs(_: int | None) -> bytes:
    """What a network that all threads share gives out."""
    return NET.predict(X).tobytes() + np.float64(NET.accuracy(X, T)).tobytes()


def product(threads: int | None) -> bytes:
    """A single kernel."""
    out = np.empty((300, 500))
    kernels.affine_forward(A, B, np.zeros(500), out, threads=threads)
    return out.tobytes()


JOBS: list[Callable[[int | None], bytes]] = [small, wide, outputs, product]


class Stress:
    """Who runs, for how long, and what was found."""

    def __init__(self, seconds: float, seed: int) -> None:
        self.until, self.seed = time.monotonic() + seconds, seed
        self.expected = {job: job(1) for job in JOBS}
        self.done: Counter[str] = Counter()
        self.findings: list[str] = []
        # OpenBLAS ends its pool before a fork: it hangs if one of its products is being computed.
        self.blas = threading.Lock()

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until and not self.findings

    def work(self, number: int) -> None:
        """Jobs at random, on numbers of threads at random."""
        draw = random.Random(f"{self.seed} {number}")
        with teams.allowed(MOST):
            while self.goes_on:
                job, threads = draw.choice(JOBS), draw.choice([None, *range(1, MOST + 1)])
                if job(threads) != self.expected[job]:
                    self.findings.append(f"{job.__name__} on {threads} threads has other bits")
                self.done[job.__name__] += 1

    def compute(self) -> None:
        """NumPy's pool, which goes on spinning after each product."""
        one = np.ones((700, 700))
        while self.goes_on:
            with self.blas:
                one @ one
            self.done["numpy"] += 1

    def fork(self) -> None:
        """Children that train while others are in the middle of something."""
        while self.goes_on:
            with self.blas:
                child = os.fork()
            if child == 0:
                os._exit(0 if small(None) == self.expected[small] and wide(2) == self.expected[wide] else 1)
            deadline, status = time.monotonic() + PATIENCE, (0, 0)
            while status[0] == 0 and time.monotonic() < deadline:
                status = os.waitpid(child, os.WNOHANG)
                time.sleep(0.01)
            if status[0] == 0:
                os.kill(child, 9)
                self.findings.append("a forked child did not come back")
            elif status[1]:
                self.findings.append(f"a forked child ended with {status[1]}")
            self.done["forks"] += 1

    def move(self) -> None:
        """All threads of the process, to one processor and to all, in turns."""
        draw = random.Random(f"{self.seed} moves")
        all_cpus = os.sched_getaffinity(0)
        while self.goes_on:
            cpus = draw.sample(sorted(all_cpus), draw.randint(1, len(all_cpus)))
            self.place(cpus)
            time.sleep(draw.random() / 10)
            self.done["moves"] += 1
        self.place(all_cpus)

    @staticmethod
    def place(cpus: "list[int] | set[int]") -> None:
        for thread in os.listdir("/proc/self/task"):
            try:
                os.sched_setaffinity(int(thread), cpus)
            except OSError:  # it has ended
                continue


def main() -> int:
    """Run it; exit status 1 for a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    stress = Stress(arguments.seconds, arguments.seed)
    jobs: list[Callable[[], None]] = [lambda n=n: stress.work(n) for n in range(WORKERS)]  # type: ignore[misc]
    jobs.append(stress.compute)
    if sys.platform == "linux":
        jobs += [stress.fork, stress.move]
    faulthandler.dump_traceback_later(arguments.seconds + 2 * PATIENCE, exit=True)
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    faulthandler.cancel_dump_traceback_later()
    print(", ".join(f"{name}: {count}" for name, count in stress.done.items()))
    for finding in stress.findings:
        print(finding, file=sys.stderr)
    return 1 if stress.findings else 0


if __name__ == "__main__":
    sys.exit(main())
