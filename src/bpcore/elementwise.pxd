# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The nodes of a computational graph: +, ×, exp, log, 1/x and the gradient of the last.

`add` and `multiply` take rows and columns by their strides, so that a broadcast operand (stride 0) is read in
place. The others see any contiguous array as one run; `out` may be `x` itself.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.parallel cimport SPAN, spans_of
from bpcore.simd cimport exp_span, log as log_of


cdef inline void add(
    const floating[:, :] x,       # IN   (B, O), any strides
    const floating[:, :] y,       # IN   (B, O), any strides
    floating[:, ::1] out,         # OUT  (B, O)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(out.shape[0]):
            add_row(x, y, out, r)
    else:
        for r in prange(out.shape[0], num_threads=threads, schedule="static"):
            add_row(x, y, out, r)


cdef inline void add_row(
    const floating[:, :] x, const floating[:, :] y, floating[:, ::1] out, Py_ssize_t r
) noexcept nogil:
    cdef Py_ssize_t o
    # out = x + y
    for o in range(out.shape[1]):
        out[r, o] = x[r, o] + y[r, o]


cdef inline void multiply(
    const floating[:, :] x,       # IN   (B, O), any strides
    const floating[:, :] y,       # IN   (B, O), any strides
    floating[:, ::1] out,         # OUT  (B, O)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(out.shape[0]):
            multiply_row(x, y, out, r)
    else:
        for r in prange(out.shape[0], num_threads=threads, schedule="static"):
            multiply_row(x, y, out, r)


cdef inline void multiply_row(
    const floating[:, :] x, const floating[:, :] y, floating[:, ::1] out, Py_ssize_t r
) noexcept nogil:
    cdef Py_ssize_t o
    # out = x · y
    for o in range(out.shape[1]):
        out[r, o] = x[r, o] * y[r, o]


cdef inline void exp(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i, t
    # out = exp(x)
    if n > 0 and threads <= 1:
        exp_span(n, &x[0], &out[0])
    elif n > 0:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            exp_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void log(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i, t
    # out = log(x)
    if n > 0 and threads <= 1:
        log_span(n, &x[0], &out[0])
    elif n > 0:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            log_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void log_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = log_of(x[i])


cdef inline void reciprocal(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i, t
    # out = 1 / x
    if n > 0 and threads <= 1:
        reciprocal_span(n, &x[0], &out[0])
    elif n > 0:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            reciprocal_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void reciprocal_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = 1 / x[i]


cdef inline void reciprocal_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what reciprocal gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i, t
    if n > 0 and threads <= 1:
        reciprocal_backward_span(n, &dout[0], &out[0], &dx[0])
    elif n > 0:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            reciprocal_backward_span(min(<Py_ssize_t> SPAN, n - i), &dout[i], &out[i], &dx[i])


cdef inline void reciprocal_backward_span(
    Py_ssize_t n, const floating* dout, const floating* out, floating* dx
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = −dout·y², y = out
    for i in range(n):
        dx[i] = -dout[i] * (out[i] * out[i])
