# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The edge of a product: its last columns, where N is no multiple of LANES, would waste most of a vector.

LANES is 16 for float32 and 8 for float64. Up to half of LANES columns are computed here. Where k is contiguous in `a`
and long, they are dot products in virtual lanes over blocks of DOT_TERMS terms. Where `a` is transposed, the operands
are swapped: vectors hold rows of c, and the sums have the order of all others. Which of these it is depends on N, K
and the layout alone, and so does the order of a sum.
"""

from cython cimport floating

from bpcore._gemm.operands cimport (
    FORWARD, INPUT, PARAMETERS, Address, Kind, Rows, Shape, aligned, row_address, row_addresses, rows_from,
)
from bpcore._simd.simd cimport (
    BP_DOT_COLUMNS, BP_DOT_ROWS, BP_SWAPPED_FEW_ROWS, BP_SWAPPED_NARROW, BP_SWAPPED_WIDE, BP_VECTOR_BYTES, dots,
    microkernel_swapped,
)
from bpcore._gemm.few_rows cimport BP_FEW_ROWS_COMPILED, few_edge_columns

cdef enum:
    MAX_KC = 512                # terms whose rows of a transposed `a` are addressed at once
    SWAPPED_BYTES = 1536        # of c: 4 columns of 6 vectors of 64 bytes, or 8 of 3
    DOT_TERMS = 1024            # part of the bits contract
    DOT_LEAST = 128             # terms, below which reducing the lanes costs too much; part of the bits contract
    FEW_ROWS = 3                # for whose dot products columns of b are not packed


cdef struct EdgeColumns:
    # Columns of b for dot products.
    Py_ssize_t columns
    const void* first
    Py_ssize_t stride              # numbers from one column to the next


cdef inline int lanes_of(const floating* _) noexcept nogil:
    """Virtual lanes of a sum: what 64 bytes hold."""
    return 64 // sizeof(floating)


cdef inline Py_ssize_t edge_width(Kind kind, const Shape s, int lanes) noexcept nogil:
    """How many edge columns there are: those that are not computed in tiles."""
    cdef Py_ssize_t n_left = s.N % lanes
    if n_left > lanes // 2 or s.ps_b > 0:
        return 0
    if s.edge is NULL and (s.M < lanes if kind == PARAMETERS else s.K < DOT_LEAST):
        return 0
    return n_left


cdef inline EdgeColumns edge_columns(
    Kind kind,
    const floating* b,            # IN   K terms of columns `first_column` to N
    const Shape s,
    Py_ssize_t first,             # of the terms
    Py_ssize_t K,                 # up to DOT_TERMS
    Py_ssize_t first_column,
    floating* packed,             # OUT  BP_DOT_BYTES, used where the columns are not contiguous
) noexcept nogil:
    cdef Py_ssize_t j, k
    if s.edge is not NULL:
        return EdgeColumns(s.N - first_column, <const floating*> s.edge + first, s.edge_stride)
    if kind == INPUT:
        return EdgeColumns(s.N - first_column, b + first_column * s.cs_b, s.cs_b)
    for k in range(K):
        for j in range(s.N - first_column):
            packed[j * DOT_TERMS + k] = b[k * s.rs_b + first_column + j]
    return EdgeColumns(s.N - first_column, packed, DOT_TERMS)


cdef inline void edge_dots(
    const Rows a,
    const EdgeColumns* edge,
    Py_ssize_t K,
    floating* c,                  # OUT  (M, edge.columns), to which the dot products are added
    Py_ssize_t ldc,
    Py_ssize_t M,
) noexcept nogil:
    cdef const floating* columns = <const floating*> edge.first
    cdef Address[BP_DOT_ROWS] rows
    cdef Py_ssize_t r = 0, j, m
    while r < M:
        m = min(<Py_ssize_t> BP_DOT_ROWS, M - r)
        if m == 3:
            m = 2
        row_addresses(rows_from(a, r, 0), m, rows, c)
        j = 0
        while j < edge.columns:
            dots(
                <int> m, <int> min(<Py_ssize_t> BP_DOT_COLUMNS, edge.columns - j), K, rows, columns + j * edge.stride,
                edge.stride, c + r * ldc + j, ldc,
            )
            j = j + BP_DOT_COLUMNS
        r = r + m


cdef inline void init_edge(
    const floating* bias, floating* c, Py_ssize_t ldc, Py_ssize_t M, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t r, j
    for r in range(M):
        for j in range(n):
            c[r * ldc + j] = 0 if bias is NULL else bias[j]


cdef inline bint edge_in_place(Kind kind, const Shape s, Py_ssize_t first_column, const floating* _) noexcept nogil:
    """Whether there are so few rows that packing the columns for dot products does not pay."""
    cdef bint few = BP_FEW_ROWS_COMPILED and s.M <= FEW_ROWS
    return few and kind == FORWARD and s.edge is NULL and first_column * sizeof(floating) >= BP_VECTOR_BYTES


cdef inline void edge_by_dots(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* bias,         # IN   (N - first_column,) or NULL
    floating* c,                  # OUT  columns first_column to N
    const Shape s,
    Py_ssize_t first_column,
    floating* packed,             # BP_DOT_BYTES
) noexcept nogil:
    cdef EdgeColumns edge
    cdef Py_ssize_t k = 0, terms, r
    init_edge(bias, c, s.ldc, s.M, s.N - first_column)
    while k < s.K:
        terms = min(<Py_ssize_t> DOT_TERMS, s.K - k)
        if edge_in_place(kind, s, first_column, c):
            for r in range(s.M):
                few_edge_columns(
                    <int> (s.N - first_column), terms, row_address(a, r, c) + k, b + k * s.rs_b + first_column, s.rs_b,
                    c + r * s.ldc,
                )
            k = k + DOT_TERMS
            continue
        edge = edge_columns(kind, b + k * s.rs_b, s, k, terms, first_column, packed)
        edge_dots(rows_from(a, 0, k), &edge, terms, c, s.ldc, s.M)
        k = k + DOT_TERMS


cdef inline void edge_swapped(
    const Rows a,
    const floating* b,
    const floating* bias,
    floating* c,                  # OUT  columns first_column to N
    const Shape s,
    Py_ssize_t first_column,
    int vector,
) noexcept nogil:
    cdef unsigned char[SWAPPED_BYTES + 64] memory
    cdef Address[MAX_KC] rows
    cdef floating* edge = <floating*> aligned(memory)
    cdef Py_ssize_t stride
    cdef int m = <int> (s.N - first_column), vectors
    cdef int max_vectors = BP_SWAPPED_WIDE if m <= BP_SWAPPED_FEW_ROWS else BP_SWAPPED_NARROW
    cdef Py_ssize_t k = 0, r, i, j, width, terms
    while k < s.K or k == 0:
        terms = min(<Py_ssize_t> MAX_KC, s.K - k)
        row_addresses(rows_from(a, k, 0), terms, rows, b)
        r = 0
        while r < s.M:
            vectors = max_vectors
            if s.M - r < max_vectors * vector:
                vectors = BP_SWAPPED_NARROW if s.M - r >= BP_SWAPPED_NARROW * vector else 1
            width = min(<Py_ssize_t> vectors * vector, s.M - r)
            stride = max_vectors * vector
            if s.edge is not NULL:
                edge, stride = <floating*> s.edge + r, s.edge_stride
            for i in range(m):
                for j in range(width):
                    if k == 0:
                        edge[i * stride + j] = 0 if bias is NULL else bias[first_column + i]
                    elif s.edge is NULL:
                        edge[i * stride + j] = c[(r + j) * s.ldc + first_column + i]
            microkernel_swapped(
                m, vectors, <int> (width - (vectors - 1) * vector), terms, rows, r, b + k * s.rs_b + first_column,
                s.rs_b, edge, stride,
            )
            if s.edge is NULL:
                for j in range(width):
                    for i in range(m):
                        c[(r + j) * s.ldc + first_column + i] = edge[i * stride + j]
            r = r + width
        k = k + MAX_KC
