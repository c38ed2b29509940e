"""The book's functions of arrays, beside the layers that have them and their gradients.

They are what chapters 3 and 4 of *Deep Learning from Scratch* write, for one sample or a batch, but exact: where the
book adds 1e-7 to what it takes the logarithm of, nothing is added here, and the error of a class whose probability is
0 is infinite. Whoever trains takes `SoftmaxWithLoss`, which never forms that probability.
"""

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, class_targets, floats, number_targets
from bpcore import kernels

__all__ = ["cross_entropy_error", "mean_squared_error", "relu", "sigmoid", "softmax"]


def sigmoid(x: ArrayLike) -> Array:
    """Logistic function `1 / (1 + exp(-x))` of each number; no x overflows.

    Parameters
    ----------
    x : array_like of real numbers

    Returns
    -------
    ndarray
        Of x's shape; float32 for float32, else float64.
    """
    (x,) = floats("sigmoid", x=x)
    out = np.empty_like(x)
    kernels.sigmoid_forward(x.reshape(-1), out.reshape(-1))
    return out


def relu(x: ArrayLike) -> Array:
    """Rectified linear unit of each number: x where it is above 0, else 0; NaN passes through.

    Parameters
    ----------
    x : array_like of real numbers

    Returns
    -------
    ndarray
        As of `sigmoid`.
    """
    (x,) = floats("relu", x=x)
    out, mask = np.empty_like(x), np.empty(x.shape, dtype=bool)
    kernels.relu_forward(x.reshape(-1), out.reshape(-1), mask.reshape(-1))
    return out


def softmax(x: ArrayLike) -> Array:
    """Softmax along the last axis: `exp(x) / Σ exp(x)`, from which the largest x is first subtracted.

    Parameters
    ----------
    x : array_like of real numbers, of at least one dimension
        One sample, (K,), or a batch, (B, K).

    Returns
    -------
    ndarray
        Of x's shape, each sample's numbers adding up to 1.

    Examples
    --------
    >>> bp.softmax([0.3, 2.9, 4.0]).round(4)
    array([0.0182, 0.2452, 0.7366])
    """
    (x,) = floats("softmax", x=x)
    if not x.ndim:
        raise ValueError(f"softmax: x is the number {x}, wanted an array of at least one dimension")
    y = np.empty_like(x)
    rows = (-1 if x.size else 0, x.shape[-1])
    kernels.softmax(x.reshape(rows), y.reshape(rows))
    return y


def cross_entropy_error(y: ArrayLike, t: ArrayLike) -> float:
    """Mean over the samples of `-Σ t·log y`, y probabilities.

    Parameters
    ----------
    y : array_like of shape (K,) or (B, K)
        What `softmax` gives. It is not looked at whether they add up to 1.
    t : integer label or labels of shape (B,), or weights of y's shape, one-hot rows for example

    Returns
    -------
    float
        Infinite where a class with a weight has the probability 0. Terms without weight count nothing.

    Examples
    --------
    >>> y = [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]
    >>> round(bp.cross_entropy_error(y, 2), 4), round(bp.cross_entropy_error(y, np.eye(10)[7]), 4)
    (0.5108, 2.3026)
    """
    (y,) = floats("cross_entropy_error", y=y)
    if y.ndim not in (1, 2):
        raise ValueError(f"cross_entropy_error: y has shape {y.shape}, wanted (K,) or (B, K)")
    rows = y.reshape(-1, y.shape[-1])
    given = np.asarray(t)
    # Of one sample a label has no dimension, weights have one.
    batch = given if y.ndim == 2 else given[np.newaxis]
    targets = class_targets("cross_entropy_error", batch, (len(rows), rows.shape[1]), y.dtype)
    if not rows.size:
        raise ValueError(f"cross_entropy_error: y has shape {y.shape}: no samples have no mean")
    with np.errstate(divide="ignore", invalid="ignore"):
        if targets.ndim == 1:
            terms = np.log(rows[np.arange(len(rows)), targets])
        else:
            terms = np.multiply(targets, np.log(rows), where=targets != 0, out=np.zeros_like(rows))
    return float(-terms.sum(dtype=np.float64) / len(rows))


def mean_squared_error(y: ArrayLike, t: ArrayLike) -> float:
    """Half the sum of squares, `Σ (y - t)² / 2` over all numbers: what the book calls the mean squared error.

    Parameters
    ----------
    y, t : array_like of real numbers, of one shape

    Examples
    --------
    >>> bp.mean_squared_error([0.1, 0.6, 0.3], [0, 1, 0])
    0.13
    """
    y, wanted = floats("mean_squared_error", y=y, t=t)
    number_targets("mean_squared_error", wanted.reshape(1, -1), (1, y.size), y.dtype)
    if y.shape != wanted.shape:
        raise ValueError(f"mean_squared_error: y has shape {y.shape}, t has {wanted.shape}")
    return float(np.square(y - wanted).sum(dtype=np.float64) / 2)
