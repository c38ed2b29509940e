# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The matrix product behind the affine layer: c = start + a·b, blocked, packed, and exact at the edges.

a) The columns of c are cut into blocks at most as wide as a register tile. Some of the rows of c, or columns from
   one multiple of LANES to another or to the end, are a product of their own with the same bits: so threads share c.
b) Along k the sums are cut into pieces whose panel of `b` stays in cache, packed in memory of the thread where it does
   not lie well; the rows of c into slabs whose part of `a` in a piece stays in the second-level cache. Sums go on from
   where they stand in c, so every element is one chain of fused multiply-adds, however k is cut.
c) The rows of `a` may lie anywhere, so that a mini-batch need not be copied; tiles read them through their addresses.
d) The rows of a transposed `a` lie across pages, and a tile reads few numbers of each. Where many blocks do so, what
   a tile reads is first brought together, if the caller has memory for it.
e) A few last columns are done otherwise, in edges.pxd.
f) Products of few rows, and those whose sums have few terms, are done by few_rows.h, not in tiles: what counts there is
   that a large matrix is read, or written, once and in its order. The sums keep theirs.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.string cimport memcpy

from bpcore._gemm.operands cimport (
    FORWARD, INPUT, PARAMETERS, Address, Kind, Rows, Shape, a_from, addresses, cache_conflict, row_address, rows_from,
    rows_of,
)
from bpcore._gemm.panels cimport FAR_BYTES, wants_panels
from bpcore._parallel.team cimport chunk_start
from bpcore._simd.simd cimport (
    BP_EIGHT, BP_MASKS_ARE_FREE, BP_MORE_VECTORS, BP_THIN_ROWS, BP_THIN_VECTORS, BP_TILE_ROWS, BP_TILE_VECTORS,
    BP_VECTOR_BYTES, pack_columns, pack_rows, tile, tile_and_edge,
)
from bpcore._gemm.edges cimport (
    DOT_TERMS, TERMS, EdgeColumns, lanes_of, edge_columns, edge_by_strips, edge_width, edge_by_dots, edge_in_place,
    edge_dots, edge_start,
)
from bpcore._gemm.few_rows cimport BP_ALONG_ROWS, BP_FEW_ROWS, BP_IN_PLACE, few_rows, few_rows_along, few_terms

cdef extern from "_parallel/scratch.h" nogil:
    const int BP_PANEL_BYTES
    unsigned char* bp_panel_memory() noexcept
    unsigned char* bp_dot_memory() noexcept

cdef enum:
    K_BLOCK_BYTES = 262144        # of b where it lies
    M_BLOCK_BYTES = 786432         # of a piece of a: most of a common second-level cache
    COPY_BLOCKS = 6             # of columns, for which copying `a` pays
    FEW_TERMS = 16              # of sums that take less time than writing them, where these take WRITE_BYTES or more;
    FEWER_TERMS = 4             # in any case;
    FEWEST_TERMS = 2            # where rows of c have LONG_BYTES, not FAR_BYTES
    WRITE_BYTES = 1048576
    LONG_BYTES = 512
    ALONG_VECTORS = 12          # of one or two rows' sums, which tiles keep in registers


cdef struct KBlock:
    # Terms of the sums.
    Py_ssize_t first
    Py_ssize_t count


cdef struct Prefetch:
    # What is needed after the product: a tile that computes row r of c fetches what begins at rows[r].
    Address* rows    # (M,)
    Py_ssize_t step               # two lines of 64 bytes every `step` terms


cdef inline int vector_of(const floating* _) noexcept nogil:
    """Numbers in a vector register of this level."""
    return BP_VECTOR_BYTES // sizeof(floating)


cdef inline int vectors_of(Py_ssize_t rows) noexcept nogil:
    """Vectors of the widest tile: few rows need more columns to keep the multipliers busy."""
    return BP_TILE_VECTORS if rows > BP_THIN_ROWS else BP_THIN_VECTORS


cdef inline Py_ssize_t blocks_of(Kind kind, const Shape s, int lanes, int vector) noexcept nogil:
    """Blocks of columns that are done in tiles."""
    cdef Py_ssize_t widest = (BP_TILE_VECTORS if s.panel > 0 else vectors_of(s.M)) * vector
    return (s.N - edge_width(kind, s, lanes) + widest - 1) // widest


cdef inline void product_shared(
    Kind kind,
    const Rows a,                 # IN
    const floating* b,            # IN
    const floating* start,        # IN   (N,) what the sums of every row begin with, or NULL: 0
    floating* c,                  # OUT
    const Shape s,
    int threads,
) noexcept nogil:
    """The product on several threads: each takes some of the rows or, of a flat c, some columns."""
    cdef int lanes = lanes_of(c)
    cdef Py_ssize_t whole = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t most = min(blocks_of(kind, s, lanes, vector_of(c)), (whole + lanes - 1) // lanes)
    cdef Py_ssize_t rows = min(<Py_ssize_t> threads, (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS)
    cdef Py_ssize_t columns = max(min(threads // max(rows, 1), most), 1)
    cdef Py_ssize_t t
    if threads <= 1:
        product(kind, a, b, start, c, s, NULL)
        return
    for t in prange(rows * columns, num_threads=threads, schedule="static"):
        product_part(kind, a, b, start, c, s, t // columns, rows, t % columns, columns)


cdef inline void product_part(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  the row-th of `rows` parts of its rows, likewise of its columns
    const Shape s,
    Py_ssize_t row,
    Py_ssize_t rows,
    Py_ssize_t column,
    Py_ssize_t columns,
) noexcept nogil:
    # A part that is a product of its own has last columns where its width is no multiple of LANES, not of a vector:
    # only the last part may, or columns in the middle of c would be dot products.
    cdef int lanes = lanes_of(c)
    cdef Py_ssize_t whole = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t first = s.M * row // rows
    cdef Py_ssize_t left = chunk_start(whole, <int> column, <int> columns, lanes)
    cdef Py_ssize_t right = s.N
    cdef Shape part = s
    if column + 1 < columns:
        right = chunk_start(whole, <int> column + 1, <int> columns, lanes)
    part.M = s.M * (row + 1) // rows - first
    part.N = right - left
    if s.copies is not NULL:
        part.copies = <char*> s.copies + (row * columns + column) * s.copies_bytes
    product(
        kind, a_from(kind, a, first, 0), b + left * s.cs_b, <const floating*> NULL if start is NULL else start + left,
        c + first * s.ldc + left, part, NULL,
    )


cdef inline Py_ssize_t edge_of(
    Kind kind, const Shape s, int lanes, int vector, Py_ssize_t block, Py_ssize_t blocks
) noexcept nogil:
    """The first column of a block: blocks share the vectors of LANES nearly equally, but for panels, which are full."""
    cdef Py_ssize_t columns = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t step = lanes if vectors_of(s.M) * vector % lanes == 0 else vector
    cdef Py_ssize_t steps = (columns + step - 1) // step
    if s.panel > 0:
        return min(block * s.rs_b, columns)
    return min(steps * block // max(blocks, 1) * step, columns)


cdef inline Py_ssize_t k_blocks_of(
    Kind kind, const Shape s, Py_ssize_t width, bint packed, const floating* _
) noexcept nogil:
    """Pieces along k, of which the part of b that a block reads stays in cache."""
    cdef Py_ssize_t bytes = BP_PANEL_BYTES if packed else K_BLOCK_BYTES
    cdef Py_ssize_t most = bytes // (width * <Py_ssize_t> sizeof(floating))
    if kind == PARAMETERS:
        # Each term is a row of `a` in a page of its own.
        most = min(most // 2, <Py_ssize_t> TERMS)
    return max((s.K + most - 1) // most, 1)


cdef inline bint has_few_terms(Kind kind, const Shape s, const floating* _) noexcept nogil:
    """Whether c is best written row by row: its rows are long, and their sums so short that writing takes the time."""
    cdef Py_ssize_t row = s.N * <Py_ssize_t> sizeof(floating)
    cdef Py_ssize_t most = FEW_TERMS if s.M * row >= WRITE_BYTES else FEWER_TERMS
    return kind == PARAMETERS and 0 < s.K <= most and row >= (LONG_BYTES if s.K <= FEWEST_TERMS else FAR_BYTES)


cdef inline Py_ssize_t copies_size(Kind kind, const Shape s, const floating* c) noexcept nogil:
    """Bytes for copies of a transposed `a` on one thread; 0 where it is better read where it lies."""
    cdef Py_ssize_t term = BP_TILE_ROWS * <Py_ssize_t> sizeof(floating)
    cdef Py_ssize_t tiles = (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS
    if kind != PARAMETERS or has_few_terms(kind, s, c) or blocks_of(kind, s, lanes_of(c), vector_of(c)) < COPY_BLOCKS:
        return 0
    return max(min(tiles * min(s.K, <Py_ssize_t> TERMS) * term, <Py_ssize_t> M_BLOCK_BYTES), TERMS * term)


cdef inline void copy_tiles(
    const Rows a,
    const Shape s,
    const KBlock* k_block,
    floating* copies,             # OUT  for each tile its BP_TILE_ROWS numbers of every term
) noexcept nogil:
    cdef Py_ssize_t tiles = (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS, n, r, k, i
    cdef const floating* numbers
    for n in range(tiles):
        r = s.M * n // tiles
        for k in range(k_block.first, k_block.first + k_block.count):
            numbers = row_address(a, k, copies) + r
            if r + BP_TILE_ROWS <= s.M:
                memcpy(copies, numbers, BP_TILE_ROWS * sizeof(floating))
            else:
                for i in range(s.M - r):
                    copies[i] = numbers[i]
            copies = copies + BP_TILE_ROWS


cdef inline bint thin_product(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT
    const Shape s,
) noexcept nogil:
    """The product, if numbers of b are used so rarely that they are best read as they lie; else False."""
    cdef Py_ssize_t columns = s.N - edge_width(kind, s, lanes_of(c))
    cdef bint is_wide = columns > ALONG_VECTORS * vector_of(c) if s.M <= BP_THIN_ROWS else wants_panels(c, columns)
    cdef Address[FEW_TERMS] rows
    if not BP_IN_PLACE:
        return False
    if kind == PARAMETERS:
        if start is not NULL or not has_few_terms(kind, s, c):
            return False
        addresses(a, s.K, rows, c)
        few_terms(s.M, s.N, <int> s.K, rows, b, s.rs_b, c, s.ldc)
        return True
    if s.M > BP_FEW_ROWS:
        return False
    addresses(a, s.M, rows, c)
    if kind == FORWARD and s.M <= BP_ALONG_ROWS and is_wide:
        edge_start(start, c, s.ldc, s.M, columns)
        few_rows_along(<int> s.M, columns, s.K, rows, b, s.rs_b, c, s.ldc)
    elif kind == INPUT and start is NULL and columns >= vector_of(c) and s.K >= 4:
        few_rows(<int> s.M, columns, s.K, rows, b, s.cs_b, c, s.ldc)
    else:
        return False
    if columns < s.N:
        edge_by_dots(
            kind, a, b, <const floating*> NULL if start is NULL else start + columns, c + columns, s, columns,
            <floating*> bp_dot_memory(),
        )
    return True


cdef inline void product(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* start,
    floating* c,
    const Shape s,
    const Prefetch* ahead,           # or NULL
) noexcept nogil:
    """c = start + a·b on the thread that calls."""
    cdef int lanes = lanes_of(c), vector = vector_of(c)
    cdef Py_ssize_t columns = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t blocks = blocks_of(kind, s, lanes, vector)
    # Rows far apart share sets of the first-level cache and take a page each; packing pays when they are read again.
    cdef bint far = s.M > 4 * BP_TILE_ROWS and (wants_panels(b, s.rs_b) or cache_conflict(b, s.rs_b))
    cdef bint rough = columns % vector != 0 and not BP_MASKS_ARE_FREE and s.edge is NULL
    cdef bint packed = (kind == INPUT or far or rough) and s.panel == 0
    cdef Py_ssize_t k_blocks = k_blocks_of(kind, s, vectors_of(s.M) * vector, packed, b)
    cdef Py_ssize_t longest = max((s.K + k_blocks - 1) // k_blocks, 1)
    cdef Py_ssize_t row = longest * <Py_ssize_t> sizeof(floating)
    cdef Py_ssize_t height = max(M_BLOCK_BYTES // row, 4 * BP_TILE_ROWS)
    cdef Py_ssize_t m_blocks, m_block, first, k_block, n, left
    cdef floating* copies = NULL
    cdef const floating* edge_first = <const floating*> NULL if start is NULL else start + columns
    cdef Rows rows, read
    cdef Shape part = s
    cdef KBlock terms
    cdef bint dotted = columns < s.N and kind != PARAMETERS
    # Dot products read rows of `a` once more: best with the tile that reads them.
    cdef bint by_the_way = (
        dotted and blocks > 0 and s.K <= DOT_TERMS and k_blocks == 1 and not edge_in_place(kind, s, columns, c)
    )
    cdef EdgeColumns edge
    cdef Prefetch of_m_block
    # Few columns more fit into the last block's tiles, of eight rows each.
    cdef int edges = 0
    cdef Py_ssize_t done
    if s.M == 0 or s.N == 0:
        return
    if s.edge is NULL and s.panel == 0 and thin_product(kind, a, b, start, c, s):
        return
    if dotted:
        copies = <floating*> bp_dot_memory()
    if (
        kind == PARAMETERS and blocks > 0 and not packed and s.edge is NULL and s.copies is NULL
        and s.N - columns <= BP_MORE_VECTORS * vector // BP_EIGHT
    ):
        edges = <int> (s.N - columns)
    if by_the_way:
        edge = edge_columns(kind, b, s, 0, s.K, columns, copies)
    if s.copies is not NULL:
        height = s.copies_bytes // (row * BP_TILE_ROWS) * BP_TILE_ROWS
    m_blocks = (s.M + height - 1) // height
    for m_block in range(m_blocks):
        first = s.M * m_block // m_blocks
        part.M = s.M * (m_block + 1) // m_blocks - first
        rows = a_from(kind, a, first, 0)
        if ahead is not NULL:
            of_m_block = Prefetch(ahead.rows + first, ahead.step)
        for k_block in range(k_blocks):
            terms.first = s.K * k_block // k_blocks
            terms.count = s.K * (k_block + 1) // k_blocks - terms.first
            read = rows
            if s.copies is not NULL:
                copy_tiles(rows, part, &terms, <floating*> s.copies)
                read = rows_from(rows_of(<const floating*> s.copies, BP_TILE_ROWS), -terms.first, 0)
            for n in range(blocks):
                left = edge_of(kind, s, lanes, vector, n, blocks)
                if by_the_way and n == blocks - 1:
                    edge_start(edge_first, c + first * s.ldc + columns, s.ldc, part.M, s.N - columns)
                block(
                    kind, read, b + (n * s.panel if s.panel > 0 else left * s.cs_b),
                    <const floating*> NULL if start is NULL else start + left, c + first * s.ldc + left, part, &terms,
                    edge_of(kind, s, lanes, vector, n + 1, blocks) - left, packed,
                    &of_m_block if ahead is not NULL and n == 0 else NULL,
                    &edge if by_the_way and n == blocks - 1 else NULL, edges if n == blocks - 1 else 0,
                )
        if dotted and not by_the_way:
            edge_by_dots(kind, rows, b, edge_first, c + first * s.ldc + columns, part, columns, copies)
        elif columns < s.N and kind == PARAMETERS:
            done = part.M // BP_EIGHT * BP_EIGHT if edges > 0 else 0
            part.M = part.M - done
            if s.edge is not NULL:
                part.edge = <floating*> s.edge + first
            edge_by_strips(a_from(kind, rows, done, 0), b, start, c + (first + done) * s.ldc, part, columns, vector)


cdef inline void block(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* start,
    floating* c,                  # OUT  (M, wide), to which all but the first piece is added
    const Shape s,
    const KBlock* k_block,
    Py_ssize_t wide,
    bint packed,
    const Prefetch* ahead,           # or NULL
    const EdgeColumns* edge,             # dot products to do with each tile, or NULL
    int edges,                    # columns more, of a transposed a's product
) noexcept nogil:
    cdef floating[96] zero
    cdef Address[TERMS] rows
    cdef floating* panel
    cdef int vector = vector_of(c)
    cdef int vectors = <int> ((wide + vector - 1) // vector)
    cdef int last = <int> wide - (vectors - 1) * vector
    cdef Py_ssize_t padded = vectors * vector
    cdef Py_ssize_t tallest = BP_EIGHT if edges > 0 else BP_TILE_ROWS
    cdef Py_ssize_t tiles = (s.M + tallest - 1) // tallest
    cdef Py_ssize_t k = k_block.first, terms = k_block.count
    cdef const floating* rows_of_b = b + k * s.rs_b
    cdef const floating* sums
    cdef Py_ssize_t rs_b = s.rs_b, sums_stride, n, r, j, height, skip
    if start is NULL:
        for j in range(padded + edges):
            zero[j] = 0
        start = zero
    if packed:
        panel = <floating*> bp_panel_memory()
        if kind != INPUT:
            pack_rows(vectors, last, terms, rows_of_b, rs_b, panel, padded)
        else:
            pack_columns(wide, padded, terms, rows_of_b, s.cs_b, panel, padded)
        rows_of_b, rs_b = panel, padded
    if kind == PARAMETERS:
        addresses(a_from(kind, a, 0, k), terms, rows, b)
    for n in range(tiles):
        # Tiles of nearly equal height, since a low one keeps the multipliers waiting.
        r = n * BP_EIGHT if edges > 0 else s.M * n // tiles
        height = min(<Py_ssize_t> BP_EIGHT, s.M - r) if edges > 0 else s.M * (n + 1) // tiles - r
        skip = r if s.copies is NULL else n * terms * BP_TILE_ROWS
        if kind != PARAMETERS:
            addresses(a_from(kind, a, r, k), height, rows, b)
            skip = 0
        sums, sums_stride = start, 0
        if k > 0:
            sums, sums_stride = c + r * s.ldc, s.ldc
        if edges > 0 and height == BP_EIGHT:
            tile_and_edge(vectors, edges, terms, rows, r, rows_of_b, rs_b, sums, sums_stride, c + r * s.ldc, s.ldc)
            continue
        tile(
            kind == PARAMETERS, <int> height, vectors, last, terms, rows, skip, rows_of_b, rs_b, sums,
            sums_stride, c + r * s.ldc, s.ldc, <Address*> NULL if ahead is NULL else ahead.rows + r,
            0 if ahead is NULL else k // ahead.step * 128, 0 if ahead is NULL else ahead.step,
        )
        if edge is not NULL:
            edge_dots(a_from(kind, a, r, k), edge, terms, c + r * s.ldc + wide, s.ldc, height)
