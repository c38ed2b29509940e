"""How a graph's gradients are checked: by all variables that lead to a node."""

import copy
import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop.gradcheck.arguments import OWNER, batch_of
from backprop.gradcheck.subjects import SUBJECTS, Subject
from backprop.graph.base import order
from backprop.graph.node import Node


class GraphSubject(Subject):
    """A node: a function of the variables that lead to it."""

    def __init__(self, output: Node, inputs: tuple[Any, ...], params: Mapping[str, str] | None) -> None:
        if inputs or params is not None:
            raise TypeError(f"{OWNER}: a graph has its own inputs, the variables that lead to the node")
        self.name = self.source = output.name or "graph"
        self.output = copy.deepcopy(output)
        nodes = order(self.output)
        leaves = [node for node in nodes if node.operation is None and not node.constant]
        given = [leaf.name for leaf in leaves if leaf.name]
        if len(set(given)) < len(given):
            raise ValueError(f"{OWNER}: two variables of the graph have the same name")
        free = (name for name in map("x{}".format, itertools.count(1)) if name not in given)
        self.leaves = {leaf.name or next(free): leaf for leaf in leaves}
        self.operations = [node.operation for node in nodes if node.operation is not None]
        self.arrays = {name: np.array(leaf.value, dtype=np.float64) for name, leaf in self.leaves.items()}
        self.batch = batch_of(tuple(self.arrays.values()))

    def forward(self) -> Any:  # noqa: D102
        for name, leaf in self.leaves.items():
            leaf.value = self.arrays[name]
        return self.output.value

    def backward(self, dout: Any) -> dict[str, Any]:  # noqa: D102
        self.output.backward(dout)
        return {name: leaf.grad for name, leaf in self.leaves.items() if leaf.grad is not None}

    def owners(self) -> list[Any]:  # noqa: D102
        return self.operations


SUBJECTS[Node] = GraphSubject
