# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What update rules make of numbers: constants rounded to a type, signs, roots and powers, as updates.pxd says."""

from cython cimport floating
from libc.math cimport sqrt as sqrt_of_double, sqrtf
from libc.stdint cimport int64_t


cdef inline floating sqrt(floating x) noexcept nogil:
    if floating is float:
        return sqrtf(x)
    else:
        return sqrt_of_double(x)


cdef inline floating flushed(floating x, floating least) noexcept nogil:
    """x, or 0 where |x| < least."""
    return 0 if -least < x < least else x


cdef inline floating least_square(floating _) noexcept nogil:
    """The least normal number, below which a mean of squares becomes 0."""
    return 1.1754943508222875e-38 if floating is float else 2.2250738585072014e-308


cdef inline floating least_mean(floating _) noexcept nogil:
    """2^26 times the least normal number, below which a mean becomes 0."""
    return least_square(_) * 67108864


cdef inline floating rounded_lr(double lr, floating _) noexcept nogil:
    """lr in the type, the largest finite number at most."""
    cdef double largest = 3.4028234663852886e38 if floating is float else 1.7976931348623157e308
    return <floating> max(min(lr, largest), -largest)


cdef inline floating rounded_decay(double decay, floating _) noexcept nogil:
    """A decay in the type; from below 1 it does not become 1."""
    return <floating> min(decay, 0.99999994039535522) if floating is float and decay < 1 else <floating> decay


cdef inline floating rounded_eps(double eps, floating _) noexcept nogil:
    """eps in the type, the least normal number at least."""
    return max(<floating> eps, least_square(_))


cdef inline double power(double base, int64_t exponent) noexcept nogil:
    """base^exponent by squaring: the same multiplications on every machine, which pow() is not."""
    cdef double result = 1
    while exponent > 0:
        if exponent & 1:
            result = result * base
        base = base * base
        exponent = exponent >> 1
    return result


cdef inline floating sign(floating x) noexcept nogil:
    """1, −1 or, of 0 and NaN, x."""
    return 1 if x > 0 else -1 if x < 0 else x


cdef inline floating* part(floating* state, Py_ssize_t first) noexcept nogil:
    """What is kept from `first` on; NULL where nothing is."""
    return <floating*> NULL if state is NULL else state + first
