"""Computational graphs, sections 0084 to 0091: written as arithmetic, differentiated by the chain rule, drawn.

>>> from backprop import graph
>>> apple, count = graph.variable(100, "apple"), graph.variable(2, "count")
>>> price = apple * count * 1.1
>>> price.backward()
>>> price, apple, count
(<× = 220, grad 1>, <apple = 100, grad 2.2>, <count = 2, grad 110>)

`price.draw("price.svg")` draws it. The nodes are the layers and nodes of this package, so what is learnt here about
them holds there; it is for graphs of dozens of nodes that one looks at, a `Network` is what trains.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from backprop._util.names import suggesting_getattr
from backprop.graph import checked as checked
from backprop.graph.drawing import Drawing
from backprop.graph.functions import (
    add,
    affine,
    apply,
    constant,
    divide,
    exp,
    layer_functions,
    log,
    matmul,
    max,  # noqa: A004
    maximum,
    mean,
    multiply,
    negative,
    power,
    reciprocal,
    sqrt,
    square,
    subtract,
    sum,  # noqa: A004
    variable,
)
from backprop.graph.networks import from_network
from backprop.graph.node import Node

__all__ = [
    "Drawing",
    "Node",
    "add",
    "affine",
    "apply",
    "constant",
    "divide",
    "exp",
    "from_network",
    "log",
    "matmul",
    "max",
    "maximum",
    "mean",
    "multiply",
    "negative",
    "power",
    "reciprocal",
    "sqrt",
    "square",
    "subtract",
    "sum",
    "variable",
]
# relu, softmax, softmax_cross_entropy and so on: one of each activation, function of rows and loss.
globals().update(layer_functions())
__all__ += layer_functions()

if TYPE_CHECKING:

    def __getattr__(name: str) -> Callable[..., Node]:
        """The functions of activations and losses."""

else:
    __getattr__ = suggesting_getattr(__name__, __all__, "GRAPH")
