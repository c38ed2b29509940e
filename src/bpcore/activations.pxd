# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Activations of n numbers, one after the other.

`activate` and `activate_backward` tell activations apart, nothing else does: a new one has a number and a name in the
tables, a line in each of the two, and its functions in _simd/functions.h. Every element is read before it is written.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.string cimport memcpy

from bpcore._parallel.team cimport SPAN, spans_of
from bpcore._simd.simd cimport bp_store_fence

cdef extern from "_simd/simd.h" nogil:
    # The name ends in f for float32.
    void bp_relu_spanf(Py_ssize_t n, const float* x, float* out, unsigned char* mask, bint stream) noexcept
    void bp_relu_span(Py_ssize_t n, const double* x, double* out, unsigned char* mask, bint stream) noexcept
    void bp_relu_backward_spanf(
        Py_ssize_t n, const float* dout, const unsigned char* mask, float* dx, bint stream
    ) noexcept
    void bp_relu_backward_span(
        Py_ssize_t n, const double* dout, const unsigned char* mask, double* dx, bint stream
    ) noexcept
    void bp_sigmoid_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_sigmoid_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_tanh_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_tanh_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_gelu_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_gelu_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_gelu_backward_spanf(Py_ssize_t n, const float* x, const float* dout, float* dx) noexcept
    void bp_gelu_backward_span(Py_ssize_t n, const double* x, const double* dout, double* dx) noexcept
    void bp_gelu_tanh_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_gelu_tanh_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_gelu_tanh_backward_spanf(Py_ssize_t n, const float* x, const float* dout, float* dx) noexcept
    void bp_gelu_tanh_backward_span(Py_ssize_t n, const double* x, const double* dout, double* dx) noexcept

cdef enum:
    STREAM_BYTES = 33554432    # a common last-level cache

cdef enum Activation:
    IDENTITY = 0
    RELU = 1
    SIGMOID = 2
    TANH = 3
    GELU = 4           # x·Φ(x)
    GELU_TANH = 5      # its form by tanh
    ACTIVATIONS = 6    # how many there are


cdef inline const char* activation_name(int activation) noexcept nogil:
    """What Python calls it."""
    return (
        "identity" if activation == IDENTITY else "relu" if activation == RELU else "sigmoid" if activation == SIGMOID
        else "tanh" if activation == TANH else "gelu" if activation == GELU else "gelu_tanh" if activation == GELU_TANH
        else ""
    )


cdef inline bint needs_input(int activation) noexcept nogil:
    """Whether the backward needs what went in; else it needs what came out."""
    return activation == GELU or activation == GELU_TANH


cdef inline void activate(
    Activation activation,
    const floating* x,    # IN   (n,)
    floating* out,        # OUT  (n,); may be x
    Py_ssize_t n,
) noexcept nogil:
    """out = activation(x)."""
    cdef Py_ssize_t i
    if activation == SIGMOID:
        sigmoid_span(n, x, out)
        return
    if activation == TANH:
        tanh_span(n, x, out)
        return
    if activation == GELU or activation == GELU_TANH:
        gelu_span(activation, n, x, out)
        return
    if x is not out:
        memcpy(out, x, n * sizeof(floating))
    if activation == RELU:
        # out = 0 where x <= 0 else x; NaN passes through. In place: a compiler need not ask whether arrays overlap.
        for i in range(n):
            out[i] = 0 if out[i] <= 0 else out[i]


cdef inline void activation_forward(
    Activation activation,
    const floating* x,    # IN   (n,)
    floating* out,        # OUT  (n,); may be x
    Py_ssize_t n,
    int threads,
) noexcept nogil:
    """out = activation(x), on several threads."""
    cdef Py_ssize_t i, t
    if threads <= 1:
        activate(activation, x, out, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        activate(activation, x + i, out + i, min(<Py_ssize_t> SPAN, n - i))


cdef inline void activation_backward(
    Activation activation,
    const floating* kept,    # IN   (n,) what came out of the activation or, as needs_input says, what went in
    const floating* dout,    # IN   (n,) the gradient of that
    floating* dx,            # OUT  (n,) the gradient of what went in; may be dout or kept
    Py_ssize_t n,
    int threads,
) noexcept nogil:
    """dx = dout·activation′, on several threads."""
    cdef Py_ssize_t i, t
    if threads <= 1:
        activate_backward(activation, kept, dout, dx, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        activate_backward(activation, kept + i, dout + i, dx + i, min(<Py_ssize_t> SPAN, n - i))


cdef inline void activate_rows(
    Activation activation, floating* x, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n
) noexcept nogil:
    """x = activation(x) for n numbers of each row, `stride` numbers from one row to the next."""
    cdef Py_ssize_t r
    if activation == IDENTITY:
        return
    if stride == n:
        activate(activation, <const floating*> x, x, rows * n)
        return
    for r in range(rows):
        activate(activation, <const floating*> x + r * stride, x + r * stride, n)


cdef inline void activate_backward(
    Activation activation,
    const floating* kept,    # IN   (n,) what came out of the activation or, as needs_input says, what went in
    const floating* dout,    # IN   (n,) the gradient of that
    floating* dx,            # OUT  (n,) the gradient of what went in; may be dout or kept
    Py_ssize_t n,
) noexcept nogil:
    """dx = dout·activation′."""
    cdef Py_ssize_t i
    if activation == RELU:
        # dx = 0 where out <= 0, which is where x <= 0
        for i in range(n):
            dx[i] = 0 if kept[i] <= 0 else dout[i]
    elif activation == SIGMOID:
        sigmoid_backward_span(dout, kept, dx, n)
    elif activation == TANH:
        tanh_backward_span(dout, kept, dx, n)
    elif activation == GELU or activation == GELU_TANH:
        gelu_backward_span(activation, dout, kept, dx, n)
    elif dx is not dout:
        memcpy(dx, dout, n * sizeof(floating))


cdef inline void sigmoid_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = 1 / (1 + exp(−x)); out may be x."""
    if floating is float:
        bp_sigmoid_spanf(n, x, out)
    else:
        bp_sigmoid_span(n, x, out)


cdef inline void tanh_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = tanh(x); out may be x."""
    if floating is float:
        bp_tanh_spanf(n, x, out)
    else:
        bp_tanh_span(n, x, out)


cdef inline void sigmoid_backward_span(
    const floating* dout, const floating* out, floating* dx, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·y·(1 − y), y = out
    for i in range(n):
        dx[i] = dout[i] * out[i] * (1 - out[i])


cdef inline void tanh_backward_span(
    const floating* dout, const floating* out, floating* dx, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·(1 − y²), y = out
    for i in range(n):
        dx[i] = dout[i] * (1 - out[i] * out[i])


cdef inline void gelu_span(Activation form, Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = x·Φ(x), or its form by tanh; out may be x."""
    if floating is float:
        if form == GELU:
            bp_gelu_spanf(n, x, out)
        else:
            bp_gelu_tanh_spanf(n, x, out)
    elif form == GELU:
        bp_gelu_span(n, x, out)
    else:
        bp_gelu_tanh_span(n, x, out)


cdef inline void gelu_backward_span(
    Activation form, const floating* dout, const floating* x, floating* dx, Py_ssize_t n
) noexcept nogil:
    """dx = dout·gelu′(x), of either form; dx may be dout or x."""
    if floating is float:
        if form == GELU:
            bp_gelu_backward_spanf(n, x, dout, dx)
        else:
            bp_gelu_tanh_backward_spanf(n, x, dout, dx)
    elif form == GELU:
        bp_gelu_backward_span(n, x, dout, dx)
    else:
        bp_gelu_tanh_backward_span(n, x, dout, dx)


# --- ReLU with a mask, which the layer keeps ----------------------------------------------------------------------


cdef inline bint streams(const floating* x, const floating* out, Py_ssize_t n) noexcept nogil:
    """Whether a result goes past the caches: none would keep it until it is read."""
    return n * <Py_ssize_t> sizeof(floating) >= STREAM_BYTES and out is not x


cdef inline void relu_forward(
    const floating* x,        # IN   (n,)
    floating* out,            # OUT  (n,); may be x
    unsigned char* mask,      # OUT  (n,) 1 where x <= 0
    Py_ssize_t n,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i, t
    cdef bint stream = streams(x, out, n)
    if threads <= 1:
        relu_span(n, x, out, mask, stream)
    else:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            relu_span(min(<Py_ssize_t> SPAN, n - i), x + i, out + i, mask + i, stream)
            bp_store_fence()
    bp_store_fence()


cdef inline void relu_backward(
    const floating* dout,              # IN   (n,)
    const unsigned char* mask,         # IN   (n,)
    floating* dx,                      # OUT  (n,); may be dout
    Py_ssize_t n,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i, t
    cdef bint stream = streams(dout, dx, n)
    if threads <= 1:
        relu_backward_span(n, dout, mask, dx, stream)
    else:
        for t in prange(spans_of(n), num_threads=threads, schedule="static"):
            i = t * SPAN
            relu_backward_span(min(<Py_ssize_t> SPAN, n - i), dout + i, mask + i, dx + i, stream)
            bp_store_fence()
    bp_store_fence()


cdef inline void relu_span(
    Py_ssize_t n, const floating* x, floating* out, unsigned char* mask, bint stream
) noexcept nogil:
    """mask = x <= 0, which NaN is not, and out = 0 where mask else x, `stream` asks for non-temporal stores."""
    if floating is float:
        bp_relu_spanf(n, x, out, mask, stream)
    else:
        bp_relu_span(n, x, out, mask, stream)


cdef inline void relu_backward_span(
    Py_ssize_t n, const floating* dout, const unsigned char* mask, floating* dx, bint stream
) noexcept nogil:
    """dx = 0 where mask else dout, `stream` asks for non-temporal stores."""
    if floating is float:
        bp_relu_backward_spanf(n, dout, mask, dx, stream)
    else:
        bp_relu_backward_span(n, dout, mask, dx, stream)
