"""The nodes of a computational graph: +, ×, exp, log, 1/x and the gradient of the last.

`add` and `multiply` take rows and columns by their strides, so that a broadcast operand (stride 0) is read in
place. The others see any contiguous array as one run; `out` may be `x` itself.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.parallel cimport SPAN
from bpcore.simd cimport exp_span, log as log_of


cdef inline void add(
    const floating[:, :] x,       # IN   (B, O), any strides
    const floating[:, :] y,       # IN   (B, O), any strides
    floating[:, ::1] out,         # OUT  (B, O)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r, o
    # out = x + y
    for r in prange(out.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        for o in range(out.shape[1]):
            out[r, o] = x[r, o] + y[r, o]


cdef inline void multiply(
    const floating[:, :] x,       # IN   (B, O), any strides
    const floating[:, :] y,       # IN   (B, O), any strides
    floating[:, ::1] out,         # OUT  (B, O)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r, o
    # out = x·y
    for r in prange(out.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        for o in range(out.shape[1]):
            out[r, o] = x[r, o] * y[r, o]


cdef inline void exp(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i
    # out = exp(x)
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        exp_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void log(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # out = log(x)
    for i in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        out[i] = log_of(x[i])


cdef inline void reciprocal(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # out = 1 / x
    for i in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        out[i] = 1 / x[i]


cdef inline void reciprocal_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what reciprocal gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = −dout·y², y = out
    for i in prange(dout.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        dx[i] = -dout[i] * (out[i] * out[i])
