"""The quantile loss near 0 and 1, where a rounded quantile leaves little of the rest to 1."""

import numpy as np
import pytest

import backprop as bp
from bpcore import kernels
from tests.bounds import unit_roundoff
from tests.strategies import DTYPES

X, T = np.array([[3.0, -2.0, 1.0]]), np.array([[1.0, 1.0, 1.0]])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("quantile", [1e-6, 1e-3, 0.5, 0.999, 1 - 1e-6, 1 - 1e-12])
def test_both_slopes_have_all_their_digits(quantile, dtype):
    x, t, dx = X.astype(dtype), T.astype(dtype), np.empty((1, 3), dtype)
    loss = kernels.quantile(x, t, quantile, dx)
    above, below = 1 - quantile, quantile
    u = unit_roundoff(dtype)
    assert np.abs(dx - [above, -below, 0]).max(initial=0) <= u
    assert abs(dx[0, 0] - above) <= 2 * u * above
    assert abs(dx[0, 1] + below) <= 2 * u * below
    assert abs(loss - (2 * above + 3 * below)) <= 4 * u * loss


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("quantile", [1e-320, 1 - 2**-53])
def test_no_slope_is_0(quantile, dtype):
    x, t, dx = np.array([[np.inf, -np.inf]], dtype), np.zeros((1, 2), dtype), np.empty((1, 2), dtype)
    assert kernels.quantile(x, t, quantile, dx) == np.inf
    assert dx[0, 0] > 0 > dx[0, 1]


@pytest.mark.parametrize("quantile", [0, 1, -0.1, np.nan, "0.5"])
def test_quantiles_that_are_none(quantile):
    with pytest.raises(ValueError, match="Quantile: quantile is .*, wanted a number above 0 and below 1"):
        bp.Quantile(quantile)
    layer = bp.Quantile()
    vars(layer)["quantile"] = 7.0
    net = bp.Network([2, 1], loss=layer, seed=0)
    with pytest.raises(ValueError, match="quantile is 7"):
        net.train_step(np.ones((2, 2), np.float32), np.ones((2, 1), np.float32), bp.SGD())


def test_what_is_learnt_is_the_quantile():
    rng = np.random.default_rng(0)
    t = rng.exponential(size=(4000, 1))
    net = bp.Network([1, 1], loss=bp.Quantile(0.9), seed=0, dtype=np.float64)
    net.fit(np.zeros((4000, 1)), t, iterations=2000, batch_size=100, optimizer=bp.SGD(0.05), seed=0)
    # Nine tenths are below, give or take five standard deviations of the share of 4,000, and the last steps' noise.
    below = (t < net.predict(np.zeros((1, 1)))).mean()
    assert abs(below - 0.9) < 5 * np.sqrt(0.9 * 0.1 / 4000) + 0.01
