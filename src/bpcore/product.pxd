"""The matrix product behind the affine layer: c = start + a·b, blocked, packed, and exact at the edges.

a) The columns of c are cut into blocks as wide as a register tile, its rows into blocks whose part of `a` stays in
   the second-level cache. A task is one block; tasks share no output, so threads change no bit.
b) Along k a block is summed in pieces whose panel of `b`, packed on the stack, stays in cache. Sums go on from where
   they stand in c, so every element is one chain of fused multiply-adds, however k is cut.
c) What is left of the columns when N is no multiple of LANES (16 for float32, 8 for float64) would waste most of a
   vector. Up to half of LANES columns are done otherwise: where k is adjacent in `a`, as dot products in virtual
   lanes over pieces of DOT_TERMS terms; where the rows are, as a product with the two factors exchanged, whose
   sums have the order of all others. Which it is depends on the shape alone.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy, memset

from bpcore.simd cimport BP_TILE_ROWS, BP_TILE_VECTORS, BP_VECTOR_BYTES, dots, fma, pack_rows, tile

cdef enum:
    PANEL_BYTES = 76800         # of packed b: 400 rows of the widest tile
    TILE_BYTES = 1728           # of c: 9 rows of 3 vectors of 64 bytes
    SLAB_BYTES = 524288         # of a: half of a common second-level cache
    FAR_BYTES = 2048            # between rows of b
    DOT_TERMS = 1024            # part of the bits contract
    DOT_BYTES = 32768           # 8 columns of that many float32


cdef struct Shape:
    # c is (M, N), a is (M, K), b is (K, N); strides in elements. a_row or a_k is 1, and b_column or b_row.
    Py_ssize_t M, N, K
    Py_ssize_t a_row, a_k, b_row, b_column, c_row


cdef inline int lanes_of(floating* _) noexcept nogil:
    return 64 // sizeof(floating)


cdef inline void* aligned(void* memory) noexcept nogil:
    """The next address that is a multiple of 64; the memory is 64 bytes longer than what is used of it."""
    return <void*> ((<uintptr_t> memory + 63) & ~(<uintptr_t> 63))


cdef inline void product(
    const floating* a,            # IN
    const floating* b,            # IN
    const floating* start,        # IN   (N,) what the sums of every row begin with, or NULL: 0
    floating* c,                  # OUT
    Shape s,
    int threads,
) noexcept nogil:
    cdef int lanes = lanes_of(c)
    cdef Py_ssize_t width = BP_TILE_VECTORS * BP_VECTOR_BYTES // sizeof(floating)
    cdef Py_ssize_t tail = s.N % lanes if s.N % lanes <= lanes // 2 else 0
    cdef Py_ssize_t blocks = (s.N - tail + width - 1) // width
    cdef Py_ssize_t columns = blocks + (1 if tail > 0 else 0)
    cdef Py_ssize_t height = SLAB_BYTES // (max(s.K, 1) * sizeof(floating))
    cdef Py_ssize_t t, rows
    height = min(height, (s.M + threads - 1) // threads)
    height = max((height + BP_TILE_ROWS - 1) // BP_TILE_ROWS, 4) * BP_TILE_ROWS
    rows = (s.M + height - 1) // height
    for t in prange(rows * columns, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        if t % columns < blocks:
            block(a, b, start, c, s, t // columns * height, height, t % columns * width, width, s.N - tail)
        elif s.a_k == 1:
            tail_of_dots(a, b, start, c, s, t // columns * height, height, s.N - tail)
        else:
            tail_exchanged(a, b, start, c, s, t // columns * height, height, s.N - tail)


cdef inline void block(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  rows first to first + height, columns left to left + width, within M and N
    const Shape s,
    Py_ssize_t first,
    Py_ssize_t height,
    Py_ssize_t left,
    Py_ssize_t width,
    Py_ssize_t N,
) noexcept nogil:
    cdef unsigned char[PANEL_BYTES + 64] panel_memory
    cdef unsigned char[TILE_BYTES + 64] edge_memory
    cdef floating[48] zero
    cdef floating* panel = <floating*> aligned(panel_memory)
    cdef floating* edge = <floating*> aligned(edge_memory)
    cdef Py_ssize_t lanes = BP_VECTOR_BYTES // sizeof(floating)
    cdef Py_ssize_t stop = min(first + height, s.M)
    cdef Py_ssize_t wide = min(width, N - left)
    cdef int vectors = <int> ((wide + lanes - 1) // lanes)
    cdef Py_ssize_t padded = vectors * lanes
    cdef Py_ssize_t tiles = (stop - first + BP_TILE_ROWS - 1) // BP_TILE_ROWS
    cdef Py_ssize_t most = PANEL_BYTES // (padded * sizeof(floating))
    cdef Py_ssize_t pieces = max((s.K + most - 1) // most, 1)
    # Rows far apart share sets of the first-level cache and take a page each; packing pays when they are read again.
    cdef bint far = s.b_row * sizeof(floating) >= FAR_BYTES and tiles > 4
    cdef bint packed = s.b_column != 1 or wide < padded or far
    cdef const floating* rows_of_b
    cdef const floating* initial
    cdef const floating* begin
    cdef floating* into
    cdef Py_ssize_t b_row, begin_row, piece, k, terms, n, r, m
    memset(zero, 0, sizeof(zero))
    initial = zero
    if start is not NULL:
        initial = start + left
    for piece in range(pieces):
        k = s.K * piece // pieces
        terms = s.K * (piece + 1) // pieces - k
        rows_of_b = b + k * s.b_row + left * s.b_column
        b_row = s.b_row
        if packed:
            pack(rows_of_b, s.b_row, s.b_column, panel, terms, wide, padded)
            rows_of_b = panel
            b_row = padded
        for n in range(tiles):
            # Tiles of nearly equal height, since a low one keeps the multipliers waiting.
            r = first + (stop - first) * n // tiles
            m = first + (stop - first) * (n + 1) // tiles - r
            into = c + r * s.c_row + left
            begin, begin_row = into, s.c_row
            if piece == 0:
                begin, begin_row = initial, 0
            if wide == padded:
                tile(
                    <int> m, vectors, terms, a + r * s.a_row + k * s.a_k, s.a_row, s.a_k,
                    rows_of_b, b_row, begin, begin_row, into, s.c_row,
                )
            else:
                copy_rows(begin, begin_row, edge, padded, m, wide)
                tile(
                    <int> m, vectors, terms, a + r * s.a_row + k * s.a_k, s.a_row, s.a_k,
                    rows_of_b, b_row, edge, padded, edge, padded,
                )
                copy_rows(edge, padded, into, s.c_row, m, wide)


cdef inline void copy_rows(
    const floating* source,
    Py_ssize_t source_row,
    floating* target,
    Py_ssize_t target_row,
    Py_ssize_t m,
    Py_ssize_t wide,
) noexcept nogil:
    cdef Py_ssize_t r, j
    for r in range(m):
        for j in range(wide):
            target[r * target_row + j] = source[r * source_row + j]


cdef inline void pack(
    const floating* b,
    Py_ssize_t b_row,
    Py_ssize_t b_column,
    floating* panel,              # OUT  (terms, padded), 0 from column `wide`
    Py_ssize_t terms,
    Py_ssize_t wide,
    Py_ssize_t padded,
) noexcept nogil:
    cdef Py_ssize_t k, j
    if b_column == 1 and wide == padded:
        pack_rows(<int> (padded * sizeof(floating) // BP_VECTOR_BYTES), terms, b, b_row, panel)
        return
    if b_column == 1:
        for k in range(terms):
            for j in range(wide):
                panel[k * padded + j] = b[k * b_row + j]
    else:
        # Along the columns of b, which is how it lies in memory.
        for j in range(wide):
            for k in range(terms):
                panel[k * padded + j] = b[j * b_column + k]
    for k in range(terms):
        for j in range(wide, padded):
            panel[k * padded + j] = 0


cdef inline void tail_of_dots(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  rows first to first + height, columns left to N
    const Shape s,
    Py_ssize_t first,
    Py_ssize_t height,
    Py_ssize_t left,
) noexcept nogil:
    cdef unsigned char[DOT_BYTES + 64] memory
    cdef floating[4 * 16] rest
    cdef floating[4 * 2] sums
    cdef floating* columns = <floating*> aligned(memory)
    cdef Py_ssize_t lanes = lanes_of(c)
    cdef Py_ssize_t stop = min(first + height, s.M)
    cdef Py_ssize_t r, j, k, terms, whole, l, i
    cdef int m, n
    for r in range(first, stop):
        for j in range(left, s.N):
            c[r * s.c_row + j] = 0 if start is NULL else start[j]
    k = 0
    while k < s.K:
        terms = min(<Py_ssize_t> DOT_TERMS, s.K - k)
        whole = terms // lanes * lanes
        for j in range(s.N - left):
            for l in range(terms):
                columns[j * DOT_TERMS + l] = b[(k + l) * s.b_row + (left + j) * s.b_column]
            if whole < terms:
                for l in range(terms, whole + lanes):
                    columns[j * DOT_TERMS + l] = 0
        r = first
        while r < stop:
            m = 4 if stop - r >= 4 else 1
            if whole < terms:
                memset(rest, 0, sizeof(rest))
                for i in range(m):
                    memcpy(
                        rest + i * lanes, a + (r + i) * s.a_row + k + whole, (terms - whole) * sizeof(floating)
                    )
            j = 0
            while j < s.N - left:
                n = 2 if s.N - left - j >= 2 else 1
                dots(m, n, terms, a + r * s.a_row + k, s.a_row, rest, columns + j * DOT_TERMS, DOT_TERMS, sums)
                for i in range(m):
                    for l in range(n):
                        c[(r + i) * s.c_row + left + j + l] = c[(r + i) * s.c_row + left + j + l] + sums[i * n + l]
                j = j + n
            r = r + m
        k = k + DOT_TERMS


cdef inline void tail_exchanged(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  rows first to first + height, columns left to N
    const Shape s,
    Py_ssize_t first,
    Py_ssize_t height,
    Py_ssize_t left,
) noexcept nogil:
    """Columns of b times rows of a: the same sums, with vectors along the rows of c."""
    cdef unsigned char[TILE_BYTES + 64] memory
    cdef floating* edge = <floating*> aligned(memory)
    cdef Py_ssize_t lanes = BP_VECTOR_BYTES // sizeof(floating)
    cdef Py_ssize_t stop = min(first + height, s.M)
    cdef Py_ssize_t r = first, j, i, k, wide, m
    cdef int vectors
    while r < stop:
        # Whole vectors of rows; what is left of them one row at a time, by the chain that a lane would have been.
        vectors = <int> min(<Py_ssize_t> BP_TILE_VECTORS, (stop - r) // lanes)
        wide = vectors * lanes if vectors > 0 else 1
        j = left
        while j < s.N:
            m = min(<Py_ssize_t> BP_TILE_ROWS, s.N - j)
            for i in range(m):
                for k in range(wide):
                    edge[i * wide + k] = 0 if start is NULL else start[j + i]
            if vectors > 0:
                tile(<int> m, vectors, s.K, b + j, 1, s.b_row, a + r, s.a_k, edge, wide, edge, wide)
            else:
                chain(<int> m, s.K, b + j, s.b_row, a + r, s.a_k, edge)
            for k in range(wide):
                for i in range(m):
                    c[(r + k) * s.c_row + j + i] = edge[i * wide + k]
            j = j + m
        r = r + wide


cdef inline void chain(
    int m, Py_ssize_t K, const floating* b, Py_ssize_t b_row, const floating* a, Py_ssize_t a_k, floating* sums
) noexcept nogil:
    """sums[i] += Σ_k a[k·a_k]·b[k·b_row + i] for m columns of b, one number at a time."""
    cdef Py_ssize_t k
    cdef int i
    for k in range(K):
        for i in range(m):
            sums[i] = fma(a[k * a_k], b[k * b_row + i], sums[i])
