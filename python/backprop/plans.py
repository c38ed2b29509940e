"""Which networks a compiled plan can run, and keeping one plan a network for as long as it fits.

A plan runs affine layers with ReLU or sigmoid between them and softmax with loss on top, whose arrays are of the
network's type and can be read in place. Anything else, a user's own layer above all, runs layer by layer.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arrays import Array
from backprop.layers import Affine, Relu, Sigmoid, SoftmaxWithLoss
from bpcore.plan import Plan

if TYPE_CHECKING:
    from backprop.network import Network

ACTIVATIONS = {Relu: "relu", Sigmoid: "sigmoid"}
# What a plan reads without a conversion.
STORED = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.uint8))


class Planned:
    """A plan and the very objects that it was made of.

    Parameters
    ----------
    parts : list
        Layers, arrays and scaling; the plan fits while the network is made of the same ones.
    plan : Plan or None
        None if no plan can run these parts.
    """

    def __init__(self, parts: list[Any], plan: Plan | None) -> None:
        self.parts, self.plan = parts, plan

    def fits(self, parts: list[Any]) -> bool:
        """Whether the network is still made of these objects."""
        return len(parts) == len(self.parts) and all(a is b for a, b in zip(parts, self.parts, strict=True))


def parts_of(net: "Network") -> list[Any]:
    """Everything whose replacement makes another plan necessary."""
    parts = [net.lastLayer, net.dtype, net.input_mean, net.input_scale]
    for layer in net.layers.values():
        parts.append(layer)
        if type(layer) is Affine:
            parts += [layer.W, layer.b]
    return parts


def make_plan(net: "Network") -> Plan | None:
    """Make the plan of a network, or None if it has to run layer by layer."""
    if type(net.lastLayer) is not SoftmaxWithLoss:
        return None
    dense: list[tuple[Array, Array, str]] = []
    layers = list(net.layers.values())
    for n, layer in enumerate(layers):
        if type(layer) is Affine:
            if not all(_in_place(array, net.dtype) for array in (layer.W, layer.b)):
                return None
            if dense and dense[-1][0].shape[1] != layer.W.shape[0]:
                return None
            after = layers[n + 1] if n + 1 < len(layers) else None
            dense.append((layer.W, layer.b, ACTIVATIONS.get(type(after), "identity")))
        elif type(layer) not in ACTIVATIONS or n == 0 or type(layers[n - 1]) is not Affine:
            return None
    if not dense or type(layers[-1]) is not Affine or dense[0][0].shape[0] != net.sizes[0]:
        return None
    mean = _per_input(net.input_mean, net) if net.input_mean.any() else None
    scale = _per_input(net.input_scale, net) if (net.input_scale != 1).any() else None
    return Plan(net.dtype.name, dense, mean, scale)


def _in_place(array: Array, dtype: np.dtype[Any]) -> bool:
    flags = array.flags
    return bool(
        array.dtype == dtype and array.size and flags.c_contiguous and flags.writeable and flags.aligned
    )


def _per_input(vector: Array, net: "Network") -> Array:
    return np.array(np.broadcast_to(vector, (net.sizes[0],)), dtype=net.dtype)


def stored(rows: Array, dtype: np.dtype[Any]) -> Array:
    """Rows as a plan can read them: as they are if it can, else converted to the network's type."""
    return np.ascontiguousarray(rows, dtype=rows.dtype if rows.dtype in STORED else dtype)
