# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The nodes of a computational graph: +, ×, exp, log, 1/x and the gradient of the last.

`add` and `multiply` take rows and columns by their strides, so that a broadcast operand (stride 0) is read in place.
The others take n contiguous numbers; `out` may be `x` itself. exp is `exp_span` of simd.pxd.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.string cimport memcpy

from bpcore._simd.simd cimport log as log_of


cdef inline void add(
    const floating* x,            # IN   (B, O), row and column stride in numbers
    Py_ssize_t x_rs,
    Py_ssize_t x_cs,
    const floating* y,            # IN   (B, O) likewise
    Py_ssize_t y_rs,
    Py_ssize_t y_cs,
    floating* out,                # OUT  (B, O) contiguous
    Py_ssize_t B,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(B):
            add_row(x + r * x_rs, x_cs, y + r * y_rs, y_cs, out + r * O, O)
    else:
        for r in prange(B, num_threads=threads, schedule="static"):
            add_row(x + r * x_rs, x_cs, y + r * y_rs, y_cs, out + r * O, O)


cdef inline void add_row(
    const floating* x, Py_ssize_t x_cs, const floating* y, Py_ssize_t y_cs, floating* out, Py_ssize_t O
) noexcept nogil:
    cdef Py_ssize_t o
    # out = x + y
    for o in range(O):
        out[o] = x[o * x_cs] + y[o * y_cs]


cdef inline void multiply(
    const floating* x,            # IN   (B, O), row and column stride in numbers
    Py_ssize_t x_rs,
    Py_ssize_t x_cs,
    const floating* y,            # IN   (B, O) likewise
    Py_ssize_t y_rs,
    Py_ssize_t y_cs,
    floating* out,                # OUT  (B, O) contiguous
    Py_ssize_t B,
    Py_ssize_t O,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(B):
            multiply_row(x + r * x_rs, x_cs, y + r * y_rs, y_cs, out + r * O, O)
    else:
        for r in prange(B, num_threads=threads, schedule="static"):
            multiply_row(x + r * x_rs, x_cs, y + r * y_rs, y_cs, out + r * O, O)


cdef inline void multiply_row(
    const floating* x, Py_ssize_t x_cs, const floating* y, Py_ssize_t y_cs, floating* out, Py_ssize_t O
) noexcept nogil:
    cdef Py_ssize_t o
    # out = x · y
    for o in range(O):
        out[o] = x[o * x_cs] * y[o * y_cs]


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


cdef inline void blend_span(Py_ssize_t n, floating* p, const floating* q, floating tau) noexcept nogil:
    """p += tau·(q − p): p moves towards q, and is q where tau is 1."""
    cdef Py_ssize_t i
    if tau == 1:
        memcpy(p, q, n * sizeof(floating))
        return
    for i in range(n):
        p[i] = p[i] + tau * (q[i] - p[i])
