"""What drawings and reprs say of values, operations and derivatives."""

import re
from typing import Any

import numpy as np

from backprop._util.messages import short_number
from backprop.graph.base import BaseNode
from backprop.layers.base import Operation

# Arrays of one dimension up to this length are shown by their numbers, others by their shape.
MOST_NUMBERS = 3
# Letters of a name that are shown.
MOST_LETTERS = 40
# What XML does not allow: control characters, halves of surrogate pairs, and two code points that are no characters.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def number_text(value: Any) -> str:
    """`715` of 715.0, `(100, 784)` of a matrix, `[0.3 0.2 0.5]` of a short vector; − as minus."""
    array = np.asarray(value)
    if array.ndim == 0:
        return short_number(array)
    if array.ndim == 1 and len(array) <= MOST_NUMBERS:
        return f"[{' '.join(map(short_number, array))}]"
    return str(array.shape)


def readable_name(name: str | None) -> str:
    """A name on one line, not too long, with � for what no file may hold; empty if there is none."""
    words = " ".join(FORBIDDEN.sub("\ufffd", name or "").split())
    return words if len(words) <= MOST_LETTERS else f"{words[: MOST_LETTERS - 1]}…"


def operation_text(operation: Any) -> str:
    """What stands in the circle; empty of a leaf."""
    if operation is None:
        return ""
    sign = operation.symbol if isinstance(operation, Operation) else ""
    return sign or readable_name(type(operation).__name__)


def symbol(node: BaseNode) -> str:
    """The name of a node; of a constant without one its value."""
    return readable_name(node.name) or (number_text(node.value) if node.constant else "")


def as_factor(words: str) -> str:
    """A name as a factor of a product: in brackets if it is more than a word or number."""
    plain = all(character.isalnum() or character in "_." for character in words)
    return words if plain or not words else f"({words})"


def derivative(of: str, by: str) -> str:
    """`∂z/∂x`; empty if a name is missing."""
    return f"∂{as_factor(of)}/∂{as_factor(by)}" if of and by else ""


def gradient_text(final: str, node: BaseNode, n: int) -> str:
    """What a node passes back to its n-th input, as the chain rule's product; empty where a name is missing."""
    d, operation = derivative(final, symbol(node)), node.operation
    out, *inputs = (as_factor(symbol(one)) for one in (node, *node.inputs))
    if (
        not d
        or not out
        or not all(inputs)
        or not isinstance(operation, Operation)
        or not operation.derivatives
        or getattr(operation, "is_weighted", False)
    ):
        return ""
    code = type(operation).forward.__code__  # type: ignore[attr-defined]  # every operation has a forward
    names = dict(zip(code.co_varnames[1:], inputs, strict=False))
    product = operation.derivatives[n].format(d=d, out=out, **names)
    return f"Σ {product}" if operation.broadcasts and node.inputs[n].shape != node.shape else product
