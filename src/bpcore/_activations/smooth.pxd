# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The activations of _simd/functions.h over n numbers, under one name for both types.

out = f(x), where out may be x; dx = f′(x)·dout, where dx may be x or dout.
"""

from cython cimport floating

cdef extern from "_simd/simd.h" nogil:
    # The name ends in f for float32.
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
    void bp_silu_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_silu_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_silu_backward_spanf(Py_ssize_t n, const float* x, const float* dout, float* dx) noexcept
    void bp_silu_backward_span(Py_ssize_t n, const double* x, const double* dout, double* dx) noexcept
    void bp_mish_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_mish_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_mish_backward_spanf(Py_ssize_t n, const float* x, const float* dout, float* dx) noexcept
    void bp_mish_backward_span(Py_ssize_t n, const double* x, const double* dout, double* dx) noexcept
    void bp_elu_spanf(Py_ssize_t n, const float* x, float* out, float a, float b) noexcept
    void bp_elu_span(Py_ssize_t n, const double* x, double* out, double a, double b) noexcept
    void bp_softplus_spanf(Py_ssize_t n, const float* x, float* out, float a, float b) noexcept
    void bp_softplus_span(Py_ssize_t n, const double* x, double* out, double a, double b) noexcept
    void bp_softplus_backward_spanf(Py_ssize_t n, const float* x, const float* dout, float* dx, float a) noexcept
    void bp_softplus_backward_span(Py_ssize_t n, const double* x, const double* dout, double* dx, double a) noexcept


cdef inline void sigmoid_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """1 / (1 + exp(−x))."""
    if floating is float:
        bp_sigmoid_spanf(n, x, out)
    else:
        bp_sigmoid_span(n, x, out)


cdef inline void tanh_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    if floating is float:
        bp_tanh_spanf(n, x, out)
    else:
        bp_tanh_span(n, x, out)


cdef inline void gelu_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """x·Φ(x)."""
    if floating is float:
        bp_gelu_spanf(n, x, out)
    else:
        bp_gelu_span(n, x, out)


cdef inline void gelu_backward_span(
    Py_ssize_t n, const floating* x, const floating* dout, floating* dx
) noexcept nogil:
    if floating is float:
        bp_gelu_backward_spanf(n, x, dout, dx)
    else:
        bp_gelu_backward_span(n, x, dout, dx)


cdef inline void gelu_tanh_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) / 2."""
    if floating is float:
        bp_gelu_tanh_spanf(n, x, out)
    else:
        bp_gelu_tanh_span(n, x, out)


cdef inline void gelu_tanh_backward_span(
    Py_ssize_t n, const floating* x, const floating* dout, floating* dx
) noexcept nogil:
    if floating is float:
        bp_gelu_tanh_backward_spanf(n, x, dout, dx)
    else:
        bp_gelu_tanh_backward_span(n, x, dout, dx)


cdef inline void silu_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """x·sigmoid(x)."""
    if floating is float:
        bp_silu_spanf(n, x, out)
    else:
        bp_silu_span(n, x, out)


cdef inline void silu_backward_span(
    Py_ssize_t n, const floating* x, const floating* dout, floating* dx
) noexcept nogil:
    if floating is float:
        bp_silu_backward_spanf(n, x, dout, dx)
    else:
        bp_silu_backward_span(n, x, dout, dx)


cdef inline void mish_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """x·tanh(log(1 + exp(x)))."""
    if floating is float:
        bp_mish_spanf(n, x, out)
    else:
        bp_mish_span(n, x, out)


cdef inline void mish_backward_span(
    Py_ssize_t n, const floating* x, const floating* dout, floating* dx
) noexcept nogil:
    if floating is float:
        bp_mish_backward_spanf(n, x, dout, dx)
    else:
        bp_mish_backward_span(n, x, dout, dx)


cdef inline void elu_span(
    Py_ssize_t n, const floating* x, floating* out, floating a, floating b
) noexcept nogil:
    """a·x from 0 on, b·(exp(x) − 1) below."""
    if floating is float:
        bp_elu_spanf(n, x, out, a, b)
    else:
        bp_elu_span(n, x, out, a, b)


cdef inline void softplus_span(
    Py_ssize_t n, const floating* x, floating* out, floating a, floating b
) noexcept nogil:
    """b·log(1 + exp(a·x)), b = 1 / a."""
    if floating is float:
        bp_softplus_spanf(n, x, out, a, b)
    else:
        bp_softplus_span(n, x, out, a, b)


cdef inline void softplus_backward_span(
    Py_ssize_t n, const floating* x, const floating* dout, floating* dx, floating a
) noexcept nogil:
    if floating is float:
        bp_softplus_backward_spanf(n, x, dout, dx, a)
    else:
        bp_softplus_backward_span(n, x, dout, dx, a)
