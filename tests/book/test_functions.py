"""The book's functions, and what one import of the module gives."""

import subprocess
import sys

import numpy as np
import pytest

import backprop as bp
from backprop import book
from tests.bounds import gamma, unit_roundoff

U = unit_roundoff(np.float64)


def smoothed(x):
    """Each number's eleven neighbours, weighed: in front mirrored about the first, behind about the end."""
    weights = np.kaiser(11, 2)
    front, back = [x[-n % len(x)] if len(x) > 5 else None for n in range(-5, 0)], x[::-1][:5]
    padded = np.array([*front, *x, *back])
    return np.array([(weights * padded[n : n + 11]).sum() / weights.sum() for n in range(len(x))])


@pytest.mark.parametrize("length", [6, 10, 11, 12, 100])
def test_a_smoothed_curve(length):
    x = np.random.default_rng(0).uniform(0.5, 2, length)
    # Eleven products and two sums of eleven, on each side, of numbers below 2.
    assert np.abs(book.smooth_curve(x) - smoothed(x)).max() <= 2 * gamma(24, np.float64) * 2


@pytest.mark.parametrize("length", range(1, 13))
def test_a_constant_stays_one_and_no_number_is_lost(length):
    curve = book.smooth_curve([3] * length)
    assert curve.shape == (length,)
    assert curve.dtype == np.float64
    assert np.abs(curve - 3).max() <= 3 * gamma(24, np.float64)


@pytest.mark.parametrize(
    ("x", "error"), [([], ValueError), (np.ones((3, 2)), ValueError), (2.0, ValueError), (["a"], TypeError)]
)
def test_what_is_no_curve(x, error):
    with pytest.raises(error, match=r"^smooth_curve: x has"):
        book.smooth_curve(x)


def test_shuffled_rows_stay_together_and_follow_from_the_seed():
    x, t = np.arange(40.0).reshape(10, 2, 2), np.arange(10)
    np.random.seed(3)
    order = np.random.permutation(10)
    np.random.seed(3)
    rows, targets = book.shuffle_dataset(x, t)
    assert np.array_equal(rows, x[order])
    assert np.array_equal(targets, order)
    assert not np.shares_memory(rows, x)
    with pytest.raises(
        ValueError, match=r"^shuffle_dataset: x has shape \(10, 2, 2\), t has \(9,\), wanted as many"
    ):
        book.shuffle_dataset(x, t[:9])
    with pytest.raises(ValueError, match=r"^shuffle_dataset: x has shape \(\), t has \(10,\)"):
        book.shuffle_dataset(1, t)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_derivative_of_the_sigmoid(dtype):
    x = np.linspace(-30, 30, 601).astype(dtype)
    got, y = book.sigmoid_grad(x), bp.sigmoid(x)
    assert got.dtype == dtype
    # What backward of the layer has: one rounding of each of three operations, in another order.
    layer = bp.Sigmoid()
    layer.forward(x)
    assert (np.abs(got - layer.backward(np.ones_like(x))) <= 4 * unit_roundoff(dtype) * y * (1 - y)).all()
    assert got[300] == 0.25


def test_one_import_gives_all_that_the_scripts_need():
    names = {}
    exec("from backprop.book import *", names)
    assert set(book.__all__) <= names.keys()
    assert names["np"] is np
    for name in set(book.__all__) & set(bp.__all__) - {"Dropout"}:
        assert names[name] is getattr(bp, name)
    assert names["Dropout"] is not bp.Dropout
    with pytest.raises(
        AttributeError, match=r"module 'backprop.book' has no attribute 'Trianer'; did you mean 'Trainer'"
    ):
        book.Trianer  # noqa: B018


def test_only_who_asks_imports_it():
    code = "import sys, backprop; backprop.Network; assert 'backprop.book' not in sys.modules; backprop.book.Trainer"
    subprocess.run([sys.executable, "-c", code], check=True)
