"""Bringing a mini-batch together: rows of the data, by their indices, in the network's type and scaled.

A value is converted, then `mean` is subtracted, then it is multiplied by `scale`: three roundings at the most, each
left out where the pointer is NULL.
"""

from cython cimport floating
from libc.stdint cimport int64_t, uint8_t

ctypedef fused stored:
    float
    double
    uint8_t


cdef inline void gather_rows(
    const stored* data,          # IN   (N, I)
    const int64_t* indices,      # IN   (B,) each in [0, N), or NULL: the rows from 0
    const floating* mean,        # IN   (I,) or NULL
    const floating* scale,       # IN   (I,) or NULL
    floating* out,               # OUT  (B, I), `out_row` numbers from one row to the next
    Py_ssize_t out_row,
    Py_ssize_t B,
    Py_ssize_t I,
) noexcept nogil:
    cdef const stored* row
    cdef floating* to
    cdef Py_ssize_t r, i
    for r in range(B):
        row = data + (r if indices is NULL else indices[r]) * I
        to = out + r * out_row
        # out = (data − mean)·scale
        if mean is NULL and scale is NULL:
            for i in range(I):
                to[i] = <floating> row[i]
        elif mean is NULL:
            for i in range(I):
                to[i] = <floating> row[i] * scale[i]
        elif scale is NULL:
            for i in range(I):
                to[i] = <floating> row[i] - mean[i]
        else:
            for i in range(I):
                to[i] = (<floating> row[i] - mean[i]) * scale[i]


cdef inline bint as_stored(const stored* _, const void* mean, const void* scale, floating __) noexcept nogil:
    """Whether rows of the data are what the network takes, so that they need not be brought together."""
    if mean is not NULL or scale is not NULL:
        return False
    if floating is float:
        return stored is float
    else:
        return stored is double
