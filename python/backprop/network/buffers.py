"""What layers keep beside their parameters and a network's files and copies have: running statistics, in arrays."""

from collections.abc import Mapping
from typing import Any

from backprop._util.arrays import Array
from backprop.layers.base import Layer


def buffer_names(kind: type) -> tuple[str, ...]:
    """The attributes of a class of layers that are such arrays."""
    return kind.buffers if issubclass(kind, Layer) else ()


def buffer_key(n: int, attribute: str) -> str:
    """What a buffer of layer n, from 0, is called: no parameter has a name with a point in it."""
    return f"layers.{n}.{attribute}"


def buffers_of(layers: Mapping[str, Any]) -> dict[str, Array]:
    """The buffers of a network's layers by their keys, in order."""
    return {
        buffer_key(n, name): getattr(layer, name)
        for n, layer in enumerate(layers.values())
        for name in buffer_names(type(layer))
    }
