"""Nodes that make fewer numbers of many: sums and maxima over axes."""

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, plural, require_cache, same_shape
from backprop.layers.base import Operation
from backprop.nodes.broadcasting import sum_to

Axes = int | tuple[int, ...] | None


class _Reduction(Operation):
    """Over which axes, and what shapes that gives.

    Parameters
    ----------
    axis : int, tuple of int or None, default None
        Axes that go; None for all.
    keepdims : bool, default False
        Whether they stay with length 1.
    """

    def __init__(self, axis: Axes = None, keepdims: bool = False) -> None:
        self.axis = None if axis is None else _axis(type(self).__name__, axis)
        self.keepdims = bool(keepdims)
        self.x: Any = None

    def _axes(self, x: Array) -> tuple[int, ...]:
        if self.axis is None:
            return tuple(range(x.ndim))
        axes = self.axis if isinstance(self.axis, tuple) else (self.axis,)
        if not all(-x.ndim <= axis < x.ndim for axis in axes) or len({a % x.ndim for a in axes}) < len(axes):
            raise ValueError(
                f"{type(self).__name__}.forward: axis is {self.axis}, x has {plural(x.ndim, 'dimension')}"
            )
        return tuple(axis % x.ndim for axis in axes)

    def _kept(self, x: Array) -> tuple[int, ...]:
        """The shape of the output with the axes kept."""
        axes = self._axes(x)
        return tuple(1 if axis in axes else length for axis, length in enumerate(x.shape))

    def _out_shape(self, x: Array) -> tuple[int, ...]:
        axes = self._axes(x)
        return (
            self._kept(x) if self.keepdims else tuple(n for axis, n in enumerate(x.shape) if axis not in axes)
        )

    def _back(self, dout: ArrayLike) -> tuple[Array, Array]:
        """`dout` with the axes kept, and the last input."""
        owner = f"{type(self).__name__}.backward"
        require_cache(owner, self.x)
        dout, x = floats(owner, dout=dout, x=self.x)
        same_shape(owner, dout, self._out_shape(x))
        return dout.reshape(self._kept(x)), x

    def __repr__(self) -> str:
        return f"{type(self).__name__}(axis={self.axis}, keepdims={self.keepdims})"


def _axis(owner: str, axis: Any) -> int | tuple[int, ...]:
    try:
        return tuple(map(operator.index, axis)) if isinstance(axis, tuple) else operator.index(axis)
    except TypeError:
        raise TypeError(
            f"{owner}: axis is {axis!r}, wanted a whole number, a tuple of them, or None"
        ) from None


class Sum(_Reduction):
    """Sum node over axes, `out = Σ x`; each of its terms has the gradient of the sum.

    Parameters
    ----------
    axis : int, tuple of int or None, default None
        Axes that go; None for all.
    keepdims : bool, default False
        Whether they stay with length 1.

    Attributes
    ----------
    x : ndarray or None
        The last input.
    """

    symbol, derivatives = "Σ", ("{d}·1",)

    def forward(self, x: ArrayLike) -> Any:
        """Return the sum."""
        (x,) = floats("Sum.forward", x=x)
        out = np.asarray(sum_to(x, self._kept(x))).reshape(self._out_shape(x))
        self.x = x[()]
        return out[()]

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx`: `dout` for each term, in x's shape."""
        kept, x = self._back(dout)
        return np.broadcast_to(kept, x.shape).copy()[()]


class Max(_Reduction):
    """Maximum node over axes: the largest element has the gradient; equal ones share it evenly. NaN counts as largest.

    Parameters
    ----------
    axis : int, tuple of int or None, default None
        Axes that go; None for all.
    keepdims : bool, default False
        Whether they stay with length 1.

    Attributes
    ----------
    x : ndarray or None
        The last input.
    largest : ndarray of bool or None
        Where it had its maximum.
    """

    symbol = "max"
    largest: Any = None

    def forward(self, x: ArrayLike) -> Any:
        """Return the maximum."""
        (x,) = floats("Max.forward", x=x)
        axes = self._axes(x)
        if not all(x.shape[axis] for axis in axes):
            raise ValueError(f"Max.forward: x has shape {x.shape}, wanted at least one element along {axes}")
        most = x.max(axis=axes, keepdims=True)
        self.x, self.largest = x[()], np.asarray(np.where(np.isnan(most), np.isnan(x), x == most))
        return most.reshape(self._out_shape(x))[()]

    def backward(self, dout: ArrayLike) -> Any:
        """Return `dx`: `dout` where x is the maximum, shared among equals, else 0."""
        kept, x = self._back(dout)
        equals = self.largest.sum(axis=self._axes(x), keepdims=True)
        return np.asarray(kept * self.largest / equals.astype(kept.dtype))[()]
