"""Activations, over any contiguous array seen as one run of n elements.

`out` may be `x` itself: every element is read before it is written.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.simd cimport sigmoid

cdef enum:
    SPAN = 2048    # elements that a mask is made for at once, through pointers that a byte's store cannot alias


cdef inline void relu_forward(
    const floating[::1] x,        # IN
    floating[::1] out,            # OUT
    unsigned char[::1] mask,      # OUT  1 where x <= 0
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], start
    for start in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        relu_forward_span(&x[start], &out[start], &mask[start], min(<Py_ssize_t> SPAN, n - start))


cdef inline void relu_forward_span(
    const floating* x, floating* out, unsigned char* mask, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # mask = x <= 0, out = 0 where mask else x; NaN is not <= 0 and passes through. The mask comes first: out may be x.
    for i in range(n):
        mask[i] = x[i] <= 0
    for i in range(n):
        out[i] = 0 if x[i] <= 0 else x[i]


cdef inline void relu_backward(
    const floating[::1] dout,          # IN
    const unsigned char[::1] mask,     # IN
    floating[::1] dx,                  # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], start
    for start in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        relu_backward_span(&dout[start], &mask[start], &dx[start], min(<Py_ssize_t> SPAN, n - start))


cdef inline void relu_backward_span(
    const floating* dout, const unsigned char* mask, floating* dx, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = 0 where mask else dout
    for i in range(n):
        dx[i] = 0 if mask[i] else dout[i]


cdef inline void sigmoid_forward(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # out = 1 / (1 + exp(−x))
    for i in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        out[i] = sigmoid(x[i])


cdef inline void sigmoid_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what sigmoid_forward gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·y·(1 − y), y = out
    for i in prange(dout.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        dx[i] = dout[i] * out[i] * (1 - out[i])
