"""Central differences: right, and x is what it was, whatever happens."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp


@given(st.integers(0, 1000))
def test_a_quadratic_form(seed):
    rng = np.random.default_rng(seed)
    A, x = rng.normal(size=(4, 4)), rng.normal(size=4)
    # Central differences are exact for a quadratic; what is left is the roundoff of f over h.
    gradient = bp.numerical_gradient(lambda v: v @ A @ v, x)
    size = np.abs(A).sum() * np.abs(x).max() ** 2
    assert np.abs(gradient - (A + A.T) @ x).max() <= 20 * size * 2**-53 / 1e-5


def test_a_function_that_ignores_its_argument():
    x = np.array([[6.0, 8.0]])
    gradient = bp.numerical_gradient(lambda _: float((x**2).sum()), x)
    np.testing.assert_allclose(gradient, [[12, 16]], rtol=1e-8)


@pytest.mark.parametrize(
    "x", [np.array(2.0), np.empty(0), np.asfortranarray(np.ones((2, 3))), np.ones((4, 3))[::2, 1:]]
)
def test_any_shape_and_layout(x):
    np.testing.assert_allclose(bp.numerical_gradient(lambda v: (v**2).sum(), x), 2 * x, rtol=1e-8)


def test_x_is_restored_when_f_raises():
    x = np.array([0.1, 0.2, 0.3])
    before = x.copy()
    calls = []

    def f(v):
        calls.append(v.copy())
        if len(calls) == 4:
            raise ZeroDivisionError
        return 0.0

    with pytest.raises(ZeroDivisionError):
        bp.numerical_gradient(f, x)
    assert np.array_equal(x, before)
    assert calls[3][1] < before[1]


def test_what_it_refuses():
    ok = np.ones(2)
    readonly = np.ones(2)
    readonly.setflags(write=False)
    with pytest.raises(TypeError, match="x is a list, wanted an array of float64"):
        bp.numerical_gradient(sum, [1.0, 2.0])
    with pytest.raises(ValueError, match="x is read-only"):
        bp.numerical_gradient(np.sum, readonly)
    with pytest.raises(ValueError, match=r"f returned an array of shape \(2,\), wanted a number"):
        bp.numerical_gradient(lambda v: v, ok)
    with pytest.raises(ValueError, match="h is 0, wanted a positive finite number"):
        bp.numerical_gradient(np.sum, ok, h=0)
    assert np.array_equal(ok, [1, 1])
