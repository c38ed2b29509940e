"""Matrix products as nodes, section 0090: without a bias and with one."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, plural, require_cache, same_shape
from backprop.layers import Affine
from backprop.layers.base import Operation
from bpcore import kernels


class Dot(Operation):
    """Matrix product `out = x·W`; `dx = dout·Wᵀ`, `dW = xᵀ·dout`. A vector is a row on the left, a column on the right.

    Attributes
    ----------
    x : ndarray of shape (B, I) or (I,), or None
        The last left factor.
    W : ndarray of shape (I, O) or (I,), or None
        The last right factor.
    """

    symbol, derivatives = "dot", ("{d}·{W}ᵀ", "{x}ᵀ·{d}")

    def __init__(self) -> None:
        self.x: Any = None
        self.W: Any = None

    def forward(self, x: ArrayLike, W: ArrayLike) -> Any:
        """Return `x·W`: (B, O), without the axes that vectors lack."""
        x, W = floats("Dot.forward", x=x, W=W)
        for name, factor in (("x", x), ("W", W)):
            if factor.ndim not in (1, 2):
                raise ValueError(f"Dot.forward: {name} has {plural(factor.ndim, 'dimension')}, wanted 1 or 2")
        rows, columns = _matrices(x, W)
        if rows.shape[1] != columns.shape[0]:
            raise ValueError(
                f"Dot.forward: x has shape {x.shape}, W has {W.shape}; x's last length and W's first differ"
            )
        self.x, self.W = x, W
        out = np.empty((rows.shape[0], columns.shape[1]), dtype=x.dtype)
        kernels.affine_forward(rows, columns, np.zeros(columns.shape[1], dtype=x.dtype), out)
        return out.reshape(_shape(x, W))[()]

    def backward(self, dout: ArrayLike) -> tuple[Any, Any]:
        """Return `(dx, dW) = (dout·Wᵀ, xᵀ·dout)`."""
        require_cache("Dot.backward", self.x)
        dout, x, W = floats("Dot.backward", dout=dout, x=self.x, W=self.W)
        same_shape("Dot.backward", dout, _shape(x, W))
        rows, columns = _matrices(x, W)
        dout = dout.reshape(rows.shape[0], columns.shape[1])
        dx, dW = np.empty_like(rows), np.empty_like(columns)
        kernels.affine_backward_input(dout, columns, dx)
        kernels.affine_backward_params(rows, dout, dW, np.empty(columns.shape[1], dtype=x.dtype))
        return dx.reshape(x.shape), dW.reshape(W.shape)


def _matrices(x: Array, W: Array) -> tuple[Array, Array]:
    return x.reshape(-1, x.shape[-1]) if x.ndim == 1 else x, W.reshape(-1, 1) if W.ndim == 1 else W


def _shape(x: Array, W: Array) -> tuple[int, ...]:
    return x.shape[:-1] + W.shape[1:]


class AffineOf(Operation):
    """`Affine` whose W and b are inputs, for graphs: `out = x·W + b`."""

    symbol, derivatives = "Affine", ("{d}·{W}ᵀ", "{x}ᵀ·{d}", "Σ {d}")

    def __init__(self) -> None:
        self.layer: Affine | None = None

    def forward(self, x: ArrayLike, W: ArrayLike, b: ArrayLike) -> Any:
        """Return `x·W + b` of shape (B, O) for x of (B, I), W of (I, O) and b of (O,)."""
        W, b = floats("Affine.forward", W=W, b=b)
        self.layer = Affine(W, b)
        return self.layer.forward(x)

    def backward(self, dout: ArrayLike) -> tuple[Any, Any, Any]:
        """Return `(dx, dW, db)`."""
        layer = require_cache("Affine.backward", self.layer)
        return layer.backward(dout), layer.dW, layer.db
