"""Networks that train and predict while what they were given changes: data, labels, parameters, flags, settings.

A call either does its work or raises an ordinary exception; nothing is read or written outside of an array, which the
sanitizers watch. `python -m tests.fuzz.changes --seconds 600` goes on for ten minutes, each round a network of another
seed; `python -m tests.fuzz.changes --seed 7 --rounds 1` is one. A round is not quite the same when it is repeated: some
changes come from another thread.
"""

import argparse
import collections
import contextlib
import sys
import threading
import time
import warnings

import numpy as np

import backprop as bp
from bpcore import kernels
from bpcore.plan import Plan
from tests.registry import ACTIVATIONS, LOSSES, RULES

# What a call may say no with.
REFUSALS = (ValueError, TypeError, RuntimeError)
OPTIMIZERS = tuple(RULES.values())
BAD_LABELS = (-1, 3, 4, 1000, 10**6, 2**40, 2**62, -(2**62))


class Round:
    """A network, its data, and an optimizer, all of one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.outcomes: collections.Counter[str] = collections.Counter()
        sizes = [int(n) for n in rng.choice([1, 2, 3, 5, 16, 17, 64], rng.integers(1, 4))] + [3]
        loss = str(rng.choice([*LOSSES]))
        self.classes = LOSSES[loss].classifies
        self.sizes = sizes
        self.net = bp.Network(
            sizes,
            activation=[str(kind) for kind in rng.choice([*ACTIVATIONS], len(sizes) - 2)],
            loss=loss,
            dtype=str(rng.choice(["float32", "float64"])),
            seed=seed,
        )
        self.draw()
        self.optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))](0.01)

    def draw(self) -> None:
        """New data, of some size and type."""
        rng, inputs = self.rng, self.net.sizes[0]
        rows = int(rng.choice([1, 2, 7, 64, 300]))
        stored = str(rng.choice(["float32", "float64", "uint8", "int64", "uint64"]))
        self.x = np.ascontiguousarray(rng.integers(0, 9, (rows, inputs)).astype(stored))
        hard = self.classes and rng.integers(4) > 0
        self.t = rng.integers(0, 3, rows) if hard else rng.random((rows, 3)).astype(self.net.dtype)

    def attempt(self, what: str, call, *args, **options) -> None:
        """Call, and count what came of it."""
        try:
            call(*args, **options)
            self.outcomes[f"{what}: done"] += 1
        except REFUSALS as error:
            self.outcomes[f"{what}: {type(error).__name__}"] += 1

    def array(self) -> np.ndarray:
        """A parameter, or what the optimizer keeps of one."""
        arrays = list(self.net.params.values())
        arrays += [array for arrays in self.optimizer.state.values() for array in arrays]
        return arrays[self.rng.integers(len(arrays))]

    # --- Changes, in the thread that calls --------------------------------------------------------------------

    def freeze(self) -> None:
        """Make an array read-only, or writable again."""
        array = self.array()
        array.setflags(write=not array.flags.writeable)

    def reshape(self) -> None:
        """Give an array another shape in place, or the type of its bits as integers, or other memory."""
        array = self.array()
        kind = self.rng.integers(3)
        if kind == 0:
            array.shape = array.shape[::-1] if array.ndim > 1 else (array.size, 1)
        elif kind == 1:
            array.dtype = np.dtype(f"i{array.itemsize}")
        else:
            array.resize((max(1, array.size // 2),), refcheck=False)

    def mend(self) -> None:
        """A network as it was at first, other data, and an optimizer that keeps nothing."""
        sizes, net = self.sizes, self.net
        for n, key in enumerate([key for key in net.layers if key.startswith("Affine")]):
            shape = sizes[n], sizes[n + 1]
            net.layers[key] = bp.Affine(
                self.rng.normal(size=shape).astype(net.dtype), np.zeros(shape[1], net.dtype)
            )
        net.input_scale = 1.0
        self.draw()
        self.optimizer = OPTIMIZERS[self.rng.integers(len(OPTIMIZERS))](0.01)

    def replace(self) -> None:
        """Replace a layer, the scaling, or what the optimizer keeps by something that may not fit."""
        kind = self.rng.integers(4)
        if kind == 0:
            key = list(self.net.layers)[-1]
            outputs = int(self.rng.choice([1, 3, 50]))
            self.net.layers[key] = bp.Affine(
                np.ones((self.net.sizes[-2], outputs), self.net.dtype), np.ones(outputs)
            )
        elif kind == 1:
            self.net.input_scale = self.rng.random(self.rng.choice([1, self.net.sizes[0], 7]))
        elif kind == 2 and self.optimizer.state:
            key = next(iter(self.optimizer.state))
            self.optimizer.state[key] = tuple(np.zeros(5) for _ in self.optimizer.state[key])
        else:
            self.optimizer.lr = float(self.rng.choice([-5, np.nan, np.inf, 1e30, 0.01]))

    def shrink(self) -> None:
        """Give the data another shape or other labels in place."""
        kind = self.rng.integers(3)
        if kind == 0:
            self.x.resize((max(1, len(self.x) // 2), self.x.shape[1]), refcheck=False)
        elif kind == 1:
            self.x.shape = self.x.shape[::-1]
        elif self.t.dtype == np.int64:
            self.t[self.rng.integers(len(self.t))] = self.rng.choice(BAD_LABELS)

    # --- Calls ------------------------------------------------------------------------------------------------

    def call(self) -> None:
        """One call of some kind."""
        net, x, t, optimizer = self.net, self.x, self.t, self.optimizer
        threads = self.rng.choice([None, 1, 2, 3])
        kind = self.rng.integers(8)
        if kind == 0:
            changes = [lambda *_: self.change()] if self.rng.integers(2) else []
            options = {"iterations": 20, "batch_size": 16, "optimizer": optimizer, "threads": threads}
            self.attempt("fit", net.fit, x, t, callbacks=changes, seed=0, **options)
        elif kind == 1:
            self.attempt("train_step", net.train_step, x, t, optimizer)
        elif kind == 2:
            self.attempt("predict", net.predict, x)
        elif kind == 3:
            out = np.empty((len(x), 3), net.dtype)
            self.attempt("predict to out", net.predict, x, out=self.array() if self.rng.integers(2) else out)
        elif kind == 4:
            self.attempt("accuracy", net.accuracy, x, t)
        elif kind == 5:
            self.attempt("gradient", net.gradient, x, t)
        elif kind == 6:
            self.attempt("plan", self.call_plan, threads)
        else:
            self.attempt("entry", self.call_entry, threads)

    def call_plan(self, threads: int | None) -> None:
        """The loop of a plan, on the data as it is, by an optimizer that keeps nothing."""
        plan = self.net.plan_for(bp.SGD(0.01))
        if not isinstance(plan, Plan):
            raise ValueError("no plan")
        indices = self.rng.integers(0, len(self.x), (30, 8))
        plan.train(self.x, self.t, indices, bp.SGD(0.01).plan_update(), np.empty(30), threads)

    def call_entry(self, threads: int | None) -> None:
        """A kernel that goes where labels say."""
        scores = self.rng.random((len(self.t), 3)).astype(self.net.dtype)
        y, dx = np.empty_like(scores), np.empty_like(scores)
        kernels.softmax_cross_entropy(scores, self.t, y, dx, threads=threads)
        kernels.softmax_cross_entropy_backward(y, self.t, 1.0, dx, threads=threads)

    def change(self) -> None:
        """One change."""
        changes = (self.freeze, self.reshape, self.replace, self.shrink)
        with contextlib.suppress(*REFUSALS):
            changes[self.rng.integers(len(changes))]()


def meddle(one: Round, stop: threading.Event) -> None:
    """From another thread: change the values of labels and data, and the flags of parameters."""
    rng = np.random.default_rng(1)
    while not stop.is_set():
        t, x = one.t, one.x
        with contextlib.suppress(*REFUSALS, IndexError):  # an array may be shorter by then
            if t.dtype == np.int64:
                n = rng.integers(len(t))
                t[n] = rng.choice(BAD_LABELS)
                t[n] = 1
            x[rng.integers(len(x))] = 3
            array = one.net.params["W1"]
            array.setflags(write=False)
            array.setflags(write=True)


def run(seed: int, calls: int = 60) -> collections.Counter[str]:
    """One round; how often each kind of call came to what."""
    one, stop = Round(seed), threading.Event()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    meddler = threading.Thread(target=meddle, args=(one, stop))
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            meddler.start()
            for _ in range(calls):
                one.call()
                if one.rng.integers(3) == 0:
                    one.mend() if one.rng.integers(2) else one.change()
    finally:
        stop.set()
        meddler.join()
        sys.setswitchinterval(usual)
    return one.outcomes


def main() -> None:
    """Rounds until the time is over; what came of all calls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0, help="go on for so long")
    parser.add_argument("--rounds", type=int, default=1, help="but for so many rounds at least")
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    options = parser.parse_args()
    outcomes: collections.Counter[str] = collections.Counter()
    end, rounds = time.monotonic() + options.seconds, 0
    while rounds < options.rounds or time.monotonic() < end:
        outcomes += run(options.seed + rounds)
        rounds += 1
    for what, count in sorted(outcomes.items()):
        sys.stdout.write(f"{count:8} {what}\n")
    sys.stdout.write(f"{rounds:8} rounds\n")


if __name__ == "__main__":
    main()
