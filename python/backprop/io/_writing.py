"""How a network is described in a file of format 2; what a file could not describe is refused."""

from typing import Any

from backprop.io._description import FORMAT
from backprop.io._metadata import storable
from backprop.layers.base import LAYERS, LOSSES, Layer, made_of, own_methods
from backprop.layers.buffers import buffer_key, buffer_names, buffers_of
from backprop.layers.parameter_discovery import parameter_names
from backprop.network import Network
from backprop.network.spec import LayerSpec


def described(net: Network) -> dict[str, Any]:
    """The description of a network, without its metadata."""
    spec = net.spec
    for name, layer in (*net.layers.items(), ("lastLayer", net.lastLayer)):
        if own := own_methods(layer):
            raise TypeError(
                f"save: {name} has a {own[0]} of its own, which the file does not hold; save its params instead"
            )
    for one in spec.layers:
        if not one.registered:
            raise TypeError(_not_registered(f"layers[{one.name!r}]", one.kind, "register_layer"))
    if not spec.loss.registered:
        raise TypeError(_not_registered("lastLayer", spec.loss.kind, "register_loss"))
    layers = [_layer(net, one) for one in spec.layers]
    held = [buffer_key(n, name) for n, one in enumerate(layers) for name in one.get("buffers", ())]
    for key in buffers_of(net.layers):
        if key not in held:
            raise TypeError(
                f"save: {key} is a running statistic of a layer inside another, which the file would not hold; put "
                "that layer into net.layers"
            )
    return {
        "format": FORMAT,
        "inputs": spec.inputs,
        "layers": layers,
        "loss": {
            "kind": spec.loss.kind,
            "options": _options("lastLayer", LOSSES[spec.loss.kind], spec.loss.options, {}),
        },
        "dtype": spec.dtype.name,
    }


def _layer(net: Network, one: LayerSpec) -> dict[str, Any]:
    owner, cls = f"layers[{one.name!r}]", LAYERS[one.kind]
    arrays = {parameter.attribute: net.params[parameter.name] for parameter in one.parameters}
    buffers = buffer_names(cls)
    return {
        "name": one.name,
        "kind": one.kind,
        "outputs": one.outputs,
        "options": _options(owner, cls, one.options, arrays),
        "parameters": list(arrays),
        **({"buffers": list(buffers)} if buffers else {}),
    }


def _options(owner: str, cls: type[Any], options: Any, arrays: dict[str, Any]) -> dict[str, Any]:
    """Options as a file has them; those of a user's class are tried."""
    stored = storable(options, "save: ", f"the options of {owner}")
    if not issubclass(cls, Layer) or cls.parameter_names is None:
        try:
            twin = made_of(cls, owner, stored, {name: array.copy() for name, array in arrays.items()})
        except ValueError as error:
            raise TypeError(f"save: {error}; wanted options() that return its arguments") from error
        if arrays and (found := parameter_names(twin)) != list(arrays):
            raise TypeError(
                f"save: {owner} has the parameters {', '.join(arrays)}, one made of its options has "
                f"{', '.join(found) or 'none'}; save its params instead"
            )
    return stored


def _not_registered(owner: str, name: str, register: str) -> str:
    return (
        f"save: {owner} is a {name}, which has no name in files; write @backprop.{register}('name') above its class, "
        "or save its params instead"
    )
