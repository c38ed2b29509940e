"""The functions of tests/functions.py over their whole range, against a wider type or mpmath."""

import mpmath
import numpy as np
import pytest

from bpcore import kernels
from tests import reference
from tests.bounds import ulps, unit_roundoff
from tests.functions import ACTIVATIONS, KERNELS, SPECIAL
from tests.registry import ACTIVATIONS as REGISTERED
from tests.registry import activation_numbers
from tests.strategies import DTYPES

# Those with a bound in units in the last place, and that bound.
LIMITS = {name: row.relative / 2 for name, row in KERNELS.items() if not row.absolute}


def apply(name, x, module=kernels):
    out = np.empty_like(x)
    mask = [np.empty(x.shape, bool)] if len(getattr(kernels, name).arguments) > 2 else []
    getattr(module, name)(x, *activation_numbers(name.removesuffix("_forward")), out, *mask)
    return out


def exact(name, x):
    """In float64, whose own error is 2^-29 of a float32's last place.

    NumPy has no erf: of what needs it, the float64 kernel is taken, which mpmath holds below.
    """
    with np.errstate(all="ignore"):
        wide = x.astype(np.float64)
        if not KERNELS[name].vectorised:
            return apply(name, wide)
        return apply(name, wide, reference)


def worst_float32(name, bits):
    x = bits.view(np.float32)
    got, want = apply(name, x), exact(name, x)
    return float(ulps(got, want, KERNELS[name].least).max())


def test_every_activation_has_its_data():
    assert {*ACTIVATIONS} == {*REGISTERED}, "tests/functions.py has a row for each activation, and no other"


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
    x = KERNELS[name].samples(np.random.default_rng(5))
    got = apply(name, x)
    with mpmath.workprec(200):
        for value, result in zip(x, got, strict=True):
            want = KERNELS[name].exact(mpmath.mpf(float(value)))
            size = max(abs(float(want)), KERNELS[name].least * float(np.finfo(float).tiny))
            place = mpmath.mpf(float(np.spacing(size) if size else 5e-324))
            assert abs(mpmath.mpf(float(result)) - want) <= LIMITS[name] * place, value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", REGISTERED)
def test_forward_and_derivative_against_mpmath(kind, dtype):
    # Within the bounds of the table, also where these are not relative to the result.
    row, rng = ACTIVATIONS[kind], np.random.default_rng(6)
    x = np.clip(row.samples(rng), -100, 100).astype(dtype)[::10]
    x = x[np.abs(x) > np.finfo(dtype).tiny]
    y, kept, dx = apply(f"{kind}_forward", x), x, np.empty_like(x)
    if REGISTERED[kind].keeps != "x":
        kept = y if REGISTERED[kind].keeps == "out" else x <= 0
    getattr(kernels, f"{kind}_backward")(np.ones_like(x), kept, *activation_numbers(kind), dx)
    u, tiny = unit_roundoff(dtype), float(np.finfo(dtype).tiny)
    with mpmath.workprec(200):
        for value, out, slope in zip(x.tolist(), y.tolist(), dx.tolist(), strict=True):
            want = row.exact(mpmath.mpf(value))
            error = row.error(float(want), dtype)
            assert abs(mpmath.mpf(out) - want) <= error, value
            want = mpmath.diff(row.exact, mpmath.mpf(value), h=mpmath.mpf(2) ** -80 * abs(value))
            # What came out is off by the error of the forward; what went in and a mask are exact.
            kept_error = error if REGISTERED[kind].keeps == "out" else 0.0
            change = float(row.change(np.float64(out), np.float64(kept_error)))
            own = u * (row.dx_relative * (abs(float(want)) + change) + row.dx_absolute)
            assert abs(mpmath.mpf(slope) - want) <= change + own + tiny, value
            assert abs(want) <= row.slope


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", KERNELS)
def test_special_values(name, dtype):
    got = apply(name, np.array(SPECIAL, dtype))
    for x, value, wanted in zip(SPECIAL, got, KERNELS[name].special, strict=True):
        if wanted is not None:
            assert np.array_equal(value, dtype.type(wanted), equal_nan=True), x
        if x == 0 and wanted is not None:
            assert np.signbit(value) == np.signbit(wanted), x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", [kind for kind, row in ACTIVATIONS.items() if row.dx_special is not None])
def test_special_values_of_derivatives(kind, dtype):
    x = np.array(SPECIAL, dtype)
    dx = np.empty_like(x)
    getattr(kernels, f"{kind}_backward")(np.ones_like(x), x, *activation_numbers(kind), dx)
    assert np.array_equal(dx, np.array(ACTIVATIONS[kind].dx_special, dtype), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_logarithm_of_1_and_of_negative_numbers(dtype):
    got = apply("log", np.array([1, -1], dtype))
    assert np.array_equal(got, np.array([0, np.nan], dtype), equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_mask_of_special_values(dtype):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1], dtype)
    mask = np.empty(7, bool)
    kernels.relu_forward(x, np.empty(7, dtype), mask)
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
