# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Limits of whole arrays: the norm of all gradients together, and the norm of each column of a weight.

a) Sums of squares are in float64, where no number of float32 overflows, in an order that the shape alone decides:
   of spans of numbers, in virtual lanes, then of these in their order; of columns in the order of the rows.
b) 1e-6 and 1e-7 are PyTorch's, in clip_grad_norm_ and in renorm. A norm that is NaN makes all gradients NaN, and leaves
   a column as it is.
"""

from cython cimport floating
from libc.math cimport sqrt

from bpcore.reductions cimport row_squares

cdef enum:
    NORM_SPAN = 4096     # numbers of one sum of squares
    NORM_COLUMNS = 64    # whose sums over the rows are taken at once


cdef inline double squared_norm(const floating* g, Py_ssize_t n) noexcept nogil:
    """Σ g² of a gradient."""
    cdef double total = 0
    cdef Py_ssize_t first = 0
    while first < n:
        total = total + row_squares(g + first, 0, min(<Py_ssize_t> NORM_SPAN, n - first))
        first = first + NORM_SPAN
    return total


cdef inline double scale_of_norm(double squares, double clip_norm) noexcept nogil:
    """What gradients of this sum of squares are multiplied by so that their norm is at most `clip_norm`."""
    cdef double scale = clip_norm / (sqrt(squares) + 1e-6)
    return 1 if scale > 1 else scale


cdef inline void limit_columns(
    floating* W,                 # INOUT  (rows, columns), `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t columns,
    double max_norm,
) noexcept nogil:
    """Multiply each column whose norm is beyond `max_norm` by what brings it there."""
    cdef Py_ssize_t first = 0
    while first < columns:
        limit_some_columns(W + first, stride, rows, min(<Py_ssize_t> NORM_COLUMNS, columns - first), max_norm)
        first = first + NORM_COLUMNS


cdef inline void limit_some_columns(
    floating* W, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t columns, double max_norm
) noexcept nogil:
    """Up to NORM_COLUMNS of them."""
    cdef double[NORM_COLUMNS] sums
    cdef floating[NORM_COLUMNS] scale
    cdef bint within = True
    cdef double norm
    cdef Py_ssize_t r, o
    for o in range(NORM_COLUMNS):
        sums[o] = 0
    for r in range(rows):
        if columns == NORM_COLUMNS:
            for o in range(NORM_COLUMNS):
                sums[o] = sums[o] + <double> W[r * stride + o] * <double> W[r * stride + o]
        else:
            for o in range(columns):
                sums[o] = sums[o] + <double> W[r * stride + o] * <double> W[r * stride + o]
    for o in range(columns):
        norm = sqrt(sums[o])
        scale[o] = 1
        if norm > max_norm:
            scale[o], within = <floating> (max_norm / (norm + 1e-7)), False
    if within:
        return
    for r in range(rows):
        for o in range(columns):
            W[r * stride + o] = W[r * stride + o] * scale[o]
