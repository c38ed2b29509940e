# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A padded layout for the first layer's parameters while a loop trains them.

a) A row of W of 50 numbers begins anywhere in a cache line, so that nearly every vector of it crosses two, and its edge
   columns have a stride of 50 numbers. In the padded layout the rows of the 48 columns that tiles compute begin on
   cache lines, and behind them each edge column (edges.h) is contiguous.
b) The gradient and the optimizer's state are padded in the same way, so an update runs over them element by element.
c) The order of a sum does not depend on the layout: not a bit changes.
d) Copying W to the padded layout and back takes as long as the layout saves in one step. Only loops and evaluations of
   many rows do it, and only for the first layer, which has no gradient of its input and so no use of W transposed.
"""

from cython cimport floating
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from bpcore._gemm.panels cimport BP_PANEL_STRIDE_BYTES
from bpcore._gemm.product cimport BP_DOT_LEAST

cdef enum:
    CACHE_LINE = 64         # bytes
    MOST_BYTES = 1048576    # of W, above which it does not stay in the second-level cache anyway
    LEAST_STEPS = 4         # of a loop, and rows of an evaluation, for which it pays
    LEAST_ROWS = 1000


cdef struct PaddedLayout:
    Py_ssize_t columns      # that tiles compute
    Py_ssize_t stride       # numbers from one row of them to the next
    Py_ssize_t edge         # offset of the first edge column, in numbers
    Py_ssize_t edge_stride  # numbers from one edge column to the next


cdef inline PaddedLayout padded_layout(Py_ssize_t inputs, Py_ssize_t outputs, Py_ssize_t itemsize) noexcept nogil:
    cdef PaddedLayout s
    cdef Py_ssize_t lanes = CACHE_LINE // itemsize, n_left = outputs % lanes
    s.columns = outputs if n_left > lanes // 2 else outputs - n_left
    s.stride = (s.columns + lanes - 1) // lanes * lanes
    s.edge = inputs * s.stride
    s.edge_stride = (inputs + lanes - 1) // lanes * lanes
    return s


cdef inline Py_ssize_t padded_size(Py_ssize_t inputs, Py_ssize_t outputs, Py_ssize_t itemsize) noexcept nogil:
    """How many numbers an (inputs, outputs) matrix has when it is padded; 0 for those that never are.

    These are too large, or have rows so long that panels are packed in any case, or have an edge in only one of the two
    products.
    """
    cdef PaddedLayout s = padded_layout(inputs, outputs, itemsize)
    cdef Py_ssize_t size = s.edge + (outputs - s.columns) * s.edge_stride
    if (
        outputs * itemsize >= BP_PANEL_STRIDE_BYTES or size * itemsize > MOST_BYTES
        or s.columns < outputs and inputs < BP_DOT_LEAST
    ):
        return 0
    return size


cdef inline bint wants_padding(
    Py_ssize_t inputs, Py_ssize_t outputs, const void* W, Py_ssize_t itemsize
) noexcept nogil:
    """Whether W can be padded and is not aligned already."""
    if padded_size(inputs, outputs, itemsize) == 0:
        return False
    return outputs * itemsize % CACHE_LINE != 0 or <uintptr_t> W % CACHE_LINE != 0


cdef inline void copy_rows(
    void* contiguous,             # INOUT  (inputs, outputs) of the caller
    void* padded,                 # INOUT  the same, padded
    Py_ssize_t inputs,
    Py_ssize_t outputs,
    Py_ssize_t first,             # row, up to the row `stop`
    Py_ssize_t stop,
    bint back,                    # whether the caller's matrix is written, and the padded one read
    floating _,
) noexcept nogil:
    cdef PaddedLayout s = padded_layout(inputs, outputs, sizeof(floating))
    cdef Py_ssize_t i, j
    cdef floating* W
    cdef floating* row
    cdef floating* edge
    for i in range(first, stop):
        W = <floating*> contiguous + i * outputs
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
