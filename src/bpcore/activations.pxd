"""Activations, over any contiguous array seen as one run of n elements.

`out` may be `x` itself: every element is read before it is written. The loops run over spans through pointers, which a
byte's store cannot alias and a compiler turns into vectors.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.parallel cimport SPAN
from bpcore.simd cimport sigmoid_span, tanh

cdef enum Activation:
    IDENTITY = 0
    RELU = 1
    SIGMOID = 2
    TANH = 3


cdef inline void activate(Activation activation, floating* x, Py_ssize_t n) noexcept nogil:
    """x = activation(x)."""
    if activation == RELU:
        relu_span(x, x, n)
    elif activation == SIGMOID:
        sigmoid_span(n, x, x)
    elif activation == TANH:
        tanh_span(x, x, n)


cdef inline void activate_backward(Activation activation, const floating* y, floating* dx, Py_ssize_t n) noexcept nogil:
    """dx = dx·activation′, from what came out of the activation."""
    cdef Py_ssize_t i
    if activation == RELU:
        # dx = 0 where y <= 0, which is where x <= 0
        for i in range(n):
            dx[i] = 0 if y[i] <= 0 else dx[i]
    elif activation == SIGMOID:
        sigmoid_backward_span(dx, y, dx, n)
    elif activation == TANH:
        tanh_backward_span(dx, y, dx, n)


cdef inline void relu_forward(
    const floating[::1] x,        # IN
    floating[::1] out,            # OUT
    unsigned char[::1] mask,      # OUT  1 where x <= 0
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        # The mask comes first: out may be x.
        mask_span(&x[i], &mask[i], min(<Py_ssize_t> SPAN, n - i))
        relu_span(&x[i], &out[i], min(<Py_ssize_t> SPAN, n - i))


cdef inline void mask_span(const floating* x, unsigned char* mask, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    # mask = x <= 0, which NaN is not
    for i in range(n):
        mask[i] = x[i] <= 0


cdef inline void relu_span(const floating* x, floating* out, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    # out = 0 where x <= 0 else x; NaN passes through
    for i in range(n):
        out[i] = 0 if x[i] <= 0 else x[i]


cdef inline void relu_backward(
    const floating[::1] dout,          # IN
    const unsigned char[::1] mask,     # IN
    floating[::1] dx,                  # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        relu_backward_span(&dout[i], &mask[i], &dx[i], min(<Py_ssize_t> SPAN, n - i))


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
    cdef Py_ssize_t n = x.shape[0], i
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        # out = 1 / (1 + exp(−x))
        sigmoid_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void sigmoid_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what sigmoid_forward gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        sigmoid_backward_span(&dout[i], &out[i], &dx[i], min(<Py_ssize_t> SPAN, n - i))


cdef inline void sigmoid_backward_span(
    const floating* dout, const floating* out, floating* dx, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·y·(1 − y), y = out
    for i in range(n):
        dx[i] = dout[i] * out[i] * (1 - out[i])


cdef inline void tanh_forward(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        tanh_span(&x[i], &out[i], min(<Py_ssize_t> SPAN, n - i))


cdef inline void tanh_span(const floating* x, floating* out, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    # out = tanh(x)
    for i in range(n):
        out[i] = tanh(x[i])


cdef inline void tanh_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what tanh_forward gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i
    for i in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        tanh_backward_span(&dout[i], &out[i], &dx[i], min(<Py_ssize_t> SPAN, n - i))


cdef inline void tanh_backward_span(
    const floating* dout, const floating* out, floating* dx, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·(1 − y²), y = out
    for i in range(n):
        dx[i] = dout[i] * (1 - out[i] * out[i])
