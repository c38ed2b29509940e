"""The parameters of a network as one mapping: a view of its layers, never a second copy.

`params["W1"]` is the array that the first affine layer computes with, `params["W1"] -= step` changes it in place
and `params["W1"] = values` copies the values into it, so no way of updating loses the layer.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._arrays import Array, plural, real_array
from backprop._names import did_you_mean

NAMES = ("W", "b")


class Parameters(MutableMapping[str, Array]):
    """The weights and biases of a network's layers, by the names W1, b1, W2 and so on.

    Parameters
    ----------
    layers : mapping of str to layer
        The layers in order. The n-th layer that has `W` and `b` gives `Wn` and `bn`.
    """

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._layers = layers

    def _places(self) -> dict[str, tuple[Any, str]]:
        """Where each parameter lives: its layer and attribute."""
        owners = [layer for layer in self._layers.values() if all(hasattr(layer, name) for name in NAMES)]
        return {f"{name}{n}": (layer, name) for n, layer in enumerate(owners, start=1) for name in NAMES}

    def _place(self, key: str) -> tuple[Any, str]:
        places = self._places()
        if key not in places:
            hint = did_you_mean(key, places, near=0.5)
            raise KeyError(f"{key!r} is not a parameter of this network: {', '.join(places)}{hint}")
        return places[key]

    def __getitem__(self, key: str) -> Array:
        layer, name = self._place(key)
        array: Array = getattr(layer, name)
        return array

    def __setitem__(self, key: str, value: ArrayLike) -> None:
        array = self[key]
        if value is array:  # what `params[key] -= …` ends with
            return
        values = real_array(f"params[{key!r}]", "the value", value)
        if values.shape != array.shape:
            raise ValueError(f"params[{key!r}] has shape {array.shape}, the value has {values.shape}")
        array[...] = values

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"params[{key!r}] belongs to a layer; remove the layer from net.layers instead")

    def __iter__(self) -> Iterator[str]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._places())

    def __repr__(self) -> str:
        shapes = ", ".join(f"{key}: {np.shape(array)}" for key, array in self.items())
        return f"<{plural(len(self), 'parameter')}: {shapes}>"

    def gradients(self) -> dict[str, Array]:
        """The gradients that the layers' last `backward` left, by the parameters' names."""
        return {key: getattr(layer, f"d{name}") for key, (layer, name) in self._places().items()}
