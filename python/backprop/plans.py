"""Which networks a compiled plan can run, and keeping one plan a network for as long as it fits.

A plan runs affine layers with activations between them and a loss on top, whose arrays are of the network's type and
can be read in place. Anything else, a user's own layer above all, runs layer by layer.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arrays import FLOAT32, FLOAT64, Array, readable
from backprop.layers import Affine, IdentityWithLoss, Relu, Sigmoid, SoftmaxWithLoss, Tanh
from bpcore.plan import Plan

if TYPE_CHECKING:
    from backprop.network import Network

ACTIVATIONS: dict[type | None, str] = {Relu: "relu", Sigmoid: "sigmoid", Tanh: "tanh"}
HEADS = {SoftmaxWithLoss: "softmax", IdentityWithLoss: "squared_error"}
METHODS = ("forward", "backward")
# What a plan reads as fast as the network's own type.
STORED = (FLOAT32, FLOAT64, np.dtype(np.uint8))

Witnesses = list[tuple[dict[str, Any], str, object]]


class NoPlan:
    """What stands in for the plan of a network that has to run layer by layer."""

    def __init__(self, witnesses: Witnesses) -> None:
        self._witnesses = witnesses
        # An array that a plan cannot use may be made one that it can, in place.
        arrays = [value for _, _, value in witnesses if isinstance(value, np.ndarray)]
        self._arrays = [(array, _state(array)) for array in arrays]

    def fits(self) -> bool:
        """Whether the network is still made of what no plan could run."""
        return all(mapping.get(key) is value for mapping, key, value in self._witnesses) and all(
            _state(array) == state for array, state in self._arrays
        )


class NetworkPlan(Plan):
    """The plan of a network.

    Attributes
    ----------
    forgets : tuple of callable, or None
        What every step calls: each layer's `forget`, for which `Network.forget` would look each time, a quarter of a
        small step. None where the network has another `forget`, which is then called.
    """

    forgets: tuple[Callable[[], object], ...] | None


def witnesses_of(net: "Network") -> Witnesses:
    """Everything whose replacement makes another plan necessary, and where it is looked up."""
    # The network drops its plan itself when one of its own attributes is assigned. Nothing here leads back to it: it
    # would then be freed by the garbage collector alone.
    witnesses: Witnesses = [(vars(net.layers), "version", net.layers.version)]
    for name, layer in net.layers.items():
        witnesses.append((net.layers, name, layer))
        witnesses += [(vars(layer), own, vars(layer)[own]) for own in own_methods(layer)]
        if type(layer) is Affine:
            witnesses += [(vars(layer), key, getattr(layer, key)) for key in ("W", "b")]
    last = net.lastLayer
    return witnesses + [(vars(last), own, vars(last)[own]) for own in own_methods(last)]


def own_methods(layer: Any) -> list[str]:
    """The methods that were assigned to a layer and stand before those of its class."""
    return [name for name in METHODS if name in getattr(layer, "__dict__", ())]


def make_plan(net: "Network") -> NetworkPlan | NoPlan:
    """Make the plan of a network, or what says that it has to run layer by layer."""
    from backprop.network import Network  # which imports this module

    witnesses = witnesses_of(net)
    dense = _dense_layers(net)
    if dense is None or type(net.lastLayer) not in HEADS or own_methods(net.lastLayer):
        return NoPlan(witnesses)
    mean = _per_input(net.input_mean, net, FLOAT64) if net.input_mean.any() else None
    scale = _per_input(net.input_scale, net, net.dtype) if (net.input_scale != 1).any() else None
    plan = NetworkPlan(net.dtype.name, dense, HEADS[type(net.lastLayer)], mean, scale, witnesses)
    own = getattr(net.forget, "__func__", None) is not Network.forget
    plan.forgets = None if own else tuple(layer.forget for layer in (*net.layers.values(), net.lastLayer))
    return plan


def _dense_layers(net: "Network") -> list[tuple[Array, Array, str]] | None:
    """W, b and activation of each affine layer; None if something else stands among them."""
    dense: list[tuple[Array, Array, str]] = []
    layers = list(net.layers.values())
    for n, layer in enumerate(layers):
        if own_methods(layer):
            return None
        if type(layer) is Affine:
            if not (_in_place(layer.W, net.dtype, 2) and _in_place(layer.b, net.dtype, 1)):
                return None
            if layer.b.shape != layer.W.shape[1:]:
                return None
            if dense and dense[-1][0].shape[1] != layer.W.shape[0]:
                return None
            after = layers[n + 1] if n + 1 < len(layers) else None
            dense.append((layer.W, layer.b, ACTIVATIONS.get(type(after), "identity")))
        elif type(layer) not in ACTIVATIONS or n == 0 or type(layers[n - 1]) is not Affine:
            return None
    if not dense or type(layers[-1]) is not Affine:
        return None
    # What comes in and goes out is checked by the network's sizes, and then read and written without a look.
    if dense[0][0].shape[0] != net.sizes[0] or dense[-1][0].shape[1] != net.sizes[-1]:
        return None
    # Scaling for another number of inputs, of a first layer that was replaced: NumPy has the error.
    if any(array.ndim and array.shape != net.sizes[:1] for array in (net.input_mean, net.input_scale)):
        return None
    return dense


def _in_place(array: Array, dtype: np.dtype[Any], dimensions: int) -> bool:
    if type(array) is not np.ndarray and np.ma.is_masked(array):
        return False  # the layer refuses it
    return bool(array.dtype == dtype and array.ndim == dimensions and array.size and array.flags.carray)


def _state(array: Array) -> tuple[object, ...]:
    return array.dtype, array.shape, array.flags.carray


def _per_input(vector: Array, net: "Network", dtype: np.dtype[Any]) -> Array:
    return np.array(np.broadcast_to(vector, (net.sizes[0],)), dtype=dtype)


def stored(rows: Array, net: "Network") -> Array:
    """Rows as a plan can read them: as they are, or converted without a change of what the network computes."""
    if rows.dtype in STORED:
        return readable(rows, rows.dtype)
    # Before a mean is subtracted nothing may be rounded.
    return readable(rows, _exact_type(rows) if net.input_mean.any() else net.dtype)


def _exact_type(rows: Array) -> np.dtype[Any]:
    """The smallest type that a plan reads and that holds these numbers: large 64-bit integers stay what they are."""
    if rows.dtype.kind not in "iu" or rows.dtype.itemsize < 4:
        return np.promote_types(rows.dtype, FLOAT32)
    largest = max(int(rows.max(initial=0)), -int(rows.min(initial=0)))
    if largest > 2**53:
        return rows.dtype.newbyteorder("=")
    return FLOAT32 if largest <= 2**24 else FLOAT64
