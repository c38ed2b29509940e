# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The last columns of a product, where N is no multiple of LANES: they would waste most of a vector.

LANES is 16 for float32 and 8 for float64. Up to half of LANES columns are done here. Where k is adjacent in `a` and
long, they are dot products in virtual lanes over pieces of DOT_TERMS terms. Where `a` is transposed, the two factors
are exchanged: vectors run along the rows of c, and the sums have the order of all others. Which of these it is depends
on N, K and the layout alone, and so does the order of a sum.
"""

from cython cimport floating

from bpcore._gemm.operands cimport (
    FORWARD, INPUT, PARAMETERS, Address, Kind, Rows, Shape, addresses, aligned, row_address, rows_from,
)
from bpcore._simd.simd cimport (
    BP_DOT_COLUMNS, BP_DOT_ROWS, BP_STRIP_FEW, BP_STRIP_NARROW, BP_STRIP_WIDE, BP_VECTOR_BYTES, dots, strip,
)
from bpcore._gemm.few_rows cimport BP_IN_PLACE, few_edge_columns

cdef enum:
    TERMS = 512                 # whose rows of `a` are found at once
    STRIP_BYTES = 1536          # of c: 4 columns of 6 vectors of 64 bytes, or 8 of 3
    DOT_TERMS = 1024            # part of the bits contract
    DOT_LEAST = 128             # terms, below which adding up the lanes costs too much; part of the bits contract
    FEW_ROWS = 3                # whose dot products need no columns that lie in one run


cdef struct EdgeColumns:
    # Columns of b for dot products.
    Py_ssize_t columns
    const void* first
    Py_ssize_t stride              # numbers from one column to the next


cdef inline int lanes_of(const floating* _) noexcept nogil:
    """Virtual lanes of a sum: what 64 bytes hold."""
    return 64 // sizeof(floating)


cdef inline Py_ssize_t edge_width(Kind kind, const Shape s, int lanes) noexcept nogil:
    """Columns that are not done in tiles."""
    cdef Py_ssize_t left = s.N % lanes
    if left > lanes // 2 or s.panel > 0:
        return 0
    if s.edge is NULL and (s.M < lanes if kind == PARAMETERS else s.K < DOT_LEAST):
        return 0
    return left


cdef inline EdgeColumns edge_columns(
    Kind kind,
    const floating* b,            # IN   K terms of columns `left` to N
    const Shape s,
    Py_ssize_t first,             # of them
    Py_ssize_t K,                 # up to DOT_TERMS
    Py_ssize_t left,
    floating* copies,             # OUT  BP_DOT_BYTES, used where the terms of a column are not adjacent
) noexcept nogil:
    cdef Py_ssize_t j, k
    if s.edge is not NULL:
        return EdgeColumns(s.N - left, <const floating*> s.edge + first, s.edge_stride)
    if kind == INPUT:
        return EdgeColumns(s.N - left, b + left * s.cs_b, s.cs_b)
    for k in range(K):
        for j in range(s.N - left):
            copies[j * DOT_TERMS + k] = b[k * s.rs_b + left + j]
    return EdgeColumns(s.N - left, copies, DOT_TERMS)


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
        addresses(rows_from(a, r, 0), m, rows, c)
        j = 0
        while j < edge.columns:
            dots(
                <int> m, <int> min(<Py_ssize_t> BP_DOT_COLUMNS, edge.columns - j), K, rows, columns + j * edge.stride,
                edge.stride, c + r * ldc + j, ldc,
            )
            j = j + BP_DOT_COLUMNS
        r = r + m


cdef inline void edge_start(
    const floating* start, floating* c, Py_ssize_t ldc, Py_ssize_t M, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t r, j
    for r in range(M):
        for j in range(n):
            c[r * ldc + j] = 0 if start is NULL else start[j]


cdef inline bint edge_in_place(Kind kind, const Shape s, Py_ssize_t left, const floating* _) noexcept nogil:
    """Whether dot products of so few rows are done sooner than their columns are brought together."""
    cdef bint few = BP_IN_PLACE and s.M <= FEW_ROWS
    return few and kind == FORWARD and s.edge is NULL and left * sizeof(floating) >= BP_VECTOR_BYTES


cdef inline void edge_by_dots(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* start,        # IN   (N - left,) or NULL
    floating* c,                  # OUT  columns left to N
    const Shape s,
    Py_ssize_t left,
    floating* copies,             # BP_DOT_BYTES
) noexcept nogil:
    cdef EdgeColumns edge
    cdef Py_ssize_t k = 0, terms, r
    edge_start(start, c, s.ldc, s.M, s.N - left)
    while k < s.K:
        terms = min(<Py_ssize_t> DOT_TERMS, s.K - k)
        if edge_in_place(kind, s, left, c):
            for r in range(s.M):
                few_edge_columns(
                    <int> (s.N - left), terms, row_address(a, r, c) + k, b + k * s.rs_b + left, s.rs_b,
                    c + r * s.ldc,
                )
            k = k + DOT_TERMS
            continue
        edge = edge_columns(kind, b + k * s.rs_b, s, k, terms, left, copies)
        edge_dots(rows_from(a, 0, k), &edge, terms, c, s.ldc, s.M)
        k = k + DOT_TERMS


cdef inline void edge_by_strips(
    const Rows a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  columns left to N
    const Shape s,
    Py_ssize_t left,
    int vector,
) noexcept nogil:
    cdef unsigned char[STRIP_BYTES + 64] memory
    cdef Address[TERMS] rows
    cdef floating* edge = <floating*> aligned(memory)
    cdef Py_ssize_t stride
    cdef int m = <int> (s.N - left), vectors, widest = BP_STRIP_WIDE if m <= BP_STRIP_FEW else BP_STRIP_NARROW
    cdef Py_ssize_t k = 0, r, i, j, wide, terms
    while k < s.K or k == 0:
        terms = min(<Py_ssize_t> TERMS, s.K - k)
        addresses(rows_from(a, k, 0), terms, rows, b)
        r = 0
        while r < s.M:
            vectors = widest
            if s.M - r < widest * vector:
                vectors = BP_STRIP_NARROW if s.M - r >= BP_STRIP_NARROW * vector else 1
            wide = min(<Py_ssize_t> vectors * vector, s.M - r)
            stride = widest * vector
            if s.edge is not NULL:
                edge, stride = <floating*> s.edge + r, s.edge_stride
            for i in range(m):
                for j in range(wide):
                    if k == 0:
                        edge[i * stride + j] = 0 if start is NULL else start[left + i]
                    elif s.edge is NULL:
                        edge[i * stride + j] = c[(r + j) * s.ldc + left + i]
            strip(
                m, vectors, <int> (wide - (vectors - 1) * vector), terms, rows, r, b + k * s.rs_b + left, s.rs_b,
                edge, stride,
            )
            if s.edge is NULL:
                for j in range(wide):
                    for i in range(m):
                        c[(r + j) * s.ldc + left + i] = edge[i * stride + j]
            r = r + wide
        k = k + TERMS
