"""What may be assigned to a network's attributes: it counts, or it is refused."""

from collections.abc import Iterable
from typing import Any

from backprop._util.names import did_you_mean
from backprop.network.arguments import per_feature
from backprop.network.layers import a_layer
from backprop.network.protocol import NetworkLike

# What follows from the layers, and what to do instead.
REFUSED = {
    "sizes": "they are the layers'; make another network, or replace layers: net.layers['Affine1'] = Affine(W, b)",
    "activation": "it is the layers'; replace them: net.layers['Relu1'] = Tanh()",
    "loss_name": "it is the last layer's; replace that: net.lastLayer = IdentityWithLoss()",
    "layers": "replace one at a time: net.layers['Relu1'] = Tanh()",
    "dtype": "a copy of another type is net.astype(dtype)",
}
# What a plan is made of, beside the layers.
PLANNED = ("input_mean", "input_scale", "lastLayer")
PUBLIC = (*REFUSED, *PLANNED, "target_mean", "target_scale", "classes", "params", "metadata", "history")
# How much of a name has to be that of an attribute: one more letter or underscore, no more.
NEAR = 0.85


def checked_value(net: NetworkLike, kind: type[Any], name: str, value: Any) -> Any:
    """`value` as the attribute `name` takes it, once the network is complete; `kind` is the class Network itself."""
    if "_planned" not in vars(net) or name.startswith("_"):
        return value
    if callable(getattr(kind, name, None)):
        raise AttributeError(f"Network.{name} is a method; override it in a subclass")
    if type(net) is kind and not hasattr(net, name):
        hint = _hint(net, name, PUBLIC)
        if hint:
            raise AttributeError(f"Network has no attribute {name!r}{hint}", name=name, obj=None)
    value = _checked(net, name, value)
    if name in PLANNED:
        vars(net)["_planned"] = None
    return value


def _checked(net: NetworkLike, name: str, value: Any) -> Any:
    """`value` as the attribute `name` of a complete network takes it."""
    if name in REFUSED:
        raise AttributeError(f"{type(net).__name__}.{name} cannot be assigned: {REFUSED[name]}")
    if name == "params":
        net.params.assign(value)
        return net.params
    if name in ("input_mean", "input_scale"):
        return per_feature(name, value, net.sizes[0], net.dtype)
    if name == "lastLayer":
        return a_layer(name, value)
    if name == "metadata" and not isinstance(value, dict):
        raise TypeError(f"metadata is a {type(value).__name__}, wanted a dict")
    if name == "history" and value is not None and not _is_history(value):
        raise TypeError(f"history is a {type(value).__name__}, wanted a History or None")
    return value


def _is_history(value: Any) -> bool:
    from backprop.training.history import History

    return isinstance(value, History)


def attribute_of_other_name(net: NetworkLike, name: str) -> Any:
    """What is left to do where an attribute was not found: raise for it."""
    for kind in type(net).__mro__:
        if name in vars(kind):  # a property that raised an AttributeError, which Python takes for its own
            return vars(kind)[name].__get__(net, type(net))
    public = [known for known in dir(type(net)) if not known.startswith("_")]
    hint = "" if name.startswith("_") else _hint(net, name, {*public, *PUBLIC})
    raise AttributeError(
        f"{type(net).__name__!r} object has no attribute {name!r}{hint}", name=name, obj=None
    )


def _hint(net: NetworkLike, name: str, known: Iterable[str]) -> str:
    """What an attribute that a network has not is called here, or what to do instead."""
    from backprop._util.other_libraries.attributes import OF_NETWORK

    if "params" in vars(net) and name in net.params:
        return f"; it is net.params[{name!r}]"
    return did_you_mean(name, known, NEAR, OF_NETWORK)
