"""The kernels of compressed sparse rows have the bits of the dense ones, and refuse what is no such matrix."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpcore import kernels
from tests.bounds import gamma
from tests.reference import dense
from tests.strategies import DTYPES, arrays, dtypes

INDEX_TYPES = (np.int32, np.int64)
ROWS = st.sampled_from([0, 1, 2, 3, 7, 20])
# Around the least number of terms of an edge column's dot product, and the terms of one of its blocks.
INPUTS = st.sampled_from([0, 1, 5, 17, 127, 128, 129, 144, 300, 1024, 1025, 2080])
# Each number of edge columns, of vectors in a tile and of tiles, for either type on any level.
OUTPUTS = st.one_of(st.integers(0, 70), st.sampled_from([96, 97, 113, 120, 129, 250]))


def compressed(x, places=np.int32, indices=np.int32, stored=None):
    """The three arrays of a matrix; zeros too where `stored` is."""
    stored = x != 0 if stored is None else stored
    rows, columns = np.nonzero(stored)
    indptr = np.searchsorted(rows, np.arange(len(x) + 1)).astype(places)
    return indptr, columns.astype(indices), x[stored]


def both_forward(csr, x, W, b, threads=None):
    """The output of the sparse kernel, and of the dense one."""
    found, wanted = np.full((2, len(x), len(b)), 77, x.dtype)
    kernels.csr_forward(*csr, W, b, found, threads=threads)
    kernels.affine_forward(x, W, b, wanted)
    return found, wanted


def both_gradients(csr, x, dout, threads=None):
    """dW and db of the sparse kernel, and of the dense one."""
    found, wanted = (
        (np.full((x.shape[1], dout.shape[1]), 77, x.dtype), np.full(dout.shape[1], 77, x.dtype))
        for _ in range(2)
    )
    kernels.csr_backward_params(*csr, dout, *found, threads=threads)
    kernels.affine_backward_params(x, dout, *wanted)
    return found, wanted


def same(found, wanted):
    """Whether two arrays have the same numbers, of the same bits but for the sign of 0."""
    return found.shape == wanted.shape and np.array_equal(found, wanted)


@st.composite
def matrices(draw, dtype, B, I):  # noqa: E741  # the sizes' letters
    """A matrix of any density and where it stores numbers: some of these are 0, some rows and columns are empty."""
    x = draw(arrays(dtype, B, I))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    stored = rng.uniform(size=x.shape) < draw(st.sampled_from([0, 0.01, 0.1, 0.3, 0.7, 1]))
    stored[rng.uniform(size=B) < draw(st.sampled_from([0, 0.3]))] = False
    stored[:, rng.uniform(size=I) < draw(st.sampled_from([0, 0.5]))] = False
    x[~stored] = 0
    x[rng.uniform(size=x.shape) < 0.05] *= dtype.type(0)
    return x, stored


@settings(max_examples=300)
@given(st.data(), dtypes(), ROWS, INPUTS, OUTPUTS, st.sampled_from([1, 2, 3, 8]))
def test_the_bits_of_the_dense_kernels(data, dtype, B, I, O, threads):  # noqa: E741
    x, stored = data.draw(matrices(dtype, B, I))
    W, b, dout = (data.draw(arrays(dtype, *shape)) for shape in [(I, O), (O,), (B, O)])
    places, indices = data.draw(st.tuples(*2 * [st.sampled_from(INDEX_TYPES)]))
    csr = compressed(x, places, indices, stored)
    assert same(*both_forward(csr, x, W, b, threads))
    for found, wanted in zip(*both_gradients(csr, x, dout, threads), strict=True):
        assert same(found, wanted)


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(
    "size", [(100, 784, 50), (300, 784, 96), (601, 1500, 37), (64, 20000, 34), (3, 2500, 513)]
)
def test_the_bits_of_work_for_several_threads(size, dtype, threads):
    # More rows than those whose places are kept at once, several blocks of columns of x, and of the output.
    B, I, O = size  # noqa: E741
    rng = np.random.default_rng(0)
    for density in (0.01, 0.2, 0.9):
        x = (rng.normal(size=(B, I)) * (rng.uniform(size=(B, I)) < density)).astype(dtype)
        # Half of the columns have next to nothing: parts of dW differ in how much there is to do.
        x[:, : I // 2] *= rng.uniform(size=(B, I // 2)) < 0.05
        W, b, dout = (rng.normal(size=shape).astype(dtype) for shape in ((I, O), (O,), (B, O)))
        csr = compressed(x)
        assert same(*both_forward(csr, x, W, b, threads))
        for found, wanted in zip(*both_gradients(csr, x, dout, threads), strict=True):
            assert same(found, wanted)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("inputs", [5, 200, 1500])
def test_the_bits_at_each_number_of_outputs(inputs, dtype):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(9, inputs)) * (rng.uniform(size=(9, inputs)) < 0.2)).astype(dtype)
    csr = compressed(x)
    for outputs in range(1, 150):
        W, b, dout = (
            rng.normal(size=shape).astype(dtype) for shape in ((inputs, outputs), outputs, (9, outputs))
        )
        assert same(*both_forward(csr, x, W, b)), outputs
        for found, wanted in zip(*both_gradients(csr, x, dout), strict=True):
            assert same(found, wanted), outputs


@given(st.data(), dtypes(), ROWS, st.sampled_from([0, 1, 9, 130]), st.sampled_from([1, 3, 20]))
def test_twins(data, dtype, B, I, O):  # noqa: E741
    x, stored = data.draw(matrices(dtype, B, I))
    W, b, dout = (data.draw(arrays(dtype, *shape)).astype(float) for shape in [(I, O), (O,), (B, O)])
    csr = compressed(x, stored=stored)
    assert np.array_equal(dense(*csr, I), x)
    out, dW = (
        both_forward(csr, x, W.astype(dtype), b.astype(dtype))[0],
        both_gradients(csr, x, dout.astype(dtype))[0][0],
    )
    wide = np.abs(x).astype(float)
    error = (gamma(I + 1, dtype) + gamma(I + 1, float)) * (wide @ np.abs(W) + np.abs(b))
    assert (np.abs(out - (x.astype(float) @ W + b)) <= error).all()
    error = (gamma(B, dtype) + gamma(B, float)) * (wide.T @ np.abs(dout))
    assert (np.abs(dW - x.T.astype(float) @ dout) <= error).all()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_what_is_not_stored_takes_no_part_of_infinite_and_nan_weights(dtype):
    x = np.zeros((2, 130), dtype)
    x[0, 3] = 2
    # All columns, three of which are dot products; the rows of W that x does not store have no number.
    W, b, dout = np.full((130, 19), np.nan, dtype), np.ones(19, dtype), np.ones((2, 19), dtype)
    W[3], W[4] = 0.5, np.inf
    out, wanted = both_forward(compressed(x), x, W, b)
    assert np.array_equal(out, [[2] * 19, [1] * 19])
    assert np.isnan(wanted).all()
    dout[1] = np.inf
    (dW, db), (dense_dW, _) = both_gradients(compressed(x), x, dout)
    assert np.array_equal(dW, 2 * (np.arange(130) == 3)[:, None] * np.ones(19))
    assert np.isinf(db).all()
    assert np.isnan(dense_dW).all()
    # A 0 that is stored is multiplied.
    stored = np.zeros(x.shape, bool)
    stored[0, 3:5] = True
    assert np.isnan(both_forward(compressed(x, stored=stored), x, W, b)[0][0]).all()
    x[0, 4] = np.inf
    assert np.isposinf(both_forward(compressed(x), x, W, b)[0][0]).all()


GOOD = {"indptr": [0, 2, 2, 5], "indices": [1, 3, 0, 1, 2]}
FAULTS = [
    ({"indptr": [1, 2, 2, 5]}, r"indptr\[0\] is 1, wanted 0$"),
    (
        {"indptr": [0, 3, 2, 5]},
        r"indptr\[2\] is 2, wanted 3 to 5: the one before it, and the elements of indices$",
    ),
    ({"indptr": [0, 2, 9, 5]}, r"indptr\[2\] is 9, wanted 2 to 5"),
    ({"indptr": [0, 2, -2, 5]}, r"indptr\[2\] is -2, wanted 2 to 5"),
    ({"indptr": [0, 2, 2, 4]}, r"indptr\[3\] is 4, wanted 5: indices has so many elements$"),
    ({"indptr": [0, 2, 2, 6]}, r"indptr\[3\] is 6, wanted 5: indices has so many elements$"),
    ({"indices": [1, 4, 0, 1, 2]}, r"indices\[1\], of row 0, is 4, wanted 0 to 3$"),
    ({"indices": [1, 3, -1, 1, 2]}, r"indices\[2\], of row 2, is -1, wanted 0 to 3$"),
    ({"indices": [1, 3, 0, -1, 2]}, r"indices\[3\], of row 2, is -1, wanted 0 to 3$"),
    (
        {"indices": [3, 1, 0, 1, 2]},
        r"indices\[1\], of row 0, is 1 behind 3, wanted indices that ascend, none twice",
    ),
    (
        {"indices": [1, 3, 0, 1, 1]},
        r"indices\[4\], of row 2, is 1 behind 1, .*x\.sum_duplicates\(\) makes them so$",
    ),
]
FAULTS_OF_64_BITS = [
    ({"indices": [1, 2**32 + 3, 0, 1, 2]}, r"indices\[1\], of row 0, is 4294967299, wanted 0 to 3$"),
    ({"indices": [1, 3, 2**31, 1, 2]}, r"indices\[2\], of row 2, is 2147483648, wanted 0 to 3$"),
    ({"indptr": [0, 2, 2**32 + 2, 5]}, r"indptr\[2\] is 4294967298, wanted 2 to 5"),
    ({"indptr": [-(2**63), 2, 2, 5]}, r"indptr\[0\] is -9223372036854775808, wanted 0$"),
    ({"indices": [1, 3, 0, 2**63 - 1, 2]}, r"indices\[3\], of row 2, is 9223372036854775807, wanted 0 to 3$"),
]


@pytest.mark.parametrize(
    ("kind", "fault", "message"),
    [(kind, *fault) for kind in INDEX_TYPES for fault in FAULTS]
    + [(np.int64, *fault) for fault in FAULTS_OF_64_BITS],
)
def test_what_is_no_such_matrix_is_refused_before_anything_is_written(kind, fault, message):
    csr = {name: np.array(values, kind) for name, values in {**GOOD, **fault}.items()}
    csr["data"] = np.ones(5, np.float32)
    W, b, out = np.ones((4, 6), np.float32), np.ones(6, np.float32), np.full((3, 6), 77, np.float32)
    with pytest.raises(ValueError, match=f"^csr_forward: {message}"):
        kernels.csr_forward(**csr, W=W, b=b, out=out)
    dW, db = W.copy(), b.copy()
    with pytest.raises(ValueError, match=f"^csr_backward_params: {message}"):
        kernels.csr_backward_params(**csr, dout=out, dW=dW, db=db)
    assert (out == 77).all()
    assert (dW == 1).all()
    assert (db == 1).all()


def test_sizes_that_do_not_fit_each_other():
    indptr, indices, data = np.array([0, 1, 1]), np.array([2]), np.ones(1)
    W, b = np.ones((3, 4)), np.ones(4)
    with pytest.raises(
        ValueError, match="^csr_forward: indptr has 3 elements, out has 3 rows, wanted one more than rows$"
    ):
        kernels.csr_forward(indptr, indices, data, W, b, np.ones((3, 4)))
    with pytest.raises(
        ValueError, match="^csr_forward: indptr has 0 elements, out has 0 rows, wanted one more than rows$"
    ):
        kernels.csr_forward(indptr[:0], indices[:0], data[:0], W, b, np.ones((0, 4)))
    with pytest.raises(ValueError, match="^csr_forward: indices has 1 elements, data has 2 elements$"):
        kernels.csr_forward(indptr, indices, np.ones(2), W, b, np.ones((2, 4)))
    with pytest.raises(
        ValueError, match=r"^csr_forward: indptr\[0\] is 0, wanted 1: indices has so many elements$"
    ):
        kernels.csr_forward(indptr[:1], indices, data, W, b, np.ones((0, 4)))
    with pytest.raises(ValueError, match=r"^csr_forward: indices\[0\], of row 0, is 2, wanted 0 to -1$"):
        kernels.csr_forward(indptr, indices, data, W[:0], b, np.ones((2, 4)))


def test_matrices_of_scipy():
    sparse = pytest.importorskip("scipy.sparse")
    x = sparse.random_array(
        (40, 300), density=0.1, format="csr", dtype=np.float32, rng=np.random.default_rng(0)
    )
    W, b = np.random.default_rng(1).normal(size=(300, 20)).astype(np.float32), np.zeros(20, np.float32)
    assert same(*both_forward((x.indptr, x.indices, x.data), x.toarray(), W, b))
    twice = sparse.csr_array(([1.0, 2.0, 3.0], [5, 5, 2], [0, 2, 3]), shape=(2, 300))
    out = np.zeros((2, 20))
    with pytest.raises(ValueError, match="none twice"):
        kernels.csr_forward(twice.indptr, twice.indices, twice.data, W.astype(float), b.astype(float), out)
    twice.sum_duplicates()
    assert same(
        *both_forward(
            (twice.indptr, twice.indices, twice.data), twice.toarray(), W.astype(float), b.astype(float)
        )
    )
