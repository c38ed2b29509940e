"""The book's functions: its own lines, one sample and a batch, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from tests.strategies import DTYPES, arrays, dtypes

Y = np.array([[0.1, 0.05, 0.6, 0.25], [0.7, 0.1, 0.1, 0.1]])


@given(st.data(), dtypes(), st.integers(1, 9), st.integers(1, 9))
def test_they_are_what_the_layers_compute(data, dtype, B, K):
    x = data.draw(arrays(dtype, B, K))
    assert np.array_equal(bp.sigmoid(x), bp.Sigmoid().forward(x), equal_nan=True)
    assert np.array_equal(bp.relu(x), bp.Relu().forward(x), equal_nan=True)
    y = bp.softmax(x)
    for n in range(B):
        assert np.array_equal(bp.softmax(x[n]), y[n], equal_nan=True)
        assert np.array_equal(bp.sigmoid(x[n]), bp.sigmoid(x)[n], equal_nan=True)
    assert y.dtype == dtype
    # K exponentials of two roundings each, their sum and a division.
    assert (np.abs(y.sum(axis=1, dtype=float) - 1) <= (K + 6) * K * np.finfo(dtype).eps).all()


def test_the_numbers_of_the_book():
    y = [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]
    t = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
    # It has 0.0975 and, with 1e-7 in the logarithm, 0.510825457099338.
    assert bp.mean_squared_error(y, t) == pytest.approx(0.0975, abs=1e-15)
    assert bp.cross_entropy_error(y, t) == pytest.approx(0.510825457099338, abs=2e-7)
    assert bp.cross_entropy_error(y, t) == pytest.approx(-np.log(0.6), abs=1e-15)
    assert np.allclose(bp.softmax([0.3, 2.9, 4.0]), [0.01821127, 0.24519181, 0.73659691], rtol=0, atol=5e-9)
    assert np.allclose(bp.sigmoid([-1.0, 1.0, 2.0]), [0.26894142, 0.73105858, 0.88079708], rtol=0, atol=5e-9)
    assert np.array_equal(bp.relu([-1.0, 0.0, 2.0]), [0, 0, 2])


def test_labels_and_weights_of_one_sample_and_of_many():
    labels = np.array([2, 0])
    wanted = -np.log([0.6, 0.7])
    assert bp.cross_entropy_error(Y, labels) == pytest.approx(wanted.mean(), abs=1e-15)
    assert bp.cross_entropy_error(Y, np.eye(4)[labels]) == pytest.approx(wanted.mean(), abs=1e-15)
    assert bp.cross_entropy_error(Y[0], 2) == pytest.approx(wanted[0], abs=1e-15)
    assert bp.cross_entropy_error(Y[0], np.eye(4)[2]) == pytest.approx(wanted[0], abs=1e-15)
    assert bp.cross_entropy_error(np.eye(2), [0, 0]) == np.inf
    assert bp.cross_entropy_error(np.eye(2), [0, 1]) == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_types_and_shapes(dtype):
    for function in (bp.sigmoid, bp.relu):
        for shape in ((), (0,), (2, 0), (2, 3, 4)):
            out = function(np.ones(shape, dtype))
            assert (out.shape, out.dtype) == (shape, dtype)
    assert bp.softmax(np.ones((2, 3, 4), dtype)).shape == (2, 3, 4)
    assert bp.softmax(np.ones((0, 4), dtype)).shape == (0, 4)
    given = np.ones(3, dtype)
    bp.softmax(given)
    assert np.array_equal(given, [1, 1, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bp.softmax(1.0), "softmax: x is the number 1.0, wanted an array"),
        (lambda: bp.softmax(["a"]), "softmax: x"),
        (lambda: bp.sigmoid([1j]), "sigmoid: x"),
        (lambda: bp.cross_entropy_error(Y, [0, 4]), r"cross_entropy_error: t\[1\] is 4, wanted a label from 0 to 3"),
        (lambda: bp.cross_entropy_error(Y, [0]), "cross_entropy_error: x has 2 rows, t has 1 label"),
        (lambda: bp.cross_entropy_error(Y, [[0], [1]]), r"cross_entropy_error: t has shape \(2, 1\)"),
        (lambda: bp.cross_entropy_error(Y[0], 1.5), "cross_entropy_error: t has one dimension and dtype float64"),
        (lambda: bp.cross_entropy_error(1.0, 0), r"cross_entropy_error: y has shape \(\), wanted"),
        (lambda: bp.cross_entropy_error(Y[:0], []), "cross_entropy_error: "),
        (lambda: bp.mean_squared_error([1, 2], [1, 2, 3]), "mean_squared_error: "),
        (lambda: bp.mean_squared_error([[1, 2]], [1, 2]), r"mean_squared_error: y has shape \(1, 2\), t has \(2,\)"),
    ],
)  # fmt: skip
def test_what_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call()
