# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Data as it is stored, and rows of it in the network's type, shifted and scaled.

The difference x − mean is taken in float64, whatever type the data and the network have, then rounded to the network's
type, then multiplied by `scale` in that type. Without a mean x is rounded to the network's type at once. So the same
numbers give the same bits from any storage, and large offsets cost no digits. `reference.scaled` is the twin. Only this
file depends on the type of the data: a network is compiled once for each type of its own, not for each type of data.
"""

from cython cimport floating
from libc.stdint cimport int64_t, uint8_t, uint64_t

from bpcore.sparse cimport SparseRows

ctypedef fused integer:
    int64_t
    uint64_t

ctypedef fused stored:
    float
    double
    uint8_t
    int64_t
    uint64_t


cdef struct Source:
    const void* x                  # (N, inputs) contiguous
    char typecode                  # f, d, B, q or Q: float, double, uint8_t, int64_t or uint64_t
    Py_ssize_t inputs
    const double* mean             # (inputs,) or NULL
    const void* scale              # (inputs,) of the network's type, or NULL
    const SparseRows* sparse       # NULL, or in the place of all this a matrix of that type, of rows in their order


cdef inline Py_ssize_t bytes_of(const Source* source) noexcept nogil:
    """Bytes of a number."""
    return 1 if source.typecode == c"B" else 4 if source.typecode == c"f" else 8


cdef inline const void* row_of_source(const Source* source, Py_ssize_t n) noexcept nogil:
    """The address of row n."""
    return <const char*> source.x + n * source.inputs * bytes_of(source)


cdef inline bint as_stored(const Source* source, floating _) noexcept nogil:
    """Whether the network can read rows of the data in place: they need no conversion and no scaling."""
    if source.mean is not NULL or source.scale is not NULL:
        return False
    if floating is float:
        return source.typecode == c"f"
    else:
        return source.typecode == c"d"


cdef inline void gather_rows(
    const Source* source,
    const int64_t* indices,      # IN   (B,) each in [0, N), or NULL: the rows from `first` on
    Py_ssize_t first,
    floating* out,               # OUT  (B, inputs), `out_stride` numbers from one row to the next
    Py_ssize_t out_stride,
    Py_ssize_t B,
) noexcept nogil:
    cdef const void* row
    cdef Py_ssize_t r
    for r in range(B):
        row = row_of_source(source, first + r if indices is NULL else indices[r])
        if source.typecode == c"f":
            gather_row(source, <const float*> row, out + r * out_stride)
        elif source.typecode == c"d":
            gather_row(source, <const double*> row, out + r * out_stride)
        elif source.typecode == c"q":
            gather_row(source, <const int64_t*> row, out + r * out_stride)
        elif source.typecode == c"Q":
            gather_row(source, <const uint64_t*> row, out + r * out_stride)
        else:
            gather_row(source, <const uint8_t*> row, out + r * out_stride)


cdef inline double integer_difference(integer x, double mean) noexcept nogil:
    """x − mean; an x beyond 2⁵³ is split into the float64 nearest to it and the remainder.

    Where the mean is within a factor of 2 of x this is the exact difference, rounded once.
    """
    cdef double low = <double> (x & 2047), high = <double> (x - (x & 2047)), nearest = high + low
    # difference = (nearest − mean) + (x − nearest)
    return (nearest - mean) + (low - (nearest - high))


cdef inline double difference(stored x, double mean) noexcept nogil:
    """x − mean in float64."""
    if stored is int64_t or stored is uint64_t:
        return integer_difference(x, mean)
    else:
        return <double> x - mean


cdef inline void gather_row(const Source* source, const stored* x, floating* out) noexcept nogil:
    cdef const double* mean = source.mean
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
            out[i] = <floating> difference(x[i], mean[i])
    else:
        for i in range(source.inputs):
            out[i] = <floating> difference(x[i], mean[i]) * scale[i]
