# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Arrays whose addresses are kept: whether each still is where it was, of the same type and shape, and writable.

NumPy arrays can be reshaped, frozen or given another type in place. To ask the buffer protocol before every call would
take longer than a small network does; the fields of NumPy's own struct take a nanosecond. `resize`, which frees the
memory, cannot be seen in time while another thread reads it: NumPy refuses it where a weak reference exists.
"""

from bpcore._entries.ndarray cimport (
    PyArray_DATA, PyArray_DESCR, PyArray_DIMS, PyArray_FLAGS, PyArray_NDIM, PyArrayObject,
)
from bpcore._entries.overlaps cimport Span, intersect


cdef struct Guard:
    const PyArrayObject* array    # whoever keeps the guard keeps the array, and its type
    const void* data
    const void* dtype
    Py_ssize_t bytes
    int dimensions                # 1 or 2
    Py_ssize_t first
    Py_ssize_t last


cdef inline bint unchanged(const Guard* guards, Py_ssize_t n, int flags) noexcept:
    """Whether all of n arrays are what they were when the guards were made, and have these flags."""
    cdef const Guard* g
    cdef const Py_ssize_t* shape
    cdef Py_ssize_t i
    for i in range(n):
        g = guards + i
        if PyArray_DATA(g.array) != g.data or PyArray_DESCR(g.array) != g.dtype:
            return False
        if PyArray_NDIM(g.array) != g.dimensions or PyArray_FLAGS(g.array) & flags != flags:
            return False
        shape = PyArray_DIMS(g.array)
        if shape[0] != g.first or shape[g.dimensions - 1] != g.last:
            return False
    return True


cdef inline bint overlap(const Guard* guards, Py_ssize_t n, Span span) noexcept:
    """Whether one of the arrays shares memory with a span."""
    cdef Py_ssize_t i
    for i in range(n):
        if intersect(Span(<const char*> guards[i].data, <const char*> guards[i].data + guards[i].bytes), span):
            return True
    return False
