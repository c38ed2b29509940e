"""What a file of format 2 says of its network, checked against the tensors that are there; and how it is written.

a) A layer stands with its name, its kind, what goes out of it, its options, and the attributes that are its parameters.
   Its tensors have the names that these have in `net.params`. Where its class has buffers, it stands with them too,
   and their tensors are called by its place: `layers.1.running_mean`.
b) Nothing is taken at its word: kinds have to be registered, widths to follow from each other, tensors to be exactly
   those of the parameters, of their shapes and type.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from backprop._util.arguments import one_of
from backprop._util.arrays import Array
from backprop._util.messages import listed, shown
from backprop.io._metadata import storable
from backprop.layers.base import LAYERS, LOSSES, Layer
from backprop.layers.buffers import buffer_key, buffer_names
from backprop.network.arguments import per_feature
from backprop.network.parameters import keys_of

FORMAT = "backprop network 2"
# The parts that the checksum is of, in its order.
DESCRIBED = ("format", "inputs", "layers", "loss", "dtype", "metadata")
DTYPES = {"float32": np.float32, "float64": np.float64}
SCALING = ("input_mean", "input_scale")


class Tensor(Protocol):
    """An array, or what a header says of one."""

    @property
    def dtype(self) -> np.dtype[Any]: ...
    @property
    def shape(self) -> tuple[int, ...]: ...


@dataclass(frozen=True)
class DescribedLayer:
    """One layer of a file.

    Attributes
    ----------
    name, kind : str
    outputs : int or None
    options : dict
    parameters : dict of str to str
        The tensor of each attribute.
    buffers : dict of str to str
        Likewise of what is no parameter.
    """

    name: str
    kind: str
    outputs: int | None
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    buffers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Description:
    """What a file says of its network, all of it right."""

    sizes: tuple[int, ...]
    layers: tuple[DescribedLayer, ...]
    loss_kind: str
    loss_options: Mapping[str, Any]
    dtype: np.dtype[Any]
    metadata: dict[str, Any]

    @property
    def inputs(self) -> int:
        """How many numbers a sample has."""
        return self.sizes[0]


def read(stated: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Description:
    """Check what a file of format 2 says; KeyError for what is missing, ValueError for what is wrong."""
    inputs, stated_layers, loss = stated["inputs"], stated["layers"], stated["loss"]
    if type(inputs) is not int or inputs < 1:
        raise ValueError(f"inputs is {shown(inputs)}, wanted a whole number of 1 or more")
    if not isinstance(stated_layers, list):
        raise ValueError(f"layers is {shown(stated_layers)}, wanted a list")
    dtype = np.dtype(one_of("dtype", stated["dtype"], DTYPES))
    layers = _layers(stated_layers)
    _require_names(layers, tensors)
    sizes = _sizes(layers, tensors, inputs, dtype)
    if not isinstance(loss, dict):
        raise ValueError(f"loss is {shown(loss)}, wanted a kind and options")
    kind = _kind("loss", loss["kind"], LOSSES)
    options = storable(loss["options"], what="the loss's options")
    return Description(sizes, layers, kind, options, dtype, storable(stated["metadata"]))


def scaling_of(found: Description, tensors: Mapping[str, Array]) -> tuple[Array, Array]:
    """The input scaling among the tensors."""
    mean, scale = (per_feature(name, tensors[name], found.inputs, found.dtype) for name in SCALING)
    return mean, scale


def _layers(stated: list[Any]) -> tuple[DescribedLayer, ...]:
    """The layers of a list; their tensors are named, but not looked at."""
    checked, names = [_layer(n, one) for n, one in enumerate(stated)], set()
    for name, *_ in checked:
        if name in names:
            raise ValueError(f"two layers have the name {shown(name)}")
        names.add(name)
    keys = keys_of([attributes for *_, attributes in checked])
    found = []
    for n, ((name, kind, outputs, options, attributes), tensors) in enumerate(
        zip(checked, keys, strict=True)
    ):
        buffers = {own: buffer_key(n, own) for own in buffer_names(LAYERS[kind])}
        parameters = dict(zip(attributes, tensors, strict=True))
        found.append(DescribedLayer(name, kind, outputs, options, parameters, buffers))
    return tuple(found)


def _layer(n: int, stated: Any) -> tuple[str, str, int | None, dict[str, Any], list[str]]:
    """Name, kind, outputs, options and the attributes that are parameters, of one layer."""
    where = f"layers[{n}]"
    if not isinstance(stated, dict):
        raise ValueError(f"{where} is {shown(stated)}, wanted names with values")
    name, outputs, attributes = stated["name"], stated["outputs"], stated["parameters"]
    if not isinstance(name, str):
        raise ValueError(f"{where} has the name {shown(name)}, wanted a text")
    kind = _kind(where, stated["kind"], LAYERS)
    if outputs is not None and (type(outputs) is not int or outputs < 1):
        raise ValueError(f"{where} has {shown(outputs)} outputs, wanted a whole number of 1 or more")
    options = storable(stated["options"], what=f"the options of {where}")
    cls = LAYERS[kind]
    if not isinstance(attributes, list) or not all(isinstance(one, str) for one in attributes):
        raise ValueError(f"{where} has the parameters {shown(attributes)}, wanted a list of names")
    own = cls.parameter_names if issubclass(cls, Layer) else None
    if own is not None and attributes != list(own):
        raise ValueError(f"{where} has the parameters {shown(attributes)}, wanted {listed(own) or 'none'}")
    for one in attributes:
        if not one.isidentifier() or one.startswith("__") or callable(getattr(cls, one, None)):
            raise ValueError(f"{where} has a parameter {shown(one)}, wanted names of attributes")
    buffers, own_buffers = stated.get("buffers", []), list(buffer_names(cls))
    if buffers != own_buffers:
        raise ValueError(f"{where} has the buffers {shown(buffers)}, wanted {listed(own_buffers) or 'none'}")
    if len(set(attributes)) < len(attributes):
        raise ValueError(f"{where} has the parameters {shown(attributes)}, wanted each once")
    return name, kind, outputs, options, attributes


def _kind(where: str, kind: Any, registry: Mapping[str, type[Any]]) -> str:
    """A registered name."""
    if isinstance(kind, str) and kind in registry:
        return kind
    register = "register_layer" if registry is LAYERS else "register_loss"
    name = kind if isinstance(kind, str) and kind.isidentifier() and len(kind) < 40 else "name"
    raise ValueError(
        f"{where} is of the kind {shown(kind)}, which is not registered; a class of yours is by "
        f"@backprop.{register}({name!r}) above it"
    )


def _require_names(layers: tuple[DescribedLayer, ...], tensors: Mapping[str, Any]) -> None:
    """The tensors are exactly those of the layers' parameters and buffers."""

    def wanted() -> Iterator[str]:
        return (
            name for layer in layers for own in (layer.parameters, layer.buffers) for name in own.values()
        )

    if len(tensors) != sum(1 for _ in wanted()) or not all(name in tensors for name in wanted()):
        raise ValueError(f"the file has {listed(sorted(tensors))}, wanted {listed(wanted()) or 'no tensors'}")


def _sizes(
    layers: tuple[DescribedLayer, ...], tensors: Mapping[str, Tensor], inputs: int, dtype: np.dtype[Any]
) -> tuple[int, ...]:
    """Units from input to output; raises where a layer does not go with the one before it, or with its tensors."""
    width: int | None = inputs
    sizes = [inputs]
    for n, layer in enumerate(layers):
        cls, named = LAYERS[layer.kind], {**layer.parameters, **layer.buffers}
        found, ours = {own: tensors[name] for own, name in named.items()}, issubclass(cls, Layer)
        wanted = cls.parameter_shapes(layer.options, width, layer.outputs) if ours else {}
        wanted |= cls.buffer_shapes(layer.options, width) if ours else {}
        for own, tensor in found.items():
            shape = wanted.get(own)
            right = shape is None or (
                len(shape) == len(tensor.shape)
                and all(one in (None, size) for one, size in zip(shape, tensor.shape, strict=True))
            )
            if not right or (ours and tensor.dtype != dtype):
                text = (
                    tensor.shape if shape is None else tuple("any" if one is None else one for one in shape)
                )
                raise ValueError(f"{named[own]} is {tensor.dtype} {tensor.shape}, wanted {dtype} {text}")
        shapes = (found[own].shape for own in layer.parameters)
        dense = next((shape for shape in shapes if len(shape) == 2), None)
        expected = dense[1] if dense else width if ours and cls.keeps_shape else None
        if layer.outputs != expected:
            raise ValueError(f"layers[{n}] has {layer.outputs} outputs, wanted {expected}")
        width = layer.outputs
        sizes += [] if dense is None else [dense[1]]
    if len(sizes) < 2:
        kinds = listed(layer.kind for layer in layers) or "none"
        raise ValueError(f"the layers are {kinds}, wanted at least one with weights of two dimensions")
    return tuple(sizes)
