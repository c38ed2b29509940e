"""The layers of the notes, sections 0088 to 0091: state, forward, backward.

a) `forward` remembers what `backward` needs, in the attributes that the notes name; `backward` can be called
   again and gives the same. Neither writes to what it was given.
b) `forget()` drops the remembered forward pass; then `backward` raises.
c) `_parameters` names a layer's parameters. It is for these very classes, whose subclasses may have more: their
   parameters are found as those of any layer (own_layers.py).
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._arrays import (
    Array,
    floats,
    number,
    plural,
    remembered,
    same_shape,
    samples,
    targets,
    values,
)
from backprop._descriptors import OtherName, Parameter
from backprop._names import named_arguments
from backprop._shown import Shown
from bpcore import kernels

# Multiplications of a product between two looks at Ctrl-C, a few hundredths of a second.
TURN = 1 << 29


class Relu(Shown):
    """Rectified linear unit: `out = x` where `x > 0`, else 0. Its derivative at 0 is 0; NaN passes through.

    Attributes
    ----------
    mask : ndarray of bool or None
        True where the last `x` was at most 0.

    Examples
    --------
    >>> relu = bp.Relu()
    >>> relu.forward([[1.0, -0.5], [-2.0, 3.0]])
    array([[1., 0.],
           [0., 3.]])
    >>> relu.backward([[10.0, 20.0], [30.0, 40.0]])
    array([[10.,  0.],
           [ 0., 40.]])
    """

    _parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.mask: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return `x` with every element that is at most 0 set to 0, in x's shape."""
        (x,) = floats("Relu.forward", x=x)
        out, self.mask = np.empty_like(x), np.empty(x.shape, dtype=bool)
        kernels.relu_forward(x.reshape(-1), out.reshape(-1), self.mask.reshape(-1))
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx`: `dout` where the mask is False, else 0."""
        mask = remembered("Relu.backward", self.mask)
        (dout,) = floats("Relu.backward", dout=dout)
        same_shape("Relu.backward", dout, mask.shape)
        dx = np.empty_like(dout)
        kernels.relu_backward(dout.reshape(-1), mask.reshape(-1), dx.reshape(-1))
        return dx

    def forget(self) -> None:
        """Drop the remembered forward pass."""
        self.mask = None


class Sigmoid(Shown):
    """Logistic function `out = 1 / (1 + exp(-x))`, computed by the sign of x so that no x overflows.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    _parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.out: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return the sigmoid of each element, in x's shape."""
        (x,) = floats("Sigmoid.forward", x=x)
        self.out = np.empty_like(x)
        kernels.sigmoid_forward(x.reshape(-1), self.out.reshape(-1))
        return self.out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout * out * (1 - out)`."""
        out = remembered("Sigmoid.backward", self.out)
        dout, out = floats("Sigmoid.backward", dout=dout, out=out)
        same_shape("Sigmoid.backward", dout, out.shape)
        dx = np.empty_like(dout)
        kernels.sigmoid_backward(dout.reshape(-1), out.reshape(-1), dx.reshape(-1))
        return dx

    def forget(self) -> None:
        """Drop the remembered forward pass."""
        self.out = None


class Tanh(Shown):
    """Hyperbolic tangent.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    _parameters: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.out: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return the tanh of each element, in x's shape."""
        (x,) = floats("Tanh.forward", x=x)
        self.out = np.empty_like(x)
        kernels.tanh_forward(x.reshape(-1), self.out.reshape(-1))
        return self.out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout * (1 - out * out)`."""
        out = remembered("Tanh.backward", self.out)
        dout, out = floats("Tanh.backward", dout=dout, out=out)
        same_shape("Tanh.backward", dout, out.shape)
        dx = np.empty_like(dout)
        kernels.tanh_backward(dout.reshape(-1), out.reshape(-1), dx.reshape(-1))
        return dx

    def forget(self) -> None:
        """Drop the remembered forward pass."""
        self.out = None


class Affine(Shown):
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

    _parameters: ClassVar[tuple[str, ...]] = ("W", "b")
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
        # In turns, between which Python looks at Ctrl-C; a row is the same in any of them.
        turn = max(TURN // max(W.size, 1), 1)
        if turn >= len(out):
            kernels.affine_forward(self.x, W, b, out)
        else:
            for n in range(0, len(out), turn):
                kernels.affine_forward(self.x[n : n + turn], W, b, out[n : n + turn])
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout·Wᵀ` in the shape of the input; set `dW = xᵀ·dout` and `db = Σ dout`."""
        x = remembered("Affine.backward", self.x)
        x, W, dout = floats("Affine.backward", x=x, W=self.W, dout=dout)
        same_shape("Affine.backward", dout, (len(x), W.shape[1]))
        dx, self.dW, self.db = np.empty_like(x), np.empty_like(W), np.empty_like(W, shape=W.shape[1])
        kernels.affine_backward_input(dout, W, dx)
        kernels.affine_backward_params(x, dout, self.dW, self.db)
        return dx.reshape(self._shape)

    def forget(self) -> None:
        """Drop the remembered forward pass and its gradients."""
        self.x = self.dW = self.db = None

    def __repr__(self) -> str:
        return f"Affine({self.W.shape[0]}, {self.W.shape[1]}, dtype={self.W.dtype})"


class SoftmaxWithLoss(Shown):
    """Softmax and the mean cross-entropy loss, as one layer: `loss = mean(-Σ t·log softmax(x))`.

    Computed by log-sum-exp, so that no score overflows and no epsilon is needed; the gradient is that of the
    loss that is returned, for soft targets too.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        Softmax of the last scores.
    t : ndarray or None
        The last targets: int64 labels (B,) or weights (B, K) of y's type.
    classifies : bool
        True: a network with this loss, or one that inherits from it, takes labels or weights and has an accuracy.

    Examples
    --------
    >>> layer = bp.SoftmaxWithLoss()
    >>> layer.forward([[1000.0, 0.0]], [1])
    1000.0
    >>> layer.backward()
    array([[ 1., -1.]])
    """

    classifies: ClassVar[bool] = True

    def __init__(self) -> None:
        self.loss: float | None = None
        self.y: Array | None = None
        self.t: Array | None = None

    def forward(self, x: ArrayLike, t: ArrayLike) -> float:
        """Return the loss of scores `x` (B, K) for labels `t` (B,) or weights `t` (B, K)."""
        (x,) = floats("SoftmaxWithLoss.forward", x=x)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(
                f"SoftmaxWithLoss.forward: x has shape {x.shape}, wanted (batch, classes), not empty"
            )
        t = targets("SoftmaxWithLoss.forward", t, x.shape, x.dtype)
        y = np.empty_like(x)
        self.loss = float(kernels.softmax_cross_entropy_forward(x, t, y))
        self.y, self.t = y, t
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """Return `dx = dout·(y·Σt - t) / B`; `dout` is a number, the gradient of the mean loss."""
        y: Array = remembered("SoftmaxWithLoss.backward", self.y)
        dout = number("SoftmaxWithLoss.backward", "dout", dout)
        dx = np.empty_like(y)
        kernels.softmax_cross_entropy_backward(y, self.t, dout, dx)
        return dx

    def probabilities(self, scores: Array) -> Array:
        """Softmax of every row of scores: what `predict_proba` returns. Nothing is remembered."""
        y = np.empty_like(scores)
        kernels.softmax(scores, y)
        return y

    def forget(self) -> None:
        """Drop the remembered forward pass."""
        self.loss = self.y = self.t = None


class IdentityWithLoss(Shown):
    """Identity and the mean squared-error loss, as one layer, for regression: `loss = mean(Σ (x - t)² / 2)`.

    The book's counterpart of SoftmaxWithLoss where the outputs are numbers; with it the gradient has the same
    form, `(y - t) / B`.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    classifies : bool
        False: a network with this loss, or one that inherits from it, takes numbers and has no accuracy.
    """

    classifies: ClassVar[bool] = False

    def __init__(self) -> None:
        self.loss: float | None = None
        self.y: Array | None = None
        self.t: Array | None = None

    def forward(self, x: ArrayLike, t: ArrayLike) -> float:
        """Return the loss of outputs `x` (B, K) for targets `t` (B, K), or (B,) where K is 1."""
        (x,) = floats("IdentityWithLoss.forward", x=x)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(
                f"IdentityWithLoss.forward: x has shape {x.shape}, wanted (batch, outputs), not empty"
            )
        t = values("IdentityWithLoss.forward", t, x.shape, x.dtype)
        self.loss = float(kernels.squared_error_forward(x, t))
        self.y, self.t = x, t
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """Return `dx = dout·(y - t) / B`; `dout` is a number, the gradient of the mean loss."""
        y: Array = remembered("IdentityWithLoss.backward", self.y)
        dout = number("IdentityWithLoss.backward", "dout", dout)
        dx = np.empty_like(y)
        kernels.squared_error_backward(y, self.t, dout, dx)
        return dx

    def forget(self) -> None:
        """Drop the remembered forward pass."""
        self.loss = self.y = self.t = None
