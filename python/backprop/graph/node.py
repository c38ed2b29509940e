"""A node of a computational graph: a value that knows what it was computed from.

a) A leaf holds what it was given. Every other node holds an operation, which is a layer or node class of this package
   or anyone's (`forward(*inputs)`, `backward(dout)`), and the nodes that go in.
b) Values are never stale: where a leaf gets another one, what depends on it is computed anew when it is next looked at.
   Arrays are read-only, so that they change in no other way; only what an operation keeps for itself, as `Affine` does,
   can be changed behind its back.
c) A gradient is None until it is computed, and again when it no longer belongs to the values: all gradients of a graph
   are those of the output on which `backward` was called last.
d) A graph is for one thread at a time.
"""

import copy
import html
import os
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from backprop.graph import chain
from backprop.graph.base import BaseNode, order
from backprop.graph.operators import Operators
from backprop.graph.texts import number_text, operation_text, readable_name
from backprop.graph.values import fixed, leaf_value

if TYPE_CHECKING:
    from backprop.graph.drawing import Drawing

# A notebook draws a graph of at most that many nodes by itself.
MOST_DRAWN = 300


class Node(Operators, BaseNode):
    """One value in a computational graph; made by `variable`, by arithmetic and by the functions of `backprop.graph`.

    Attributes
    ----------
    value : float or read-only ndarray
        Of a leaf it can be set; what depends on it is then computed anew.
    grad : float, ndarray or None
        Derivative of the output on which `backward` was called last by this value, in its shape; None where it was not
        computed or no longer belongs to the values.
    name : str or None
        Shown in drawings; can be set.
    operation : object or None
        What computed the value; None of a leaf.
    inputs : tuple of Node
        What it was computed from.
    consumers : weak set of Node
        What was computed from it, as long as somebody has that.
    constant : bool
        Whether it is a leaf that has no gradient.
    flows : tuple or None
        What the last `backward` passed on to each of `inputs`; where paths meet `grad` is their sum.
    """

    __slots__ = ()

    @property
    def value(self) -> Any:
        """The number or array, computed anew if something that it depends on has changed."""
        return super().value

    @value.setter
    def value(self, value: ArrayLike) -> None:
        if self.operation is not None:
            raise AttributeError(
                f"{self!r} is computed from its inputs, whose values can be set; its own cannot"
            )
        new = leaf_value("graph", value, labels=self.constant)
        if np.shape(new) != self.shape:
            raise ValueError(f"value has shape {np.shape(new)}, {self!r} has {self.shape}")
        # A number that took the type of the arrays beside it still does; anything else keeps its own.
        old = self._value
        self._value = float(new) if type(old) is float else fixed(np.asarray(new, dtype=old.dtype))
        chain.outdate(self)

    def backward(self, gradient: ArrayLike = 1) -> None:
        """Apply the chain rule from here back to the leaves, once through each node.

        Afterwards every node that leads here has its `grad`; those of the same graph that do not, have None.

        Parameters
        ----------
        gradient : float or array, default 1
            Derivative of some final quantity by this value: a number, or an array of this value's shape. With 1 it is
            this value that is differentiated, and of an array its sum.

        Raises
        ------
        ValueError
            `gradient` has another shape, or an operation gave back a gradient of another shape than its input's.
        """
        chain.backward(self, gradient)

    def draw(self, path: str | os.PathLike[str] | None = None, *, symbols: bool | str = False) -> "Drawing":
        """Draw what leads here: values above the edges, gradients below them where they were computed.

        Parameters
        ----------
        path : path, optional
            Where to write it: `.svg`, `.dot` (Graphviz) or `.mmd` (Mermaid).
        symbols : bool or str, default False
            Label edges by names and derivatives instead of numbers; a str names the quantity that is differentiated,
            by default the node on which `backward` was called.

        Returns
        -------
        Drawing
            Which notebooks display.
        """
        from backprop.graph.drawing import draw

        return draw(self, path, symbols)

    def frames(
        self, folder: str | os.PathLike[str] | None = None, *, symbols: bool | str = False
    ) -> "list[Drawing]":
        """Draw it step by step, first forward, then (where gradients were computed) backward.

        Parameters
        ----------
        folder : path, optional
            An existing folder; `frame-01.svg`, `frame-02.svg`, … are written into it.
        symbols : bool or str, default False
            As in `draw`.

        Returns
        -------
        list of Drawing
            All of one size, with everything in the same place.
        """
        from backprop.graph.drawing import frames

        return frames(self, folder, symbols)

    def _repr_html_(self) -> str:
        count = len(order(self))
        if count > MOST_DRAWN:
            return f"{html.escape(repr(self))}, {count} nodes; draw() draws them"
        return self.draw()._repr_html_()

    def __repr__(self) -> str:
        what = readable_name(self.name) or ("constant" if self.constant else operation_text(self.operation))
        parts = [f"{what or 'variable'} = {'?' if self._value is None else number_text(self._value)}"]
        if self.grad is not None:
            parts.append(f"grad {number_text(self.grad)}")
        return f"<{', '.join(parts)}>"

    def __format__(self, specification: str) -> str:
        """`f"{node:.3f}"` formats the value."""
        return format(self.value, specification) if specification else repr(self)

    def __copy__(self) -> "Node":
        """Make another node over the same inputs."""
        operation = copy.copy(self.operation)
        return type(self)(self.value, operation, self.inputs, name=self.name, constant=self.constant)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Node":
        """Copy what leads here; without recursion, since graphs may be deep."""
        return chain.copied(self, memo)

    def __reduce__(self) -> Any:
        """Refuse to be pickled."""
        raise TypeError(
            "a node of a graph cannot be pickled; keep the values of its leaves, and write it again"
        )
