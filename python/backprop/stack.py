"""The layers of a network by name, in order, and how a new network's are made."""

from collections import OrderedDict
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from backprop._names import did_you_mean
from backprop.layers import Affine, IdentityWithLoss, Relu, Sigmoid, SoftmaxWithLoss, Tanh

ACTIVATIONS: dict[str, Callable[[], Any]] = {"relu": Relu, "sigmoid": Sigmoid, "tanh": Tanh}
# Variance times number of inputs that keeps signals at their size: He et al. 2015 for ReLU, Glorot & Bengio 2010.
GAINS = {"relu": 2.0, "sigmoid": 1.0, "tanh": 1.0}
LOSSES: dict[str, Callable[[], Any]] = {"softmax": SoftmaxWithLoss, "squared_error": IdentityWithLoss}


class Layers(OrderedDict[str, Any]):
    """An OrderedDict that can be told to have been reordered.

    Attributes
    ----------
    order : object
        Another one whenever a name is added or moved; entries tell themselves whether they were replaced.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.order = object()
        super().__init__(*args, **kwargs)

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self:
            self.order = object()
        super().__setitem__(key, value)

    def __missing__(self, key: object) -> NoReturn:
        hint = did_you_mean(key, self)
        raise KeyError(f"{key!r} is not a layer of this network: {', '.join(map(str, self))}{hint}")

    def move_to_end(self, key: str, last: bool = True) -> None:
        """Move a layer to one end, as in OrderedDict."""
        self.order = object()
        super().move_to_end(key, last)


def initial_layers(
    sizes: tuple[int, ...], activation: str, dtype: np.dtype[Any], seed: int | None, std: float | None
) -> Layers:
    """Affine layers with random weights and zero biases, and what stands between them."""
    randn = np.random.randn if seed is None else np.random.RandomState(seed).randn
    layers = Layers()
    for n, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        W = (np.sqrt(GAINS[activation] / inputs) if std is None else std) * randn(inputs, outputs)
        layers[f"Affine{n}"] = Affine(W.astype(dtype, copy=False), np.zeros(outputs, dtype=dtype))
        if n < len(sizes) - 1:
            layers[f"{activation.capitalize()}{n}"] = ACTIVATIONS[activation]()
    return layers
