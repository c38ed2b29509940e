"""Print the polynomial coefficients that stand in `src/bpcore/_simd/functions.h` and `simd.h`.

They are near-minimax (Chebyshev) fits in 50 digits, rounded once to the type. Run with mpmath installed:
`python tools/polynomials.py`.
"""

import mpmath
import numpy as np

mpmath.mp.dps = 50
HALF_LN2 = mpmath.log(2) / 2
# sqrt(2) - 1 over sqrt(2) + 1 is the largest s = f / (2 + f) for a mantissa in [sqrt(1/2), sqrt(2)]
LARGEST_S = (mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)


def exp_tail(r: mpmath.mpf) -> mpmath.mpf:
    """q in exp(r) = 1 + r + r²·q(r)."""
    if abs(r) < mpmath.mpf("1e-12"):
        return mpmath.mpf(1) / 2 + r / 6
    return (mpmath.expm1(r) - r) / r**2


def log_tail(z: mpmath.mpf) -> mpmath.mpf:
    """q in log(1 + f) = 2s + s·z·q(z) with s = f / (2 + f) and z = s²."""
    if z < mpmath.mpf("1e-20"):
        return mpmath.mpf(2) / 3 + 2 * z / 5
    s = mpmath.sqrt(z)
    return (2 * mpmath.atanh(s) / s - 2) / z


def gelu_tail(s: mpmath.mpf) -> mpmath.mpf:
    """q in Φ(−t) = exp(−t²/2)·q(s) / (t + 4) with s = 1/8 − 1 / (t + 4)."""
    t = 4 * (1 + 8 * s) / (1 - 8 * s)
    return mpmath.ncdf(-t) * mpmath.exp(t * t / 2) * (t + 4)


def show(name: str, function, interval, terms: int, dtype) -> None:
    coefficients, error = mpmath.chebyfit(function, interval, terms, error=True)
    print(f"{name}: {terms} terms, largest error of the fit {mpmath.nstr(error, 3)}")
    for power, coefficient in zip(range(terms - 1, -1, -1), coefficients, strict=True):
        print(f"  {float(dtype(coefficient)).hex():>26}  {dtype(coefficient)!s:>24}  ^{power}")


show("exp, float32", exp_tail, [-HALF_LN2, HALF_LN2], 5, np.float32)
show("exp, float64", exp_tail, [-HALF_LN2, HALF_LN2], 10, np.float64)
show("log, float32", log_tail, [0, LARGEST_S**2], 3, np.float32)
show("log, float64", log_tail, [0, LARGEST_S**2], 7, np.float64)
# log1p takes 0 to 1 at once.
LARGEST_S_OF_LOG1P = mpmath.mpf(1) / 3
show("log1p, float32", log_tail, [0, LARGEST_S_OF_LOG1P**2], 5, np.float32)
show("log1p, float64", log_tail, [0, LARGEST_S_OF_LOG1P**2], 10, np.float64)
EIGHTH = mpmath.mpf(1) / 8
# Up to the t from which t·Φ(−t) is 0 in the type.
show("gelu, float32", gelu_tail, [-EIGHTH, EIGHTH - 1 / mpmath.mpf(19)], 10, np.float32)
show("gelu, float64", gelu_tail, [-EIGHTH, EIGHTH - 1 / mpmath.mpf(43)], 24, np.float64)
