# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Activations of n numbers, one after the other.

Their loops, and what tells them apart, are in _simd/activations.h. Here each has a name, and what else the tables and
functions say: the numbers that it takes, and whether its backward needs what went in. Every element is read before it
is written.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore._parallel.team cimport SPAN, spans_of
from bpcore._simd.simd cimport bp_store_fence

cdef extern from "_simd/simd.h" nogil:
    enum Activation "bp_activation":
        IDENTITY "BP_IDENTITY"
        RELU "BP_RELU"
        SIGMOID "BP_SIGMOID"
        TANH "BP_TANH"
        GELU "BP_GELU"                # x·Φ(x)
        GELU_TANH "BP_GELU_TANH"      # its form by tanh
        LEAKY_RELU "BP_LEAKY_RELU"    # x, up to 0 times negative_slope
        ELU "BP_ELU"                  # x, below 0 alpha·(exp(x) − 1)
        SELU "BP_SELU"                # λ·x, below 0 λα·(exp(x) − 1)
        SILU "BP_SILU"                # x·sigmoid(x)
        MISH "BP_MISH"                # x·tanh(softplus(x))
        SOFTPLUS "BP_SOFTPLUS"        # log(1 + exp(beta·x)) / beta
        HARDTANH "BP_HARDTANH"        # x between min_val and max_val
        HARDSWISH "BP_HARDSWISH"      # x·min(max(x + 3, 0), 6) / 6
        ACTIVATIONS "BP_COUNT_OF_ACTIVATIONS"

    # The name ends in f for float32.
    void bp_activatef(int activation, Py_ssize_t n, const float* x, float* out, float a, float b) noexcept
    void bp_activate(int activation, Py_ssize_t n, const double* x, double* out, double a, double b) noexcept
    void bp_activate_backwardf(
        int activation, Py_ssize_t n, const float* kept, const float* dout, float* dx, float a, float b
    ) noexcept
    void bp_activate_backward(
        int activation, Py_ssize_t n, const double* kept, const double* dout, double* dx, double a, double b
    ) noexcept
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
    ACTIVATION_NUMBERS = 2     # that an activation takes at most


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


cdef struct Constants:
    # What the loops of an activation are given, of either type.
    double a
    double b


cdef inline Constants constants_of(
    Activation activation, const double* numbers, double least, double most
) noexcept nogil:
    """Of the numbers that it takes, within the least and the largest normal number of a type.

    An infinity times 0 would be NaN; what is above 0 stays so.
    """
    cdef double number = usual_number(activation, 0) if numbers is NULL else numbers[0]
    cdef double second, positive
    number = most if number > most else -most if number < -most else number
    positive = max(number, least)
    if activation == LEAKY_RELU:
        return Constants(number, 0)
    if activation == ELU:
        return Constants(1, positive)
    if activation == SELU:
        return Constants(1.0507009873554805, 1.7580993408473769)
    if activation == SOFTPLUS:
        return Constants(positive, 1 / positive)
    if activation == HARDTANH:
        second = usual_number(activation, 1) if numbers is NULL else numbers[1]
        return Constants(number, min(max(second, -most), most))
    return Constants(0, 0)


cdef inline Activation loop_of(Activation activation, double number) noexcept nogil:
    """Which loop runs it: a leaky ReLU of slope 0 is ReLU, an infinity times 0 would be NaN."""
    return RELU if activation == LEAKY_RELU and number == 0 else activation


cdef inline void activate(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL: the usual ones
    const floating* x,        # IN   (n,)
    floating* out,            # OUT  (n,); may be x
    Py_ssize_t n,
) noexcept nogil:
    """out = activation(x)."""
    cdef Constants constants
    if floating is float:
        constants = constants_of(activation, numbers, 1.1754943508222875e-38, 3.4028234663852886e+38)
        bp_activatef(loop_of(activation, <float> constants.a), n, x, out, <float> constants.a, <float> constants.b)
    else:
        constants = constants_of(activation, numbers, 2.2250738585072014e-308, 1.7976931348623157e+308)
        bp_activate(loop_of(activation, constants.a), n, x, out, constants.a, constants.b)


cdef inline void activate_backward(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL: the usual ones
    const floating* kept,     # IN   (n,) what came out of the activation or, as needs_input says, what went in
    const floating* dout,     # IN   (n,) the gradient of that
    floating* dx,             # OUT  (n,) the gradient of what went in; may be dout or kept
    Py_ssize_t n,
) noexcept nogil:
    """dx = dout·activation′."""
    cdef Constants constants
    if floating is float:
        constants = constants_of(activation, numbers, 1.1754943508222875e-38, 3.4028234663852886e+38)
        bp_activate_backwardf(
            loop_of(activation, <float> constants.a), n, kept, dout, dx, <float> constants.a, <float> constants.b
        )
    else:
        constants = constants_of(activation, numbers, 2.2250738585072014e-308, 1.7976931348623157e+308)
        bp_activate_backward(loop_of(activation, constants.a), n, kept, dout, dx, constants.a, constants.b)


cdef inline void activation_forward(
    Activation activation,
    const double* numbers,    # IN   those that it takes, or NULL: the usual ones
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
    const double* numbers,    # IN   those that it takes, or NULL: the usual ones
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
