"""Nodes of one input, element by element: exp, log, powers, 1/x, and the sigmoid made of nodes."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, number, require_cache, same_shape
from backprop._util.messages import short_number
from backprop.layers.base import Operation
from backprop.nodes.arithmetic import Add, Multiply
from backprop.nodes.broadcasting import combined
from bpcore import kernels

# Powers to larger whole numbers have more than 12 roundings as products.
MOST_FACTORS = 64


class _Unary(Operation):
    """A node with one input that needs its output to go back."""

    def __init__(self) -> None:
        self.out: Any = None

    def _forward(self, kernel: Callable[..., None], x: ArrayLike) -> Any:
        (x,) = floats(f"{type(self).__name__}.forward", x=x)
        out = np.empty_like(x)
        kernel(x.reshape(-1), out.reshape(-1))
        self.out = out[()]
        return self.out

    def _cached(self, dout: ArrayLike) -> tuple[Array, Array]:
        owner = f"{type(self).__name__}.backward"
        require_cache(owner, self.out)
        dout, out = floats(owner, dout=dout, out=self.out)
        same_shape(owner, dout, out.shape)
        return dout, out


class Exp(_Unary):
    """Exponential node: `out = exp(x)`; `dx = dout·out`."""

    symbol, derivatives = "exp", ("{d}·{out}",)

    def forward(self, x: ArrayLike) -> Any:
        """Return `exp(x)`."""
        return self._forward(kernels.exp, x)

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx = dout·out`."""
        dout, out = self._cached(dout)
        return combined(kernels.multiply, dout, out, out.shape)


class Reciprocal(_Unary):
    """Division node of section 0089: `out = 1 / x`; `dx = -dout·out²`."""

    symbol, derivatives = "1÷", ("{d}·(−{out}²)",)

    def forward(self, x: ArrayLike) -> Any:
        """Return `1 / x`."""
        return self._forward(kernels.reciprocal, x)

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx = -dout·out²`."""
        dout, out = self._cached(dout)
        dx = np.empty_like(dout)
        kernels.reciprocal_backward(dout.reshape(-1), out.reshape(-1), dx.reshape(-1))
        return dx[()]


class Log(Operation):
    """Natural logarithm node: `out = log(x)`; `dx = dout / x`. Below 0 it is NaN, at 0 it is −inf, without a warning.

    Attributes
    ----------
    x : ndarray or None
        The last input.
    """

    symbol, derivatives = "log", ("{d}·1/{x}",)

    def __init__(self) -> None:
        self.x: Any = None

    def forward(self, x: ArrayLike) -> Any:
        """Return `log(x)`."""
        (x,) = floats("Log.forward", x=x)
        out = np.empty_like(x)
        kernels.log(x.reshape(-1), out.reshape(-1))
        self.x = x[()]
        return out[()]

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx = dout / x`."""
        require_cache("Log.backward", self.x)
        dout, x = floats("Log.backward", dout=dout, x=self.x)
        same_shape("Log.backward", dout, x.shape)
        with np.errstate(all="ignore"):
            return np.divide(dout, x)


class Power(Operation):
    """Power node with a fixed exponent, section 0085: `out = xⁿ`; `dx = dout·n·xⁿ⁻¹`.

    Parameters
    ----------
    exponent : float
        n. Powers to whole numbers up to 64 are products, and roots of 2 are square roots, so their bits are the same
        on every system; those of others are the C library's.

    Attributes
    ----------
    x : ndarray or None
        The last input.
    """

    def __init__(self, exponent: float) -> None:
        self.exponent = number("Power", "exponent", exponent)
        self.x: Any = None

    def forward(self, x: ArrayLike) -> Any:
        """Return `xⁿ`."""
        (x,) = floats("Power.forward", x=x)
        self.x = x[()]
        return power(x, self.exponent)[()]

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx = dout·n·xⁿ⁻¹`."""
        require_cache("Power.backward", self.x)
        dout, x = floats("Power.backward", dout=dout, x=self.x)
        same_shape("Power.backward", dout, x.shape)
        if self.exponent == 0:  # where x is 0, 0·x⁻¹ would be NaN
            return np.zeros_like(dout)[()]
        with np.errstate(all="ignore"):
            return np.multiply(dout * dout.dtype.type(self.exponent), power(x, self.exponent - 1))

    @property
    def symbol(self) -> str:  # type: ignore[override]  # it shows the exponent
        """What stands in the circle of a drawn graph."""
        return f"**{short_number(self.exponent)}"

    @property
    def derivatives(self) -> tuple[str]:  # type: ignore[override]  # likewise
        """What `backward` passes to x, as a text."""
        n = self.exponent
        simple = {0.0: "0", 1.0: "1", 2.0: "2{x}"}
        factor = f"{short_number(n)}·{{x}}**{short_number(n - 1)}"
        return (f"{{d}}·{simple.get(n, f'({factor})' if n < 0 else factor)}",)

    def __repr__(self) -> str:
        return f"Power({self.exponent:g})"


def power(x: Array, n: float) -> Array:
    """`xⁿ` in the type of x, as `Power` says."""
    with np.errstate(all="ignore"):
        if n == 0.5:
            return np.asarray(np.sqrt(x))
        if not n.is_integer() or abs(n) > MOST_FACTORS:
            return np.asarray(np.power(x, x.dtype.type(n)))
        out, square, left = np.ones_like(x), x, abs(int(n))
        while left:
            if left & 1:
                out = out * square
            left >>= 1
            square = square * square if left else square
        return np.asarray(out if n >= 0 else 1 / out)


class SigmoidOfNodes(Operation):
    """The sigmoid as section 0089 derives it, from the nodes ×, exp, + and ÷.

    It teaches; `Sigmoid` computes. Far below zero exp(-x) overflows here and the gradient is lost (0·∞).
    """

    def __init__(self) -> None:
        self.multiply, self.exp, self.add, self.divide = Multiply(), Exp(), Add(), Reciprocal()

    def forward(self, x: ArrayLike) -> Any:
        """Return `1 / (1 + exp(-x))`."""
        return self.divide.forward(self.add.forward(1.0, self.exp.forward(self.multiply.forward(x, -1.0))))

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx`, the chain rule through the four nodes."""
        _, d_exp = self.add.backward(self.divide.backward(dout))
        dx, _ = self.multiply.backward(self.exp.backward(d_exp))
        return dx
