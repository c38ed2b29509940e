"""Data as it is stored, and rows of it in the network's type and scaled.

A value is converted, then `mean` is subtracted, then it is multiplied by `scale`: three roundings at the most, each
left out where the pointer is NULL. How data is stored is told apart here alone, so that there is one network of each
type and not one for every kind of data.
"""

from cython cimport floating
from libc.stdint cimport int64_t, uint8_t

ctypedef fused stored:
    float
    double
    uint8_t


cdef struct Source:
    const void* x                  # (N, inputs) without gaps
    char letter                    # f, d or B: float, double or uint8_t
    Py_ssize_t inputs
    const void* mean               # (inputs,) of the network's type, or NULL
    const void* scale              # (inputs,) likewise


cdef inline Py_ssize_t bytes_of(const Source* source) noexcept nogil:
    """Bytes of a number."""
    return 1 if source.letter == c"B" else 4 if source.letter == c"f" else 8


cdef inline const void* row_of_source(const Source* source, Py_ssize_t n) noexcept nogil:
    """Where row n begins."""
    return <const char*> source.x + n * source.inputs * bytes_of(source)


cdef inline bint as_stored(const Source* source, floating _) noexcept nogil:
    """Whether rows of the data are what the network takes, so that they need not be brought together."""
    if source.mean is not NULL or source.scale is not NULL:
        return False
    if floating is float:
        return source.letter == c"f"
    else:
        return source.letter == c"d"


cdef inline void gather_rows(
    const Source* source,
    const int64_t* indices,      # IN   (B,) each in [0, N), or NULL: the rows from `first` on
    Py_ssize_t first,
    floating* out,               # OUT  (B, inputs), `out_row` numbers from one row to the next
    Py_ssize_t out_row,
    Py_ssize_t B,
) noexcept nogil:
    cdef const void* row
    cdef Py_ssize_t r
    for r in range(B):
        row = row_of_source(source, first + r if indices is NULL else indices[r])
        if source.letter == c"f":
            gather_row(source, <const float*> row, out + r * out_row)
        elif source.letter == c"d":
            gather_row(source, <const double*> row, out + r * out_row)
        else:
            gather_row(source, <const uint8_t*> row, out + r * out_row)


cdef inline void gather_row(const Source* source, const stored* x, floating* out) noexcept nogil:
    cdef const floating* mean = <const floating*> source.mean
    cdef const floating* scale = <const floating*> source.scale
    cdef Py_ssize_t i
    # out = (x − mean)·scale
    if mean is NULL and scale is NULL:
        for i in range(source.inputs):
            out[i] = <floating> x[i]
    elif mean is NULL:
        for i in range(source.inputs):
            out[i] = <floating> x[i] * scale[i]
    elif scale is NULL:
        for i in range(source.inputs):
            out[i] = <floating> x[i] - mean[i]
    else:
        for i in range(source.inputs):
            out[i] = (<floating> x[i] - mean[i]) * scale[i]
