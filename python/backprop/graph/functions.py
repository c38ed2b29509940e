"""The functions that make nodes. Operands that are no nodes become constants, which have no gradient."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop import nodes
from backprop.graph.base import order
from backprop.graph.node import Node
from backprop.graph.operators import NODE_FUNCTIONS
from backprop.graph.values import leaf_value, output_value
from backprop.layers.base import LOSSES
from backprop.layers.base_loss import Loss
from backprop.layers.elementwise import Activation, activations
from backprop.layers.softmax import RowFunction, row_functions
from backprop.nodes.arithmetic import PowerOf
from backprop.nodes.products import AffineOf

Axes = int | tuple[int, ...] | None


def variable(value: ArrayLike, name: str | None = None) -> Node:
    """Make a leaf of a computational graph, something to differentiate by.

    Parameters
    ----------
    value : float or array
        Integers become floating-point numbers. An array is copied.
    name : str, optional
        What drawings call it.

    Returns
    -------
    Node

    Raises
    ------
    TypeError
        The value is no real number or array of them.

    Examples
    --------
    >>> from backprop import graph
    >>> x, y = graph.variable(2, "x"), graph.variable(3, "y")
    >>> z = (x + y) ** 2
    >>> z.backward()
    >>> z, x, y
    (<**2 = 25, grad 1>, <x = 2, grad 10>, <y = 3, grad 10>)
    >>> float(x.grad)
    10.0
    """
    if isinstance(value, Node):
        raise TypeError(
            f"variable: value is the node {value!r}, wanted a number or an array; its value is one"
        )
    return Node(leaf_value("variable", value), name=name)


def constant(value: ArrayLike, name: str | None = None) -> Node:
    """Make a leaf that has no gradient; labels keep their type.

    Parameters
    ----------
    value : float or array
    name : str, optional

    Returns
    -------
    Node
    """
    return Node(leaf_value("constant", value, labels=True), name=name, constant=True)


def as_node(value: Any) -> Node:
    """`value` itself if it is a node, else a constant."""
    return value if isinstance(value, Node) else constant(value)


def apply(layer: Any, *inputs: Any, name: str | None = None) -> Node:
    """Make a node of any layer: one of this package or your own, with `forward(*inputs)` and `backward(dout)`.

    Parameters
    ----------
    layer : object
        A shallow copy of it is used, so it keeps its own memory and may stand in a graph several times. Its `forward`
        gets floats, NumPy numbers and read-only arrays; its `backward` gets a gradient of its own, and returns that
        of its input, or a tuple with one an input, None for those that have none.
    *inputs : Node or array_like
    name : str, optional

    Returns
    -------
    Node

    Raises
    ------
    TypeError
        `layer` is none, or its `forward` returned something else than a number or an array of numbers.
    """
    if isinstance(layer, type):
        raise TypeError(f"apply: layer is the class {layer.__name__}, wanted an object of it")
    if not all(callable(getattr(layer, method, None)) for method in ("forward", "backward")):
        raise TypeError(
            f"apply: layer is a {type(layer).__name__}, wanted something with forward and backward"
        )
    operation, operands = copy.copy(layer), [as_node(value) for value in inputs]
    value = output_value(operation, operation.forward(*(node.value for node in operands)))
    return Node(value, operation, operands, name=name)


def add(x: Any, y: Any) -> Node:
    """`x + y`, section 0086."""
    return apply(nodes.Add(), x, y)


def subtract(x: Any, y: Any) -> Node:
    """`x - y`."""
    return apply(nodes.Subtract(), x, y)


def multiply(x: Any, y: Any) -> Node:
    """`x·y`, section 0087."""
    return apply(nodes.Multiply(), x, y)


def divide(x: Any, y: Any) -> Node:
    """`x / y`; the node of section 0089, `1 / y`, where x is the number 1."""
    if type(x) in (int, float) and x == 1:
        return reciprocal(y)
    return apply(nodes.Divide(), x, y)


def negative(x: Any) -> Node:
    """`-x`, as the notes draw it: `x·(−1)`."""
    return multiply(x, -1.0)


def reciprocal(x: Any) -> Node:
    """`1 / x`."""
    return apply(nodes.Reciprocal(), x)


def power(x: Any, n: Any) -> Node:
    """`xⁿ`. A number n stands in the circle; where n is a node or an array it is an input like x."""
    if isinstance(n, Node) or np.ndim(n):
        return apply(PowerOf(), x, n)
    return apply(nodes.Power(n), x)


def square(x: Any) -> Node:
    """`x²`."""
    return power(x, 2)


def sqrt(x: Any) -> Node:
    """Square root."""
    return power(x, 0.5)


def exp(x: Any) -> Node:
    """`exp(x)`."""
    return apply(nodes.Exp(), x)


def log(x: Any) -> Node:
    """Natural logarithm."""
    return apply(nodes.Log(), x)


def maximum(x: Any, y: Any) -> Node:
    """The larger of two, element by element; equal ones have half the gradient each."""
    return apply(nodes.Maximum(), x, y)


def sum(x: Any, axis: Axes = None, keepdims: bool = False) -> Node:  # noqa: A001
    """Sum over axes, by default all of them."""
    return apply(nodes.Sum(axis, keepdims), x)


def max(x: Any, axis: Axes = None, keepdims: bool = False) -> Node:  # noqa: A001
    """Maximum over axes, by default all of them; equal ones share the gradient."""
    return apply(nodes.Max(axis, keepdims), x)


def mean(x: Any, axis: Axes = None, keepdims: bool = False) -> Node:
    """Mean over axes, by default all of them: a sum, divided by the number of its terms."""
    x = as_node(x)
    total = sum(x, axis, keepdims)
    terms = int(np.size(x.value)) // (int(np.size(total.value)) or 1)
    return divide(total, float(terms))


def matmul(x: Any, W: Any) -> Node:
    """Matrix product `x·W`, of matrices and vectors."""
    return apply(nodes.Dot(), x, W)


def affine(x: Any, W: Any, b: Any) -> Node:
    """`Affine`, section 0090: `x·W + b` for x of shape (B, I), W of (I, O) and b of (O,)."""
    return apply(AffineOf(), x, W, b)


def target(t: Any) -> Node:
    """`t` as a node, if nothing that is differentiated leads to it: losses give no gradient of their targets."""
    node = as_node(t)
    variables = [one for one in order(node) if one.operation is None and not one.constant]
    if variables:
        raise ValueError(
            f"t is {node!r}, of which a loss gives no gradient; make {variables[0]!r} a constant"
        )
    return node


def layer_functions() -> dict[str, Callable[..., Node]]:
    """A function for each activation and function of rows, by its kind, and for each loss, by the name that it says."""
    functions = {kind: _of_activation(cls) for kind, cls in activations().items()}
    functions |= {kind: _of_rows(cls) for kind, cls in row_functions().items()}
    return functions | {
        cls.function: _of_loss(cls) for cls in LOSSES.values() if issubclass(cls, Loss) and cls.function
    }


def _of_activation(cls: type[Activation]) -> Callable[..., Node]:
    def function(x: Any, **options: Any) -> Node:
        return apply(cls(**options), x)

    return _named(function, cls.kind, f"`{cls.__name__}` with its options of each element of x, as one node.")


def _of_rows(cls: type[RowFunction]) -> Callable[..., Node]:
    def function(x: Any) -> Node:
        return apply(cls(), x)

    return _named(function, cls.kind, f"`{cls.__name__}` of each row of x (B, K), as one node.")


def _of_loss(cls: type[Loss]) -> Callable[..., Node]:
    def function(x: Any, t: Any, **options: Any) -> Node:
        return apply(cls(**options), x, target(t))

    parts = getattr(cls, "outputs_per_target", 1)
    what = (
        "scores x (B, K) and labels (B,) or weights (B, K)"
        if cls.classifies
        else f"outputs x (B, {parts if parts > 1 else ''}K) and targets (B, K)"
    )
    return _named(
        function, cls.function, f"`{cls.__name__}` with its options, of {what}, which are constants."
    )


def _named(function: Callable[..., Node], name: str, text: str) -> Callable[..., Node]:
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    return function


NODE_FUNCTIONS |= layer_functions()
NODE_FUNCTIONS |= {
    function.__name__: function
    for function in (
        add, divide, exp, log, matmul, max, maximum, mean,
        multiply, negative, power, reciprocal, sqrt, square, subtract, sum,
    )
}  # fmt: skip
