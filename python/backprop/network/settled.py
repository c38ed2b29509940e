"""Layers that are not ours, once passes have shown what they are: only what may have changed is looked at.

What `Pass` (parameter_discovery.py) finds out of such a layer depends on the names of its attributes, on whether its
parameters are the arrays that they were, and on whether one of these went through it as data. To find all of it out
takes a tenth of a small step.
"""

from typing import Any

from backprop._util.arrays import Array, shares
from backprop.layers.base import Layer, pass_forward
from backprop.layers.parameter_discovery import HOLD_NOTHING, names_of_candidates


class SettledLayer:
    """A layer whose attributes are known, and of which all that could be parameters are."""

    def __init__(self, layer: Any, parameters: list[str]) -> None:
        self.layer, self._names = layer, tuple(vars(layer))
        self._parameters: list[tuple[str, Array]] = [(name, vars(layer)[name]) for name in parameters]
        self._data: list[Any] = []

    def forward(self, x: Any) -> Any:
        """Go forward in training."""
        out = pass_forward(self.layer, x, training=True)
        self._data = [x, out]
        return out

    def backward(self, dout: Any) -> Any:
        """Go back."""
        returned = self.layer.backward(dout)
        self._data += [dout, returned]
        return returned

    def is_as_it_was(self) -> bool:
        """Whether it has the attributes and the parameters that it had, and no layer is in an attribute."""
        kept = vars(self.layer)
        return (
            tuple(kept) == self._names
            and all(kept[name] is array for name, array in self._parameters)
            and all(type(value) in HOLD_NOTHING for value in kept.values())
        )

    def has_passed(self) -> bool:
        """The same at the end of a pass, which is forgotten: whether no parameter went through it, either."""
        data, self._data = self._data, []
        if not self.is_as_it_was():
            return False
        return not any(shares(array, one) for _, array in self._parameters for one in data)


def settled(layer: Any, parameters: list[str]) -> SettledLayer | None:
    """A layer that has these parameters, if nothing else of it can be one; else None."""
    if isinstance(layer, Layer):  # it may count
        return None
    names = names_of_candidates(layer)
    if names is None or sorted(names) != sorted(parameters):
        return None
    one = SettledLayer(layer, parameters)
    return one if one.is_as_it_was() else None
