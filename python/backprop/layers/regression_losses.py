"""Losses of networks whose outputs are numbers: the identity and a mean loss, as one layer."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats
from backprop._util.names import named_arguments
from backprop._util.settings import positive, share
from backprop.layers.descriptors import Option
from backprop.layers.row_losses import LossOfNumbers, LossOfScaledNumbers

__all__ = ["AbsoluteError", "GaussianNLL", "Huber", "IdentityWithLoss", "LogCosh", "Poisson", "Quantile"]


class IdentityWithLoss(LossOfScaledNumbers):
    """Identity and the mean squared-error loss, as one layer, for regression: `loss = mean(Σ (x - t)² / 2)`.

    The book's counterpart of SoftmaxWithLoss where the outputs are numbers; with it the gradient has the same
    form, `(y - t) / B`.

    Parameters
    ----------
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.
    target_mean, target_scale : float or array of shape (K,), default 0 and 1
        The loss is that of (t - target_mean)·target_scale, and the outputs stand for y / target_scale + target_mean,
        which `Network.predict` returns.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    """

    kind, function, classifies = "squared_error", "squared_error", False
    derivatives = ("{d}·({x}−{t})/B", "")


class Huber(LossOfScaledNumbers):
    """Identity and Huber's loss (1964), for regression: squared error that grows linearly beyond `delta`.

    Of `d = x - t` it is `d² / 2` where `|d| <= delta`, else `delta·(|d| - delta / 2)`, summed over the outputs; the
    loss is the mean over the batch. A target that is far off pulls no more than one that is `delta` off.

    Parameters
    ----------
    delta : float, default 1.0
        Positive, of scaled targets. It may be changed between steps.
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.
    target_mean, target_scale : float or array of shape (K,), default 0 and 1
        The loss is that of (t - target_mean)·target_scale, and the outputs stand for y / target_scale + target_mean,
        which `Network.predict` returns.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.

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
    def __init__(
        self,
        delta: float = 1.0,
        normalise: str = "weights",
        *,
        target_mean: ArrayLike = 0.0,
        target_scale: ArrayLike = 1.0,
    ) -> None:
        super().__init__(normalise, target_mean=target_mean, target_scale=target_scale)
        self.delta = delta


class AbsoluteError(LossOfScaledNumbers):
    """Identity and the absolute error, for regression: `loss = mean(Σ |x - t|)`, the mean over the batch.

    What a network learns by it is the median. The gradient where x is t is 0.

    Parameters
    ----------
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.
    target_mean, target_scale : float or array of shape (K,), default 0 and 1
        The loss is that of (t - target_mean)·target_scale, and the outputs stand for y / target_scale + target_mean,
        which `Network.predict` returns.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    """

    kind, function, classifies = "absolute_error", "absolute_error", False
    derivatives = ("{d}·sign({x}−{t})/B", "")


class LogCosh(LossOfScaledNumbers):
    """Identity and log-cosh, for regression: `loss = mean(Σ log(cosh(x - t)))`, the mean over the batch.

    Near 0 it is half the square, farther out the absolute error less log 2; its gradient is `tanh(x - t)`.

    Parameters
    ----------
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.
    target_mean, target_scale : float or array of shape (K,), default 0 and 1
        The loss is that of (t - target_mean)·target_scale, and the outputs stand for y / target_scale + target_mean,
        which `Network.predict` returns.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.
    """

    kind, function, classifies = "log_cosh", "log_cosh", False
    derivatives = ("{d}·tanh({x}−{t})/B", "")


class Quantile(LossOfScaledNumbers):
    """Identity and the quantile loss (Koenker and Bassett 1978), for regression: what is learnt is a quantile.

    It is `quantile·(t - x)` where x is below t and `(1 - quantile)·(x - t)` beyond, summed over the outputs; the loss
    is the mean over the batch. The gradient where x is t is 0.

    Parameters
    ----------
    quantile : float, default 0.5
        Between 0 and 1; 0.9 learns a number that nine in ten targets are below. It may be changed between steps.
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.
    target_mean, target_scale : float or array of shape (K,), default 0 and 1
        The loss is that of (t - target_mean)·target_scale, and the outputs stand for y / target_scale + target_mean,
        which `Network.predict` returns.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.

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
    def __init__(
        self,
        quantile: float = 0.5,
        normalise: str = "weights",
        *,
        target_mean: ArrayLike = 0.0,
        target_scale: ArrayLike = 1.0,
    ) -> None:
        super().__init__(normalise, target_mean=target_mean, target_scale=target_scale)
        self.quantile = quantile


class Poisson(LossOfNumbers):
    """Exponential and the Poisson negative log-likelihood, for counts: `loss = mean(Σ exp(x) - t·x)`.

    x is the logarithm of a rate, which `np.exp(net.predict(x))` is; the constant log t! is left out, as in PyTorch. The
    sum is over the outputs, the mean over the batch. Scores above 88 (float32; float64: 709) have an infinite loss.

    Parameters
    ----------
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, from 0 on, of y's type.
    """

    kind, function, classifies = "poisson", "poisson", False
    derivatives = ("{d}·(exp({x})−{t})/B", "")
    target_range = (0.0, float("inf"))


class GaussianNLL(LossOfNumbers):
    """The Gaussian negative log-likelihood with a learnt variance (Nix and Weigend 1994), for regression.

    A network for K targets has 2K outputs: K means, then K numbers s of which the variances are made,
    `v = exp(s) + min_variance`. The loss is `mean(Σ (log v + (t - mean)² / v) / 2)`, summed over the targets; the
    constant log(2π) / 2 is left out, as in PyTorch, which takes v itself.

    Parameters
    ----------
    min_variance : float, default 1e-6
        Positive; below it no variance falls, so that a sample that is met exactly does not make the loss fall for ever.
        In the targets' unit, squared. It may be changed between steps.
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, 2K) or None
        The last outputs.
    t : ndarray of shape (B, K) or None
        The last targets, of y's type.

    Examples
    --------
    >>> loss = bp.GaussianNLL()
    >>> net = bp.Network([1, 16, 2], loss=loss, seed=0)
    >>> mean, variance = loss.mean_and_variance(net.predict([[0.5]]))
    >>> mean.shape, variance.shape
    ((1, 1), (1, 1))
    """

    kind, function, classifies = "gaussian_nll", "gaussian_nll", False
    derivatives = ("{d}·((m−{t})/v, (1−(m−{t})²/v)·exp(s)/2v)/B", "")
    option_names = ("min_variance",)
    outputs_per_target = 2
    min_variance: float = Option(positive)  # type: ignore[assignment]

    @named_arguments
    def __init__(self, min_variance: float = 1e-6, normalise: str = "weights") -> None:
        super().__init__(normalise)
        self.min_variance = min_variance

    def target_table(self, outputs: int) -> Array | None:
        """None; raises where the outputs are not as many means as numbers for variances."""
        if outputs % 2:
            raise ValueError(
                f"GaussianNLL: {outputs} outputs, wanted an even number: means, then log variances"
            )
        return None

    def checked_targets(self, owner: str, t: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
        """`t` as `forward` takes it: (B, K) for scores of shape (B, 2K)."""
        self.target_table(shape[1])
        return super().checked_targets(owner, t, shape, dtype)

    def mean_and_variance(self, y: ArrayLike) -> tuple[Array, Array]:
        """The means and the variances that outputs stand for.

        Parameters
        ----------
        y : array of shape (N, 2K)
            What `predict` gives.

        Returns
        -------
        mean, variance : ndarray of shape (N, K)
        """
        (y,) = floats("GaussianNLL.mean_and_variance", y=y)
        if y.ndim != 2:
            raise ValueError(
                f"GaussianNLL.mean_and_variance: y has shape {y.shape}, wanted (rows, 2·targets)"
            )
        self.target_table(y.shape[1])
        mean, s = np.split(y, 2, axis=1)
        with np.errstate(over="ignore"):  # infinite then
            return mean.copy(), np.exp(s) + y.dtype.type(self.min_variance)
