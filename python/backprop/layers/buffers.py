"""What layers keep beside their parameters and a network's files and copies have: running statistics, in arrays."""

from collections.abc import Iterator, Mapping
from typing import Any

from backprop._util.arrays import Array
from backprop.layers.base import Layer
from backprop.layers.parameter_discovery import inner_layers


def buffer_names(kind: type) -> tuple[str, ...]:
    """The attributes of a class of layers that are such arrays."""
    return kind.buffers if issubclass(kind, Layer) else ()


def buffer_key(n: int, attribute: str) -> str:
    """What a buffer of layer n, from 0, is called: no parameter has a name with a point in it."""
    return f"layers.{n}.{attribute}"


def buffers_of(layers: Mapping[str, Any]) -> dict[str, Array]:
    """The buffers of a network's layers, and of those inside them, by their keys, in order."""
    known: set[int] = set()
    return {
        buffer_key(n, place): array
        for n, layer in enumerate(layers.values())
        for place, array in _buffers(layer, known)
    }


def _buffers(layer: Any, known: set[int]) -> Iterator[tuple[str, Array]]:
    if id(layer) in known:
        return
    known.add(id(layer))
    for name in buffer_names(type(layer)):
        yield name, getattr(layer, name)
    if not isinstance(layer, Layer) or not type(layer).kind:
        for place, one in inner_layers(layer):
            for name, array in _buffers(one, known):
                yield f"{place}.{name}", array
