# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The last columns of a product, where N is no multiple of LANES: they would waste most of a vector.

LANES is 16 for float32 and 8 for float64. Up to half of LANES columns are done here. Where k is adjacent in `a` and
long, they are dot products in virtual lanes over pieces of DOT_TERMS terms. Where `a` is transposed, the two factors
are exchanged: vectors run along the rows of c, and the sums have the order of all others. Which of these it is depends
on N, K and the layout alone, and so does the order of a sum.
"""

from cython cimport floating

from bpcore.operands cimport Address, Rows, Shape, addresses, aligned, begin, row_address
from bpcore.simd cimport (
    BP_DOT_COLUMNS, BP_DOT_ROWS, BP_STRIP_FEW, BP_STRIP_NARROW, BP_STRIP_WIDE, BP_VECTOR_BYTES, dots, strip,
)
from bpcore.thin cimport BP_IN_PLACE, few_tails

cdef enum:
    TERMS = 512                 # whose rows of `a` are found at once
    STRIP_BYTES = 1536          # of c: 4 columns of 6 vectors of 64 bytes, or 8 of 3
    DOT_TERMS = 1024            # part of the bits contract
    DOT_LEAST = 128             # terms, below which adding up the lanes costs too much; part of the bits contract
    FEW_ROWS = 3                # whose dot products need no columns that lie in one run


cdef struct Tail:
    # Columns of b for dot products.
    Py_ssize_t columns
    const void* first
    Py_ssize_t apart              # numbers from one column to the next


cdef inline int lanes_of(const floating* _) noexcept nogil:
    """Virtual lanes of a sum: what 64 bytes hold."""
    return 64 // sizeof(floating)


cdef inline Py_ssize_t tail_of(const Shape s, int lanes) noexcept nogil:
    """Columns that are not done in tiles."""
    cdef Py_ssize_t left = s.N % lanes
    if left > lanes // 2 or s.panel > 0:
        return 0
    if s.tail is NULL and (s.M < lanes if s.transposed else s.K < DOT_LEAST):
        return 0
    return left


cdef inline Tail tail_columns(
    const floating* b,            # IN   K terms of columns `left` to N
    const Shape s,
    Py_ssize_t first,             # of them
    Py_ssize_t K,                 # up to DOT_TERMS
    Py_ssize_t left,
    floating* copies,             # OUT  BP_DOT_BYTES, used where the terms of a column are not adjacent
) noexcept nogil:
    cdef Py_ssize_t j, k
    if s.tail is not NULL:
        return Tail(s.N - left, <const floating*> s.tail + first, s.tail_row)
    if s.b_row == 1:
        return Tail(s.N - left, b + left * s.b_column, s.b_column)
    for k in range(K):
        for j in range(s.N - left):
            copies[j * DOT_TERMS + k] = b[k * s.b_row + left + j]
    return Tail(s.N - left, copies, DOT_TERMS)


cdef inline void tail_of_piece(
    const Rows a,
    const Tail* tail,
    Py_ssize_t K,
    floating* c,                  # OUT  (M, tail.columns), to which the dot products are added
    Py_ssize_t c_row,
    Py_ssize_t M,
) noexcept nogil:
    cdef const floating* columns = <const floating*> tail.first
    cdef Address[BP_DOT_ROWS] rows
    cdef Py_ssize_t r = 0, j, m
    while r < M:
        m = min(<Py_ssize_t> BP_DOT_ROWS, M - r)
        if m == 3:
            m = 2
        addresses(begin(a, r, 0), m, rows, c)
        j = 0
        while j < tail.columns:
            dots(
                <int> m, <int> min(<Py_ssize_t> BP_DOT_COLUMNS, tail.columns - j), K, rows, columns + j * tail.apart,
                tail.apart, c + r * c_row + j, c_row,
            )
            j = j + BP_DOT_COLUMNS
        r = r + m


cdef inline void tail_start(
    const floating* start, floating* c, Py_ssize_t c_row, Py_ssize_t M, Py_ssize_t n
) noexcept nogil:
    cdef Py_ssize_t r, j
    for r in range(M):
        for j in range(n):
            c[r * c_row + j] = 0 if start is NULL else start[j]


cdef inline bint tail_of_few(const Shape s, Py_ssize_t left, const floating* _) noexcept nogil:
    """Whether dot products of so few rows are done sooner than their columns are brought together."""
    cdef bint few = BP_IN_PLACE and s.M <= FEW_ROWS
    return few and s.b_column == 1 and s.tail is NULL and left * sizeof(floating) >= BP_VECTOR_BYTES


cdef inline void tail_of_dots(
    const Rows a,
    const floating* b,
    const floating* start,        # IN   (N - left,) or NULL
    floating* c,                  # OUT  columns left to N
    const Shape s,
    Py_ssize_t left,
    floating* copies,             # BP_DOT_BYTES
) noexcept nogil:
    cdef Tail tail
    cdef Py_ssize_t k = 0, terms, r
    tail_start(start, c, s.c_row, s.M, s.N - left)
    while k < s.K:
        terms = min(<Py_ssize_t> DOT_TERMS, s.K - k)
        if tail_of_few(s, left, c):
            for r in range(s.M):
                few_tails(
                    <int> (s.N - left), terms, row_address(a, r, c) + k, b + k * s.b_row + left, s.b_row,
                    c + r * s.c_row,
                )
            k = k + DOT_TERMS
            continue
        tail = tail_columns(b + k * s.b_row, s, k, terms, left, copies)
        tail_of_piece(begin(a, 0, k), &tail, terms, c, s.c_row, s.M)
        k = k + DOT_TERMS


cdef inline void tail_exchanged(
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
    cdef Py_ssize_t apart
    cdef int m = <int> (s.N - left), vectors, widest = BP_STRIP_WIDE if m <= BP_STRIP_FEW else BP_STRIP_NARROW
    cdef Py_ssize_t k = 0, r, i, j, wide, terms
    while k < s.K or k == 0:
        terms = min(<Py_ssize_t> TERMS, s.K - k)
        addresses(begin(a, k, 0), terms, rows, b)
        r = 0
        while r < s.M:
            vectors = widest
            if s.M - r < widest * vector:
                vectors = BP_STRIP_NARROW if s.M - r >= BP_STRIP_NARROW * vector else 1
            wide = min(<Py_ssize_t> vectors * vector, s.M - r)
            apart = widest * vector
            if s.tail is not NULL:
                edge, apart = <floating*> s.tail + r, s.tail_row
            for i in range(m):
                for j in range(wide):
                    if k == 0:
                        edge[i * apart + j] = 0 if start is NULL else start[left + i]
                    elif s.tail is NULL:
                        edge[i * apart + j] = c[(r + j) * s.c_row + left + i]
            strip(
                m, vectors, <int> (wide - (vectors - 1) * vector), terms, rows, r, b + k * s.b_row + left, s.b_row,
                edge, apart,
            )
            if s.tail is NULL:
                for j in range(wide):
                    for i in range(m):
                        c[(r + j) * s.c_row + left + i] = edge[i * apart + j]
            r = r + wide
        k = k + TERMS
