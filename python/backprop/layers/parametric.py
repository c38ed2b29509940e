"""The affine layer, section 0090."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, plural, require_cache, same_shape, samples
from backprop._util.names import named_arguments
from backprop._util.sparse import SparseRows, common_type_of
from backprop.layers.base import Layer
from backprop.layers.descriptors import OtherName, Parameter
from bpcore import kernels

__all__ = ["Affine"]

# Multiplications of a product between two looks at Ctrl-C, a few hundredths of a second.
BLOCK = 1 << 29


class Affine(Layer):
    """Affine layer for batches: `out = x·W + b`.

    Parameters
    ----------
    W : ndarray of shape (I, O), float32 or float64
        Weights. The layer keeps this very array and reads it at every call.
    b : ndarray of shape (O,), float32 or float64
        Biases, kept likewise.

    Attributes
    ----------
    x : ndarray of shape (B, I) or None
        The last input, flattened per sample.
    dW, db : ndarray or None
        Gradients of W and b, new arrays at every `backward`.

    Raises
    ------
    TypeError
        W or b is not an array of float32 or float64 (integers cannot be trained in place).
    ValueError
        The shapes do not fit.

    Examples
    --------
    >>> layer = bp.Affine(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -0.5]))
    >>> layer.forward([[1.0, 1.0]])
    array([[4.5, 5.5]])
    >>> layer.backward([[1.0, 0.0]])
    array([[1., 3.]])
    >>> layer.dW, layer.db
    (array([[1., 0.],
           [1., 0.]]), array([1., 0.]))
    """

    kind, parameter_names, caches = "affine", ("W", "b"), ("x", "dW", "db")
    W: Array = Parameter(2)  # type: ignore[assignment]  # what a layer has
    b: Array = Parameter(1)  # type: ignore[assignment]
    weight, weights, kernel, bias, biases = map(OtherName, "WWWbb")

    @named_arguments
    def __init__(self, W: Array, b: Array) -> None:
        if isinstance(W, int):
            raise TypeError(
                f"Affine: W is {W}, wanted a NumPy array; Network([{W}, {b}]) draws the weights of a layer"
            )
        self.W, self.b = W, b
        if W.shape[1] != len(b):
            raise ValueError(
                f"Affine: W has {plural(W.shape[1], 'column')}, b has {plural(len(b), 'element')}"
            )
        self.x: Array | None = None
        self.dW: Array | None = None
        self.db: Array | None = None
        self._shape: tuple[int, ...] = ()

    def forward(self, x: ArrayLike) -> Array:
        """Return `x·W + b` of shape (B, O); x is (B, I), or (B, …) with I elements a sample."""
        if type(x) is SparseRows:
            return self._forward_sparse(x)
        rows = samples("Affine.forward", x)
        if rows.shape[1] != self.W.shape[0]:
            raise ValueError(
                f"Affine.forward: x has {plural(rows.shape[1], 'column')}, W has {plural(self.W.shape[0], 'row')}"
            )
        self._shape = rows.shape if rows is x else np.shape(x)
        self.x, W, b = floats("Affine.forward", x=rows, W=self.W, b=self.b)
        out = np.empty((len(self.x), len(b)), dtype=W.dtype)
        # Block by block, between which Python looks at Ctrl-C; a row is the same in any of them.
        block = max(BLOCK // max(W.size, 1), 1)
        if block >= len(out):
            kernels.affine_forward(self.x, W, b, out)
        else:
            for n in range(0, len(out), block):
                kernels.affine_forward(self.x[n : n + block], W, b, out[n : n + block])
        return out

    def _forward_sparse(self, x: SparseRows) -> Array:
        """The same of sparse rows, which a network checks: the bits are those of the array, if W is finite."""
        dtype = common_type_of(x, self.W, self.b)
        W, b = floats("Affine.forward", dtype, W=self.W, b=self.b)
        rows = x.of_type(dtype)
        self.x, self._shape = rows, rows.shape  # type: ignore[assignment]  # whose backward is below
        out = np.empty((len(rows), len(b)), dtype=dtype)
        kernels.csr_forward(*rows.arrays, W, b, out)
        return out

    def _backward_sparse(self, x: SparseRows, dout: ArrayLike) -> Any:
        """Set dW and db. There is no dx, which would be an array of the shape of x: nothing is in front of it."""
        W, dout = floats("Affine.backward", x.dtype, W=self.W, dout=dout)
        same_shape("Affine.backward", dout, (len(x), W.shape[1]))
        self.dW, self.db = np.empty_like(W), np.empty_like(W, shape=W.shape[1])
        kernels.csr_backward_params(*x.arrays, dout, self.dW, self.db)

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout·Wᵀ` in the shape of the input; set `dW = xᵀ·dout` and `db = Σ dout`."""
        x = require_cache("Affine.backward", self.x)
        if type(x) is SparseRows:
            return self._backward_sparse(x, dout)  # type: ignore[no-any-return]  # see there
        x, W, dout = floats("Affine.backward", x=x, W=self.W, dout=dout)
        same_shape("Affine.backward", dout, (len(x), W.shape[1]))
        dx, self.dW, self.db = np.empty_like(x), np.empty_like(W), np.empty_like(W, shape=W.shape[1])
        kernels.affine_backward_input(dout, W, dx)
        kernels.affine_backward_params(x, dout, self.dW, self.db)
        return dx.reshape(self._shape)

    @classmethod
    def parameter_shapes(
        cls, options: Mapping[str, Any], inputs: int | None, outputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of W and b."""
        return {"W": (inputs, outputs), "b": (outputs,)}

    @classmethod
    def of(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
        """Make the layer of these parameters."""
        return cls(**options, **arrays)

    def __repr__(self) -> str:
        return f"Affine({self.W.shape[0]}, {self.W.shape[1]}, dtype={self.W.dtype})"
