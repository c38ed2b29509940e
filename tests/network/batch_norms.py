"""Networks with batch normalisation, data for them, and all numbers that training moves."""

import numpy as np

import backprop as bp
from backprop.layers.buffers import buffers_of

PLACES = {
    "behind both": (("Affine1", 1), ("Affine2", 2)),
    "of the inputs": ((None, 0), ("Affine1", 1)),
    "behind the activation and the last layer": (("Relu1", 1), ("Affine3", 3)),
}


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


def network(kind=bp.Network, dtype="float32", places="behind both", sizes=(9, 35, 21, 4), **options):
    net = kind(list(sizes), dtype=dtype, seed=0, **options)
    for before, n in PLACES[places]:
        layer = bp.BatchNorm(sizes[n], dtype=dtype)
        rng = np.random.default_rng(n)
        layer.gamma[:], layer.beta[:] = rng.uniform(0.5, 2, sizes[n]), rng.normal(size=sizes[n])
        if before is None:
            net.layers.insert(0, "BatchNorm0", layer)
        else:
            net.layers.insert_after(before, f"BatchNorm{n}", layer)
    return net


def data(dtype="float32", rows=60, sizes=(9, 35, 21, 4)):
    rng = np.random.default_rng(5)
    return rng.normal(2, 3, size=(rows, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], rows)


def everything(net):
    """Copies of all numbers that training moves."""
    return {name: array.copy() for name, array in (*net.params.items(), *buffers_of(net.layers).items())}


def same(one, other):
    assert one.keys() == other.keys()
    return [name for name in one if one[name].tobytes() != other[name].tobytes()] == []
