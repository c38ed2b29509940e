# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Activations of n numbers, one after the other.

`activate` and `activate_backward` tell activations apart, nothing else does: a new one has a number, a name and the
numbers that it takes in the tables, a line in each of the two, and its loops in _activations. Every element is read
before it is written.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore._activations.piecewise cimport (
    copy_span, elu_backward_span, hardswish_backward_span, hardswish_span_in_place, hardtanh_backward_span,
    hardtanh_span_in_place, leaky_relu_backward_span, leaky_relu_span_in_place, relu_backward_of_out,
    relu_span_in_place, sigmoid_backward_span, tanh_backward_span,
)
from bpcore._activations.smooth cimport (
    elu_span, gelu_backward_span, gelu_span, gelu_tanh_backward_span, gelu_tanh_span, mish_backward_span, mish_span,
    sigmoid_span, silu_backward_span, silu_span, softplus_backward_span, softplus_span, tanh_span,
)
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

cdef enum:
    STREAM_BYTES = 33554432    # a common last-level cache

cdef enum Activation:
    IDENTITY = 0
    RELU = 1
    SIGMOID = 2
    TANH = 3
    GELU = 4            # x·Φ(x)
    GELU_TANH = 5       # its form by tanh
    LEAKY_RELU = 6      # x, below 0 times negative_slope
    ELU = 7             # x, below 0 alpha·(exp(x) − 1)
    SELU = 8            # λ·x, below 0 λα·(exp(x) − 1)
    SILU = 9            # x·sigmoid(x)
    MISH = 10           # x·tanh(softplus(x))
    SOFTPLUS = 11       # log(1 + exp(beta·x)) / beta
    HARDTANH = 12       # x between min_val and max_val
    HARDSWISH = 13      # x·min(max(x + 3, 0), 6) / 6
    ACTIVATIONS = 14    # how many there are

cdef enum:
    ACTIVATION_NUMBERS = 2    # that an activation takes at most


cdef inline const char* activation_name(int activation) noexcept nogil:
    """What Python calls it."""
    return (
        "identity" if activation == IDENTITY else "relu" if activation == RELU else "sigmoid" if activation == SIGMOID
        else "tanh" if activation == TANH else "gelu" if activation == GELU else "gelu_tanh" if activation == GELU_TANH
        else "leaky_relu" if activation == LEAKY_RELU else "elu" if activation == ELU else "selu" if activation == SELU
        else "silu" if activation == SILU else "mish" if activation == MISH else "softplus" if activation == SOFTPLUS
        else "hardtanh" if activation == HARDTANH else "hardswish" if activation == HARDSWISH else ""
    )


cdef inline const char* activation_numbers(int activation) noexcept nogil:
    """The numbers that it takes, as the signature of an entry has them."""
    return (
        "negative_slope[0,inf)" if activation == LEAKY_RELU else "alpha(0,inf)" if activation == ELU
        else "beta(0,inf)" if activation == SOFTPLUS else "min_val max_val" if activation == HARDTANH else ""
    )


cdef inline double usual_number(int activation, int n) noexcept nogil:
    """Number n of an activation, where nobody says it."""
    return (
        0.01 if activation == LEAKY_RELU else 2 * n - 1. if activation == HARDTANH
        else 1 if activation == ELU or activation == SOFTPLUS else 0
    )


cdef inline bint needs_input(int activation) noexcept nogil:
    """Whether the backward needs what went in; else it needs what came out."""
    return (
        activation == GELU or activation == GELU_TANH or activation == SILU or activation == MISH
        or activation == SOFTPLUS or activation == HARDSWISH
    )


cdef inline floating rounded(double number, floating _) noexcept nogil:
    """A number in a type, in its finite range: an infinity times 0 would be NaN."""
    cdef double most = 3.4028234663852886e+38 if floating is float else 1.7976931348623157e+308
    return <floating> (most if number > most else -most if number < -most else number)


cdef inline floating rounded_positive(double number, floating _) noexcept nogil:
    """The same of one above 0, which it stays."""
    cdef double least = 1.1754943508222875e-38 if floating is float else 2.2250738585072014e-308
    return rounded(max(number, least), _)


cdef inline void activate(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL
    const floating* x,        # IN   (n,)
    floating* out,            # OUT  (n,); may be x
    Py_ssize_t n,
) noexcept nogil:
    """out = activation(x)."""
    cdef floating beta
    if activation == SIGMOID:
        sigmoid_span(n, x, out)
    elif activation == TANH:
        tanh_span(n, x, out)
    elif activation == GELU:
        gelu_span(n, x, out)
    elif activation == GELU_TANH:
        gelu_tanh_span(n, x, out)
    elif activation == SILU:
        silu_span(n, x, out)
    elif activation == MISH:
        mish_span(n, x, out)
    elif activation == ELU:
        elu_span(n, x, out, <floating> 1, rounded_positive(numbers[0], <floating> 0))
    elif activation == SELU:
        elu_span(n, x, out, <floating> 1.0507009873554805, <floating> 1.7580993408473769)
    elif activation == SOFTPLUS:
        beta = rounded_positive(numbers[0], <floating> 0)
        softplus_span(n, x, out, beta, 1 / beta)
    else:
        copy_span(n, x, out)
        if activation == RELU:
            relu_span_in_place(n, out)
        elif activation == LEAKY_RELU:
            leaky_relu_span_in_place(n, out, rounded(numbers[0], <floating> 0))
        elif activation == HARDTANH:
            hardtanh_span_in_place(n, out, <floating> numbers[0], <floating> numbers[1])
        elif activation == HARDSWISH:
            hardswish_span_in_place(n, out)


cdef inline void activate_backward(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL
    const floating* kept,     # IN   (n,) what came out of the activation or, as needs_input says, what went in
    const floating* dout,     # IN   (n,) the gradient of that
    floating* dx,             # OUT  (n,) the gradient of what went in; may be dout or kept
    Py_ssize_t n,
) noexcept nogil:
    """dx = dout·activation′."""
    if activation == RELU:
        relu_backward_of_out(n, kept, dout, dx)
    elif activation == SIGMOID:
        sigmoid_backward_span(n, kept, dout, dx)
    elif activation == TANH:
        tanh_backward_span(n, kept, dout, dx)
    elif activation == GELU:
        gelu_backward_span(n, kept, dout, dx)
    elif activation == GELU_TANH:
        gelu_tanh_backward_span(n, kept, dout, dx)
    elif activation == SILU:
        silu_backward_span(n, kept, dout, dx)
    elif activation == MISH:
        mish_backward_span(n, kept, dout, dx)
    elif activation == ELU:
        elu_backward_span(n, kept, dout, dx, <floating> 1, rounded_positive(numbers[0], <floating> 0))
    elif activation == SELU:
        elu_backward_span(n, kept, dout, dx, <floating> 1.0507009873554805, <floating> 1.7580993408473769)
    elif activation == SOFTPLUS:
        softplus_backward_span(n, kept, dout, dx, rounded_positive(numbers[0], <floating> 0))
    elif activation == LEAKY_RELU:
        leaky_relu_backward_span(n, kept, dout, dx, rounded(numbers[0], <floating> 0))
    elif activation == HARDTANH:
        hardtanh_backward_span(n, kept, dout, dx, <floating> numbers[0], <floating> numbers[1])
    elif activation == HARDSWISH:
        hardswish_backward_span(n, kept, dout, dx)
    else:
        copy_span(n, dout, dx)


cdef inline void activation_forward(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL
    const floating* x,        # IN   (n,)
    floating* out,            # OUT  (n,); may be x
    Py_ssize_t n,
    int threads,
) noexcept nogil:
    """out = activation(x), on several threads."""
    cdef Py_ssize_t i, t
    if threads <= 1:
        activate(activation, numbers, x, out, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        activate(activation, numbers, x + i, out + i, min(<Py_ssize_t> SPAN, n - i))


cdef inline void activation_backward(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL
    const floating* kept,     # IN   (n,) what came out of the activation or, as needs_input says, what went in
    const floating* dout,     # IN   (n,) the gradient of that
    floating* dx,             # OUT  (n,) the gradient of what went in; may be dout or kept
    Py_ssize_t n,
    int threads,
) noexcept nogil:
    """dx = dout·activation′, on several threads."""
    cdef Py_ssize_t i, t
    if threads <= 1:
        activate_backward(activation, numbers, kept, dout, dx, n)
        return
    for t in prange(spans_of(n), num_threads=threads, schedule="static"):
        i = t * SPAN
        activate_backward(activation, numbers, kept + i, dout + i, dx + i, min(<Py_ssize_t> SPAN, n - i))


cdef inline void activate_rows(
    Activation activation, const double* numbers, floating* x, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n
) noexcept nogil:
    """x = activation(x) for n numbers of each row, `stride` numbers from one row to the next."""
    cdef Py_ssize_t r
    if activation == IDENTITY:
        return
    if stride == n:
        activate(activation, numbers, <const floating*> x, x, rows * n)
        return
    for r in range(rows):
        activate(activation, numbers, <const floating*> x + r * stride, x + r * stride, n)


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
