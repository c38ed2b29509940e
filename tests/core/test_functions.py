"""exp, log, sigmoid and tanh over their whole range, against a wider type or mpmath."""

import mpmath
import numpy as np
import pytest

from bpcore import kernels
from tests.bounds import ulps
from tests.strategies import DTYPES

LIMITS = {"exp": 2.0, "log": 3.0, "sigmoid_forward": 4.0, "tanh_forward": 3.0}
MPMATH = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sigmoid_forward": lambda x: 1 / (1 + mpmath.exp(-x)),
    "tanh_forward": mpmath.tanh,
}
WIDE = {
    "exp": np.exp,
    "log": np.log,
    "sigmoid_forward": lambda x: 1 / (1 + np.exp(-x)),
    "tanh_forward": np.tanh,
}


def apply(name, x):
    out = np.empty_like(x)
    getattr(kernels, name)(x, out)
    return out


def exact(name, x):
    """In float64, whose own error is 2^-29 of a float32's last place."""
    with np.errstate(all="ignore"):
        return WIDE[name](x.astype(np.float64))


def worst_float32(name, bits):
    x = bits.view(np.float32)
    got, want = apply(name, x), exact(name, x)
    return float(ulps(got, want).max())


@pytest.mark.parametrize("name", LIMITS)
def test_float32_over_every_exponent(name):
    # 2^22 of the 2^32 patterns, NaN and infinities among them; the deep run takes all of them.
    bits = np.arange(0, 2**32, 1021, dtype=np.uint64).astype(np.uint32)
    assert worst_float32(name, bits) <= LIMITS[name]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", LIMITS)
def test_float32_exhaustively(name):
    for start in range(0, 2**32, 2**24):
        assert (
            worst_float32(name, np.arange(start, start + 2**24, dtype=np.uint64).astype(np.uint32))
            <= LIMITS[name]
        )


@pytest.mark.parametrize("name", LIMITS)
def test_float64_against_mpmath(name):
    rng = np.random.default_rng(5)
    if name == "log":
        x = np.concatenate([np.exp(rng.uniform(-745, 709, 1500)), 1 + rng.uniform(-1e-3, 1e-3, 500)])
    elif name == "tanh_forward":
        tiny = np.exp(rng.uniform(-740, 0, 500))
        x = np.concatenate([rng.uniform(-25, 25, 1000), rng.uniform(-1, 1, 1000), tiny, -tiny])
    else:
        x = np.concatenate([rng.uniform(-745, 709, 1500), rng.uniform(-1, 1, 500)])
    got = apply(name, x)
    with mpmath.workprec(200):
        for value, result in zip(x, got, strict=True):
            want = MPMATH[name](mpmath.mpf(float(value)))
            place = mpmath.mpf(float(np.spacing(abs(float(want))) if float(want) else 5e-324))
            assert abs(mpmath.mpf(float(result)) - want) <= LIMITS[name] * place, value


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
