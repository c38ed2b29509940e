"""Losses, section 0091: the last activation and the mean loss, as one layer.

A loss is a class that says its `kind`, whether it classifies, and what targets it takes.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, class_targets, floats, number, number_targets, require_cache
from backprop._util.names import named_arguments
from backprop._util.settings import positive, share
from backprop.layers.base import Loss, with_options
from backprop.layers.descriptors import Option
from bpcore import kernels

__all__ = [
    "AbsoluteError",
    "Huber",
    "IdentityWithLoss",
    "LogCosh",
    "Quantile",
    "SoftmaxWithLoss",
]


class SoftmaxWithLoss(Loss):
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

    kind, function, classifies = "softmax", "softmax_cross_entropy", True
    derivatives = ("{d}·(softmax({x})−{t})/B", "")

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
        t = class_targets("SoftmaxWithLoss.forward", t, x.shape, x.dtype)
        y = np.empty_like(x)
        self.loss = float(kernels.softmax_cross_entropy_forward(x, t, y))
        self.y, self.t = y, t
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """Return `dx = dout·(y·Σt - t) / B`; `dout` is a number, the gradient of the mean loss."""
        y: Array = require_cache("SoftmaxWithLoss.backward", self.y)
        dout = number("SoftmaxWithLoss.backward", "dout", dout)
        dx = np.empty_like(y)
        kernels.softmax_cross_entropy_backward(y, require_cache("SoftmaxWithLoss.backward", self.t), dout, dx)
        return dx

    def probabilities(self, scores: Array) -> Array:
        """Softmax of every row of scores: what `predict_proba` returns. Nothing is kept."""
        y = np.empty_like(scores)
        kernels.softmax(scores, y)
        return y


class LossOfNumbers(Loss):
    """A loss of outputs that are numbers, from a triple of kernels that its `kind` names.

    Its options are attributes, which the kernels take in the order of `option_names`.
    """

    option_names: ClassVar[tuple[str, ...]] = ()
    _kernels: ClassVar[tuple[Callable[..., float], Callable[..., None]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            cls._kernels = getattr(kernels, f"{kind}_forward"), getattr(kernels, f"{kind}_backward")

    def __init__(self) -> None:
        self.loss: float | None = None
        self.y: Array | None = None
        self.t: Array | None = None

    def forward(self, x: ArrayLike, t: ArrayLike) -> float:
        """Return the loss of outputs `x` (B, K) for targets `t` (B, K), or (B,) where K is 1."""
        owner = f"{type(self).__name__}.forward"
        (x,) = floats(owner, x=x)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(f"{owner}: x has shape {x.shape}, wanted (batch, outputs), not empty")
        t = number_targets(owner, t, x.shape, x.dtype)
        self.loss = float(self._kernels[0](x, t, *self._numbers()))
        self.y, self.t = x, t
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient of x; `dout` is a number, the gradient of the mean loss."""
        owner = f"{type(self).__name__}.backward"
        y: Array = require_cache(owner, self.y)
        dout = number(owner, "dout", dout)
        dx = np.empty_like(y)
        self._kernels[1](y, require_cache(owner, self.t), dout, *self._numbers(), dx)
        return dx

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return dict(zip(self.option_names, self._numbers(), strict=True))

    def _numbers(self) -> list[Any]:
        """What the kernels are given of the options."""
        return [getattr(self, name) for name in self.option_names]

    def __repr__(self) -> str:
        return with_options(self)


class IdentityWithLoss(LossOfNumbers):
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

    kind, function, classifies = "squared_error", "squared_error", False
    derivatives = ("{d}·({x}−{t})/B", "")


class Huber(LossOfNumbers):
    """Identity and Huber's loss (1964), for regression: squared error that grows linearly beyond `delta`.

    Of `d = x - t` it is `d² / 2` where `|d| <= delta`, else `delta·(|d| - delta / 2)`, summed over the outputs; the
    loss is the mean over the batch. A target that is far off pulls no more than one that is `delta` off.

    Parameters
    ----------
    delta : float, default 1.0
        Positive. It may be changed between steps.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    classifies : bool
        False: a network with this loss takes numbers and has no accuracy.

    Examples
    --------
    >>> layer = bp.Huber(2.0)
    >>> layer.forward([[1.0, 10.0]], [[0.0, 0.0]])
    18.5
    >>> layer.backward()
    array([[1., 2.]])
    """

    kind, function, classifies = "huber", "huber", False
    derivatives = ("{d}·clip({x}−{t}, ±δ)/B", "")
    option_names = ("delta",)
    delta: float = Option(positive)  # type: ignore[assignment]  # what a layer has

    @named_arguments
    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta


class AbsoluteError(LossOfNumbers):
    """Identity and the absolute error, for regression: `loss = mean(Σ |x - t|)`, the mean over the batch.

    What a network learns by it is the median. The gradient where x is t is 0.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    classifies : bool
        False: a network with this loss takes numbers and has no accuracy.
    """

    kind, function, classifies = "absolute_error", "absolute_error", False
    derivatives = ("{d}·sign({x}−{t})/B", "")


class LogCosh(LossOfNumbers):
    """Identity and log-cosh, for regression: `loss = mean(Σ log(cosh(x - t)))`, the mean over the batch.

    Near 0 it is half the square, farther out the absolute error less log 2; its gradient is `tanh(x - t)`.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    classifies : bool
        False: a network with this loss takes numbers and has no accuracy.
    """

    kind, function, classifies = "log_cosh", "log_cosh", False
    derivatives = ("{d}·tanh({x}−{t})/B", "")


class Quantile(LossOfNumbers):
    """Identity and the quantile loss (Koenker and Bassett 1978), for regression: what is learnt is a quantile.

    It is `quantile·(t - x)` where x is below t and `(1 - quantile)·(x - t)` beyond, summed over the outputs; the loss
    is the mean over the batch. The gradient where x is t is 0.

    Parameters
    ----------
    quantile : float, default 0.5
        Between 0 and 1; 0.9 learns a number that nine in ten targets are below. It may be changed between steps.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    classifies : bool
        False: a network with this loss takes numbers and has no accuracy.

    Examples
    --------
    >>> bp.Quantile(0.9).forward([[1.0], [3.0]], [[2.0], [2.0]])
    0.5
    """

    kind, function, classifies = "quantile", "quantile_loss", False
    derivatives = ("{d}·(({x}>{t})−τ)/B", "")
    option_names = ("quantile",)
    quantile: float = Option(share)  # type: ignore[assignment]

    @named_arguments
    def __init__(self, quantile: float = 0.5) -> None:
        super().__init__()
        self.quantile = quantile
