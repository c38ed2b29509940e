"""100 steps of the notes' NumPy code in float64 and of this package, from the same weights and batches."""

from collections.abc import Iterator

import numpy as np

import backprop as bp
from bench.data import mnist_or_digits
from bench.notes import two_layer_net as notes
from bench.results import Result


def run(quick: bool) -> Iterator[Result]:
    """Give the largest difference in any parameter."""
    name, (x, t), _ = mnist_or_digits()
    one_hot = np.eye(10)[t]
    nets = []
    for kind in (notes.TwoLayerNet, bp.TwoLayerNet):
        np.random.seed(0)
        nets.append(kind(784, 50, 10))
    rng = np.random.RandomState(1)
    for _ in range(10 if quick else 100):
        batch = rng.choice(len(x), 100)
        for net in nets:
            grad = net.gradient(x[batch].astype(np.float64), one_hot[batch])
            for key in ("W1", "b1", "W2", "b2"):
                net.params[key] -= 0.1 * grad[key]
    theirs, ours = nets
    for key in theirs.params:
        difference = float(np.abs(theirs.params[key] - ours.params[key]).max())
        yield Result(
            "agreement", f"{name}, {key}: largest difference from the notes' code", difference, "", "<= 1e-12"
        )
