"""The data of a node of a computational graph, and the order in which nodes depend on each other.

Everything else in this package is about these: the chain rule, texts, drawings, and `Node`, which adds arithmetic.
"""

import weakref
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from backprop.graph.values import fixed, output_value

N = TypeVar("N", bound="BaseNode")


class BaseNode:
    """A value that knows what it was computed from; see `Node`."""

    __slots__ = (
        "__weakref__",
        "_name",
        "_output",
        "_value",
        "constant",
        "consumers",
        "flows",
        "grad",
        "inputs",
        "operation",
    )

    def __init__(
        self,
        value: Any,
        operation: Any = None,
        inputs: Sequence["BaseNode"] = (),
        *,
        name: str | None = None,
        constant: bool = False,
    ) -> None:
        self._value = fixed(value)
        self.operation = operation
        self.inputs = tuple(inputs)
        self.name = name
        self.constant = constant
        self.grad: Any = None
        self.flows: tuple[Any, ...] | None = None
        self._output: weakref.ref[BaseNode] | None = None
        self.consumers: weakref.WeakSet[BaseNode] = weakref.WeakSet()
        for node in self.inputs:
            node.consumers.add(self)

    @property
    def name(self) -> str | None:
        """What drawings call it."""
        return self._name

    @name.setter
    def name(self, name: str | None) -> None:
        if name is not None and not isinstance(name, str):
            raise TypeError(f"name is a {type(name).__name__}, wanted a str or None")
        self._name = name

    @property
    def value(self) -> Any:
        """The number or array, computed anew if something that it depends on has changed."""
        if self._value is None:
            for node in order(self):
                if node._value is None:
                    returned = node.operation.forward(*(one._value for one in node.inputs))
                    node._value = output_value(node.operation, returned)
        return self._value

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value; () for a number."""
        return np.shape(self.value)

    @property
    def differentiated(self) -> "BaseNode | None":
        """The node whose derivative `grad` is, the one on which `backward` was called; None if there is no `grad`."""
        return None if self.grad is None or self._output is None else self._output()


def order(output: N) -> list[N]:
    """Every node that leads to `output`, once, inputs before what is computed from them; `output` is last."""
    done: list[Any] = []
    seen = set()
    stack: list[tuple[Any, bool]] = [(output, False)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            done.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((one, False) for one in reversed(node.inputs) if one not in seen)
    return done


def consumers_within(nodes: list[BaseNode]) -> dict[BaseNode, list[tuple[BaseNode, int]]]:
    """Of each node, by which others of these it is used, and as which of their inputs."""
    consumers: dict[BaseNode, list[tuple[BaseNode, int]]] = {node: [] for node in nodes}
    for node in nodes:
        for n, one in enumerate(node.inputs):
            consumers[one].append((node, n))
    return consumers
