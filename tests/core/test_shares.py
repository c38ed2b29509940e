"""Losses by shares of the rows against their NumPy twins, within a bound that the number of roundings gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcore import kernels
from tests import reference
from tests.bounds import Bounded, unit_roundoff
from tests.core.test_twins import KINDS_OF_NUMBERS, run
from tests.losses import LOSSES
from tests.registry import DOMAINS, loss_options
from tests.strategies import SOME, arrays, dtypes


@pytest.mark.parametrize("kind", KINDS_OF_NUMBERS)
@given(data=st.data(), dtype=dtypes(), B=SOME, K=SOME)
def test_losses_of_numbers_by_shares(kind, data, dtype, B, K):
    t, option = data.draw(arrays(dtype, B, K)).clip(*DOMAINS[kind]), loss_options(kind)
    K = K * KINDS_OF_NUMBERS[kind].outputs_per_target
    x, shares = data.draw(arrays(dtype, B, K)), shares_of_rows(data, dtype, B)
    x[shares == 0] = np.nan  # nobody looks at them
    (loss,), (loss_twin,) = run(f"weighted_{kind}_forward", x, t, shares, *option, outputs=[])
    (dx, _), (twin, _) = run(
        f"weighted_{kind}_backward", x, t, shares, 1.0, *option, outputs=[((B, K), dtype)]
    )
    assert not dx[shares == 0].any()
    u, of_rows = unit_roundoff(float), 0.0
    for r in np.flatnonzero(shares):
        row = slice(r, r + 1)
        scores = Bounded(x[row].astype(float), np.zeros((1, K)))
        bounds = [LOSSES[kind].bounded(scores, t[row], each, *option) for each in (dtype, float)]
        of_dx = sum(one.e for _, one in bounds) * shares[r]
        # A product with the share, and the least number, of which no share is left.
        rounding = 2 * unit_roundoff(dtype) * np.abs(twin[row]) + float(np.finfo(dtype).tiny)
        assert (np.abs(dx[row] - twin[row]) <= of_dx + rounding).all()
        of_rows += sum(one.e for one, _ in bounds) * shares[r] + (B + 2) * u * abs(bounds[0][0].v) * shares[r]
    assert abs(loss - loss_twin) <= of_rows


def shares_of_rows(data, dtype, B):
    """Shares of rows, some of them 0."""
    shares = np.abs(data.draw(arrays(dtype, B)))
    shares[data.draw(st.integers(0, B - 1)) :: 3] = 0
    return shares


@pytest.mark.parametrize("kind", ["labels", "soft"])
@given(data=st.data(), dtype=dtypes(), B=SOME, K=SOME)
def test_softmax_cross_entropy_by_shares(kind, data, dtype, B, K):
    x, shares = data.draw(arrays(dtype, B, K, bound=50)), shares_of_rows(data, dtype, B)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    t = rng.integers(0, K, B) if kind == "labels" else rng.uniform(size=(B, K)).astype(dtype)
    (y, loss), (_, loss_twin) = run(
        "weighted_softmax_cross_entropy_forward", x, t, shares, outputs=[((B, K), dtype)]
    )
    dx = np.empty_like(y)
    kernels.weighted_softmax_cross_entropy_backward(y, t, shares, 1.0, dx)
    twin = np.empty((B, K))
    reference.weighted_softmax_cross_entropy_backward(y.astype(float), t, shares.astype(float), 1.0, twin)
    u, weight = unit_roundoff(dtype) + unit_roundoff(float), 1 if kind == "labels" else K
    # As in test_softmax_cross_entropy, of the same y: the sum of the weights, and four roundings.
    assert (np.abs(dx - twin) <= (6 + K) * u * weight * shares[:, np.newaxis] + np.finfo(dtype).tiny).all()
    assert not dx[shares == 0].any()
    assert abs(loss - loss_twin) <= (12 + 2 * K + B) * u * weight * (100 + np.log(K)) * shares.sum(
        dtype=float
    )
