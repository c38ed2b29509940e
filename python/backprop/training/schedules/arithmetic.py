"""Powers, roots and the cosine of float64 by +, −, × and ÷ alone: the same bits wherever IEEE 754 is kept."""

from math import factorial

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HALF_PI = 1.5707963267948966
# Taylor's coefficients of (sin(x) − x) / x³ and of (cos(x) − 1 + x²/2) / x⁴ by powers of x²: up to π/4, what is left
# out is below 3e-18 of the result. A quotient of whole numbers is rounded once.
SINE = [(-1) ** k / factorial(2 * k + 1) for k in range(1, 9)]
COSINE = [(-1) ** k / factorial(2 * k) for k in range(2, 9)]


def power(base: float, n: NDArray[np.int64]) -> Floats:
    """`base` to each of the whole powers `n`, at least 0.

    The product of base^(2^k) over the bits k of n, from the lowest; base^(2^(k+1)) is the square of base^(2^k).
    The relative error is at most about n · 2^-53.
    """
    product = np.ones(n.shape)
    with np.errstate(all="ignore"):  # squares beyond the highest bit of n are multiplied too, and left out
        while n.any():
            product = np.where(n & 1, product * base, product)
            n, base = n >> 1, base * base
    return product


def root(value: float, n: int) -> float:
    """The greatest float whose `power` n is not above `value`, which is above 1; by bisection."""
    at, low, high = np.array([n]), 1.0, value
    while low < (middle := low + (high - low) / 2) < high:
        if power(middle, at)[0] <= value:
            low = middle
        else:
            high = middle
    return high if power(high, at)[0] <= value else low


def squared_sine(q: Floats) -> Floats:
    """sin²(π·q/2) for q from 0 to 1, which is (1 − cos(π·q)) / 2, within 8 units of 2^-53 relative to it.

    It is 0 where q is, and 1 where q is 1, exactly.
    """
    # Up to 1/2 the sine; above it the cosine of the rest, for which 1 − q is exact.
    small = q <= 0.5
    x = np.where(small, q, 1 - q) * HALF_PI
    z = x * x
    sine, cosine = np.zeros_like(z), np.zeros_like(z)
    for coefficient in reversed(SINE):
        sine = sine * z + coefficient
    for coefficient in reversed(COSINE):
        cosine = cosine * z + coefficient
    found = np.where(small, x + x * (z * sine), 1 - (0.5 * z - z * z * cosine))
    return found * found
