"""The kernels of softmax as a layer and of its logarithm: against their twins, at extremes, on any threads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcore import kernels
from tests import reference
from tests.bounds import unit_roundoff
from tests.strategies import DTYPES, SIZES, SOME, arrays, dtypes


def made(name, *inputs, module=kernels):
    out = np.full_like(inputs[0], 77)
    with np.errstate(all="ignore"):
        getattr(module, name)(*inputs, out)
    return out


def twin_of(name, *inputs):
    return made(name, *(array.astype(float) for array in inputs), module=reference)


@given(st.data(), dtypes(), SIZES, SOME)
def test_log_softmax(data, dtype, B, K):
    x = data.draw(arrays(dtype, B, K, bound=50))
    before = x.copy()
    y, twin, u = (
        made("log_softmax", x),
        twin_of("log_softmax", x),
        unit_roundoff(dtype) + unit_roundoff(float),
    )
    # Of exp(x − m), from 0 to 1, each is off by the roundings of x − m, at most d·exp(−d) < 1/2 unit, and by its own 8;
    # their sum, from 1 to K, by K more, its logarithm by its own 6. Then two differences are rounded.
    shifted = np.abs(x - x.max(axis=1, keepdims=True)).astype(float)
    error = u * (shifted + np.abs(twin) + 9 + 2 * K + 6 * np.log(K) + 1)
    assert (np.abs(y - twin) <= error).all()
    assert np.array_equal(x, before)


@given(st.data(), dtypes(), SIZES, SOME)
def test_softmax_backward(data, dtype, B, K):
    dout, y = data.draw(arrays(dtype, B, K)), data.draw(arrays(dtype, B, K))
    dx, (a, b) = made("softmax_backward", dout, y), (dout.astype(float), y.astype(float))
    # Products are rounded to the type, and added in float64, in which the rest is computed, then rounded once.
    products, tiny = np.abs(a * b).sum(axis=1, keepdims=True), float(np.finfo(dtype).tiny)
    of_sum = (unit_roundoff(dtype) + 2 * (K + 4) * unit_roundoff(float)) * products + K * tiny
    twin = twin_of("softmax_backward", dout, y)
    assert (
        np.abs(dx - twin)
        <= np.abs(b) * of_sum + 4 * unit_roundoff(dtype) * np.abs(b) * (np.abs(a) + products) + tiny
    ).all()
    for place in range(2):
        inputs = [dout.copy(), y.copy()]
        kernels.softmax_backward(*inputs, inputs[place])
        assert np.array_equal(inputs[place], dx)


@given(st.data(), dtypes(), SIZES, SOME)
def test_log_softmax_backward(data, dtype, B, K):
    dout, y = data.draw(arrays(dtype, B, K)), -np.abs(data.draw(arrays(dtype, B, K)))
    dx, twin = made("log_softmax_backward", dout, y), twin_of("log_softmax_backward", dout, y)
    # exp is within 4 units in the last place, 8u; the sum is one of float64.
    most, e = np.abs(dout).astype(float).sum(axis=1, keepdims=True), np.exp(y.astype(float))
    error = (9 * unit_roundoff(dtype) + 2 * (K + 5) * unit_roundoff(float)) * e * most
    assert (np.abs(dx - twin) <= error + 2 * unit_roundoff(dtype) * np.abs(twin) + np.finfo(dtype).tiny).all()
    for place in range(2):
        inputs = [dout.copy(), y.copy()]
        kernels.log_softmax_backward(*inputs, inputs[place])
        assert np.array_equal(inputs[place], dx)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("K", [1, 2, 7, 16, 64, 65, 700])
def test_a_row_alone_or_in_a_batch_and_any_number_of_threads(K, dtype):
    rng = np.random.default_rng(0)
    x, dout = (30 * rng.normal(size=(40, K)).astype(dtype) for _ in range(2))
    for name in ("softmax", "log_softmax"):
        y = made(name, x)
        dx = made(f"{name}_backward", dout, y)
        for row in range(40):
            one = slice(row, row + 1)
            assert np.array_equal(made(name, x[one])[0], y[row])
            assert np.array_equal(made(f"{name}_backward", dout[one], y[one])[0], dx[row])
        for threads in (1, 2, 3, 7):
            out = [np.empty_like(x) for _ in range(2)]
            getattr(kernels, name)(x, out[0], threads=threads)
            getattr(kernels, f"{name}_backward")(dout, y, out[1], threads=threads)
            assert np.array_equal(out[0], y)
            assert np.array_equal(out[1], dx)


# Rows, and the softmax and its logarithm that the formulas have for them.
NAN, INF = np.nan, np.inf
EXTREMES = [
    ([1e4, 0, -1e4], [1, 0, 0], [0, -1e4, -2e4]),
    ([-1e4, -1e4, -1e4 - 1], [1 / (2 + np.exp(-1)), 1 / (2 + np.exp(-1)), 1 / (1 + 2 * np.e)], None),
    ([-INF, 0, 0], [0, 0.5, 0.5], [-INF, -np.log(2), -np.log(2)]),
    ([-INF, -INF, 3], [0, 0, 1], [-INF, -INF, 0]),
    ([1e38, -1e38, 0], [1, 0, 0], [0, -2e38, -1e38]),
    ([0.0, -0.0, 0.0], [1 / 3] * 3, [-np.log(3)] * 3),
    ([-INF, -INF, -INF], [NAN] * 3, [NAN] * 3),
    ([NAN, 0, 1], [NAN] * 3, [NAN] * 3),
    ([0, 1, NAN], [NAN] * 3, [NAN] * 3),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("repeat", [1, 30])
@pytest.mark.parametrize(("row", "y", "log_y"), EXTREMES)
def test_extremes(row, y, log_y, repeat, dtype):
    # Few numbers and many, by lanes and by rows.
    x = np.array([row * repeat, [1.0, 2.0, 3.0] * repeat, row * repeat], dtype)
    wanted = np.array(y * repeat) / repeat
    wanted_log = np.log(wanted) if log_y is None else np.array(log_y * repeat) - np.log(repeat)
    u = unit_roundoff(dtype)
    for rows in (x, x[:1]):
        found, logs = made("softmax", rows), made("log_softmax", rows)
        for n in range(0, len(rows), 2):
            assert np.allclose(found[n], wanted, rtol=(16 + 3 * repeat) * u, atol=0, equal_nan=True)
            # The roundings of a sum of 3·repeat terms, and of numbers of the sizes that are there.
            assert np.allclose(logs[n], wanted_log, rtol=4 * u, atol=(16 + 9 * repeat) * u, equal_nan=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [3, 90])
def test_plus_infinity_gives_nan(columns, dtype):
    x = np.zeros((2, columns), dtype)
    x[0, 1] = np.inf
    y, log_y = made("softmax", x), made("log_softmax", x)
    assert np.isnan(y[0]).all()
    assert np.isnan(log_y[0]).all()
    assert np.isfinite(y[1]).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_impossible_gets_the_gradient_of_its_limit(dtype):
    x, dout = np.array([[-np.inf, 0.0, 1.0]], dtype), np.array([[2.0, 1.0, -3.0]], dtype)
    assert made("softmax_backward", dout, made("softmax", x))[0, 0] == 0
    assert made("log_softmax_backward", dout, made("log_softmax", x))[0, 0] == 2
