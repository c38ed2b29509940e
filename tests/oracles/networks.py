"""Random networks whose gradients others are asked for too."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import backprop as bp
from tests.network.by_hand import Model
from tests.registry import ACTIVATIONS, LOSSES, targets


class Problem(NamedTuple):
    """A network and a batch."""

    net: bp.Network
    x: np.ndarray
    t: np.ndarray

    def model(self, dtype: Any) -> Model:
        """The same network in NumPy, with bounds on what arithmetic of this type may be off by."""
        net = self.net
        activations = [kinds[0] for kinds in net.spec.gaps[1:-1]]
        options = tuple(net.lastLayer.options().values())
        return Model(net.params, activations, net.loss_name, dtype, option=options)


@st.composite
def problems(draw: st.DrawFn, dtype: Any) -> Problem:
    """One to four affine layers of 1 to 20 units, an activation for each hidden layer, every loss, 1 to 12 rows."""
    sizes = draw(st.lists(st.integers(1, 20), min_size=2, max_size=5))
    loss = draw(st.sampled_from([*LOSSES]))
    seed = draw(st.integers(0, 2**32 - 1))
    hidden = len(sizes) - 2
    activations = draw(st.lists(st.sampled_from([*ACTIVATIONS]), min_size=hidden, max_size=hidden))
    net = bp.Network(sizes, activation=activations, loss=loss, dtype=dtype, seed=seed)
    rng = np.random.default_rng(seed)
    rows, outputs = draw(st.integers(1, 12)), sizes[-1]
    for key, array in net.params.items():
        if key.startswith("b"):
            array[...] = rng.normal(size=array.shape)
    x = rng.normal(size=(rows, sizes[0])).astype(dtype)
    if LOSSES[loss].classifies and draw(st.booleans()):
        return Problem(net, x, rng.dirichlet(np.ones(outputs), rows).astype(dtype))
    t = targets(loss, rng, rows, outputs)
    return Problem(net, x, t if LOSSES[loss].classifies else t.astype(dtype))
