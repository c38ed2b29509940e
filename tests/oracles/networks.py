"""Random networks whose gradients others are asked for too."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

import backprop as bp
from tests.registry import ACTIVATIONS, LOSSES


class Problem(NamedTuple):
    """A network and a batch."""

    net: bp.Network
    x: np.ndarray
    t: np.ndarray


@st.composite
def problems(draw: st.DrawFn, dtype: Any) -> Problem:
    """One to four affine layers of 1 to 20 units, an activation each, every loss, 1 to 12 rows."""
    sizes = draw(st.lists(st.integers(1, 20), min_size=2, max_size=5))
    loss = draw(st.sampled_from([*LOSSES]))
    seed = draw(st.integers(0, 2**32 - 1))
    net = bp.Network(
        sizes,
        activation=[draw(st.sampled_from([*ACTIVATIONS])) for _ in sizes[2:]],
        loss=loss,
        dtype=dtype,
        seed=seed,
    )
    rng = np.random.default_rng(seed)
    rows, outputs = draw(st.integers(1, 12)), sizes[-1]
    for key, array in net.params.items():
        if key.startswith("b"):
            array[...] = rng.normal(size=array.shape)
    x = rng.normal(size=(rows, sizes[0])).astype(dtype)
    if not LOSSES[loss].classifies:
        return Problem(net, x, rng.normal(size=(rows, outputs)).astype(dtype))
    if draw(st.booleans()):
        return Problem(net, x, rng.dirichlet(np.ones(outputs), rows).astype(dtype))
    return Problem(net, x, rng.integers(0, outputs, rows))
