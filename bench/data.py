"""The data that cases run on: the real MNIST, or the embedded digits in its form where that is not at hand."""

import numpy as np

import backprop as bp


def mnist_or_digits() -> tuple[str, tuple, tuple]:
    """Return the name of the data and its parts, (x, t) each, float32 pixels and integer labels."""
    try:
        return ("MNIST", *bp.load_mnist())
    except OSError:
        parts = bp.load_digits(flatten=False)
        padded = [(np.pad(x, ((0, 0), (0, 0), (10, 10), (10, 10))).reshape(len(x), 784), t) for x, t in parts]
        return ("digits", *padded)
