"""A training run that others kill: `python -m tests.training.killed PATH EVERY [fill BYTES STEP]`.

It goes on from PATH where that is there, says each step that is taken, and in the end what the run has come to. With
"fill" no file can get longer than so many bytes from a step on, as on a disk that has become full.
"""

import hashlib
import resource
import sys

import numpy as np

import backprop as bp
from backprop.layers.buffers import buffers_of


class Tells(bp.Callback):
    """A line at the beginning, and one a step."""

    every = 1

    def __init__(self, fill):
        self.fill = fill

    def begin(self, run):
        print("from", run.step, flush=True)

    def step(self, run):
        if self.fill is not None and run.step >= self.fill[1]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.fill[0], -1))
        print("step", run.step, flush=True)


def network():
    """The same one every time."""
    net = bp.Network([64, 96, 10], seed=1, dropout=0.2)
    net.layers.insert_after("Affine1", "BatchNorm1", bp.BatchNorm(96))
    return net


def options():
    """What the run is asked for, but for where it is saved."""
    (x, t), _ = bp.load_digits()
    return dict(
        x=x[:320],
        t=t[:320],
        epochs=12,
        batch_size=32,
        seed=5,
        optimizer=bp.Adam(0.002),
        schedule=bp.schedules.Cosine(),
        validation_fraction=0.2,
        early_stopping=bp.EarlyStopping(100),
    )


def came_to(net, history):
    """A hash of all that a run has come to."""
    found = hashlib.sha256()
    for array in (*net.params.values(), *buffers_of(net.layers).values(), np.array(history.loss)):
        found.update(array.tobytes())
    found.update(
        repr([history.evaluated_at, history.train_accuracy, history.validation_loss, history.others]).encode()
    )
    return found.hexdigest()


if __name__ == "__main__":
    path, every, *rest = sys.argv[1:]
    fill = (int(rest[1]), int(rest[2])) if rest else None
    net = network()
    history = net.fit(**options(), checkpoint=path, resume=True, every=int(every), callbacks=[Tells(fill)])
    print("came to", came_to(net, history), flush=True)
