"""Batch normalisation by itself: training and inference, running statistics, numbers at the edges."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from tests import reference
from tests.bounds import gamma, unit_roundoff
from tests.strategies import DTYPES, arrays, dtypes

ROWS = st.integers(1, 70)
COLUMNS = st.integers(1, 70)


def layer_of(n, dtype=np.float64, seed=0, **options):
    """A layer whose parameters and statistics are not those of a new one."""
    layer, rng = bp.BatchNorm(n, dtype=dtype, **options), np.random.default_rng(seed)
    layer.gamma[:], layer.beta[:] = rng.uniform(0.5, 2, n), rng.normal(size=n)
    layer.running_mean[:], layer.running_var[:] = rng.normal(size=n), rng.uniform(0.5, 2, n)
    return layer


def test_a_batch_by_hand():
    layer = bp.BatchNorm(2, eps=1.0, momentum=0.25, dtype=float)
    layer.gamma[:], layer.beta[:] = [3.0, 1.0], [0.5, 0.0]
    # Means 3 and 10, variances 8 and 0; with 1 added, roots 3 and 1.
    x = np.array([[3 - np.sqrt(8), 10.0], [3 + np.sqrt(8), 10.0]])
    out = layer.forward(x, training=True)
    assert np.allclose(out, [[0.5 - np.sqrt(8), 0], [0.5 + np.sqrt(8), 0]], rtol=0, atol=1e-15)
    assert np.allclose(layer.running_mean, [0.25 * 3, 0.25 * 10], rtol=1e-15)
    # The variance of two numbers has the divisor 1.
    assert np.allclose(layer.running_var, [0.75 + 0.25 * 16, 0.75], rtol=1e-15)
    # By the running statistics; nothing moves.
    layer.running_mean[:], layer.running_var[:] = [1, 2], [3, 8]
    assert np.array_equal(layer.forward([[3.0, 5.0]]), [[3.5, 1.0]])
    assert np.array_equal(layer.running_mean, [1, 2])
    assert np.array_equal(layer.running_var, [3, 8])


@given(st.data(), dtypes(), ROWS, COLUMNS)
def test_in_training_a_column_has_mean_beta_and_deviation_gamma(data, dtype, B, O):  # noqa: E741
    x = data.draw(arrays(dtype, B, O))
    layer = layer_of(O, dtype, eps=1e-12)
    out = layer.forward(x, training=True).astype(float)
    u = unit_roundoff(dtype)
    sizes = np.abs(layer.z * layer.gamma).max(axis=0) + np.abs(layer.beta) + 1
    assert (np.abs(out.mean(axis=0) - layer.beta) <= 4 * u * sizes + gamma(4 * B, float) * sizes).all()
    spread = x.astype(float).std(axis=0)
    wide = spread > 1e-3  # else eps counts
    ratio = out.std(axis=0)[wide] / layer.gamma[wide]
    assert (np.abs(ratio - 1) <= 8 * u * sizes[wide] / layer.gamma[wide] * 2 + 1e-6).all()


@given(st.data(), ROWS, COLUMNS, st.booleans())
def test_gradients(data, B, O, training):  # noqa: E741
    x, dout = data.draw(arrays(np.dtype(float), B, O)), data.draw(arrays(np.dtype(float), B, O))
    layer = layer_of(O)
    layer.forward(x, training=training)
    dx = layer.backward(dout)
    outputs = [np.empty((B, O)), np.empty(O), np.empty(O)]
    reference.batch_norm_backward(dout, layer.z, layer.scale, layer.gamma, *outputs)
    if not training:
        outputs[0][...] = dout * (layer.gamma * layer.scale)
    sizes = 1 + np.abs(layer.z).max()
    for ours, twin in zip((dx, layer.dgamma, layer.dbeta), outputs, strict=True):
        # Sums of B products of numbers up to 10·sizes, times gamma·scale; scale is at most 1/√eps.
        bound = gamma(2 * B + 12, float) * 10 * sizes**2 * B * max(1, layer.gamma.max() * layer.scale.max())
        assert (np.abs(ours - twin) <= bound).all()


@pytest.mark.parametrize("training", [True, False])
def test_gradients_by_differences(training):
    rng = np.random.default_rng(0)
    x, dout, layer = rng.normal(size=(7, 5)), rng.normal(size=(7, 5)), layer_of(5)

    def value(_):
        return float((copy.deepcopy(layer).forward(x, training=training) * dout).sum())

    layer.forward(x, training=training)
    dx = layer.backward(dout)
    layer.running_mean[:], layer.running_var[:] = layer_of(5).running_mean, layer_of(5).running_var
    for ours, array in ((dx, x), (layer.dgamma, layer.gamma), (layer.dbeta, layer.beta)):
        assert np.allclose(ours, bp.numerical_gradient(value, array), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("rows", [2, 3, 40])
def test_the_checker_finds_nothing_and_moves_nothing(rows):
    layer = layer_of(5)
    before = copy.deepcopy(layer)
    bp.assert_gradients(layer, np.random.default_rng(0).normal(size=(rows, 5)))
    assert np.array_equal(layer.running_mean, before.running_mean)
    assert np.array_equal(layer.running_var, before.running_var)


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_row_gives_beta_and_moves_nothing(dtype):
    layer = layer_of(6, dtype)
    before = copy.deepcopy(layer)
    x = np.array([[0.0, 1.0, -1e30, 1e-30, 3.7, -0.0]], dtype)
    assert np.array_equal(layer.forward(x, training=True), [layer.beta])
    assert not layer.backward(np.ones((1, 6), dtype)).any()
    assert np.array_equal(layer.running_mean, before.running_mean)
    assert np.array_equal(layer.running_var, before.running_var)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_rows(dtype, training):
    layer = layer_of(3, dtype)
    before = copy.deepcopy(layer)
    assert layer.forward(np.empty((0, 3), dtype), training=training).shape == (0, 3)
    assert layer.backward(np.empty((0, 3), dtype)).shape == (0, 3)
    assert not layer.dgamma.any()
    assert not layer.dbeta.any()
    assert np.array_equal(layer.running_mean, before.running_mean)


@pytest.mark.parametrize("value", [0.0, 3.0, 2.0**-40, 1e6, -1e30])
def test_a_constant_column_gives_beta(value):
    # Sums of up to 2^20 equal float32 numbers are exact in float64.
    layer = layer_of(2, np.float32)
    x = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    x[:, 0] = value
    out = layer.forward(x, training=True)
    assert (out[:, 0] == layer.beta[0]).all()
    assert (layer.z[:, 0] == 0).all()
    assert (out[:, 1] != layer.beta[1]).any()


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1e15, 3e37])
def test_tiny_and_huge_numbers_of_float32(size):
    x = (size * np.random.default_rng(0).uniform(-1, 1, (50, 3))).astype(np.float32)
    layer, wide = layer_of(3, np.float32), layer_of(3, np.float64)
    for name in ("gamma", "beta", "running_mean", "running_var"):
        getattr(wide, name)[:] = getattr(layer, name)
    with np.errstate(over="ignore"):
        out = layer.forward(x, training=True)
        twin = wide.forward(x.astype(float), training=True)
        # A running variance beyond float32 is infinite, and then all is the mean.
        wanted = wide.running_var.astype(np.float32)
    assert np.allclose(layer.running_var, wanted, rtol=2**-23)
    u = unit_roundoff(np.float32)
    assert (np.abs(out - twin) <= 3 * u * (np.abs(wide.z * wide.gamma) + np.abs(wide.beta))).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_shows_in_its_column_alone(bad, dtype):
    x = np.random.default_rng(0).normal(size=(70, 40)).astype(dtype)
    clean, spoilt = layer_of(40, dtype), layer_of(40, dtype)
    wanted = clean.forward(x, training=True)
    x[33, 17] = bad
    out = spoilt.forward(x, training=True)
    others = np.arange(40) != 17
    assert np.isnan(out[33, 17])
    assert np.array_equal(out[:, others], wanted[:, others])
    assert not np.isfinite(spoilt.running_mean[17])
    assert np.array_equal(spoilt.running_mean[others], clean.running_mean[others])
    dx = spoilt.backward(np.ones_like(x))
    assert np.isnan(dx[33, 17])
    assert np.isfinite(dx[:, others]).all()
    # By running statistics the row alone.
    out, wanted = clean.forward(x), clean.forward(np.nan_to_num(x))
    assert not np.isfinite(out[33, 17])
    assert np.array_equal(
        np.delete(out.reshape(-1), 33 * 40 + 17), np.delete(wanted.reshape(-1), 33 * 40 + 17)
    )


def test_a_row_of_inference_needs_no_other():
    x, layer = np.random.default_rng(0).normal(size=(40, 33)), layer_of(33)
    batch = layer.forward(x)
    for row in range(40):
        assert np.array_equal(layer.forward(x[row : row + 1])[0], batch[row])


def test_momentum():
    x = np.random.default_rng(0).normal(size=(30, 4))
    still, last = layer_of(4, momentum=0), layer_of(4, momentum=1)
    mean, var = still.running_mean.copy(), still.running_var.copy()
    for layer in (still, last):
        layer.forward(x, training=True)
    assert np.array_equal(still.running_mean, mean)
    assert np.array_equal(still.running_var, var)
    assert np.allclose(last.running_mean, x.mean(axis=0), rtol=0, atol=1e-15)
    assert np.allclose(last.running_var, x.var(axis=0, ddof=1), rtol=1e-14)
    # After many batches the first statistics are forgotten: 0.9^200 is 7e-10.
    layer = bp.BatchNorm(4, dtype=float)
    for _ in range(200):
        layer.forward(x, training=True)
    assert np.allclose(layer.running_mean, x.mean(axis=0), rtol=0, atol=1e-9)


@pytest.mark.parametrize("made", ["of float64", "every second", "Fortran"])
def test_running_statistics_of_another_type_or_layout_move_too(made):
    x, plain, other = np.random.default_rng(0).normal(size=(9, 4)), layer_of(4), layer_of(4)
    if made == "of float64":
        x, plain, other = x.astype(np.float32), layer_of(4, np.float32), layer_of(4, np.float32)
        other.running_mean = other.running_mean.astype(float)
    else:
        other.running_mean = np.repeat(other.running_mean, 2)[::2]
        other.running_var = np.repeat(other.running_var, 3)[1::3]
    array = other.running_mean
    for layer in (plain, other):
        layer.forward(x, training=True)
    assert other.running_mean is array
    assert np.allclose(other.running_mean, plain.running_mean, rtol=1e-6)
    assert np.allclose(other.running_var, plain.running_var, rtol=1e-6)
    if made != "of float64":
        assert np.array_equal(other.running_mean, plain.running_mean)


def test_copies_have_statistics_of_their_own():
    layer, x = layer_of(4), np.random.default_rng(0).normal(size=(9, 4))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        before = layer.running_mean.copy()
        twin.forward(x, training=True)
        assert not np.array_equal(twin.running_mean, before)
        assert np.array_equal(layer.running_mean, before)


@pytest.mark.parametrize("name", ["running_mean", "running_var"])
def test_frozen_statistics_are_refused_in_training_before_anything_moves(name):
    layer, x = layer_of(4), np.random.default_rng(0).normal(size=(9, 4))
    getattr(layer, name).setflags(write=False)
    before = copy.deepcopy(layer)
    with pytest.raises(ValueError, match=f"BatchNorm.forward: {name} is read-only"):
        layer.forward(x, training=True)
    assert np.array_equal(layer.running_mean, before.running_mean)
    assert np.array_equal(layer.running_var, before.running_var)
    assert np.array_equal(layer.forward(x), before.forward(x))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: bp.BatchNorm(0), ValueError, "BatchNorm: features is 0, wanted a whole number of 1 or more"),
        (lambda: bp.BatchNorm(True), ValueError, "features is True"),
        (lambda: bp.BatchNorm(3, eps=0), ValueError, "BatchNorm: eps is 0, wanted a positive finite number"),
        (lambda: bp.BatchNorm(3, momentum=1.5), ValueError, "momentum is 1.5, wanted a number from 0 to 1"),
        (lambda: bp.BatchNorm(3, momentum=-0.1), ValueError, "momentum is -0.1"),
        (lambda: bp.BatchNorm(3, momentum=np.nan), ValueError, "momentum is nan"),
        (
            lambda: bp.BatchNorm(3, dtype="int32"),
            TypeError,
            "BatchNorm: dtype is int32, wanted float32 or float64",
        ),
        (
            lambda: bp.BatchNorm(3).forward(np.ones((2, 4))),
            ValueError,
            "x has 4 columns, gamma has 3 elements",
        ),
        (
            lambda: bp.BatchNorm(3).backward(np.ones((2, 3))),
            RuntimeError,
            "BatchNorm.backward: there is no forward",
        ),
        (lambda: setattr(bp.BatchNorm(3), "running_mean", [0, 0, 0]), TypeError, "running_mean is a list"),
        (
            lambda: setattr(bp.BatchNorm(3), "running_var", np.ones((3, 1))),
            ValueError,
            "running_var has 2 dim",
        ),
        (lambda: setattr(bp.BatchNorm(3), "weight", 1), AttributeError, "did you mean 'gamma'"),
        (lambda: setattr(bp.BatchNorm(3), "moving_mean", 1), AttributeError, "did you mean 'running_mean'"),
    ],
)
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_statistic_that_is_another_array_is_refused():
    layer = layer_of(3)
    layer.running_var = layer.running_mean
    with pytest.raises(ValueError, match="running_mean overlaps running_var"):
        layer.forward(np.ones((4, 3)), training=True)
