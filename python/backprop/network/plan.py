"""Which networks a compiled plan can run, and keeping one plan a network for as long as it fits.

A plan runs affine layers with activations between them and a loss on top, whose arrays are of the network's type and
can be read in place. Anything else, a user's own layer above all, runs layer by layer.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from backprop._util.arrays import FLOAT32, FLOAT64, Array, readable
from backprop.layers.activations import Activation
from backprop.layers.affine import Affine
from backprop.layers.base import LOSSES, Layer, kind_of, own_methods
from backprop.layers.parameter_discovery import declared
from backprop.network.protocol import NetworkLike
from backprop.training.protocol import TrainablePlan
from bpcore.plan import ACTIVATIONS
from bpcore.plan import LOSSES as PLANNED_LOSSES

# What a plan reads as fast as the network's own type.
READABLE = (FLOAT32, FLOAT64, np.dtype(np.uint8))

# Dict, key and value: what was looked up to make a plan, and where.
Guards = list[tuple[dict[str, Any], str, object]]


class NoPlan:
    """What stands in for the plan of a network that has to run layer by layer."""

    def __init__(self, guards: Guards) -> None:
        self._guards = guards
        # An array that a plan cannot use may be made one that it can, in place.
        arrays = [value for _, _, value in guards if isinstance(value, np.ndarray)]
        self._arrays = [(array, _state(array)) for array in arrays]

    def is_valid(self) -> bool:
        """Whether the network is still made of what no plan could run."""
        return all(mapping.get(key) is value for mapping, key, value in self._guards) and all(
            _state(array) == state for array, state in self._arrays
        )


class NetworkPlan(TrainablePlan):
    """The plan of a network."""


def guards_of(net: NetworkLike) -> Guards:
    """Everything whose replacement makes another plan necessary, and where it is looked up."""
    # The network drops its plan itself when one of its own attributes is assigned. Nothing here leads back to it: it
    # would then be freed by the garbage collector alone.
    guards: Guards = [(vars(net.layers), "version", net.layers.version)]
    for name, layer in net.layers.items():
        guards.append((net.layers, name, layer))
        guards += [(vars(layer), own, vars(layer)[own]) for own in own_methods(layer)]
        guards += [(vars(layer), own, getattr(layer, own)) for own in declared(layer) or ()]
    last = net.lastLayer
    return guards + [(vars(last), own, vars(last)[own]) for own in own_methods(last)]


def make_plan(net: NetworkLike) -> NetworkPlan | NoPlan:
    """Make the plan of a network, or what says that it has to run layer by layer."""
    guards = guards_of(net)
    dense, loss = _dense_layers(net), kind_of(net.lastLayer, LOSSES)
    if dense is None or loss not in PLANNED_LOSSES:
        return NoPlan(guards)
    mean = _per_input(net.input_mean, net, FLOAT64) if net.input_mean.any() else None
    scale = _per_input(net.input_scale, net, net.dtype) if (net.input_scale != 1).any() else None
    plan = NetworkPlan(net.dtype.name, dense, (loss, 0.0), mean, scale, guards)
    own = net._overrides("clear_cache") or "clear_cache" in vars(net)
    plan.clears = None if own else tuple(map(_clear_of, (*net.layers.values(), net.lastLayer)))
    return plan


def _clear_of(layer: Layer) -> Callable[[], object]:
    """The call that drops what a layer keeps of a pass: at once, where the layer has no way of its own."""
    if type(layer).clear_cache is not Layer.clear_cache or "clear_cache" in vars(layer):
        return partial(layer.clear_cache)
    return partial(vars(layer).update, dict.fromkeys(layer.caches))


def _dense_layers(net: NetworkLike) -> list[tuple[str, str, Array, Array, float]] | None:
    """W, b and activation of each affine layer; None if something else stands among them."""
    dense: list[tuple[str, str, Array, Array, float]] = []
    layers = list(net.layers.values())
    kinds = list(map(kind_of, layers))
    for n, (layer, kind) in enumerate(zip(layers, kinds, strict=True)):
        if kind == Affine.kind:
            if not (_in_place(layer.W, net.dtype, 2) and _in_place(layer.b, net.dtype, 1)):
                return None
            if layer.b.shape != layer.W.shape[1:]:
                return None
            if dense and dense[-1][2].shape[1] != layer.W.shape[0]:
                return None
            after = kinds[n + 1] if n + 1 < len(kinds) else ""
            activation = after if after in ACTIVATIONS else "identity"
            dense.append(("dense", activation, layer.W, layer.b, 0.0))
        elif (
            kind not in ACTIVATIONS
            or not isinstance(layer, Activation)
            or n == 0
            or kinds[n - 1] != Affine.kind
        ):
            return None
    if not dense or kinds[-1] != Affine.kind:
        return None
    # What comes in and goes out is checked by the network's sizes, and then read and written without a look.
    if dense[0][2].shape[0] != net.sizes[0] or dense[-1][2].shape[1] != net.sizes[-1]:
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


def _per_input(vector: Array, net: NetworkLike, dtype: np.dtype[Any]) -> Array:
    return np.array(np.broadcast_to(vector, (net.sizes[0],)), dtype=dtype)


def readable_rows(rows: Array, net: NetworkLike) -> Array:
    """Rows as a plan can read them: as they are, or converted without a change of what the network computes."""
    if rows.dtype in READABLE:
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
