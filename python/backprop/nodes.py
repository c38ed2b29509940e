"""The nodes of a computational graph, sections 0085 to 0087 and 0089: scalars or arrays, with broadcasting.

`forward` takes values, `backward` the gradient of the output and gives the gradient of each input in its shape:
where an input was broadcast, the gradients that meet in it are summed. Scalars in, scalars out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._arrays import Array, floats, remembered, same_shape
from bpcore import kernels


def _rows(array: Array, shape: tuple[int, ...]) -> Array:
    """`array` broadcast to `shape`, seen as a matrix, without a copy where strides allow."""
    return np.broadcast_to(array, shape).reshape(-1, shape[-1] if shape else 1)


def _combine(kernel: Callable[..., None], x: Array, y: Array, shape: tuple[int, ...]) -> Array:
    out = np.empty(shape, dtype=x.dtype)
    if out.size:
        kernel(_rows(x, shape), _rows(y, shape), out.reshape(-1, shape[-1] if shape else 1))
    return out[()]


def _sum_to(dout: Array, shape: tuple[int, ...]) -> Array:
    """Sum `dout` over the axes along which an input of `shape` was broadcast."""
    new = dout.ndim - len(shape)
    summed = [axis for axis in range(dout.ndim) if axis < new or shape[axis - new] != dout.shape[axis]]
    if not summed:
        return dout.copy()[()]
    moved = np.moveaxis(dout, summed, range(len(summed)))
    terms = int(np.prod(moved.shape[: len(summed)]))
    out = np.empty(int(np.prod(shape)), dtype=dout.dtype)
    kernels.sum_rows(np.ascontiguousarray(moved).reshape(terms, out.size), out)
    return out.reshape(shape)[()]


def _broadcast(owner: str, x: Array, y: Array) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise ValueError(f"{owner}: x has shape {x.shape}, y has {y.shape}; they do not broadcast") from None


class Add:
    """Addition node: `out = x + y`; the gradient passes through to both."""

    def __init__(self) -> None:
        self._shapes: tuple[tuple[int, ...], ...] | None = None

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return `x + y`."""
        x, y = floats("Add.forward", x=x, y=y)
        shape = _broadcast("Add.forward", x, y)
        self._shapes = (x.shape, y.shape, shape)
        return _combine(kernels.add, x, y, shape)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy)`: `dout` for each."""
        x_shape, y_shape, shape = remembered("Add.backward", self._shapes)
        (dout,) = floats("Add.backward", dout=dout)
        same_shape("Add.backward", dout, shape)
        return _sum_to(dout, x_shape), _sum_to(dout, y_shape)


class Multiply:
    """Multiplication node: `out = x·y`; the gradient of each input is `dout` times the other one.

    Attributes
    ----------
    x, y : ndarray or None
        The last inputs.
    """

    def __init__(self) -> None:
        self.x: Any = None
        self.y: Any = None

    def forward(self, x: ArrayLike, y: ArrayLike) -> Any:
        """Return `x·y`."""
        x, y = floats("Multiply.forward", x=x, y=y)
        shape = _broadcast("Multiply.forward", x, y)
        self.x, self.y = x[()], y[()]
        return _combine(kernels.multiply, x, y, shape)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dy) = (dout·y, dout·x)`."""
        remembered("Multiply.backward", self.x)
        dout, x, y = floats("Multiply.backward", dout=dout, x=self.x, y=self.y)
        shape = _broadcast("Multiply.backward", x, y)
        same_shape("Multiply.backward", dout, shape)
        dx = np.asarray(_combine(kernels.multiply, dout, y, shape))
        dy = np.asarray(_combine(kernels.multiply, dout, x, shape))
        return _sum_to(dx, x.shape), _sum_to(dy, y.shape)


class _Unary:
    """A node with one input that needs its output to go back."""

    def __init__(self) -> None:
        self.out: Any = None

    def _forward(self, kernel: Callable[..., None], x: ArrayLike) -> Any:
        (x,) = floats(f"{type(self).__name__}.forward", x=x)
        out = np.empty_like(x)
        kernel(x.reshape(-1), out.reshape(-1))
        self.out = out[()]
        return self.out

    def _remembered(self, dout: ArrayLike) -> tuple[Array, Array]:
        owner = f"{type(self).__name__}.backward"
        remembered(owner, self.out)
        dout, out = floats(owner, dout=dout, out=self.out)
        same_shape(owner, dout, out.shape)
        return dout, out


class Exp(_Unary):
    """Exponential node: `out = exp(x)`; `dx = dout·out`."""

    def forward(self, x: ArrayLike) -> Any:
        """Return `exp(x)`."""
        return self._forward(kernels.exp, x)

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx = dout·out`."""
        dout, out = self._remembered(dout)
        return _combine(kernels.multiply, dout, out, out.shape)


class Reciprocal(_Unary):
    """Division node of section 0089: `out = 1 / x`; `dx = -dout·out²`."""

    def forward(self, x: ArrayLike) -> Any:
        """Return `1 / x`."""
        return self._forward(kernels.reciprocal, x)

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx = -dout·out²`."""
        dout, out = self._remembered(dout)
        dx = np.empty_like(dout)
        kernels.reciprocal_backward(dout.reshape(-1), out.reshape(-1), dx.reshape(-1))
        return dx[()]


class SigmoidOfNodes:
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
