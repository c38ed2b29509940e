# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""How the first layer's parameters lie while a loop trains them: where the tiles read and write them fastest.

a) A row of W of 50 numbers begins anywhere in a cache line, so that nearly every vector of it is read from two, and its
   last two columns are 50 numbers apart. Spread, rows of the 48 columns that tiles take begin on cache lines, and
   behind them all each of the last columns (edges.pxd) lies on its own, its numbers adjacent.
b) The gradient and what the rule of an update keeps are padded in the same way, so an update runs over both alike.
c) Which sum is taken in which order does not depend on where a number lies: not a bit changes.
d) Moving W there and back takes as long as what is won in one step. Only loops and evaluations of many rows do it, and
   only for the first layer, whose transpose nobody needs.
"""

from cython cimport floating
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from bpcore._gemm.panels cimport FAR_BYTES
from bpcore._gemm.edges cimport DOT_LEAST

cdef enum:
    LINE = 64               # bytes
    MOST_BYTES = 1048576    # of W, from which on it does not stay in the second-level cache anyway
    LEAST_STEPS = 4         # of a loop, and rows of an evaluation, for which it pays
    LEAST_ROWS = 1000


cdef struct PaddedLayout:
    Py_ssize_t columns      # that tiles take
    Py_ssize_t stride       # numbers from one row of them to the next
    Py_ssize_t edge         # where the first of the last columns begins, in numbers
    Py_ssize_t edge_stride     # numbers from one of them to the next


cdef inline PaddedLayout padded_layout(Py_ssize_t inputs, Py_ssize_t outputs, Py_ssize_t itemsize) noexcept nogil:
    cdef PaddedLayout s
    cdef Py_ssize_t lanes = LINE // itemsize, left = outputs % lanes
    s.columns = outputs if left > lanes // 2 else outputs - left
    s.stride = (s.columns + lanes - 1) // lanes * lanes
    s.edge = inputs * s.stride
    s.edge_stride = (inputs + lanes - 1) // lanes * lanes
    return s


cdef inline Py_ssize_t padded_size(Py_ssize_t inputs, Py_ssize_t outputs, Py_ssize_t itemsize) noexcept nogil:
    """Numbers that an (inputs, outputs) matrix takes when it is padded; 0 for those that never are.

    These are too large, or have rows so far apart that panels are packed in any case, or other last columns in the one
    product than in the other.
    """
    cdef PaddedLayout s = padded_layout(inputs, outputs, itemsize)
    cdef Py_ssize_t size = s.edge + (outputs - s.columns) * s.edge_stride
    if outputs * itemsize >= FAR_BYTES or size * itemsize > MOST_BYTES or s.columns < outputs and inputs < DOT_LEAST:
        return 0
    return size


cdef inline bint wants_padding(
    Py_ssize_t inputs, Py_ssize_t outputs, const void* W, Py_ssize_t itemsize
) noexcept nogil:
    """Whether W can be padded and does not lie as well already."""
    if padded_size(inputs, outputs, itemsize) == 0:
        return False
    return outputs * itemsize % LINE != 0 or <uintptr_t> W % LINE != 0


cdef inline void copy_rows(
    void* gapless,                # INOUT  (inputs, outputs) as the caller has it
    void* padded,                 # INOUT  the same, padded
    Py_ssize_t inputs,
    Py_ssize_t outputs,
    Py_ssize_t first,             # row, up to the row `stop`
    Py_ssize_t stop,
    bint back,                    # whether the caller's is written, not the other
    floating _,
) noexcept nogil:
    cdef PaddedLayout s = padded_layout(inputs, outputs, sizeof(floating))
    cdef Py_ssize_t i, j
    cdef floating* W
    cdef floating* row
    cdef floating* edge
    for i in range(first, stop):
        W = <floating*> gapless + i * outputs
        row = <floating*> padded + i * s.stride
        memcpy(W if back else row, row if back else W, s.columns * sizeof(floating))
        for j in range(outputs - s.columns):
            edge = <floating*> padded + s.edge + j * s.edge_stride + i
            if back:
                W[s.columns + j] = edge[0]
            else:
                edge[0] = W[s.columns + j]
        for j in range(s.columns, s.stride):
            row[j] = 0
