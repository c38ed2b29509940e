"""What may be assigned to a network's attributes: it counts, or it is refused."""

from typing import TYPE_CHECKING, Any

from backprop._arguments import per_feature
from backprop._names import did_you_mean, no_name
from backprop.history import History
from backprop.stack import a_layer

if TYPE_CHECKING:
    from backprop.network import Network

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
PUBLIC = (*REFUSED, *PLANNED, "params", "metadata", "history")
# How much of a name has to be that of an attribute: one more letter or underscore, no more.
NEAR = 0.85


def taken(net: "Network", kind: "type[Network]", name: str, value: Any) -> Any:
    """`value` as the attribute `name` takes it, once the network is complete; `kind` is the class Network itself."""
    if "_planned" not in vars(net) or name.startswith("_"):
        return value
    if callable(getattr(kind, name, None)):
        raise AttributeError(f"Network.{name} is a method; override it in a subclass")
    if type(net) is kind and not hasattr(net, name):
        hint = did_you_mean(name, PUBLIC, near=NEAR)
        if hint:
            raise AttributeError(f"Network has no attribute {name!r}{hint}", name=name, obj=None)
    value = _checked(net, name, value)
    if name in PLANNED:
        vars(net)["_planned"] = None
    return value


def _checked(net: "Network", name: str, value: Any) -> Any:
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
    if name == "history" and not isinstance(value, History | None):
        raise TypeError(f"history is a {type(value).__name__}, wanted a History or None")
    return value


def no_attribute(net: "Network", name: str) -> AttributeError:
    """The error for an attribute that a network has not."""
    from backprop._elsewhere.attributes import OF_NETWORK

    public = [known for known in dir(type(net)) if not known.startswith("_")]
    return no_name(f"{type(net).__name__!r} object", name, {*public, *PUBLIC}, NEAR, OF_NETWORK)
