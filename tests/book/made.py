"""Small networks of the book, and data for them."""

import numpy as np

from backprop.book import MultiLayerNet, MultiLayerNetExtend

KINDS = [MultiLayerNet, MultiLayerNetExtend]
EXTENSIONS = [
    {"use_dropout": True},
    {"use_batchnorm": True},
    {"use_dropout": True, "use_batchnorm": True, "dropout_ration": 0.25},
]


def data(rows=12, inputs=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, inputs)), rng.integers(0, 4, rows)


def made(kind=MultiLayerNet, hidden=(8, 5), seed=1, **options):
    np.random.seed(seed)
    return kind(6, list(hidden), 4, **options)


def stirred(net):
    """A network whose biases, gamma and beta are not what they begin at."""
    rng = np.random.default_rng(3)
    for array in net.params.values():
        if array.ndim == 1:
            array += rng.uniform(0.1, 0.5, array.shape)
    return net
