"""The parameters of a network as one mapping: a view of its layers, never a second copy.

`params["W1"]` is the array that the first affine layer computes with, `params["W1"] -= step` changes it in place
and `params["W1"] = values` copies the values into it, so no way of updating loses the layer.
"""

from collections.abc import ItemsView, Iterator, Mapping, MutableMapping, Sequence, ValuesView
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, plural, real_array
from backprop._util.names import did_you_mean
from backprop.layers.parameter_discovery import declared
from backprop.network.layers import Layers

Places = dict[str, tuple[Any, str]]


class Parameters(MutableMapping[str, Array]):
    """The parameters of a network's layers, by the names W1, b1, W2 and so on.

    A parameter is called by its attribute's name and its layer's number, which is one more than the highest that any
    of its names has had before: `W1`, `b1` of the first affine layer, `gamma1` of the first layer that has a `gamma`.

    Parameters
    ----------
    layers : Layers
        The layers in order. Which of their attributes are parameters: see layers/parameter_discovery.py.
    """

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        # Good for single look-ups as long as no layer comes or goes. Whoever goes through all names finds them anew,
        # unless all layers declare theirs: others may get attributes at any time.
        self._known: Places = {}
        self._known_for: object = None
        self._declared = False

    def places(self) -> Places:
        """Where each parameter lives: its layer and attribute."""
        if self._declared and self._known_for is self._layers.version:
            return self._known
        names = [self._layers.parameter_names(key) for key in self._layers]
        places: Places = {
            key: (layer, name)
            for layer, own, keys in zip(self._layers.values(), names, keys_of(names), strict=True)
            for name, key in zip(own, keys, strict=True)
        }
        self._known, self._known_for = places, self._layers.version
        self._declared = all(declared(layer) is not None for layer in self._layers.values())
        return places

    def _place(self, key: str) -> tuple[Any, str]:
        if self._known_for is self._layers.version and key in self._known:
            return self._known[key]
        places = self.places()
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
        array[...] = _values_for(key, array, value)

    def __delitem__(self, key: str) -> None:
        raise TypeError(f"params[{key!r}] belongs to a layer; remove the layer from net.layers instead")

    def __iter__(self) -> Iterator[str]:
        return iter(self.places())

    def __len__(self) -> int:
        return len(self.places())

    def items(self) -> ItemsView[str, Array]:
        """Names and arrays, found in one walk over the layers."""
        return _Items(self)

    def values(self) -> ValuesView[Array]:
        """The arrays."""
        return _Values(self)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Copy values into the parameters named; where one is refused none is changed."""
        given = dict(*args, **kwargs)
        moves = []
        for key, value in given.items():
            array = self[key]
            if value is not array:
                # A copy: a value may be a view of another parameter.
                moves.append((array, np.array(_values_for(key, array, value), dtype=array.dtype)))
        for array, values in moves:
            array[...] = values

    def assign(self, values: Mapping[str, ArrayLike]) -> None:
        """Copy values into all parameters: what `net.params = values` does.

        Raises
        ------
        TypeError
            `values` is not a mapping, or one of them is not of real numbers.
        ValueError
            A name is missing or unknown, a shape differs, or a parameter is read-only. Nothing is changed then.
        """
        if values is self:
            return
        if not isinstance(values, Mapping):
            raise TypeError(
                f"params is a {type(values).__name__}, wanted a mapping of {', '.join(self)} to arrays"
            )
        names = dict.fromkeys(self)
        for name in values:
            if name not in names:
                hint = did_you_mean(name, names, near=0.5)
                raise ValueError(f"params has {name!r}, wanted {', '.join(names)}{hint}")
        missing = [name for name in names if name not in values]
        if missing:
            raise ValueError(f"params has no {', '.join(map(repr, missing))}, wanted {', '.join(names)}")
        self.update(values)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{key}: {np.shape(array)}" for key, array in self.items())
        return f"<{plural(len(self), 'parameter')}: {shapes}>"

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies what is found anew."""
        return self.__dict__ | {"_known": {}, "_known_for": None, "_declared": False}

    def gradients(self) -> dict[str, Array]:
        """The gradients that the layers' last `backward` left, by the parameters' names."""
        gradients: dict[str, Array] = {}
        for key, (layer, name) in self.places().items():
            gradients[key] = gradient_of(key, layer, name)
        return gradients


def gradient_of(key: str, layer: Any, name: str) -> Array:
    """The gradient that a layer's last `backward` left for the parameter of this name."""
    gradient: Array | None = getattr(layer, f"d{name}", None)
    if gradient is None:
        raise TypeError(f"params[{key!r}]: {type(layer).__name__}.backward left no d{name}")
    return gradient


def keys_of(names: Sequence[Sequence[str]]) -> list[list[str]]:
    """What the parameters of layers are called in a network, of their attributes' names."""
    found: list[list[str]] = []
    taken: set[str] = set()
    last: dict[str, int] = {}
    for own in names:
        n = 1 + max([last.get(name, 0) for name in own], default=0)
        while any(f"{name}{n}" in taken for name in own):  # W1 with 1 is also W with 11
            n += 1
        last |= dict.fromkeys(own, n)
        found.append([f"{name}{n}" for name in own])
        taken.update(found[-1])
    return found


class _Items(ItemsView[str, Array]):
    _mapping: Parameters

    def __iter__(self) -> Iterator[tuple[str, Array]]:
        for key, (layer, name) in self._mapping.places().items():
            yield key, getattr(layer, name)


class _Values(ValuesView[Array]):
    _mapping: Parameters

    def __iter__(self) -> Iterator[Array]:
        for layer, name in self._mapping.places().values():
            yield getattr(layer, name)


def _values_for(key: str, array: Array, value: ArrayLike) -> Array:
    """`value` as it can be copied into a parameter."""
    values = real_array(f"params[{key!r}]", "the value", value)
    if values.shape != array.shape:
        raise ValueError(f"params[{key!r}] has shape {array.shape}, the value has {values.shape}")
    if not array.flags.writeable:
        raise ValueError(f"params[{key!r}] is read-only, wanted an array to change in place")
    return values
