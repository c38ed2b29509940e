"""Which networks a compiled plan can run, and keeping one plan a network for as long as it fits.

A plan runs layers whose kind is one of its transforms, each with at most one activation behind it, and a loss on top,
whose arrays are of the network's type and can be read in place. Where something else stands among them, a user's own
layer above all, the network runs layer by layer, and is trained by segments (segments.py).
"""

from typing import Any, Literal

import numpy as np

from backprop._util.arrays import FLOAT32, FLOAT64, Array, readable
from backprop.layers.base import LAYERS, LOSSES, Layer, kind_of, own_methods
from backprop.layers.base_loss import Loss
from backprop.layers.batch_norm import BatchNorm
from backprop.layers.descriptors import Option
from backprop.layers.dropout import Dropout
from backprop.layers.parameter_discovery import declared
from backprop.layers.parametric import Affine
from backprop.layers.row_losses import LossOfRows
from backprop.layers.softmax import RowFunction
from backprop.network.protocol import NetworkLike
from backprop.training.protocol import Steps
from bpcore.plan import ACTIVATION_NUMBERS, LOSS_OPTIONS, TRANSFORM_OPTIONS, Plan

# What a plan reads as fast as the network's own type.
READABLE = (FLOAT32, FLOAT64, np.dtype(np.uint8))

# Dict, key and value: what was looked up to make a plan, and where.
Guards = list[tuple[dict[str, Any], str, object]]
# Transform, activation, weight, bias, the number of the first and those of the second, as a plan takes a layer; of a
# dropout its units and its attributes in the places of weight and bias, of a softmax its units and None; of a batch
# normalisation, in the place of its number, a tuple of that, momentum and the running statistics.
PlannedLayer = tuple[Any, ...]
IDENTITY = "identity"


class NoPlan:
    """What stands in for the plan of a network that has to run layer by layer."""

    def __init__(self, guards: Guards) -> None:
        self.guards = guards
        # An array that a plan cannot use may be made one that it can, in place.
        arrays = [value for _, _, value in guards if isinstance(value, np.ndarray)]
        self._arrays = [(array, state_of_array(array)) for array in arrays]
        # Made with the first step that can use them; False: they turned out to be of no use.
        self.segments: Steps | Literal[False] | None = None

    def predict(self, x: object, out: object = None) -> None:
        """None, as a plan that does not fit."""

    def have_layers_changed(self) -> bool:
        """Whether something of our layers or of the loss was replaced; what passes show of others is not asked."""
        return any(mapping.get(key) is not value for mapping, key, value in self.guards if key != "version")

    def is_valid(self) -> bool:
        """Whether the network is still made of what no plan could run."""
        if self.segments:
            return self.segments.are_valid()
        return all(mapping.get(key) is value for mapping, key, value in self.guards) and all(
            state_of_array(array) == state for array, state in self._arrays
        )


def guards_of(net: NetworkLike) -> Guards:
    """Everything whose replacement makes another plan necessary, and where it is looked up."""
    # The network drops its plan itself when one of its own attributes is assigned. Nothing here leads back to it: it
    # would then be freed by the garbage collector alone.
    guards: Guards = [(vars(net.layers), "version", net.layers.version)]
    for name, layer in net.layers.items():
        guards.append((net.layers, name, layer))
        guards += [(vars(layer), own, vars(layer)[own]) for own in own_methods(layer)]
        kind = kind_of(layer, LAYERS)
        buffers = BatchNorm.buffers if kind == BatchNorm.kind else ()
        guards += [(vars(layer), own, getattr(layer, own)) for own in (*(declared(layer) or ()), *buffers)]
        guards += _guards_of_options(
            layer,
            TRANSFORM_OPTIONS.get(kind, ""),
            *ACTIVATION_NUMBERS.get(kind, ()),
            "seed" if kind == Dropout.kind else "momentum" if kind == BatchNorm.kind else "",
        )
    last = net.lastLayer
    guards += [(vars(last), own, vars(last)[own]) for own in own_methods(last)]
    kind = kind_of(last, LOSSES)
    others = last.other_options if isinstance(last, LossOfRows) and kind else ()
    return guards + _guards_of_options(last, LOSS_OPTIONS.get(kind, ""), *others)


def _guards_of_options(layer: Any, *options: str) -> Guards:
    return [(vars(layer), option, getattr(layer, option)) for option in options if option]


def make_plan(net: NetworkLike) -> Plan | NoPlan:
    """Make the plan of a network, or what says that it has to run layer by layer."""
    guards = guards_of(net)
    layers = planned_layers(net)
    loss = None if layers is None else planned_loss(net)
    if layers is None or loss is None:
        return NoPlan(guards)
    return Plan(net.dtype.name, layers, loss, *planned_scaling(net), guards, _caches(net))


def planned_loss(net: NetworkLike) -> tuple[str, float, Array | None, bool] | None:
    """The loss as a plan takes it; None if it knows none such."""
    loss: Loss = net.lastLayer
    kind = kind_of(loss, LOSSES)
    if kind not in LOSS_OPTIONS:
        return None
    return kind, _option(loss, LOSS_OPTIONS[kind]), loss.target_table(net.sizes[-1]), loss.weighs


def planned_scaling(net: NetworkLike) -> tuple[Array | None, Array | None]:
    """What a plan takes as `mean` and `scale`."""
    mean = _per_input(net.input_mean, net, FLOAT64) if net.input_mean.any() else None
    scale = _per_input(net.input_scale, net, net.dtype) if (net.input_scale != 1).any() else None
    return mean, scale


def _caches(net: NetworkLike) -> list[tuple[dict[str, Any], str]] | None:
    """What the layers keep of a pass; None where the network, or a layer, has a way of its own to drop it."""
    layers: list[Layer] = [*net.layers.values(), net.lastLayer]
    # To look for each layer's own at every step would take a quarter of a small one.
    if net._overrides("clear_cache") or any("clear_cache" in vars(one) for one in (net, *layers)):
        return None
    if any(type(layer).clear_cache is not Layer.clear_cache for layer in layers):
        return None
    return [(vars(layer), name) for layer in layers for name in layer.caches]


class Run:
    """Layers one behind another that a plan can run: their names, and how it takes them.

    In front of them there may be an activation, behind a layer that no plan knows: a segment takes it.
    """

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.entrance: tuple[Any, ...] = (IDENTITY,)
        self.planned: list[PlannedLayer] = []

    @property
    def outputs(self) -> int:
        """How many numbers the last of them gives a sample."""
        return _outputs_of(self.planned[-1])


def planned_layers(net: NetworkLike) -> list[PlannedLayer] | None:
    """The layers as a plan takes them; None if something else stands among them, or their arrays do not fit."""
    pieces = pieces_of(net)
    if pieces is None or len(pieces) != 1 or not isinstance(pieces[0], Run):
        return None
    return pieces[0].planned


def pieces_of(net: NetworkLike, is_sparse: bool = False) -> list[Run | str] | None:
    """The layers in order: in runs, and the names of those that no plan can run.

    None if the network's inputs or outputs are not those that its sizes and its scaling say. Of sparse samples the
    first layer is by itself.
    """
    pieces: list[Run | str] = []
    width: int | None = net.sizes[0]  # that is known
    for key, layer in net.layers.items():
        kind = kind_of(layer, LAYERS)  # a loss may have a transform's name
        last = pieces[-1] if pieces else None
        if kind in ACTIVATION_NUMBERS:
            if isinstance(last, Run) and last.planned[-1][1] == IDENTITY:
                last.keys.append(key)
                last.planned[-1] = (last.planned[-1][0], kind, *last.planned[-1][2:], *_numbers(layer, kind))
            else:
                pieces.append(key)
            continue
        planned = _planned_transform(layer, kind, width, net.dtype)
        if planned is None:
            pieces.append(key)
            width = None
            continue
        if is_sparse and not pieces:
            pieces.append(key)
            width = _outputs_of(planned)
            continue
        if not isinstance(last, Run):
            run = Run()
            if last is not None and len(pieces) > 1 and kind == Affine.kind:  # whose inputs it says itself
                in_front = net.layers.get(last)
                if (its_kind := kind_of(in_front)) in ACTIVATION_NUMBERS:
                    run.entrance, run.keys = (its_kind, *_numbers(in_front, its_kind)), [last]
                    pieces.pop()
            pieces.append(run)
            last = run
        last.keys.append(key)
        last.planned.append(planned)
        width = _outputs_of(planned)
    # What comes in and goes out is checked by the network's sizes, and then read and written without a look.
    if not pieces or (isinstance(pieces[-1], Run) and pieces[-1].outputs != net.sizes[-1]):
        return None
    # Scaling for another number of inputs, of a first layer that was replaced: NumPy has the error.
    if any(array.ndim and array.shape != net.sizes[:1] for array in (net.input_mean, net.input_scale)):
        return None
    return pieces


def _numbers(layer: Any, kind: str) -> list[float]:
    """Those that an activation takes."""
    numbers = [_option(layer, name) for name in ACTIVATION_NUMBERS[kind]]
    layer.options()  # which raises where these do not go together
    return numbers


def _planned_transform(
    layer: Any, kind: str, inputs: int | None, dtype: np.dtype[Any]
) -> PlannedLayer | None:
    """A layer with so many inputs, None where that is not known, as a plan takes it; None if it knows none such."""
    if isinstance(layer, RowFunction) and kind in TRANSFORM_OPTIONS:
        return None if inputs is None else (kind, IDENTITY, inputs, None, 0.0)
    if kind == Dropout.kind:
        _option(layer, "seed"), _option(layer, "step")  # which raise where they are none
        return None if inputs is None else (kind, IDENTITY, inputs, vars(layer), _option(layer, "rate"))
    if kind not in TRANSFORM_OPTIONS:
        return None
    arrays = _parameters(layer, inputs, dtype)
    if arrays is None:
        return None
    option: Any = _option(layer, TRANSFORM_OPTIONS[kind])
    if kind == BatchNorm.kind:
        running = _running(layer, *arrays)
        if running is None:
            return None
        option = option, _option(layer, "momentum"), *running
    return kind, IDENTITY, *arrays, option


def _outputs_of(planned: PlannedLayer) -> int:
    # Layers without parameters have a number in the place of theirs.
    outputs: int = planned[2] if isinstance(planned[2], int) else planned[2].shape[-1]
    return outputs


def _parameters(layer: Layer, inputs: int | None, dtype: np.dtype[Any]) -> tuple[Array, Array | None] | None:
    """Weight and bias, if it has one, of a layer with so many inputs; None if a plan cannot use them as they are."""
    arrays: dict[str, Array] = {name: getattr(layer, name) for name in declared(layer) or ()}
    weight, bias = [*arrays.values(), None][:2]
    if weight is None or not all(array.ndim for array in arrays.values()):
        return None
    outputs = (weight if bias is None else bias).shape[-1]
    inputs = weight.shape[0] if inputs is None else inputs
    shapes = type(layer).parameter_shapes(layer.options(), inputs, outputs)
    if not all(_in_place(array, dtype) and array.shape == shapes[name] for name, array in arrays.items()):
        return None
    return weight, bias


def _running(layer: Any, gamma: Array, beta: Array | None) -> tuple[Array, Array] | None:
    """The running statistics of a batch normalisation; None if a plan cannot move them as the layer does."""
    arrays = [layer.running_mean, layer.running_var]
    if not all(_in_place(array, gamma.dtype) and array.shape == gamma.shape for array in arrays):
        return None
    # The layer refuses those that share memory.
    every = [*arrays, *(array for array in (gamma, beta) if array is not None)]
    if any(np.may_share_memory(one, other) for n, one in enumerate(arrays) for other in every[n + 1 :]):
        return None
    return arrays[0], arrays[1]


def _option(layer: Any, name: str) -> float:
    """The number of this name; 0 where there is none. It is checked once more: `vars` goes past the check."""
    if not name:
        return 0.0
    value, option = getattr(layer, name), getattr(type(layer), name, None)
    return float(option.checked(value) if isinstance(option, Option) else value)


def _in_place(array: Array, dtype: np.dtype[Any]) -> bool:
    if type(array) is not np.ndarray and np.ma.is_masked(array):
        return False  # the layer refuses it
    return bool(array.dtype == dtype and array.size and array.flags.carray)


def state_of_array(array: Array) -> tuple[object, ...]:
    """What of an array can be changed in place, but for its numbers, and decides whether a plan can use it."""
    return array.dtype, array.shape, array.flags.carray


def _per_input(vector: Array, net: NetworkLike, dtype: np.dtype[Any]) -> Array:
    return np.array(np.broadcast_to(vector, (net.sizes[0],)), dtype=dtype)


def readable_rows(rows: Array, net: NetworkLike) -> Array:
    """Rows as a plan can read them: as they are, or converted without a change of what the network computes."""
    if rows.dtype in READABLE:
        return readable(rows, rows.dtype)
    # Before a mean is subtracted nothing may be rounded.
    return readable(rows, _exact_type(rows) if net.input_mean.any() else net.dtype)


def require_sparse_inputs(net: NetworkLike) -> None:
    """Raise for a network that would make another matrix of a sparse one, without its zeros."""
    name, first = next(iter(net.layers.items()), ("", None))
    if kind_of(first, LAYERS) != Affine.kind:
        raise TypeError(
            f"Network: x is sparse, and the first layer, {name} ({type(first).__name__}), is no Affine, which alone "
            "reads it; wanted an array: x[rows].toarray(), batch by batch"
        )
    if net.input_mean.any():
        raise ValueError(
            "Network: x is sparse, and input_mean is not 0: of its zeros the difference would be something else; "
            "wanted input_mean=0 (input_scale is taken), or an array: x[rows].toarray(), batch by batch"
        )


def _exact_type(rows: Array) -> np.dtype[Any]:
    """The smallest type that a plan reads and that holds these numbers: large 64-bit integers stay what they are."""
    if rows.dtype.kind not in "iu" or rows.dtype.itemsize < 4:
        return np.promote_types(rows.dtype, FLOAT32)
    largest = max(int(rows.max(initial=0)), -int(rows.min(initial=0)))
    if largest > 2**53:
        return rows.dtype.newbyteorder("=")
    return FLOAT32 if largest <= 2**24 else FLOAT64
