"""What the property tests draw: shapes first, then arrays of those shapes."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

DTYPES = (np.dtype(np.float32), np.dtype(np.float64))

# Sizes from none and one to around each vector width (4, 8, 16 lanes) and tile edge (48, 64).
SIZES = st.sampled_from([0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 49, 50, 63, 64, 65, 100])
SOME = SIZES.filter(bool)


def dtypes() -> st.SearchStrategy[np.dtype[Any]]:
    return st.sampled_from(DTYPES)


def elements(dtype: np.dtype[Any], bound: float = 10.0) -> st.SearchStrategy[float]:
    # Subnormals are left to tests of their own: bounds here are relative to the unit roundoff.
    return st.floats(-bound, bound, width=dtype.itemsize * 8, allow_subnormal=False)


@st.composite
def arrays(draw: st.DrawFn, dtype: np.dtype[Any], *shape: int, bound: float = 10.0) -> np.ndarray:
    """Random numbers by a drawn seed (fast, and no two alike), sprinkled with drawn values."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    array = rng.uniform(-bound, bound, size=shape).astype(dtype)
    for value in draw(st.lists(elements(dtype, bound), max_size=4)):
        if array.size:
            array.reshape(-1)[rng.integers(array.size)] = value
    return array


@st.composite
def away_from_zero(draw: st.DrawFn, *shape: int) -> np.ndarray:
    """float64 inputs that no ReLU has a kink near: sign · uniform(0.05, 3)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.05, 3, size=shape)


def any_shape() -> st.SearchStrategy[tuple[int, ...]]:
    return hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
