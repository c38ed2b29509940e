"""Derivatives of activations and losses made of lines, to the bit at their kinks, where bounds allow both sides."""

import numpy as np
import pytest

from bpcore import kernels
from tests.strategies import DTYPES


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "numbers", "x", "slopes"),
    [
        ("leaky_relu", (0.25,), [-1, 0, 1], [0.25, 0.25, 1]),
        ("elu", (0.5,), [0, 1], [0.5, 1]),
        ("hardtanh", (-1.0, 2.0), [-1, 0, 2], [0, 1, 0]),
        ("hardswish", (), [-3, 0, 3], [0, 0.5, 1]),
    ],
)
def test_activations(kind, numbers, x, slopes, dtype):
    x = np.array(x, dtype)
    out, dx = np.empty_like(x), np.empty_like(x)
    getattr(kernels, f"{kind}_forward")(x, *numbers, out)
    kept = x if kind == "hardswish" else out
    getattr(kernels, f"{kind}_backward")(np.ones_like(x), kept, *numbers, dx)
    assert dx.tolist() == slopes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "numbers", "slopes"),
    [("absolute_error", (), [-1, 0, 1]), ("quantile", (0.75,), [-0.75, 0, 0.25])],
)
def test_losses(kind, numbers, slopes, dtype):
    x, t, dx = np.array([[-1, 2, 3]], dtype), np.array([[2, 2, 2]], dtype), np.empty((1, 3), dtype)
    getattr(kernels, kind)(x, t, *numbers, dx)
    assert dx.tolist() == [slopes]
