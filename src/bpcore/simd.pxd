"""The scalar leaves of simd.h, one name for both types."""

from cython cimport floating


cdef extern from "simd.h" nogil:
    int BPCORE_API_VERSION
    float bp_fmaf(float a, float b, float c) noexcept
    double bp_fma(double a, double b, double c) noexcept
    float bp_expf(float x) noexcept
    double bp_exp(double x) noexcept
    float bp_logf(float x) noexcept
    double bp_log(double x) noexcept
    float bp_sigmoidf(float x) noexcept
    double bp_sigmoid(double x) noexcept


cdef inline floating fma(floating a, floating b, floating c) noexcept nogil:
    """a·b + c, rounded once where the processor can."""
    if floating is float:
        return bp_fmaf(a, b, c)
    else:
        return bp_fma(a, b, c)


cdef inline floating exp(floating x) noexcept nogil:
    if floating is float:
        return bp_expf(x)
    else:
        return bp_exp(x)


cdef inline floating log(floating x) noexcept nogil:
    if floating is float:
        return bp_logf(x)
    else:
        return bp_log(x)


cdef inline floating sigmoid(floating x) noexcept nogil:
    if floating is float:
        return bp_sigmoidf(x)
    else:
        return bp_sigmoid(x)
