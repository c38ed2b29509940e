"""What passes forward in training count in layers, so that passes can be repeated, or not have been."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from backprop.layers.base import Layer
from backprop.layers.parameter_discovery import inner_layers


class Counters:
    """What the counters of layers, and of those inside them, are now."""

    def __init__(self, layers: Iterable[Any]) -> None:
        self._held: list[tuple[Layer, str, Any, Any]] = []
        self.hold(layers)

    def hold(self, layers: Iterable[Any]) -> None:
        """Add those of other layers, as they are now."""
        self._held += [
            (layer, name, value, value.copy() if isinstance(value, np.ndarray) else None)
            for layer in _with_inner(layers, set())
            for name in type(layer).counters
            for value in (getattr(layer, name),)
        ]

    def restore(self) -> None:
        """Let the passes since then not have counted: arrays are those that were there, and hold what they held."""
        for layer, name, value, numbers in self._held:
            setattr(layer, name, value)
            if numbers is not None and value.flags.writeable:  # no pass has changed another
                value[...] = numbers


def draws(layer: Any) -> bool:
    """Whether a layer, or one inside it, draws another mask at each pass in training."""
    return any(type(one).counters and getattr(one, "rate", 1) != 0 for one in _with_inner([layer], set()))


@contextmanager
def counters_held(layers: Iterable[Any]) -> Iterator[None]:
    """Passes in training do not count here: each begins at the same state, and has the same masks."""
    held = Counters(layers)
    try:
        yield
    finally:
        held.restore()


def _with_inner(layers: Iterable[Any], known: set[int]) -> Iterator[Layer]:
    """The layers of the package among these and in the attributes of others."""
    for layer in layers:
        if id(layer) in known:
            continue
        known.add(id(layer))
        if isinstance(layer, Layer):
            yield layer
        if not isinstance(layer, Layer) or not type(layer).kind:
            yield from _with_inner((one for _, one in inner_layers(layer)), known)
