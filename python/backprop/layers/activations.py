"""Activations, sections 0088 and 0089: a function of each element, from a pair of kernels.

An activation is a class that says its `kind`, which names the kernels `{kind}_forward` and `{kind}_backward`, and what
its backward needs. Everything else, tests and documents too, takes it from the registry.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, require_cache, same_shape
from backprop.layers.base import LAYERS, Layer, list_available
from bpcore import kernels

__all__ = ["Gelu", "GeluTanh", "Relu", "Sigmoid", "Tanh"]


class Activation(Layer):
    """A function of each element.

    Attributes
    ----------
    keeps : {"x", "out", "mask"}
        What backward needs, and the attribute that has it: what went in, what came out, or what the forward kernel
        writes to a mask.
    label : str
        How a text calls it.
    signed : bool
        Whether outputs may be below 0.
    initial_gain : float
        By default the initial weights and biases in front of it are uniform within ± this over √inputs.
    """

    parameter_names = ()
    keeps_shape = True
    keeps: ClassVar[str] = "x"
    label: ClassVar[str] = ""
    signed: ClassVar[bool] = True
    initial_gain: ClassVar[float] = 1.0
    # What errors call the methods, the kernels, and `keeps`: looked up at once, since small arrays take no longer.
    _forward_by: ClassVar[tuple[str, Callable[..., None], str]]
    _backward_by: ClassVar[tuple[str, Callable[..., None], str]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            cls.caches = (cls.keeps,)
            cls.symbol, cls.label = cls.symbol or kind, cls.label or kind
            forward, backward = getattr(kernels, f"{kind}_forward"), getattr(kernels, f"{kind}_backward")
            cls._forward_by = f"{cls.__name__}.forward", forward, cls.keeps
            cls._backward_by = f"{cls.__name__}.backward", backward, cls.keeps
            list_available(cls, "activations")

    def __init__(self) -> None:
        Layer.clear_cache(self)  # a subclass may have its own, for attributes that come later

    def forward(self, x: ArrayLike) -> Array:
        """Return the function of each element, in x's shape."""
        owner, kernel, keeps = self._forward_by
        (x,) = floats(owner, x=x)
        out = np.empty_like(x)
        if keeps == "mask":
            kept: Array = np.empty(x.shape, dtype=bool)
            kernel(x.reshape(-1), out.reshape(-1), kept.reshape(-1))
        else:
            kernel(x.reshape(-1), out.reshape(-1))
            kept = x if keeps == "x" else out
        self.__dict__[keeps] = kept
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx`: `dout` times the derivative of each element."""
        owner, kernel, keeps = self._backward_by
        kept = require_cache(owner, self.__dict__.get(keeps))
        if keeps == "mask":
            (dout,) = floats(owner, dout=dout)
        else:
            dout, kept = floats(owner, dout=dout, kept=kept)
        same_shape(owner, dout, kept.shape)
        dx = np.empty_like(dout)
        kernel(dout.reshape(-1), kept.reshape(-1), dx.reshape(-1))
        return dx


class Relu(Activation):
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

    kind, keeps, label, signed = "relu", "mask", "ReLU", False
    derivatives = ("{d}·({x}>0)",)
    mask: Array | None


class Sigmoid(Activation):
    """Logistic function `out = 1 / (1 + exp(-x))`, computed by the sign of x so that no x overflows.

    Its derivative is `out * (1 - out)`.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps, signed = "sigmoid", "out", False
    derivatives = ("{d}·{out}(1−{out})",)
    # A sigmoid's slope is a quarter at most: four was a little better where targets are curved, worse where they are
    # linear.
    initial_gain = 3.0
    out: Array | None


class Tanh(Activation):
    """Hyperbolic tangent; its derivative is `1 - out * out`.

    Attributes
    ----------
    out : ndarray or None
        What `forward` last returned.
    """

    kind, keeps = "tanh", "out"
    derivatives = ("{d}·(1−{out}²)",)
    out: Array | None


class Gelu(Activation):
    """Gaussian error linear unit (Hendrycks and Gimpel 2016): `out = x·Φ(x)`, Φ the normal distribution function.

    Its derivative is `Φ(x) + x·φ(x)`, φ the normal density. Computed by erf, within 4 ULP.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.

    Examples
    --------
    >>> bp.Gelu().forward([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    """

    kind, keeps, label = "gelu", "x", "GELU"
    derivatives = ("{d}·(Φ({x})+{x}·φ({x}))",)
    x: Array | None


class GeluTanh(Activation):
    """The form of GELU by tanh: `out = x·(1 + tanh(u)) / 2`, `u = √(2/π)·(x + 0.044715·x³)`.

    It differs from `Gelu` by 0.0005 at most. Other libraries call it `approximate="tanh"`.

    Attributes
    ----------
    x : ndarray or None
        What `forward` last got.
    """

    kind, keeps, label = "gelu_tanh", "x", "GELU (tanh)"
    derivatives = ("{d}·gelu_tanh′({x})",)
    x: Array | None


def activations() -> dict[str, type[Activation]]:
    """All activations by their kinds."""
    return {kind: cls for kind, cls in LAYERS.items() if issubclass(cls, Activation)}
