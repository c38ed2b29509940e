"""Runs of `fit` that the tests here have in common."""

import numpy as np

import backprop as bp
from backprop.layers.buffers import buffers_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(53, 6)).astype(np.float32)
T = RNG.integers(0, 3, 53)
Y = RNG.normal(size=(53, 3)).astype(np.float32)


class Doubles:
    """A layer that no plan knows."""

    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        return 2 * dout


def plain():
    return bp.Network([6, 8, 3], seed=1)


def with_masks():
    return bp.Network([6, 8, 3], seed=1, dropout=0.3)


def normalised():
    net = bp.Network([6, 8, 3], seed=1)
    net.layers.insert_after("Affine1", "BatchNorm1", bp.BatchNorm(8))
    return net


def of_numbers():
    return bp.Network([6, 8, 3], seed=1, loss="squared_error", dtype="float64")


def with_own_layer():
    net = bp.Network([6, 8, 3], seed=1)
    net.layers.insert_after("Relu1", "Doubles1", Doubles())
    return net


NETWORKS = {made.__name__: made for made in (plain, with_masks, normalised, of_numbers, with_own_layer)}


def targets(net):
    """Those that go with a network of the table."""
    return Y if net.loss_name == "squared_error" else T


def bits(net):
    """All that training changes of a network."""
    return [array.tobytes() for array in (*net.params.values(), *buffers_of(net.layers).values())]
