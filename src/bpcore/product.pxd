"""The matrix product behind the affine layer: c = start + a·b, blocked, packed, and exact at the edges.

a) The columns of c are cut into blocks at most as wide as a register tile, its rows into slabs whose part of `a` stays
   in the second-level cache. Any part of c, some rows or some whole blocks of columns, is a product of its own with
   the same bits, so threads share the work as they like.
b) Along k a block is summed in pieces whose panel of `b` stays in cache, packed on the stack where it does not lie
   well; while a panel's tiles compute, what the next panel is made of is fetched. Sums go on from where they stand in
   c, so every element is one chain of fused multiply-adds, however k is cut.
c) What is left of the columns when N is no multiple of LANES (16 for float32, 8 for float64) would waste most of a
   vector. Up to half of LANES columns are done otherwise: where k is adjacent in `a` and long, as dot products in
   virtual lanes over pieces of DOT_TERMS terms; where the rows are adjacent, as a product with the two factors
   exchanged, whose sums have the order of all others. The order of a sum depends on N, K and the layout alone.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport uintptr_t

from bpcore.simd cimport (
    BP_DOT_COLUMNS, BP_DOT_ROWS, BP_MASKS_ARE_FREE, BP_THIN_ROWS, BP_THIN_VECTORS, BP_TILE_ROWS, BP_TILE_VECTORS,
    BP_VECTOR_BYTES, bp_fetch, dots, fma, pack_columns, pack_rows, tile,
)

cdef enum:
    PANEL_BYTES = 76800         # of packed b: 400 rows of the widest tile
    TILE_BYTES = 1728           # of c: 9 rows of 3 vectors of 64 bytes; a thin tile has less
    SLAB_BYTES = 524288         # of a: half of a common second-level cache
    PACKED_SLAB_BYTES = 2097152  # of a, where that saves packing b once more
    FAR_BYTES = 2048            # between rows of b
    DOT_TERMS = 1024            # part of the bits contract
    DOT_LEAST = 128             # terms, below which adding up the lanes costs too much; part of the bits contract
    DOT_BYTES = 32768           # 8 columns of DOT_TERMS float32


cdef struct Ahead:
    # What is needed after the product: a tile that computes row r of c fetches what begins at rows[r].
    const char** rows    # (M,)
    Py_ssize_t step               # two lines of 64 bytes every `step` terms


cdef struct Shape:
    # c is (M, N), a is (M, K), b is (K, N); strides in elements. a_row or a_k is 1, and b_column or b_row.
    Py_ssize_t M, N, K
    Py_ssize_t a_row, a_k, b_row, b_column, c_row
    Py_ssize_t panel            # 0, or b is in panels so far apart, and b_row their width


cdef inline int lanes_of(const floating* _) noexcept nogil:
    """Virtual lanes of a sum: what 64 bytes hold."""
    return 64 // sizeof(floating)


cdef inline int vector_of(const floating* _) noexcept nogil:
    """Numbers in a vector register of this level."""
    return BP_VECTOR_BYTES // sizeof(floating)


cdef inline void* aligned(void* memory) noexcept nogil:
    """The next address that is a multiple of 64; the memory is 64 bytes longer than what is used of it."""
    return <void*> ((<uintptr_t> memory + 63) & ~(<uintptr_t> 63))


cdef inline Py_ssize_t tail_of(const Shape s, int lanes) noexcept nogil:
    """Columns that are not done in tiles."""
    cdef Py_ssize_t left = s.N % lanes
    if left > lanes // 2 or s.panel > 0 or (s.K < DOT_LEAST if s.a_k == 1 else s.M < lanes):
        return 0
    return left


cdef inline int vectors_of(Py_ssize_t rows) noexcept nogil:
    """Vectors of the widest tile: few rows need more columns to keep the multipliers busy."""
    return BP_TILE_VECTORS if rows > BP_THIN_ROWS else BP_THIN_VECTORS


cdef inline Py_ssize_t blocks_of(const Shape s, int lanes, int vector) noexcept nogil:
    """Blocks of columns that are done in tiles."""
    cdef Py_ssize_t widest = (BP_TILE_VECTORS if s.panel > 0 else vectors_of(s.M)) * vector
    return (s.N - tail_of(s, lanes) + widest - 1) // widest


cdef inline void product_shared(
    const floating* a,            # IN
    const floating* b,            # IN
    const floating* start,        # IN   (N,) what the sums of every row begin with, or NULL: 0
    floating* c,                  # OUT
    const Shape s,
    int threads,
) noexcept nogil:
    """The product on several threads: each takes some of the rows or, of a flat c, some blocks of columns."""
    cdef Py_ssize_t blocks = blocks_of(s, lanes_of(c), vector_of(c))
    cdef Py_ssize_t rows = min(<Py_ssize_t> threads, (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS)
    cdef Py_ssize_t columns = max(min(threads // max(rows, 1), blocks), 1)
    cdef Py_ssize_t t
    if threads == 1:
        product(a, b, start, c, s, NULL)
        return
    for t in prange(rows * columns, num_threads=threads, schedule="static"):
        product_part(a, b, start, c, s, t // columns, rows, t % columns, columns, blocks)


cdef inline void product_part(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  the row-th of `rows` parts of its rows, likewise of its blocks of columns
    const Shape s,
    Py_ssize_t row,
    Py_ssize_t rows,
    Py_ssize_t column,
    Py_ssize_t columns,
    Py_ssize_t blocks,
) noexcept nogil:
    cdef int lanes = lanes_of(c), vector = vector_of(c)
    cdef Py_ssize_t first = s.M * row // rows
    cdef Py_ssize_t left = edge_of(s, lanes, vector, blocks * column // columns, blocks)
    cdef Py_ssize_t right = s.N
    cdef Shape part = s
    if column + 1 < columns:
        right = edge_of(s, lanes, vector, blocks * (column + 1) // columns, blocks)
    part.M = s.M * (row + 1) // rows - first
    part.N = right - left
    product(
        a + first * s.a_row, b + left * s.b_column, NULL if start is NULL else start + left,
        c + first * s.c_row + left, part, NULL,
    )


cdef inline Py_ssize_t edge_of(
    const Shape s, int lanes, int vector, Py_ssize_t block, Py_ssize_t blocks
) noexcept nogil:
    """The first column of a block: blocks share the vectors of LANES nearly equally, but for panels, which are full."""
    cdef Py_ssize_t columns = s.N - tail_of(s, lanes)
    cdef Py_ssize_t step = lanes if vectors_of(s.M) * vector % lanes == 0 else vector
    cdef Py_ssize_t steps = (columns + step - 1) // step
    if s.panel > 0:
        return min(block * s.b_row, columns)
    return min(steps * block // max(blocks, 1) * step, columns)


cdef inline void product(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,
    const Shape s,
    const Ahead* ahead,           # or NULL
) noexcept nogil:
    """c = start + a·b on the thread that calls."""
    cdef int lanes = lanes_of(c), vector = vector_of(c)
    cdef Py_ssize_t columns = s.N - tail_of(s, lanes)
    cdef Py_ssize_t blocks = blocks_of(s, lanes, vector)
    # Rows far apart share sets of the first-level cache and take a page each; packing pays when they are read again.
    cdef bint far = s.b_row * sizeof(floating) >= FAR_BYTES and s.M > 4 * BP_TILE_ROWS
    cdef bint rough = columns % vector != 0 and not BP_MASKS_ARE_FREE
    cdef bint packed = (s.b_column != 1 or far or rough) and s.panel == 0
    cdef Py_ssize_t most = PACKED_SLAB_BYTES if packed else SLAB_BYTES
    cdef Py_ssize_t height = max(most // (max(s.K, 1) * sizeof(floating)), 4 * BP_TILE_ROWS)
    cdef Py_ssize_t slabs = (s.M + height - 1) // height
    cdef Py_ssize_t slab, first, n, left
    cdef Shape part = s
    for slab in range(slabs):
        first = s.M * slab // slabs
        part.M = s.M * (slab + 1) // slabs - first
        for n in range(blocks):
            left = edge_of(s, lanes, vector, n, blocks)
            block(
                a + first * s.a_row, b + (n * s.panel if s.panel > 0 else left * s.b_column),
                NULL if start is NULL else start + left, c + first * s.c_row + left, part,
                edge_of(s, lanes, vector, n + 1, blocks) - left, packed, n + 1 < blocks,
                NULL if ahead is NULL or n > 0 else ahead.rows + first, 0 if ahead is NULL else ahead.step,
            )
        if columns < s.N and s.a_k == 1:
            tail_of_dots(a + first * s.a_row, b, start, c + first * s.c_row, part, columns)
        elif columns < s.N:
            tail_exchanged(a + first * s.a_row, b, start, c + first * s.c_row, part, columns)


cdef inline void block(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  (M, wide)
    const Shape s,
    Py_ssize_t wide,
    bint packed,
    bint more,                    # whether there is another block behind this one
    const char** ahead,
    Py_ssize_t ahead_step,
) noexcept nogil:
    cdef unsigned char[PANEL_BYTES + 64] memory
    cdef floating[96] zero
    cdef floating* panel = <floating*> aligned(memory)
    cdef int vector = vector_of(c)
    cdef int vectors = <int> ((wide + vector - 1) // vector)
    cdef int last = <int> wide - (vectors - 1) * vector
    cdef Py_ssize_t padded = vectors * vector
    cdef Py_ssize_t tiles = (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS
    cdef Py_ssize_t most = PANEL_BYTES // (padded * sizeof(floating))
    cdef Py_ssize_t pieces = max((s.K + most - 1) // most, 1)
    cdef const floating* rows_of_b
    cdef const floating* begin
    cdef const floating* following
    cdef Py_ssize_t b_row, begin_row, piece, k, terms, n, r, j
    if start is NULL:
        for j in range(padded):
            zero[j] = 0
        start = zero
    for piece in range(pieces):
        k = s.K * piece // pieces
        terms = s.K * (piece + 1) // pieces - k
        rows_of_b = b + k * s.b_row
        b_row = s.b_row
        if packed:
            if s.b_column == 1:
                pack_rows(vectors, last, terms, rows_of_b, b_row, panel, padded)
            else:
                pack_columns(wide, padded, terms, rows_of_b, s.b_column, panel)
            rows_of_b, b_row = panel, padded
            following = NULL
            if piece + 1 < pieces:
                following = b + s.K * (piece + 1) // pieces * s.b_row
            elif more:
                following = b + wide * s.b_column
        for n in range(tiles):
            # Tiles of nearly equal height, since a low one keeps the multipliers waiting.
            r = s.M * n // tiles
            begin, begin_row = start, 0
            if piece > 0:
                begin, begin_row = c + r * s.c_row, s.c_row
            tile(
                <int> (s.M * (n + 1) // tiles - r), vectors, last, terms, a + r * s.a_row + k * s.a_k, s.a_row, s.a_k,
                rows_of_b, b_row, begin, begin_row, c + r * s.c_row, s.c_row,
                NULL if ahead is NULL else ahead + r, 0 if ahead is NULL else k // ahead_step * 128, ahead_step,
            )
            if packed and following is not NULL:
                if s.b_column == 1:
                    fetch(following, terms, wide, s.b_row, n, tiles)
                else:
                    fetch(following, wide, terms, s.b_column, n, tiles)


cdef inline void fetch(
    const floating* b, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t row, Py_ssize_t part, Py_ssize_t parts
) noexcept nogil:
    """Ask for a part of so many rows, before they are packed."""
    cdef Py_ssize_t lines = columns * <Py_ssize_t> sizeof(floating) // 64 + 1, r, line
    for r in range(rows * part // parts, rows * (part + 1) // parts):
        for line in range(lines):
            bp_fetch(<const char*> (b + r * row) + line * 64)


cdef inline Py_ssize_t panel_width(const floating* _) noexcept nogil:
    return BP_TILE_VECTORS * vector_of(_)


cdef inline bint wants_panels(const floating* _, Py_ssize_t N) noexcept nogil:
    """Whether rows of N numbers are far apart."""
    return N * <Py_ssize_t> sizeof(floating) >= FAR_BYTES


cdef inline Py_ssize_t panels_size(const floating* _, Py_ssize_t K, Py_ssize_t N) noexcept nogil:
    """Numbers that a (K, N) matrix takes in panels."""
    return (N + panel_width(_) - 1) // panel_width(_) * panel_width(_) * K


cdef inline void into_panels(
    const floating* b,            # IN   `rows` rows of N numbers
    Py_ssize_t b_row,
    floating* panels,             # OUT  the panels of a (K, N) matrix: its rows from `first` on
    Py_ssize_t first,
    Py_ssize_t rows,
    Py_ssize_t K,
    Py_ssize_t N,
) noexcept nogil:
    cdef Py_ssize_t width = panel_width(b), left = 0, wide
    cdef int vector = vector_of(b), vectors
    while left < N:
        wide = min(width, N - left)
        vectors = <int> ((wide + vector - 1) // vector)
        pack_rows(
            vectors, <int> wide - (vectors - 1) * vector, rows, b + left, b_row, panels + left * K + first * width,
            width,
        )
        left = left + width


cdef inline void tail_of_dots(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  columns left to N
    const Shape s,
    Py_ssize_t left,
) noexcept nogil:
    cdef unsigned char[DOT_BYTES + 64] memory
    cdef floating* copies = <floating*> aligned(memory)
    cdef const floating* columns = copies
    cdef Py_ssize_t column = DOT_TERMS, k = 0, terms, r, j, l
    cdef int m, n
    for r in range(s.M):
        for j in range(left, s.N):
            c[r * s.c_row + j] = 0 if start is NULL else start[j]
    while k < s.K:
        terms = min(<Py_ssize_t> DOT_TERMS, s.K - k)
        if s.b_row == 1:
            columns, column = b + k + left * s.b_column, s.b_column
        else:
            for l in range(terms):
                for j in range(s.N - left):
                    copies[j * DOT_TERMS + l] = b[(k + l) * s.b_row + left + j]
        r = 0
        while r < s.M:
            m = <int> min(<Py_ssize_t> BP_DOT_ROWS, s.M - r)
            j = 0
            while j < s.N - left:
                n = <int> min(<Py_ssize_t> BP_DOT_COLUMNS, s.N - left - j)
                dots(
                    m, n, terms, a + r * s.a_row + k, s.a_row, columns + j * column, column,
                    c + r * s.c_row + left + j, s.c_row,
                )
                j = j + n
            r = r + m
        k = k + DOT_TERMS


cdef inline void tail_exchanged(
    const floating* a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  columns left to N
    const Shape s,
    Py_ssize_t left,
) noexcept nogil:
    """Columns of b times rows of a: the same sums, with vectors along the rows of c."""
    cdef unsigned char[TILE_BYTES + 64] memory
    cdef floating* edge = <floating*> aligned(memory)
    cdef int vector = vector_of(c)
    cdef Py_ssize_t r = 0, j, i, k, wide, m
    cdef int vectors
    while r < s.M:
        # Whole vectors of rows; what is left of them one row at a time, by the chain that a lane would have been.
        vectors = <int> min(<Py_ssize_t> vectors_of(s.N - left), (s.M - r) // vector)
        wide = vectors * vector if vectors > 0 else 1
        j = left
        while j < s.N:
            m = min(<Py_ssize_t> BP_TILE_ROWS, s.N - j)
            for i in range(m):
                for k in range(wide):
                    edge[i * wide + k] = 0 if start is NULL else start[j + i]
            if vectors > 0:
                tile(<int> m, vectors, vector, s.K, b + j, 1, s.b_row, a + r, s.a_k, edge, wide, edge, wide, NULL, 0, 0)
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
