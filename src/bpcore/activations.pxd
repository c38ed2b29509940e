# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Activations, over any contiguous array seen as one run of n elements.

`out` may be `x` itself: every element is read before it is written. The loops run over spans through pointers, which a
byte's store cannot alias and a compiler turns into vectors.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.parallel cimport SPAN, spans_of
from bpcore.simd cimport bp_streamed, relu_backward_span, relu_span, sigmoid_span, tanh_span

cdef enum:
    STREAM_BYTES = 33554432    # a common last-level cache

cdef enum Activation:
    IDENTITY = 0
    RELU = 1
    SIGMOID = 2
    TANH = 3


cdef inline void activate(Activation activation, floating* x, Py_ssize_t n) noexcept nogil:
    """x = activation(x)."""
    cdef Py_ssize_t i
    if activation == RELU:
        # x = 0 where x <= 0 else x; NaN passes through
        for i in range(n):
            x[i] = 0 if x[i] <= 0 else x[i]
    elif activation == SIGMOID:
        sigmoid_span(n, x, x)
    elif activation == TANH:
        tanh_span(n, x, x)


cdef inline void activate_rows(
    Activation activation, floating* x, Py_ssize_t row, Py_ssize_t rows, Py_ssize_t n
) noexcept nogil:
    """x = activation(x) for n numbers of each row, `row` numbers from one row to the next."""
    cdef Py_ssize_t r
    if row == n:
        activate(activation, x, rows * n)
        return
    for r in range(rows):
        activate(activation, x + r * row, n)


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


cdef inline bint streams(const floating* x, const floating* out, Py_ssize_t n) noexcept nogil:
    """Whether a result goes past the caches: none would keep it until it is read."""
    return n * <Py_ssize_t> sizeof(floating) >= STREAM_BYTES and out is not x


cdef inline void relu_forward(
    const floating[::1] x,        # IN
    floating[::1] out,            # OUT
    unsigned char[::1] mask,      # OUT  1 where x <= 0
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i, t
    if n == 0:
        return
    cdef bint stream = streams(&x[0], &out[0], n)
    if threads <= 1:
        relu_span(n, &x[0], &out[0], &mask[0], stream)
    else:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            relu_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i], &mask[i], stream)
            bp_streamed()
    bp_streamed()


cdef inline void relu_backward(
    const floating[::1] dout,          # IN
    const unsigned char[::1] mask,     # IN
    floating[::1] dx,                  # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i, t
    if n == 0:
        return
    cdef bint stream = streams(&dout[0], &dx[0], n)
    if threads <= 1:
        relu_backward_span(n, &dout[0], &mask[0], &dx[0], stream)
    else:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            relu_backward_span(min(<Py_ssize_t> SPAN, n - i), &dout[i], &mask[i], &dx[i], stream)
            bp_streamed()
    bp_streamed()


cdef inline void sigmoid_forward(
    const floating[::1] x,    # IN
    floating[::1] out,        # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = x.shape[0], i, t
    if threads <= 1 and n > 0:
        sigmoid_span(n, &x[0], &out[0])
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        # out = 1 / (1 + exp(−x))
        sigmoid_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void sigmoid_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what sigmoid_forward gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i, t
    if threads <= 1 and n > 0:
        sigmoid_backward_span(&dout[0], &out[0], &dx[0], n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
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
    cdef Py_ssize_t n = x.shape[0], i, t
    if threads <= 1 and n > 0:
        tanh_span(n, &x[0], &out[0])
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        # out = tanh(x)
        tanh_span(min(<Py_ssize_t> SPAN, n - i), &x[i], &out[i])


cdef inline void tanh_backward(
    const floating[::1] dout,    # IN
    const floating[::1] out,     # IN   what tanh_forward gave
    floating[::1] dx,            # OUT
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = dout.shape[0], i, t
    if threads <= 1 and n > 0:
        tanh_backward_span(&dout[0], &out[0], &dx[0], n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        tanh_backward_span(&dout[i], &out[i], &dx[i], min(<Py_ssize_t> SPAN, n - i))


cdef inline void tanh_backward_span(
    const floating* dout, const floating* out, floating* dx, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·(1 − y²), y = out
    for i in range(n):
        dx[i] = dout[i] * (1 - out[i] * out[i])
