# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The affine layer of a sparse x: out = x·W + b and the gradients of W and b, x stored in compressed sparse rows (CSR).

a) Sizes: B batch, I in, O out. Row r of `x` has the numbers data[n] in the columns indices[n], for n from indptr[r] to
   indptr[r + 1] − 1; its others are 0. `W` is (I, O), `b` (O,), `out` and `dout` (B, O) with rows at any stride.
b) The indices of a row ascend, each from 0 to I − 1 and none twice (SciPy calls it the canonical format), and are below
   2³², whatever their type. B and O are at least 1.
c) What is not stored takes no part. So the bits are those of affine.pxd for the same x with its zeros, the sign of a
   sum that is 0 apart, if no weight is infinite or NaN: there 0·∞ is NaN, here it is left out. So it is with `dout`.
d) Every element of an output is written: rows of dW whose column of x is empty are 0.
"""

from cython cimport floating
from libc.stdint cimport int32_t, int64_t

cimport bpcore._api    # which compares the headers with the .pxd files
from bpcore.reductions cimport sum_rows

ctypedef fused place_type:
    int32_t
    int64_t

ctypedef fused index_type:
    int32_t
    int64_t


cdef extern from "_simd/simd.h" nogil:
    ctypedef struct SparseRows "bp_csr":
        # Rows of any order: row r is data[begin[r]] to data[end[r] − 1], in the columns indices[begin[r]] and so on.
        const void* begin
        const void* end
        const void* indices
        const void* data
        Py_ssize_t step          # bytes of an index, 4 or 8
        bint wide                # whether begin and end have 64 bits, not 32

    void bp_sparse_forwardf(
        const SparseRows* x, const float* W, const float* b, float* out, Py_ssize_t out_stride, Py_ssize_t B,
        Py_ssize_t I, Py_ssize_t O, int threads
    ) noexcept
    void bp_sparse_parametersf(
        const SparseRows* x, const float* dout, Py_ssize_t dout_stride, float* dW, Py_ssize_t B, Py_ssize_t I,
        Py_ssize_t O, int threads
    ) noexcept
    void bp_sparse_parameters_partf(
        const SparseRows* x, const float* dout, Py_ssize_t dout_stride, float* dW, Py_ssize_t B, Py_ssize_t first,
        Py_ssize_t stop, Py_ssize_t I, Py_ssize_t O
    ) noexcept
    void bp_sparse_forward(
        const SparseRows* x, const double* W, const double* b, double* out, Py_ssize_t out_stride, Py_ssize_t B,
        Py_ssize_t I, Py_ssize_t O, int threads
    ) noexcept
    void bp_sparse_parameters(
        const SparseRows* x, const double* dout, Py_ssize_t dout_stride, double* dW, Py_ssize_t B, Py_ssize_t I,
        Py_ssize_t O, int threads
    ) noexcept
    void bp_sparse_parameters_part(
        const SparseRows* x, const double* dout, Py_ssize_t dout_stride, double* dW, Py_ssize_t B, Py_ssize_t first,
        Py_ssize_t stop, Py_ssize_t I, Py_ssize_t O
    ) noexcept


cdef inline SparseRows sparse_rows(
    const place_type* indptr, const index_type* indices, const floating* data
) noexcept nogil:
    """The rows of a matrix in their order."""
    return SparseRows(
        begin=indptr, end=indptr + 1, indices=indices, data=data, step=sizeof(index_type),
        wide=sizeof(place_type) == 8,
    )


cdef inline void csr_forward(
    const place_type* indptr,      # IN   (B + 1,)
    const index_type* indices,     # IN   (indptr[B],)
    const floating* data,          # IN   (indptr[B],)
    const floating* W,             # IN   (I, O) contiguous
    const floating* b,             # IN   (O,)
    floating* out,                 # OUT  (B, O)
    Py_ssize_t out_stride,
    Py_ssize_t B,
    Py_ssize_t I,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    # out[r, o] = b[o] + Σ_n data[n]·W[indices[n], o]
    cdef SparseRows x = sparse_rows(indptr, indices, data)
    if floating is float:
        bp_sparse_forwardf(&x, W, b, out, out_stride, B, I, O, threads)
    else:
        bp_sparse_forward(&x, W, b, out, out_stride, B, I, O, threads)


cdef inline void csr_backward_params(
    const place_type* indptr,      # IN   (B + 1,)
    const index_type* indices,     # IN   (indptr[B],)
    const floating* data,          # IN   (indptr[B],)
    const floating* dout,          # IN   (B, O)
    Py_ssize_t dout_stride,
    floating* dW,                  # OUT  (I, O) contiguous; NULL where I is 0
    floating* db,                  # OUT  (O,)
    Py_ssize_t B,
    Py_ssize_t I,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    cdef SparseRows x = sparse_rows(indptr, indices, data)
    # db[o] = Σ_r dout[r, o]
    sum_rows(dout, dout_stride, db, B, O)
    if I == 0:
        return
    # dW[i, o] = Σ_r x[r, i]·dout[r, o]
    if floating is float:
        bp_sparse_parametersf(&x, dout, dout_stride, dW, B, I, O, threads)
    else:
        bp_sparse_parameters(&x, dout, dout_stride, dW, B, I, O, threads)
