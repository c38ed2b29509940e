"""What drawings and reprs say of values, operations and derivatives."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop import layers, nodes

if TYPE_CHECKING:
    from backprop.graph.node import Node

# Arrays of one dimension up to this length are shown by their numbers, others by their shape.
MOST_NUMBERS = 3
# Letters of a name that are shown.
MOST_LETTERS = 40
# What XML does not allow: control characters, halves of surrogate pairs, and two code points that are no characters.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

SIGNS: dict[type, str] = {
    nodes.Add: "+",
    nodes.Subtract: "−",
    nodes.Multiply: "×",
    nodes.Divide: "÷",
    nodes.Reciprocal: "1÷",
    nodes.Dot: "dot",
    nodes.AffineOf: "Affine",
    nodes.PowerOf: "**",
    nodes.Exp: "exp",
    nodes.Log: "log",
    nodes.Maximum: "max",
    nodes.Max: "max",
    nodes.Sum: "Σ",
    layers.Relu: "relu",
    layers.Sigmoid: "sigmoid",
    layers.Tanh: "tanh",
}
# Gradients of the inputs, from the gradient d of the output, and the names of the output and of the inputs.
Rule = Callable[..., tuple[str, ...]]
RULES: dict[type, Rule] = {
    nodes.Add: lambda d, out, x, y: (f"{d}·1", f"{d}·1"),
    nodes.Subtract: lambda d, out, x, y: (f"{d}·1", f"{d}·(−1)"),
    nodes.Multiply: lambda d, out, x, y: (f"{d}·{y}", f"{d}·{x}"),
    nodes.Divide: lambda d, out, x, y: (f"{d}·1/{y}", f"{d}·(−{x}/{y}²)"),
    nodes.Reciprocal: lambda d, out, x: (f"{d}·(−{out}²)",),
    nodes.Dot: lambda d, out, x, W: (f"{d}·{W}ᵀ", f"{x}ᵀ·{d}"),
    nodes.AffineOf: lambda d, out, x, W, b: (f"{d}·{W}ᵀ", f"{x}ᵀ·{d}", d),
    nodes.PowerOf: lambda d, out, x, n: (f"{d}·{n}·{x}**({n}−1)", f"{d}·{out}·log {x}"),
    nodes.Exp: lambda d, out, x: (f"{d}·{out}",),
    nodes.Log: lambda d, out, x: (f"{d}·1/{x}",),
    nodes.Maximum: lambda d, out, x, y: (f"{d}·({x}>{y})", f"{d}·({y}>{x})"),
    nodes.Sum: lambda d, out, x: (f"{d}·1",),
    layers.Relu: lambda d, out, x: (f"{d}·({x}>0)",),
    layers.Sigmoid: lambda d, out, x: (f"{d}·{out}(1−{out})",),
    layers.Tanh: lambda d, out, x: (f"{d}·(1−{out}²)",),
    layers.SoftmaxWithLoss: lambda d, out, x, t: (f"{d}·(softmax({x})−{t})/B", ""),
    layers.IdentityWithLoss: lambda d, out, x, t: (f"{d}·({x}−{t})/B", ""),
}
# Of these an input may be smaller than the output: it was broadcast, and its gradients are summed.
BROADCASTING = (
    nodes.Add,
    nodes.Subtract,
    nodes.Multiply,
    nodes.Divide,
    nodes.Maximum,
    nodes.PowerOf,
)


def number_text(value: Any) -> str:
    """`715` of 715.0, `(100, 784)` of a matrix, `[0.3 0.2 0.5]` of a short vector; − as minus."""
    array = np.asarray(value)
    if array.ndim == 0:
        return _number(array)
    if array.ndim == 1 and len(array) <= MOST_NUMBERS:
        return f"[{' '.join(map(_number, array))}]"
    return str(array.shape)


def _number(value: Any) -> str:
    return f"{value + 0.0:.5g}".replace("-", "−")  # −0 + 0 is 0


def readable_name(name: str | None) -> str:
    """A name on one line, not too long, with � for what no file may hold; empty if there is none."""
    words = " ".join(FORBIDDEN.sub("\ufffd", name or "").split())
    return words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"


def operation_text(operation: Any) -> str:
    """What stands in the circle; empty of a leaf."""
    if operation is None:
        return ""
    if type(operation) is nodes.Power:
        return f"**{_number(operation.exponent)}"
    kind = type(operation)
    return SIGNS.get(kind) or readable_name(kind.__name__)


def symbol(node: "Node") -> str:
    """The name of a node; of a constant without one its value."""
    return readable_name(node.name) or (number_text(node.value) if node.constant else "")


def as_factor(words: str) -> str:
    """A name as a factor of a product: in brackets if it is more than a word or number."""
    plain = all(character.isalnum() or character in "_." for character in words)
    return words if plain or not words else f"({words})"


def derivative(of: str, by: str) -> str:
    """`∂z/∂x`; empty if a name is missing."""
    return f"∂{as_factor(of)}/∂{as_factor(by)}" if of and by else ""


def gradient_text(final: str, node: "Node", n: int) -> str:
    """What a node passes back to its n-th input, as the chain rule's product; empty where a name is missing."""
    d = derivative(final, symbol(node))
    names = [as_factor(symbol(one)) for one in (node, *node.inputs)]
    if not d or not all(names):
        return ""
    if type(node.operation) is nodes.Power:
        return f"{d}·{power_rule(names[1], node.operation.exponent)}"
    rule = RULES.get(type(node.operation))
    if rule is None:
        return ""
    product = rule(d, *names)[n]
    summed = type(node.operation) in BROADCASTING and node.inputs[n].shape != node.shape
    return f"Σ {product}" if summed or (type(node.operation) is nodes.AffineOf and n == 2) else product


def power_rule(x: str, n: float) -> str:
    """The derivative of xⁿ."""
    simple = {0.0: "0", 1.0: "1", 2.0: f"2{x}"}
    if n in simple:
        return simple[n]
    factor = f"{_number(n)}·{x}**{_number(n - 1)}"
    return f"({factor})" if n < 0 else factor
