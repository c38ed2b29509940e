# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Loops of activations that are made of lines, and of backwards that need what came out, over n numbers.

Every element is read before it is written. NaN passes through: comparisons with it are false. Loops that need not ask
whether arrays overlap have one array, and begin with a copy.
"""

from cython cimport floating
from libc.string cimport memcpy


cdef inline void copy_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    if x is not out:
        memcpy(out, x, n * sizeof(floating))


cdef inline void relu_span_in_place(Py_ssize_t n, floating* out) noexcept nogil:
    cdef Py_ssize_t i
    # out = 0 where x <= 0 else x
    for i in range(n):
        out[i] = 0 if out[i] <= 0 else out[i]


cdef inline void relu_backward_of_out(
    Py_ssize_t n, const floating* out, const floating* dout, floating* dx
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = 0 where out <= 0, which is where x <= 0, else dout
    for i in range(n):
        dx[i] = 0 if out[i] <= 0 else dout[i]


cdef inline void leaky_relu_span_in_place(Py_ssize_t n, floating* out, floating slope) noexcept nogil:
    cdef Py_ssize_t i
    # out = slope·x where x <= 0 else x
    for i in range(n):
        out[i] = slope * out[i] if out[i] <= 0 else out[i]


cdef inline void leaky_relu_backward_span(
    Py_ssize_t n, const floating* out, const floating* dout, floating* dx, floating slope
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = slope·dout where out <= 0, which is where x <= 0, else dout
    for i in range(n):
        dx[i] = slope * dout[i] if out[i] <= 0 else dout[i]


cdef inline void hardtanh_span_in_place(Py_ssize_t n, floating* out, floating low, floating high) noexcept nogil:
    cdef Py_ssize_t i
    # out = max(low, min(x, high))
    for i in range(n):
        out[i] = high if out[i] > high else out[i]
        out[i] = low if out[i] < low else out[i]


cdef inline void hardtanh_backward_span(
    Py_ssize_t n, const floating* out, const floating* dout, floating* dx, floating low, floating high
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = 0 where out <= low or out >= high, which is where x is, else dout
    for i in range(n):
        dx[i] = 0 if (out[i] <= low) | (out[i] >= high) else dout[i]


cdef inline void hardswish_span_in_place(Py_ssize_t n, floating* out) noexcept nogil:
    cdef Py_ssize_t i
    cdef floating x, gate
    # out = x·max(0, min(x + 3, 6)) / 6; of −inf it is 0
    for i in range(n):
        x = -3 if out[i] < -3 else out[i]
        gate = x + 3
        gate = 6 if gate > 6 else gate
        out[i] = x if x >= 3 else x * gate / 6


cdef inline void hardswish_backward_span(
    Py_ssize_t n, const floating* x, const floating* dout, floating* dx
) noexcept nogil:
    cdef Py_ssize_t i
    cdef floating slope
    # dx = 0 where x <= −3, dout where x >= 3, else dout·(x/3 + 1/2)
    for i in range(n):
        slope = x[i] / 3 + <floating> 0.5
        slope = 0 if x[i] <= -3 else slope
        slope = 1 if x[i] >= 3 else slope
        dx[i] = dout[i] * slope


cdef inline void sigmoid_backward_span(
    Py_ssize_t n, const floating* out, const floating* dout, floating* dx
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·y·(1 − y), y = out
    for i in range(n):
        dx[i] = dout[i] * out[i] * (1 - out[i])


cdef inline void tanh_backward_span(
    Py_ssize_t n, const floating* out, const floating* dout, floating* dx
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·(1 − y²), y = out
    for i in range(n):
        dx[i] = dout[i] * (1 - out[i] * out[i])


cdef inline void elu_backward_span(
    Py_ssize_t n, const floating* out, const floating* dout, floating* dx, floating a, floating b
) noexcept nogil:
    cdef Py_ssize_t i
    # dx = dout·a where out > 0, which is where x > 0, else dout·(out + b)
    for i in range(n):
        dx[i] = dout[i] * (a if out[i] > 0 else out[i] + b)
