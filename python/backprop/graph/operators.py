"""Arithmetic on nodes: Python's operators, and NumPy's functions where they have a node."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np

# The functions of backprop.graph by their names; functions.py, which is above this module, puts them here.
NODE_FUNCTIONS: dict[str, Callable[..., Any]] = {}
# What NumPy calls them.
UFUNCS = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "true_divide": "divide",
    "negative": "negative",
    "power": "power",
    "float_power": "power",
    "square": "square",
    "sqrt": "sqrt",
    "reciprocal": "reciprocal",
    "exp": "exp",
    "log": "log",
    "tanh": "tanh",
    "maximum": "maximum",
    "matmul": "matmul",
}


# And of those that are no universal functions.
FUNCTIONS = {"sum": "sum", "max": "max", "amax": "max", "mean": "mean", "dot": "matmul"}
KNOWN = ", ".join(f"np.{name}" for name in (*UFUNCS, *FUNCTIONS))


class Operators:
    """What makes `z = (x + y) ** 2` a graph."""

    __slots__ = ()

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Self:
        """Answer `np.exp(node)`, and `array * node` with a node rather than an array of nodes."""
        name = UFUNCS.get(ufunc.__name__)
        if method != "__call__" or options or name is None:
            called = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
            raise TypeError(f"{called} has no node, or not with these arguments; there are {KNOWN}")
        return self._made(name, *inputs)

    def __array_function__(self, function: Any, types: Any, inputs: Any, options: dict[str, Any]) -> Self:
        """Answer `np.sum(node)`; what has no node is refused, where NumPy would make an array of nodes."""
        name = FUNCTIONS.get(function.__name__)
        if name is None or not options.keys() <= {"axis", "keepdims"}:
            raise TypeError(
                f"np.{function.__name__} has no node, or not with these arguments; there are {KNOWN}"
            )
        return self._made(name, *inputs, **options)

    def __array__(self, *arguments: Any, **options: Any) -> Any:
        """Refuse to be an element of an array."""
        raise TypeError(f"{self!r} is a node of a graph, which is no array; its value is one")

    def _made(self, name: str, *operands: Any, **options: Any) -> Self:
        node: Self = NODE_FUNCTIONS[name](*operands, **options)
        return node

    def __add__(self, other: Any) -> Self:
        return self._made("add", self, other)

    def __radd__(self, other: Any) -> Self:
        return self._made("add", other, self)

    def __sub__(self, other: Any) -> Self:
        return self._made("subtract", self, other)

    def __rsub__(self, other: Any) -> Self:
        return self._made("subtract", other, self)

    def __mul__(self, other: Any) -> Self:
        return self._made("multiply", self, other)

    def __rmul__(self, other: Any) -> Self:
        return self._made("multiply", other, self)

    def __truediv__(self, other: Any) -> Self:
        return self._made("divide", self, other)

    def __rtruediv__(self, other: Any) -> Self:
        return self._made("divide", other, self)

    def __pow__(self, other: Any) -> Self:
        return self._made("power", self, other)

    def __rpow__(self, other: Any) -> Self:
        return self._made("power", other, self)

    def __matmul__(self, other: Any) -> Self:
        return self._made("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Self:
        return self._made("matmul", other, self)

    def __neg__(self) -> Self:
        return self._made("negative", self)

    def __pos__(self) -> Self:
        return self

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Self:
        """Sum over axes, as `backprop.graph.sum`."""
        return self._made("sum", self, axis, keepdims)

    def max(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Self:
        """Maximum over axes, as `backprop.graph.max`."""
        return self._made("max", self, axis, keepdims)

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Self:
        """Mean over axes, as `backprop.graph.mean`."""
        return self._made("mean", self, axis, keepdims)

    def __bool__(self) -> bool:
        raise TypeError("a node has no truth; ask its value, or take the larger of two with graph.maximum")


assert all(hasattr(np, name) for name in (*UFUNCS, *FUNCTIONS))
