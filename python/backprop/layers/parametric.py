"""Layers with parameters: the affine layer, section 0090, and layer normalisation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backprop._util.arguments import float_type
from backprop._util.arrays import Array, floats, plural, require_cache, same_shape, samples
from backprop._util.names import named_arguments
from backprop._util.settings import positive
from backprop.layers.base import Layer, restored
from backprop.layers.descriptors import Option, OtherName, Parameter
from bpcore import kernels

__all__ = ["Affine", "LayerNorm"]

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

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout·Wᵀ` in the shape of the input; set `dW = xᵀ·dout` and `db = Σ dout`."""
        x = require_cache("Affine.backward", self.x)
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


class LayerNorm(Layer):
    """Layer normalisation (Ba, Kiros and Hinton 2016): `out = gamma·z + beta`, z of each sample for itself.

    `z = (x - mean) / sqrt(variance + eps)`, with the mean and variance of the sample's numbers.

    Parameters
    ----------
    features : int
        How many numbers a sample has.
    eps : float, default 1e-5
        Positive: what keeps z finite where all numbers of a sample are equal.
    dtype : float32 or float64, default float32
        The type of gamma and beta; that of the network.

    Attributes
    ----------
    gamma, beta : ndarray of shape (features,)
        At first 1 and 0.
    z : ndarray of shape (B, features) or None
        The last input, normalised.
    dgamma, dbeta : ndarray or None
        Gradients of gamma and beta, new arrays at every `backward`.

    Examples
    --------
    >>> net = bp.Network([4, 8, 3], activation="gelu", seed=0)
    >>> net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(8))
    >>> list(net.layers)
    ['Affine1', 'LayerNorm1', 'Gelu1', 'Affine2']
    """

    kind, parameter_names, caches = "layer_norm", ("gamma", "beta"), ("z", "scale", "dgamma", "dbeta")
    keeps_shape = True
    gamma: Array = Parameter(1)  # type: ignore[assignment]  # what a layer has
    beta: Array = Parameter(1)  # type: ignore[assignment]
    eps: float = Option(positive)  # type: ignore[assignment]
    weight, bias = map(OtherName, ("gamma", "beta"))

    @named_arguments
    def __init__(self, features: int, eps: float = 1e-5, dtype: DTypeLike = np.float32) -> None:
        if isinstance(features, bool) or not hasattr(features, "__index__") or features < 1:
            raise ValueError(f"LayerNorm: features is {features!r}, wanted a whole number of 1 or more")
        dtype = float_type("LayerNorm", dtype)
        self.gamma, self.beta, self.eps = np.ones(features, dtype), np.zeros(features, dtype), eps
        self.z: Array | None = None
        self.scale: Array | None = None
        self.dgamma: Array | None = None
        self.dbeta: Array | None = None
        self._shape: tuple[int, ...] = ()

    def forward(self, x: ArrayLike) -> Array:
        """Return `gamma·z + beta` of shape (B, features); x is (B, …) with that many elements a sample."""
        rows = samples("LayerNorm.forward", x)
        if rows.shape[1] != len(self.gamma):
            raise ValueError(
                f"LayerNorm.forward: x has {plural(rows.shape[1], 'column')}, gamma has "
                f"{plural(len(self.gamma), 'element')}"
            )
        self._shape = rows.shape if rows is x else np.shape(x)
        rows, gamma, beta = floats("LayerNorm.forward", x=rows, gamma=self.gamma, beta=self.beta)
        out, self.z, self.scale = (
            np.empty_like(rows),
            np.empty_like(rows),
            np.empty_like(rows, shape=len(rows)),
        )
        kernels.layer_norm_forward(rows, gamma, beta, self.eps, out, self.z, self.scale)
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx` in the shape of the input; set `dgamma = Σ dout·z` and `dbeta = Σ dout`."""
        z, scale = (require_cache("LayerNorm.backward", kept) for kept in (self.z, self.scale))
        z, scale, gamma, dout = floats("LayerNorm.backward", z=z, scale=scale, gamma=self.gamma, dout=dout)
        same_shape("LayerNorm.backward", dout, z.shape)
        dx, self.dgamma, self.dbeta = np.empty_like(z), np.empty_like(gamma), np.empty_like(gamma)
        kernels.layer_norm_backward_input(dout, z, scale, gamma, dx)
        kernels.layer_norm_backward_params(z, dout, self.dgamma, self.dbeta)
        return dx.reshape(self._shape)

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor that gamma and beta do not tell."""
        return {"eps": self.eps}

    @classmethod
    def parameter_shapes(
        cls, options: Mapping[str, Any], inputs: int | None, outputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of gamma and beta."""
        return {"gamma": (inputs,), "beta": (inputs,)}

    @classmethod
    def of(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
        """Make the layer of these parameters."""
        return restored(cls, {"features": len(arrays["gamma"]), **options}, arrays)

    def __repr__(self) -> str:
        return f"LayerNorm({len(self.gamma)}, eps={self.eps:g}, dtype={self.gamma.dtype})"
