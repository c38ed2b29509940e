"""Whether what a kernel writes shares memory with something else that it is given.

A kernel reads its inputs while it writes its outputs, in an order of its own: an output that overlaps an input would
give wrong numbers without a word. Where every element is read before it is written, an output may be an input itself,
but no other part of it.
"""

from cython cimport floating

cdef struct Span:
    const char* first
    const char* end      # `first` of an empty one


cdef inline Span span(const void* first, Py_ssize_t bytes) noexcept:
    return Span(first=<const char*> first, end=<const char*> first + bytes)


cdef inline Span run(const floating[::1] x) noexcept:
    """A vector; None has no memory."""
    if x is None or x.shape[0] == 0:
        return span(NULL, 0)
    return span(&x[0], x.shape[0] * <Py_ssize_t> sizeof(floating))


cdef inline Span matrix(const floating[:, ::1] x) noexcept:
    """A matrix; None has no memory."""
    if x is None or x.shape[0] == 0 or x.shape[1] == 0:
        return span(NULL, 0)
    return span(&x[0, 0], x.shape[0] * x.shape[1] * <Py_ssize_t> sizeof(floating))


cdef inline bint meet(Span one, Span other) noexcept:
    return one.first < other.end and other.first < one.end


cdef inline bint meet_in_part(Span one, Span other) noexcept:
    """Whether two arrays overlap and are not one and the same."""
    return meet(one, other) and not (one.first == other.first and one.end == other.end)
