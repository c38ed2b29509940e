"""What a network is, computed from its layers, which stay the truth: sizes, kinds, options, shapes of parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.layers.base import LAYERS, LOSSES, kind_of
from backprop.network.layers import Layers
from backprop.network.parameters import keys_of
from backprop.network.sizes import shapes_of, widths_of

# What stands between two dense layers without anything in between.
NOTHING = "identity"


@dataclass(frozen=True)
class LayerSpec:
    """One layer of a network.

    Attributes
    ----------
    name : str
        Its key in `net.layers`.
    kind : str
        The name that it is registered under; of a layer that is not, its class's name.
    registered : bool
        Whether files can name it.
    outputs : int or None
        How many numbers a sample has behind it; None where that is not known.
    options : mapping
        What its constructor gets, as JSON has it.
    parameters : tuple of ParameterSpec
    """

    name: str
    kind: str
    registered: bool
    outputs: int | None
    options: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple["ParameterSpec", ...] = ()

    @property
    def is_dense(self) -> bool:
        """Whether it has weights of two dimensions, its inputs and its outputs."""
        return any(len(one.shape) == 2 for one in self.parameters)


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of a layer.

    Attributes
    ----------
    name : str
        Its name in `net.params`.
    attribute : str
        The layer's attribute.
    shape : tuple of int
    """

    name: str
    attribute: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class LossSpec:
    """The loss of a network.

    Attributes
    ----------
    kind : str
        As that of a layer.
    registered : bool
    options : mapping
    """

    kind: str
    registered: bool
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkSpec:
    """A network without its parameters.

    Attributes
    ----------
    sizes : tuple of int
        Units from input to output, as far as the layers tell.
    layers : tuple of LayerSpec
    loss : LossSpec
    dtype : numpy.dtype
    input_mean, input_scale : ndarray of float64
    """

    sizes: tuple[int, ...]
    layers: tuple[LayerSpec, ...]
    loss: LossSpec
    dtype: np.dtype[Any]
    input_mean: Array
    input_scale: Array

    @property
    def inputs(self) -> int:
        """How many numbers a sample has."""
        return self.sizes[0]

    @cached_property
    def gaps(self) -> list[tuple[str, ...]]:
        """The kinds of the layers before, between and behind the dense layers."""
        found: list[tuple[str, ...]] = [()]
        for dense, group in groupby(self.layers, lambda layer: layer.is_dense):
            if dense:
                found += [() for _ in group]
            else:
                found[-1] = tuple(layer.kind for layer in group)
        return found

    @property
    def activation(self) -> str | tuple[str, ...]:
        """What stands between the dense layers; one each where they differ."""
        hidden = [text_of(kinds) for kinds in self.gaps[1:-1]] or [NOTHING]
        return hidden[0] if len(set(hidden)) == 1 else tuple(hidden)

    def __str__(self) -> str:
        parts = [
            f"{list(self.sizes)}, activation={self.activation!r}, loss={self.loss.kind!r}, dtype={self.dtype}"
        ]
        ends = (("input", self.gaps[0]), ("output", self.gaps[-1] if len(self.gaps) > 1 else ()))
        parts += [f"{name}={text_of(kinds)!r}" for name, kinds in ends if kinds]
        return ", ".join(parts)


def text_of(kinds: tuple[str, ...]) -> str:
    """Kinds of layers one behind the other."""
    return " + ".join(kinds) or NOTHING


def spec_of_loss(loss: Any) -> LossSpec:
    """The spec of a loss."""
    kind = kind_of(loss, LOSSES)
    return LossSpec(kind or type(loss).__name__, bool(kind), options_of(loss) if kind else {})


def spec_of_layers(layers: Layers, inputs: int) -> tuple[LayerSpec, ...]:
    """The specs of layers, the first of which gets so many inputs."""
    width: int | None = inputs
    found = []
    shapes = [shapes_of(layers, key) for key in layers]
    names = keys_of([list(own) for own in shapes])
    for (key, layer), dense, own, keys in zip(layers.items(), widths_of(layers), shapes, names, strict=True):
        width = dense[1] if dense else width if dense == () else None
        kind = kind_of(layer, LAYERS)
        parameters = tuple(map(ParameterSpec, keys, own, own.values()))
        options = options_of(layer) if kind else {}
        found.append(LayerSpec(key, kind or type(layer).__name__, bool(kind), width, options, parameters))
    return tuple(found)


def options_of(layer: Any) -> dict[str, Any]:
    """What a registered layer or loss says of its constructor's arguments."""
    return dict(layer.options()) if callable(getattr(layer, "options", None)) else {}
