# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Whether what a kernel writes shares memory with something else that it is given.

A kernel reads its inputs while it writes its outputs, in an order of its own: an output that overlaps an input would
give wrong numbers without a word. Where every element is read before it is written, an output may be an input itself,
but no other part of it.

An array that begins where no number of its type may (NumPy calls it not aligned) has a span that is everything: it
meets all others, and no door takes it.
"""

from cython cimport floating
from libc.stdint cimport uintptr_t

cdef struct Span:
    const char* first
    const char* end      # `first` of an empty one


cdef inline Span span(const void* first, Py_ssize_t bytes, Py_ssize_t size) noexcept:
    """So many bytes, of numbers that each have `size`."""
    if <uintptr_t> first % <uintptr_t> size != 0:
        return Span(first=NULL, end=<const char*> ~(<uintptr_t> 0))
    return Span(first=<const char*> first, end=<const char*> first + bytes)


cdef inline Span run(const floating[::1] x) noexcept:
    """A vector; None has no memory."""
    if x is None or x.shape[0] == 0:
        return span(NULL, 0, 1)
    return span(&x[0], x.shape[0] * <Py_ssize_t> sizeof(floating), sizeof(floating))


cdef inline Span matrix(const floating[:, ::1] x) noexcept:
    """A matrix; None has no memory."""
    if x is None or x.shape[0] == 0 or x.shape[1] == 0:
        return span(NULL, 0, 1)
    return span(&x[0, 0], x.shape[0] * x.shape[1] * <Py_ssize_t> sizeof(floating), sizeof(floating))


cdef inline bint everything(Span one) noexcept:
    """Whether it is the span of an array that is not aligned."""
    return one.first is NULL and one.end is not NULL


cdef inline bint meet(Span one, Span other) noexcept:
    return one.first < other.end and other.first < one.end


cdef inline bint meet_in_part(Span one, Span other) noexcept:
    """Whether two arrays overlap and are not one and the same."""
    return meet(one, other) and (everything(one) or not (one.first == other.first and one.end == other.end))
