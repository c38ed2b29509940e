"""Nodes of two inputs, element by element with broadcasting: + − × ÷ and the larger of two."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import floats, require_cache, same_shape
from backprop.layers.base import Operation
from backprop.nodes.broadcasting import combined, common_shape, sum_to
from bpcore import kernels


class Add(Operation):
    """Addition node: `out = x + y`; the gradient passes through to both."""

    symbol, derivatives, broadcasts = "+", ("{d}·1", "{d}·1"), True

    def __init__(self) -> None:
        self._shapes: tuple[tuple[int, ...], ...] | None = None

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return `x + y`."""
        x, y = floats("Add.forward", x=x, y=y)
        shape = common_shape("Add.forward", x, y)
        self._shapes = (x.shape, y.shape, shape)
        return combined(kernels.add, x, y, shape)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy)`: `dout` for each."""
        x_shape, y_shape, shape = require_cache("Add.backward", self._shapes)
        (dout,) = floats("Add.backward", dout=dout)
        same_shape("Add.backward", dout, shape)
        return sum_to(dout, x_shape), sum_to(dout, y_shape)


class Multiply(Operation):
    """Multiplication node: `out = x·y`; the gradient of each input is `dout` times the other one.

    Attributes
    ----------
    x, y : ndarray or None
        The last inputs.

    Examples
    --------
    >>> node = bp.Multiply()
    >>> float(node.forward(10, 5))
    50.0
    >>> [float(gradient) for gradient in node.backward(1.3)]
    [6.5, 13.0]
    """

    symbol, derivatives, broadcasts = "×", ("{d}·{y}", "{d}·{x}"), True

    def __init__(self) -> None:
        self.x: Any = None
        self.y: Any = None

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return `x·y`."""
        x, y = floats("Multiply.forward", x=x, y=y)
        shape = common_shape("Multiply.forward", x, y)
        self.x, self.y = x[()], y[()]
        return combined(kernels.multiply, x, y, shape)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy) = (dout·y, dout·x)`."""
        require_cache("Multiply.backward", self.x)
        dout, x, y = floats("Multiply.backward", dout=dout, x=self.x, y=self.y)
        shape = common_shape("Multiply.backward", x, y)
        same_shape("Multiply.backward", dout, shape)
        dx = np.asarray(combined(kernels.multiply, dout, y, shape))
        dy = np.asarray(combined(kernels.multiply, dout, x, shape))
        return sum_to(dx, x.shape), sum_to(dy, y.shape)


class Subtract(Operation):
    """Subtraction node: `out = x - y`; the gradient passes to x, and with its sign turned to y."""

    symbol, derivatives, broadcasts = "−", ("{d}·1", "{d}·(−1)"), True

    def __init__(self) -> None:
        self._shapes: tuple[tuple[int, ...], ...] | None = None

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return `x - y`."""
        x, y = floats("Subtract.forward", x=x, y=y)
        shape = common_shape("Subtract.forward", x, y)
        self._shapes = (x.shape, y.shape, shape)
        return combined(kernels.add, x, -y, shape)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy) = (dout, -dout)`."""
        x_shape, y_shape, shape = require_cache("Subtract.backward", self._shapes)
        (dout,) = floats("Subtract.backward", dout=dout)
        same_shape("Subtract.backward", dout, shape)
        return sum_to(dout, x_shape), -sum_to(dout, y_shape)


class Divide(Operation):
    """Division node: `out = x / y`. A division by 0 gives what IEEE 754 says, without a warning.

    Attributes
    ----------
    x, y : ndarray or None
        The last inputs.
    """

    symbol, derivatives, broadcasts = "÷", ("{d}·1/{y}", "{d}·(−{x}/{y}²)"), True

    def __init__(self) -> None:
        self.x: Any = None
        self.y: Any = None

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return `x / y`."""
        x, y = floats("Divide.forward", x=x, y=y)
        common_shape("Divide.forward", x, y)
        self.x, self.y = x[()], y[()]
        with np.errstate(all="ignore"):
            return np.divide(x, y)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy) = (dout / y, -dout·x / y²)`."""
        require_cache("Divide.backward", self.x)
        dout, x, y = floats("Divide.backward", dout=dout, x=self.x, y=self.y)
        same_shape("Divide.backward", dout, common_shape("Divide.backward", x, y))
        with np.errstate(all="ignore"):
            dx = np.asarray(dout / y)
            dy = np.asarray(-dx * (x / y))
        return sum_to(dx, x.shape), sum_to(dy, y.shape)


class PowerOf(Operation):
    """Power node whose exponent is an input too: `out = xⁿ`; `dx = dout·n·xⁿ⁻¹`, `dn = dout·out·log(x)`.

    Powers are the C library's, whose last bits differ between systems. Below 0 only whole exponents have a power, and
    no derivative by the exponent: it is NaN there, and 0 where x is 0 and n above it.

    Attributes
    ----------
    x, n : ndarray or None
        The last inputs.
    """

    symbol, broadcasts = "**", True
    derivatives = ("{d}·{n}·{x}**({n}−1)", "{d}·{out}·log {x}")

    def __init__(self) -> None:
        self.x: Any = None
        self.n: Any = None

    def forward(self, x: ArrayLike, n: ArrayLike) -> Any:
        """Return `xⁿ`."""
        x, n = floats("PowerOf.forward", x=x, n=n)
        common_shape("PowerOf.forward", x, n)
        self.x, self.n = x[()], n[()]
        with np.errstate(all="ignore"):
            return np.power(x, n)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dn)`."""
        require_cache("PowerOf.backward", self.x)
        dout, x, n = floats("PowerOf.backward", dout=dout, x=self.x, n=self.n)
        same_shape("PowerOf.backward", dout, common_shape("PowerOf.backward", x, n))
        with np.errstate(all="ignore"):
            slope = np.where(n == 0, 0, n * np.power(x, n - 1))
            growth = np.where((x == 0) & (n > 0), 0, np.power(x, n) * np.log(x))
            return sum_to(np.asarray(dout * slope), x.shape), sum_to(np.asarray(dout * growth), n.shape)


class Maximum(Operation):
    """The larger of two, `out = max(x, y)`: it has the gradient; equal ones have half each. NaN counts as larger.

    Attributes
    ----------
    larger, equal : ndarray of bool or None
        Where the last x was the larger one, and where both were the same.
    """

    symbol, derivatives, broadcasts = "max", ("{d}·({x}>{y})", "{d}·({y}>{x})"), True

    def __init__(self) -> None:
        self.larger: Any = None
        self.equal: Any = None
        self._shapes: tuple[tuple[int, ...], ...] = ()

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return the elementwise maximum."""
        x, y = floats("Maximum.forward", x=x, y=y)
        common_shape("Maximum.forward", x, y)
        self._shapes = x.shape, y.shape
        self.equal = np.asarray((x == y) | (np.isnan(x) & np.isnan(y)))
        self.larger = np.asarray((x > y) | (np.isnan(x) & ~np.isnan(y)))
        return np.maximum(x, y)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy)`: `dout` where that input is the larger one, half of it where they are equal."""
        larger = require_cache("Maximum.backward", self.larger)
        (dout,) = floats("Maximum.backward", dout=dout)
        same_shape("Maximum.backward", dout, larger.shape)
        share = larger + dout.dtype.type(0.5) * self.equal
        x_shape, y_shape = self._shapes
        return sum_to(np.asarray(dout * share), x_shape), sum_to(np.asarray(dout * (1 - share)), y_shape)
