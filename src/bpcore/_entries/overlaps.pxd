# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Whether what a kernel writes shares memory with something else that it is given.

A kernel reads its inputs while it writes its outputs, in an order of its own: an output that overlaps an input would
give wrong numbers without an error. Where every element is read before it is written, an output may be an input itself,
but no other part of it.
"""

cdef struct Span:
    const char* first
    const char* end      # `first` of an empty one


cdef inline Span span(const void* first, Py_ssize_t bytes) noexcept:
    return Span(first=<const char*> first, end=<const char*> first + bytes)


cdef inline bint intersect(Span one, Span other) noexcept:
    """Whether they have a byte in common."""
    cdef const char* first = max(one.first, other.first)
    return first < one.end and first < other.end


cdef inline bint is_same(Span one, Span other) noexcept:
    return one.first == other.first and one.end == other.end
