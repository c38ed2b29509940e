# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A packed `b` for a transposed `a`: panels as wide as a register tile (BLIS: nr), as micro-kernels read them."""

from cython cimport floating

from bpcore._simd.simd cimport BP_TRANS_TILE_VECTORS, BP_VECTOR_BYTES, pack_rows

cdef extern from "_simd/simd.h" nogil:
    const int BP_PANEL_STRIDE_BYTES    # from one row to the next, from which on packing pays


cdef inline Py_ssize_t panel_width(const floating* _) noexcept nogil:
    return BP_TRANS_TILE_VECTORS * BP_VECTOR_BYTES // <Py_ssize_t> sizeof(floating)


cdef inline bint wants_panels(const floating* _, Py_ssize_t N) noexcept nogil:
    """Whether rows of N numbers are so long that packing pays."""
    return N * <Py_ssize_t> sizeof(floating) >= BP_PANEL_STRIDE_BYTES


cdef inline Py_ssize_t panels_size(const floating* _, Py_ssize_t K, Py_ssize_t N) noexcept nogil:
    """How many numbers a (K, N) matrix has in panels, padding included."""
    return (N + panel_width(_) - 1) // panel_width(_) * panel_width(_) * K


cdef inline void into_panels(
    const floating* b,            # IN   `rows` rows of N numbers
    Py_ssize_t rs_b,
    floating* panels,             # OUT  the panels of a (K, N) matrix: its rows from `first` on
    Py_ssize_t first,
    Py_ssize_t rows,
    Py_ssize_t K,
    Py_ssize_t N,
) noexcept nogil:
    cdef Py_ssize_t width = panel_width(b), column = 0, count
    cdef int vector = BP_VECTOR_BYTES // sizeof(floating), vectors
    while column < N:
        count = min(width, N - column)
        vectors = <int> ((count + vector - 1) // vector)
        pack_rows(
            vectors, <int> count - (vectors - 1) * vector, rows, b + column, rs_b, panels + column * K + first * width,
            width,
        )
        column = column + width
