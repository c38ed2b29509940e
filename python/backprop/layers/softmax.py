"""Softmax and its logarithm as layers: functions of a whole row, without parameters."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, require_cache, same_shape
from backprop.layers.base import LAYERS, Layer
from bpcore import kernels

__all__ = ["LogSoftmax", "Softmax"]


class RowFunction(Layer):
    """A function of each row; a class says its kind, which names the kernels `{kind}` and `{kind}_backward`."""

    parameter_names, caches, keeps_shape = (), ("out",), True
    out: Array | None
    # What errors call the methods, and the kernels.
    _forward_by: ClassVar[tuple[str, Callable[..., None]]]
    _backward_by: ClassVar[tuple[str, Callable[..., None]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            cls._forward_by = f"{cls.__name__}.forward", getattr(kernels, kind)
            cls._backward_by = f"{cls.__name__}.backward", getattr(kernels, f"{kind}_backward")

    def __init__(self) -> None:
        Layer.clear_cache(self)  # a subclass may have its own, for attributes that come later

    def forward(self, x: ArrayLike) -> Array:
        """Return the function of each row, in x's shape; a row is along the last axis."""
        owner, kernel = self._forward_by
        (x,) = floats(owner, x=x)
        if not x.ndim:
            raise ValueError(f"{owner}: x is the number {x}, wanted an array of at least one dimension")
        out = np.empty_like(x)
        kernel(_rows(x), _rows(out))
        self.out = out
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx`, the gradient of the input."""
        owner, kernel = self._backward_by
        dout, out = floats(owner, dout=dout, out=require_cache(owner, self.out))
        same_shape(owner, dout, out.shape)
        dx = np.empty_like(dout)
        kernel(_rows(dout), _rows(out), _rows(dx))
        return dx


def _rows(x: Array) -> Array:
    return x.reshape(-1 if x.size else 0, x.shape[-1])


class Softmax(RowFunction):
    """Softmax of each row: `out = exp(x) / Σ exp(x)`, positive numbers that add up to 1.

    The largest x of a row is first subtracted, so that nothing overflows. `dx = out·(dout - Σ dout·out)`. For outputs
    that are shares, with a loss of numbers: `Network(sizes, loss="squared_error", output="softmax")`. Who classifies
    takes `SoftmaxWithLoss`, which has the cross-entropy too and never forms these probabilities.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.

    Notes
    -----
    -inf gives 0. A row with NaN, with +inf or of -inf alone gives NaN.

    Examples
    --------
    >>> layer = bp.Softmax()
    >>> layer.forward([[0.3, 2.9, 4.0]]).round(4)
    array([[0.0182, 0.2452, 0.7366]])
    >>> layer.backward([[1.0, 0.0, 0.0]]).round(4)
    array([[ 0.0179, -0.0045, -0.0134]])
    """

    kind, symbol = "softmax", "softmax"
    derivatives = ("{out}·({d}−Σ{d}·{out})",)


class LogSoftmax(RowFunction):
    """The logarithm of softmax of each row: `out = x - log Σ exp(x)`.

    Computed as `(x - m) - log Σ exp(x - m)`, m the largest x of the row: exact also where the probability is too small
    for its type. `dx = dout - exp(out)·Σ dout`.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.

    Notes
    -----
    -inf gives -inf. A row with NaN, with +inf or of -inf alone gives NaN.

    Examples
    --------
    >>> layer = bp.LogSoftmax()
    >>> layer.forward([[0.0, 1000.0], [1.0, 1.0]]).round(4)
    array([[-1.000e+03,  0.000e+00],
           [-6.931e-01, -6.931e-01]])
    """

    kind, symbol = "log_softmax", "log softmax"
    derivatives = ("{d}−exp({out})·Σ{d}",)


def row_functions() -> dict[str, type[RowFunction]]:
    """All functions of rows by their kinds."""
    return {kind: cls for kind, cls in LAYERS.items() if issubclass(cls, RowFunction)}
