"""Products of more terms than a block has, with every kind of edge; what is read or written outside, sanitizers see."""

import numpy as np
import pytest

from bpcore import kernels
from tests.strategies import DTYPES

TERMS = 1300
# Of 16 and of 8 lanes: none to all of those that are computed apart.
COLUMNS = (*range(48, 58), 17, 20, 24)


@pytest.mark.parametrize("columns", COLUMNS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sums_of_whole_numbers_are_exact(dtype, columns):
    rng = np.random.default_rng(columns)

    def numbers(*shape):
        return rng.integers(-3, 4, shape).astype(dtype)

    x, W, b = numbers(40, TERMS), numbers(TERMS, columns), numbers(columns)
    out = np.empty((40, columns), dtype)
    kernels.affine_forward(x, W, b, out)
    assert np.array_equal(out, x @ W + b)

    dout, W = numbers(40, TERMS), numbers(columns, TERMS)
    dx = np.empty((40, columns), dtype)
    kernels.affine_backward_input(dout, W, dx)
    assert np.array_equal(dx, dout @ W.T)

    x, dout = numbers(TERMS, 43), numbers(TERMS, columns)
    dW, db = np.empty((43, columns), dtype), np.empty(columns, dtype)
    kernels.affine_backward_params(x, dout, dW, db)
    assert np.array_equal(dW, x.T @ dout)
    assert np.array_equal(db, dout.sum(axis=0))
