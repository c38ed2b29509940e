"""What drawings and reprs say of values, operations and derivatives."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from backprop.graph.node import Node

# Arrays of one dimension up to this length are shown by their numbers, others by their shape.
SHOWN = 3

OPERATORS = {
    "Add": "+",
    "Subtract": "−",
    "Multiply": "×",
    "Divide": "÷",
    "Reciprocal": "1÷",
    "Dot": "dot",
    "Exp": "exp",
    "Log": "log",
    "Maximum": "max",
    "Sum": "Σ",
    "Max": "max",
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "AffineOf": "Affine",
}


def number_text(value: Any) -> str:
    """`715` of 715.0, `(100, 784)` of a matrix, `[0.3 0.2 0.5]` of a short vector; − as minus."""
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(array)
    if array.ndim == 1 and len(array) <= SHOWN:
        return f"[{' '.join(map(_number, array))}]"
    return str(array.shape)


def _number(value: Any) -> str:
    return f"{value + 0.0:.5g}".replace("-", "−")  # −0 + 0 is 0


def operation_text(operation: Any) -> str:
    """What stands in the circle; empty of a leaf."""
    if operation is None:
        return ""
    kind = type(operation).__name__
    if kind == "Power":
        return f"**{operation.exponent:g}".replace("-", "−")
    return OPERATORS.get(kind, kind)


# Of each operation the local derivative by each input, from the names of its inputs and of its output.
RULES: dict[str, Callable[..., tuple[str, ...]]] = {
    "Add": lambda out, x, y: ("1", "1"),
    "Subtract": lambda out, x, y: ("1", "(−1)"),
    "Multiply": lambda out, x, y: (y, x),
    "Divide": lambda out, x, y: (f"1/{y}", f"(−{x}/{y}²)"),
    "Reciprocal": lambda out, x: (f"(−{out}²)",),
    "Exp": lambda out, x: (out,),
    "Log": lambda out, x: (f"1/{x}",),
    "Maximum": lambda out, x, y: (f"({x}>{y})", f"({y}>{x})"),
    "Sum": lambda out, x: ("1",),
    "Relu": lambda out, x: (f"({x}>0)",),
    "Sigmoid": lambda out, x: (f"{out}(1−{out})",),
    "Tanh": lambda out, x: (f"(1−{out}²)",),
    "SoftmaxWithLoss": lambda out, x, t: (f"(softmax({x})−{t})/B", ""),
    "IdentityWithLoss": lambda out, x, t: (f"({x}−{t})/B", ""),
}


def local_derivatives(node: "Node") -> tuple[str, ...]:
    """The factors that the chain rule multiplies by, one an input; empty strings where names are missing."""
    unknown = ("",) * len(node.inputs)
    if type(node.operation).__name__ == "Power":
        x, n = symbol(node.inputs[0]), node.operation.exponent
        factor = {1: "1", 2: f"2{x}"}.get(n, f"{n:g}·{x}**{n - 1:g}")
        return (factor.replace("-", "−"),) if x else unknown
    rule = RULES.get(type(node.operation).__name__)
    names = [symbol(node), *map(symbol, node.inputs)]
    return rule(*names) if rule and all(names) else unknown


def symbol(node: "Node") -> str:
    """The name of a node; of a constant without one its value."""
    return node.name or (number_text(node.value) if node.constant else "")


def derivative(of: str, by: str) -> str:
    """`∂z/∂x`; empty if a name is missing."""
    one_word = by.replace("_", "").isalnum()
    return f"∂{of}/∂{by if one_word else f'({by})'}" if of and by else ""


def matrix_derivatives(of: str, node: "Node") -> tuple[str, ...] | None:
    """Whole gradients of a matrix product's inputs, in which the order of the factors matters."""
    names = [symbol(node), *map(symbol, node.inputs)]
    kind = type(node.operation).__name__
    if kind not in ("Dot", "AffineOf") or not all(names) or not of:
        return None
    dout = derivative(of, names[0])
    found = (f"{dout}·{names[2]}ᵀ", f"{names[1]}ᵀ·{dout}")
    return found if kind == "Dot" else (*found, f"Σ {dout}")
