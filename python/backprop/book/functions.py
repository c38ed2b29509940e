"""The book's functions beside those of `backprop.functions`: a gradient, a smoothed curve, shuffled data."""

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, real_array
from backprop.functions import sigmoid

# Numbers on each side of the one that is smoothed, and the shape of the window's weights.
REACH, BETA = 5, 2


def sigmoid_grad(x: ArrayLike) -> Array:
    """Derivative of the logistic function, `y·(1 − y)` with `y = sigmoid(x)`, of each number.

    Parameters
    ----------
    x : array_like of real numbers
        What goes into the sigmoid, not what comes out of it.

    Returns
    -------
    ndarray
        Of x's shape; float32 for float32, else float64.
    """
    y = sigmoid(x)
    return np.asarray((1 - y) * y)


def smooth_curve(x: ArrayLike) -> Array:
    """Weighted means over eleven neighbours, for a curve of losses: what the book draws.

    The weights are those of a Kaiser window with beta 2. At its ends the curve is mirrored.

    Parameters
    ----------
    x : array_like of shape (N,), at least one real number

    Returns
    -------
    ndarray of float64, of shape (N,)
        The book's function returns fewer numbers for fewer than eleven; this one returns as many as came.

    Examples
    --------
    >>> from backprop.book import smooth_curve
    >>> smooth_curve(np.arange(20.0))[8:12]
    array([ 8.,  9., 10., 11.])
    """
    values = real_array("smooth_curve", "x", x)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"smooth_curve: x has shape {values.shape}, wanted (N,) with at least one number")
    weights = np.kaiser(2 * REACH + 1, BETA)
    # As the book mirrors it: the first number is not repeated, the last is.
    front = np.pad(values.astype(np.float64), (REACH, 0), mode="reflect")
    return np.convolve(weights / weights.sum(), np.pad(front, (0, REACH), mode="symmetric"), mode="valid")


def shuffle_dataset(x: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
    """Samples and targets in a random order, the same for both, drawn from `np.random`'s global state.

    Parameters
    ----------
    x, t : array of N rows

    Returns
    -------
    x, t : ndarray
        Copies.
    """
    rows, targets = np.asarray(x), np.asarray(t)
    if not rows.ndim or not targets.ndim or len(rows) != len(targets):
        raise ValueError(
            f"shuffle_dataset: x has shape {rows.shape}, t has {targets.shape}, wanted as many rows in both"
        )
    order = np.random.permutation(len(rows))
    return rows[order], targets[order]
