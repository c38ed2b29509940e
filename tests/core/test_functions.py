"""exp, log, sigmoid, tanh and GELU over their whole range, against a wider type or mpmath."""

from collections.abc import Callable
from typing import Any, NamedTuple

import mpmath
import numpy as np
import pytest

from bpcore import kernels
from tests.bounds import ulps
from tests.strategies import DTYPES


# Of each function its limit in ULP, its exact value, what stands for that where float32 is asked, and the interval of
# float64 that is drawn from beside numbers near 0.
class Function(NamedTuple):
    limit: float
    exact: Callable[[Any], Any]
    wide: Callable[[np.ndarray], np.ndarray]
    interval: tuple[float, float]


def apply(name, x):
    out = np.empty_like(x)
    getattr(kernels, name)(x, out)
    return out


FUNCTIONS = {
    "exp": Function(2.0, mpmath.exp, np.exp, (-745, 709)),
    "log": Function(3.0, mpmath.log, np.log, (np.exp(-745), 709)),
    "sigmoid_forward": Function(
        4.0, lambda x: 1 / (1 + mpmath.exp(-x)), lambda x: 1 / (1 + np.exp(-x)), (-745, 709)
    ),
    "tanh_forward": Function(3.0, mpmath.tanh, np.tanh, (-25, 25)),
    # NumPy has no erf: what float32 is compared with is the kernel's float64, which mpmath is asked about.
    "gelu_forward": Function(
        4.0, lambda x: x * mpmath.ncdf(x), lambda x: apply("gelu_forward", x), (-38.4, 10)
    ),
}


def exact(name, x):
    """In float64, whose own error is 2^-29 of a float32's last place."""
    with np.errstate(all="ignore"):
        return FUNCTIONS[name].wide(x.astype(np.float64))


def worst_float32(name, bits):
    x = bits.view(np.float32)
    got, want = apply(name, x), exact(name, x)
    return float(ulps(got, want).max())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_over_every_exponent(name):
    # 2^22 of the 2^32 patterns, NaN and infinities among them; the deep run takes all of them.
    bits = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32)
    assert worst_float32(name, bits) <= FUNCTIONS[name].limit


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_exhaustively(name):
    for start in range(0, 2**32, 2**24):
        assert (
            worst_float32(name, np.arange(start, start + 2**24, dtype=np.uint64).astype(np.uint32))
            <= FUNCTIONS[name].limit
        )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64_against_mpmath(name):
    rng = np.random.default_rng(5)
    low, high = FUNCTIONS[name].interval
    if name == "log":
        x = np.concatenate([np.exp(rng.uniform(-745, high, 1500)), 1 + rng.uniform(-1e-3, 1e-3, 500)])
    else:
        tiny = np.exp(rng.uniform(-740, 0, 500))
        x = np.concatenate([rng.uniform(low, high, 1500), rng.uniform(-1, 1, 1000), tiny, -tiny])
    got = apply(name, x)
    with mpmath.workprec(200):
        for value, result in zip(x, got, strict=True):
            want = FUNCTIONS[name].exact(mpmath.mpf(float(value)))
            place = mpmath.mpf(float(np.spacing(abs(float(want))) if float(want) else 5e-324))
            assert abs(mpmath.mpf(float(result)) - want) <= FUNCTIONS[name].limit * place, value


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype):
    inf, nan = np.inf, np.nan
    x = np.array([0.0, -0.0, inf, -inf, nan, -1000, 1000], dtype=dtype)
    assert np.array_equal(apply("exp", x), np.array([1, 1, inf, 0, nan, 0, inf], dtype), equal_nan=True)
    assert np.array_equal(
        apply("sigmoid_forward", x), np.array([0.5, 0.5, 1, 0, nan, 0, 1], dtype), equal_nan=True
    )
    y = apply("tanh_forward", x)
    assert np.array_equal(y, np.array([0, 0, 1, -1, nan, -1, 1], dtype), equal_nan=True)
    assert list(np.signbit(y[:2])) == [False, True]
    for name in ("gelu_forward", "gelu_tanh_forward"):
        y = apply(name, x)
        assert np.array_equal(y, np.array([0, 0, inf, 0, nan, 0, 1000], dtype), equal_nan=True)
        assert list(np.signbit(y[:2])) == [False, True]
    for name in ("gelu_backward", "gelu_tanh_backward"):
        dx = np.empty_like(x)
        getattr(kernels, name)(np.ones_like(x), x, dx)
        assert np.array_equal(dx, np.array([0.5, 0.5, 1, 0, nan, 0, 1], dtype), equal_nan=True)
    x = np.array([0.0, -0.0, inf, -inf, nan, 1, -1], dtype=dtype)
    assert np.array_equal(
        apply("log", x), np.array([-inf, -inf, inf, nan, nan, 0, nan], dtype), equal_nan=True
    )
    assert np.array_equal(apply("reciprocal", x)[:4], np.array([inf, -inf, 0, 0], dtype))
    mask, out = np.empty(7, bool), np.empty(7, dtype)
    kernels.relu_forward(x, out, mask)
    assert np.array_equal(out, np.array([0, 0, inf, 0, nan, 1, 0], dtype), equal_nan=True)
    assert np.array_equal(mask, [True, True, False, True, False, False, True])


@pytest.mark.parametrize("dtype", DTYPES)
def test_subnormal_numbers_are_not_flushed(dtype):
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([tiny, 3 * tiny, np.finfo(dtype).tiny / 2], dtype=dtype)
    out, mask = np.empty_like(x), np.empty(3, bool)
    kernels.relu_forward(x, out, mask)
    assert np.array_equal(out, x)
    exact_log = [float(mpmath.log(mpmath.mpf(float(value)))) for value in x]
    assert np.allclose(apply("log", x), exact_log, rtol=4 * float(np.finfo(dtype).eps), atol=0)
    low = np.array([np.log(3) + np.log(float(np.finfo(dtype).tiny)) - 5], dtype=dtype)
    assert 0 < apply("exp", low)[0] < np.finfo(dtype).tiny
