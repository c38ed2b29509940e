"""Activations, over any contiguous array seen as one run of n elements.

`out` may be `x` itself: every element is read before it is written.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.simd cimport sigmoid


cdef inline void relu_forward(
    const floating[::1] x,        # IN
    floating[::1] out,            # OUT
    unsigned char[::1] mask,      # OUT  1 where x <= 0
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # mask = x <= 0, out = 0 where mask else x; NaN is not <= 0 and passes through
    for i in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        mask[i] = x[i] <= 0
        out[i] = 0 if mask[i] else x[i]


cdef inline void relu_backward(
    const floating[::1] dout,          # IN
    const unsigned char[::1] mask,     # IN
    floating[::1] dx,                  # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = 0 where mask else dout
    for i in prange(dout.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
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
