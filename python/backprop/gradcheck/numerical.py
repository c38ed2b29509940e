"""Numerical differentiation: slow, and hard to get wrong (sections 0084 and 0095 of the notes)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from backprop._util.arrays import Array, require_no_mask


def numerical_gradient(f: Callable[[Any], Any], x: Array, h: float = 1e-5) -> Array:
    """Gradient of a scalar function by central differences, `(f(x + h) - f(x - h)) / 2h` for each element.

    `x` is changed in place while f is called, so that a function that ignores its argument and reads the array
    elsewhere (`lambda W: net.loss(x, t)`) sees the change; afterwards it holds what it held before, bit for bit,
    also when f raises.

    Parameters
    ----------
    f : callable
        Takes `x`, returns a number.
    x : ndarray of float64, any shape
        Where the gradient is taken.
    h : float, default 1e-5
        The step. Its square times the third derivative is the error of the method; the roundoff of f divided by
        it is the error of the arithmetic.

    Returns
    -------
    ndarray of float64, of the shape of x

    Raises
    ------
    TypeError
        x is not an array of float64: integers cannot hold the step, and in float32 the roundoff is of the size of
        the gradient (check a float32 function through a float64 twin).
    ValueError
        x is read-only, h is not a positive number, or f returns something else than one number.

    Examples
    --------
    >>> bp.numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    require_no_mask("numerical_gradient", "x", x)
    if not isinstance(x, np.ndarray):
        raise TypeError(f"numerical_gradient: x is a {type(x).__name__}, wanted an array of float64")
    if x.dtype != np.float64:
        raise TypeError(f"numerical_gradient: x has dtype {x.dtype}, wanted float64")
    if not x.flags.writeable:
        raise ValueError("numerical_gradient: x is read-only, and is changed in place while f is called")
    if not 0 < h < float("inf"):
        raise ValueError(f"numerical_gradient: h is {h!r}, wanted a positive finite number")
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        value = x[index]
        try:
            x[index] = value + h
            above = _number(f(x))
            x[index] = value - h
            below = _number(f(x))
        finally:
            x[index] = value
        gradient[index] = (above - below) / (2 * h)
    return gradient


def _number(value: Any) -> float:
    if np.ndim(value) != 0:
        raise ValueError(
            f"numerical_gradient: f returned an array of shape {np.shape(value)}, wanted a number"
        )
    return float(value)
