"""The layers of a network by name, in order, and how a new network's are made."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from backprop._arrays import Array
from backprop._names import did_you_mean
from backprop.initial_weights import WeightInit, initial_parameters
from backprop.layers import Affine, IdentityWithLoss, Relu, Sigmoid, SoftmaxWithLoss, Tanh

ACTIVATIONS: dict[str, Callable[[], Any]] = {"relu": Relu, "sigmoid": Sigmoid, "tanh": Tanh}
LOSSES: dict[str, Callable[[], Any]] = {"softmax": SoftmaxWithLoss, "squared_error": IdentityWithLoss}


class Layers(OrderedDict[str, Any]):
    """An OrderedDict of layers that can be asked whether it is still what it was.

    Attributes
    ----------
    version : object
        Another one after every change.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.version = object()
        super().__init__(*args, **kwargs)

    def __setitem__(self, key: str, value: Any) -> None:
        a_layer(f"layers[{key!r}]", value)
        self.version = object()
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self.version = object()
        super().__delitem__(key)

    def __missing__(self, key: object) -> NoReturn:
        hint = did_you_mean(key, self)
        raise KeyError(f"{key!r} is not a layer of this network: {', '.join(map(str, self))}{hint}")

    # Not all versions of Python come by the methods above for these.

    def move_to_end(self, key: str, last: bool = True) -> None:
        """Move a layer to one end, as in OrderedDict."""
        self.version = object()
        super().move_to_end(key, last)

    def clear(self) -> None:
        """Remove all layers."""
        self.version = object()
        super().clear()

    def pop(self, key: str, *default: Any) -> Any:
        """Remove a layer and return it, or the default."""
        self.version = object()
        return super().pop(key, *default)

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """Remove the last layer, or the first, and return it with its name."""
        self.version = object()
        return super().popitem(last)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the layer under a name; where there is none put `default` there."""
        if key not in self:
            self[key] = default
        return self[key]


def a_layer(name: str, value: Any) -> Any:
    """`value`, if it is an object that goes forward; one that never trains needs no backward."""
    if isinstance(value, type):
        raise TypeError(f"{name} is the class {value.__name__}, wanted a layer, such as {value.__name__}()")
    if not hasattr(value, "forward"):
        raise TypeError(f"{name} is a {type(value).__name__}, wanted a layer: forward and backward")
    return value


def initial_layers(
    sizes: tuple[int, ...], activation: str, dtype: np.dtype[Any], seed: int | None, weight_init: WeightInit
) -> Layers:
    """Affine layers with their initial weights, and what stands between them."""
    return dense_layers(initial_parameters(sizes, activation, dtype, seed, weight_init), activation)


def dense_layers(dense: Sequence[tuple[Array, Array]], activation: str) -> Layers:
    """Affine layers of these weights and biases, with an activation between them."""
    layers = Layers()
    for n, (W, b) in enumerate(dense, start=1):
        layers[f"Affine{n}"] = Affine(W, b)
        if n < len(dense):
            layers[f"{activation.capitalize()}{n}"] = ACTIVATIONS[activation]()
    return layers
