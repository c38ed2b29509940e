"""How many numbers go into a network and come out of its layers, as far as their parameters tell."""

from collections.abc import Iterator

from backprop.layers.base import Layer
from backprop.network.layers import Layers


def shapes_of(layers: Layers, key: str) -> dict[str, tuple[int, ...]]:
    """The shapes of a layer's parameters, by its attributes."""
    layer = layers.get(key)
    return {name: getattr(layer, name).shape for name in layers.parameter_names(key)}


def widths_of(layers: Layers) -> Iterator[tuple[int, ...] | None]:
    """Inputs and outputs of each layer's weights; () of a layer that keeps the width, None where nothing is known."""
    for key, layer in layers.items():
        dense = next((shape for shape in shapes_of(layers, key).values() if len(shape) == 2), None)
        keeps = isinstance(layer, Layer) and type(layer).keeps_shape
        yield dense if dense is not None else () if keeps else None


def sizes_of(layers: Layers, given: tuple[int, ...]) -> tuple[int, ...]:
    """Units from input to output.

    A layer without weights of two dimensions gives out as many numbers as it gets, for all that is known. Where one is
    not ours and the number of dense layers is not the one given, nothing more is known than what was given.
    """
    widths = list(widths_of(layers))
    dense = [width for width in widths if width]
    if not dense or (None in widths and len(dense) != len(given) - 1):
        return given
    return (dense[0][0] if widths[0] else given[0], *(outputs for _, outputs in dense))
