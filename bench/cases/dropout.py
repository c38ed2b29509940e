"""784-512-256-10 with dropout and Adam, 25 epochs: test accuracy over five seeds, on MNIST and on Fashion-MNIST.

The rates are those of the highest accuracy on the last sixth of the training data, which a search leaves out; the test
images are looked at once, at the end, by networks that were trained on all training data.
"""

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

import backprop as bp
from bench.data import mnist_or_digits
from bench.results import Result

SIZES, EPOCHS, RATE = [784, 512, 256, 10], 25, 1e-3
OF_INPUTS, OF_HIDDEN = (0.1, 0.2), (0.2, 0.35, 0.5)
Data = tuple[Any, Any]


def run(quick: bool) -> Iterator[Result]:
    """Search, then train with each seed; the promises are for the real images at full length."""
    for name, train, test, required in data_sets():
        rates, validation = searched(train, quick)
        yield Result("dropout", f"{name}: rate of the inputs", rates[0], "")
        yield Result("dropout", f"{name}: rate of hidden units", rates[1], "")
        yield Result("dropout", f"{name}: validation accuracy of these", validation, "")
        reached = [trained(train, rates, seed, quick).accuracy(*test) for seed in range(1 if quick else 5)]
        yield Result(
            "dropout",
            f"{name}: median of {len(reached)} seeds",
            float(np.median(reached)),
            "",
            "" if quick or name == "digits" else required,
        )
        yield Result("dropout", f"{name}: lowest", min(reached), "")


def data_sets() -> Iterator[tuple[str, Data, Data, str]]:
    """What there is, with the accuracy that is promised."""
    yield (*mnist_or_digits(), ">= 0.986")
    try:
        yield ("Fashion-MNIST", *bp.load_fashion_mnist(), ">= 0.9")
    except OSError:
        return


def searched(train: Data, quick: bool) -> tuple[tuple[float, float], float]:
    """The rates of inputs and hidden units that validate best, and their accuracy."""
    x, t = train
    rows = len(x) * 5 // 6
    found = {}
    for rates in [(0.1, 0.2)] if quick else product(OF_INPUTS, OF_HIDDEN):
        net = trained((x[:rows], t[:rows]), rates, 0, quick)
        found[rates] = net.accuracy(x[rows:], t[rows:])
    best = max(found, key=lambda rates: found[rates])
    return best, found[best]


def trained(train: Data, rates: tuple[float, float], seed: int, quick: bool) -> bp.Network:
    """A network, its learning rate lowered by a cosine from epoch to epoch."""
    epochs, adam = (2 if quick else EPOCHS), bp.Adam(RATE)
    net = bp.Network(SIZES, dropout=[rates[0], rates[1], rates[1]], seed=seed)

    def lower(net: bp.Network, history: bp.History) -> None:
        done = len(history.evaluated_at) / epochs
        adam.lr = max(RATE * (1 + math.cos(math.pi * done)) / 2, 1e-8)

    net.fit(*train, epochs=epochs, batch_size=128, optimizer=adam, seed=seed, callbacks=[lower])
    return net
