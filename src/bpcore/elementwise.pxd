# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The nodes of a computational graph: +, ×, exp, log, 1/x and the gradient of the last.

`add` and `multiply` take rows and columns by their strides, so that a broadcast operand (stride 0) is read in place.
The others see any contiguous array as one run; `out` may be `x` itself. exp is `exp_span` of simd.pxd.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore._simd.simd cimport log as log_of


cdef inline void add(
    const floating* x,            # IN   (B, O), numbers so far apart
    Py_ssize_t x_row,
    Py_ssize_t x_column,
    const floating* y,            # IN   (B, O) likewise
    Py_ssize_t y_row,
    Py_ssize_t y_column,
    floating* out,                # OUT  (B, O) without gaps
    Py_ssize_t B,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(B):
            add_row(x + r * x_row, x_column, y + r * y_row, y_column, out + r * O, O)
    else:
        for r in prange(B, num_threads=threads, schedule="static"):
            add_row(x + r * x_row, x_column, y + r * y_row, y_column, out + r * O, O)


cdef inline void add_row(
    const floating* x, Py_ssize_t x_column, const floating* y, Py_ssize_t y_column, floating* out, Py_ssize_t O
) noexcept nogil:
    cdef Py_ssize_t o
    # out = x + y
    for o in range(O):
        out[o] = x[o * x_column] + y[o * y_column]


cdef inline void multiply(
    const floating* x,            # IN   (B, O), numbers so far apart
    Py_ssize_t x_row,
    Py_ssize_t x_column,
    const floating* y,            # IN   (B, O) likewise
    Py_ssize_t y_row,
    Py_ssize_t y_column,
    floating* out,                # OUT  (B, O) without gaps
    Py_ssize_t B,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(B):
            multiply_row(x + r * x_row, x_column, y + r * y_row, y_column, out + r * O, O)
    else:
        for r in prange(B, num_threads=threads, schedule="static"):
            multiply_row(x + r * x_row, x_column, y + r * y_row, y_column, out + r * O, O)


cdef inline void multiply_row(
    const floating* x, Py_ssize_t x_column, const floating* y, Py_ssize_t y_column, floating* out, Py_ssize_t O
) noexcept nogil:
    cdef Py_ssize_t o
    # out = x · y
    for o in range(O):
        out[o] = x[o * x_column] * y[o * y_column]


cdef inline void log_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = log_of(x[i])


cdef inline void reciprocal_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = 1 / x[i]


cdef inline void reciprocal_backward_span(
    Py_ssize_t n, const floating* dout, const floating* out, floating* dx
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = −dout·y², y = out
    for i in range(n):
        dx[i] = -dout[i] * (out[i] * out[i])
