# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A second factor in panels: as many columns as a tile takes, their numbers in the order in which tiles read them."""

from cython cimport floating

from bpcore._simd.simd cimport BP_TILE_VECTORS, BP_VECTOR_BYTES, pack_rows

cdef enum:
    FAR_BYTES = 2048    # between rows, from which on panels pay


cdef inline Py_ssize_t panel_width(const floating* _) noexcept nogil:
    return BP_TILE_VECTORS * BP_VECTOR_BYTES // <Py_ssize_t> sizeof(floating)


cdef inline bint wants_panels(const floating* _, Py_ssize_t N) noexcept nogil:
    """Whether rows of N numbers are far apart."""
    return N * <Py_ssize_t> sizeof(floating) >= FAR_BYTES


cdef inline Py_ssize_t panels_size(const floating* _, Py_ssize_t K, Py_ssize_t N) noexcept nogil:
    """Numbers that a (K, N) matrix takes in panels."""
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
    cdef Py_ssize_t width = panel_width(b), left = 0, wide
    cdef int vector = BP_VECTOR_BYTES // sizeof(floating), vectors
    while left < N:
        wide = min(width, N - left)
        vectors = <int> ((wide + vector - 1) // vector)
        pack_rows(
            vectors, <int> wide - (vectors - 1) * vector, rows, b + left, rs_b, panels + left * K + first * width,
            width,
        )
        left = left + width
