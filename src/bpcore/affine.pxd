# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The affine layer: out = x·W + b and its gradients.

a) Sizes: B batch, I in, O out. `x` is (B, I), `W` (I, O), `b` (O,), `out` and `dout` (B, O). Rows of x, out, dout and
   dx may have any stride: `x_stride` and so on are numbers from one row to the next. The others are contiguous.
b) Every element of a result is one sum, whose order the shape alone decides: neither threads, nor the vector width,
   nor the other rows of the batch change a bit. product.h says which order that is.
c) Every element of an output is written; for I = 0, out is b. B and O are at least 1, and I where dx is computed.
"""

from cython cimport floating
from libc.stdlib cimport free, malloc

from bpcore._gemm.operands cimport aligned, rows_of
from bpcore._gemm.product cimport (
    Shape, is_short_row, packed_a_size, row_product, shape_of, shared_forward, shared_input, shared_parameters,
)
from bpcore.reductions cimport sum_rows


cdef inline void affine_forward(
    const floating* x,           # IN   (B, I)
    Py_ssize_t x_stride,
    const floating* W,           # IN   (I, O) contiguous
    const floating* b,           # IN   (O,)
    floating* out,               # OUT  (B, O)
    Py_ssize_t out_stride,
    Py_ssize_t B,
    Py_ssize_t I,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    # out[r, o] = b[o] + Σ_i x[r, i]·W[i, o]
    cdef Shape s
    if is_short_row(B, I, O, b):
        row_product(I, O, x, W, b, out)
        return
    s = shape_of(B, O, I, O, 1, out_stride)
    shared_forward(rows_of(x, x_stride), W, b, out, &s, threads)


cdef inline void affine_backward_input(
    const floating* dout,        # IN   (B, O)
    Py_ssize_t dout_stride,
    const floating* W,           # IN   (I, O) contiguous
    floating* dx,                # OUT  (B, I)
    Py_ssize_t dx_stride,
    Py_ssize_t B,
    Py_ssize_t I,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    # dx[r, i] = Σ_o dout[r, o]·W[i, o]
    cdef Shape s = shape_of(B, I, O, 1, O, dx_stride)
    shared_input(rows_of(dout, dout_stride), W, dx, &s, threads)


cdef inline void affine_backward_params(
    const floating* x,           # IN   (B, I)
    Py_ssize_t x_stride,
    const floating* dout,        # IN   (B, O)
    Py_ssize_t dout_stride,
    floating* dW,                # OUT  (I, O) contiguous; NULL where I is 0
    floating* db,                # OUT  (O,)
    Py_ssize_t B,
    Py_ssize_t I,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    cdef Shape s = shape_of(I, O, B, dout_stride, 1, O)
    cdef void* memory = NULL
    # db[o] = Σ_r dout[r, o]
    sum_rows(dout, dout_stride, db, B, O)
    if I == 0:
        return
    # dW[i, o] = Σ_r x[r, i]·dout[r, o]
    s.packed_a_bytes = packed_a_size(&s, x)
    if s.packed_a_bytes > 0:
        memory = malloc(s.packed_a_bytes * threads + 64)
    if memory is not NULL:
        s.packed_a = aligned(memory)
    shared_parameters(rows_of(x, x_stride), dout, dW, &s, threads)
    free(memory)
