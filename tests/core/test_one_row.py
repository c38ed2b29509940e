"""The gradient of a weight by one row: products, each added to 0 as every sum is, so that −0 becomes 0."""

import numpy as np
import pytest

from bpcore import kernels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("inputs", [1, 2, 7, 33])
@pytest.mark.parametrize("outputs", [1, 3, 4, 8, 15, 19, 50, 64])
def test_it_is_an_outer_product(dtype, inputs, outputs):
    rng = np.random.default_rng(inputs * outputs)
    x, dout = rng.standard_normal((1, inputs)).astype(dtype), rng.standard_normal((1, outputs)).astype(dtype)
    x[0, ::3] = -0.0
    dW, db = np.full((inputs, outputs), np.nan, dtype), np.full(outputs, np.nan, dtype)
    kernels.affine_backward_params(x, dout, dW, db)
    assert dW.tobytes() == (x.T * dout + np.zeros((), dtype)).tobytes()
    assert db.tobytes() == dout[0].tobytes()
