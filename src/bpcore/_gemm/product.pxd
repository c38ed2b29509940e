# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The matrix product behind the affine layer: c = start + a·b, blocked, packed, and exact at the edges.

a) The columns of c are divided into blocks at most as wide as a register tile. A part of the rows of c, or of the
   columns from one multiple of LANES to another or to the end, is a product of its own with the same bits: so threads
   share c.
b) k is divided into blocks whose panel of `b` stays in cache (BLIS: kc), packed in memory of the thread where rows are
   long or vectors partial; the rows of c into blocks whose part of `a` stays in the second-level cache (mc). The next k
   block adds to the sums in c, so every element is one chain of fused multiply-adds, whatever kc is.
c) The rows of `a` may be anywhere in memory, so that a mini-batch need not be copied: tiles read them by address.
d) Each row of a transposed `a` is in another page, and a tile reads few numbers of each. Where many blocks do so, `a`
   is packed, if the caller has memory for it.
e) The edge, a few last columns, is computed in edges.pxd.
f) Products of few rows or a small k are computed by few_rows.h, not in tiles: there, a large matrix is read, or
   written, once and in its order in memory. The order of the sums is the same.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.string cimport memcpy

from bpcore._gemm.operands cimport (
    FORWARD, INPUT, PARAMETERS, Address, Kind, Rows, Shape, a_from, cache_conflict, row_address, row_addresses,
    rows_from, rows_of,
)
from bpcore._gemm.panels cimport PANEL_STRIDE_BYTES, wants_panels
from bpcore._parallel.team cimport chunk_start
from bpcore._simd.simd cimport (
    BP_EDGE_MR, BP_EDGE_VECTORS, BP_MASKS_ARE_FREE, BP_TILE_ROWS, BP_TILE_VECTORS, BP_VECTOR_BYTES,
    BP_WIDE_TILE_ROWS, BP_WIDE_TILE_VECTORS, microkernel, microkernel_edge, pack_columns, pack_rows,
)
from bpcore._gemm.edges cimport (
    DOT_TERMS, MAX_KC, EdgeColumns, edge_by_dots, edge_columns, edge_dots, edge_in_place, edge_swapped, edge_width,
    init_edge, lanes_of,
)
from bpcore._gemm.few_rows cimport BP_AXPY_ROWS, BP_FEW_ROWS, BP_FEW_ROWS_COMPILED, few_rows, few_rows_axpy, small_k

cdef extern from "_parallel/scratch.h" nogil:
    const int BP_PANEL_BYTES
    unsigned char* bp_panel_memory() noexcept
    unsigned char* bp_dot_memory() noexcept

cdef enum:
    K_BLOCK_BYTES = 262144      # of b where it is not packed
    M_BLOCK_BYTES = 786432      # of `a` in a k block: most of a common second-level cache
    PACK_A_MIN_BLOCKS = 6       # of columns, from which on packing `a` pays
    SMALL_K = 16                # up to which sums take less time than writing them, where c has LARGE_C_BYTES or more;
    SMALL_K_SMALL_C = 4         # for a smaller c;
    SMALLEST_K = 2              # where rows of c have LONG_ROW_BYTES, not PANEL_STRIDE_BYTES
    LARGE_C_BYTES = 1048576
    LONG_ROW_BYTES = 512
    AXPY_MIN_VECTORS = 12       # of one or two rows of c, below which tiles keep the sums in registers


cdef struct KBlock:
    # Terms of the sums.
    Py_ssize_t first
    Py_ssize_t count


cdef struct Prefetch:
    # Data that is needed after the product: a tile that computes row r of c prefetches from rows[r] on.
    Address* rows      # (M,)
    Py_ssize_t step    # two cache lines every `step` terms


cdef inline int vector_of(const floating* _) noexcept nogil:
    """Numbers in a vector register of this level."""
    return BP_VECTOR_BYTES // sizeof(floating)


cdef inline int vectors_of(Py_ssize_t rows) noexcept nogil:
    """Vectors of the widest tile (BLIS: nr): few rows need more columns to have enough independent sums."""
    return BP_TILE_VECTORS if rows > BP_WIDE_TILE_ROWS else BP_WIDE_TILE_VECTORS


cdef inline Py_ssize_t blocks_of(Kind kind, const Shape s, int lanes, int vector) noexcept nogil:
    """Blocks of columns that are computed in tiles."""
    cdef Py_ssize_t widest = (BP_TILE_VECTORS if s.ps_b > 0 else vectors_of(s.M)) * vector
    return (s.N - edge_width(kind, s, lanes) + widest - 1) // widest


cdef inline void product_shared(
    Kind kind,
    const Rows a,                 # IN
    const floating* b,            # IN
    const floating* bias,         # IN   (N,) initial value of the sums of each row, or NULL: 0
    floating* c,                  # OUT
    const Shape s,
    int threads,
) noexcept nogil:
    """The product on several threads: they share the rows or, where these are few, a grid of rows and columns."""
    cdef int lanes = lanes_of(c)
    cdef Py_ssize_t tile_columns = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t most = min(blocks_of(kind, s, lanes, vector_of(c)), (tile_columns + lanes - 1) // lanes)
    cdef Py_ssize_t rows = min(<Py_ssize_t> threads, (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS)
    cdef Py_ssize_t columns = max(min(threads // max(rows, 1), most), 1)
    cdef Py_ssize_t t
    if threads <= 1:
        product(kind, a, b, bias, c, s, NULL)
        return
    for t in prange(rows * columns, num_threads=threads, schedule="static"):
        product_part(kind, a, b, bias, c, s, t // columns, rows, t % columns, columns)


cdef inline void product_part(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* bias,
    floating* c,                  # OUT  the row-th of `rows` parts of its rows, likewise of its columns
    const Shape s,
    Py_ssize_t row,
    Py_ssize_t rows,
    Py_ssize_t column,
    Py_ssize_t columns,
) noexcept nogil:
    # A part whose width is no multiple of LANES has an edge of its own: only the last part may, or columns in the
    # middle of c would be dot products.
    cdef int lanes = lanes_of(c)
    cdef Py_ssize_t tile_columns = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t first = s.M * row // rows
    cdef Py_ssize_t first_column = chunk_start(tile_columns, <int> column, <int> columns, lanes)
    cdef Py_ssize_t stop_column = s.N
    cdef Shape part = s
    if column + 1 < columns:
        stop_column = chunk_start(tile_columns, <int> column + 1, <int> columns, lanes)
    part.M = s.M * (row + 1) // rows - first
    part.N = stop_column - first_column
    if s.packed_a is not NULL:
        part.packed_a = <char*> s.packed_a + (row * columns + column) * s.packed_a_bytes
    product(
        kind, a_from(kind, a, first, 0), b + first_column * s.cs_b,
        <const floating*> NULL if bias is NULL else bias + first_column, c + first * s.ldc + first_column, part, NULL,
    )


cdef inline Py_ssize_t block_start(
    Kind kind, const Shape s, int lanes, int vector, Py_ssize_t block, Py_ssize_t blocks
) noexcept nogil:
    """The first column of a block: blocks are nearly equal in multiples of LANES; of a packed b they are its panels."""
    cdef Py_ssize_t columns = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t step = lanes if vectors_of(s.M) * vector % lanes == 0 else vector
    cdef Py_ssize_t steps = (columns + step - 1) // step
    if s.ps_b > 0:
        return min(block * s.rs_b, columns)
    return min(steps * block // max(blocks, 1) * step, columns)


cdef inline Py_ssize_t k_blocks_of(
    Kind kind, const Shape s, Py_ssize_t width, bint packed, const floating* _
) noexcept nogil:
    """Blocks of k, of which the part of b that a column block reads stays in cache."""
    cdef Py_ssize_t bytes = BP_PANEL_BYTES if packed else K_BLOCK_BYTES
    cdef Py_ssize_t most = bytes // (width * <Py_ssize_t> sizeof(floating))
    if kind == PARAMETERS:
        # Each term is a row of `a`, in another page.
        most = min(most // 2, <Py_ssize_t> MAX_KC)
    return max((s.K + most - 1) // most, 1)


cdef inline bint has_small_k(Kind kind, const Shape s, const floating* _) noexcept nogil:
    """Whether c is written row by row: its rows are long, and k is so small that writing dominates."""
    cdef Py_ssize_t row = s.N * <Py_ssize_t> sizeof(floating)
    cdef Py_ssize_t most = SMALL_K if s.M * row >= LARGE_C_BYTES else SMALL_K_SMALL_C
    return kind == PARAMETERS and 0 < s.K <= most and row >= (
        LONG_ROW_BYTES if s.K <= SMALLEST_K else PANEL_STRIDE_BYTES
    )


cdef inline Py_ssize_t packed_a_size(Kind kind, const Shape s, const floating* c) noexcept nogil:
    """Bytes to pack a transposed `a` in, for one thread; 0 where packing does not pay."""
    cdef Py_ssize_t term = BP_TILE_ROWS * <Py_ssize_t> sizeof(floating)
    cdef Py_ssize_t tiles = (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS
    if (
        kind != PARAMETERS or has_small_k(kind, s, c)
        or blocks_of(kind, s, lanes_of(c), vector_of(c)) < PACK_A_MIN_BLOCKS
    ):
        return 0
    return max(min(tiles * min(s.K, <Py_ssize_t> MAX_KC) * term, <Py_ssize_t> M_BLOCK_BYTES), MAX_KC * term)


cdef inline void pack_a(
    const Rows a,
    const Shape s,
    const KBlock* k_block,
    floating* packed_a,           # OUT  for each tile, BP_TILE_ROWS numbers of every term
) noexcept nogil:
    cdef Py_ssize_t tiles = (s.M + BP_TILE_ROWS - 1) // BP_TILE_ROWS, n, r, k, i
    cdef const floating* numbers
    for n in range(tiles):
        r = s.M * n // tiles
        for k in range(k_block.first, k_block.first + k_block.count):
            numbers = row_address(a, k, packed_a) + r
            if r + BP_TILE_ROWS <= s.M:
                memcpy(packed_a, numbers, BP_TILE_ROWS * sizeof(floating))
            else:
                for i in range(s.M - r):
                    packed_a[i] = numbers[i]
            packed_a = packed_a + BP_TILE_ROWS


cdef inline bint few_rows_product(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* bias,
    floating* c,                  # OUT
    const Shape s,
) noexcept nogil:
    """The product, if M or K is so small that b is best read in place; else False."""
    cdef Py_ssize_t columns = s.N - edge_width(kind, s, lanes_of(c))
    cdef bint is_wide = (
        columns > AXPY_MIN_VECTORS * vector_of(c) if s.M <= BP_WIDE_TILE_ROWS else wants_panels(c, columns)
    )
    cdef Address[SMALL_K] rows
    if not BP_FEW_ROWS_COMPILED:
        return False
    if kind == PARAMETERS:
        if bias is not NULL or not has_small_k(kind, s, c):
            return False
        row_addresses(a, s.K, rows, c)
        small_k(s.M, s.N, <int> s.K, rows, b, s.rs_b, c, s.ldc)
        return True
    if s.M > BP_FEW_ROWS:
        return False
    row_addresses(a, s.M, rows, c)
    if kind == FORWARD and s.M <= BP_AXPY_ROWS and is_wide:
        init_edge(bias, c, s.ldc, s.M, columns)
        few_rows_axpy(<int> s.M, columns, s.K, rows, b, s.rs_b, c, s.ldc)
    elif kind == INPUT and bias is NULL and columns >= vector_of(c) and s.K >= 4:
        few_rows(<int> s.M, columns, s.K, rows, b, s.cs_b, c, s.ldc)
    else:
        return False
    if columns < s.N:
        edge_by_dots(
            kind, a, b, <const floating*> NULL if bias is NULL else bias + columns, c + columns, s, columns,
            <floating*> bp_dot_memory(),
        )
    return True


cdef inline void product(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* bias,
    floating* c,
    const Shape s,
    const Prefetch* prefetch,     # or NULL
) noexcept nogil:
    """c = bias + a·b on the calling thread."""
    cdef int lanes = lanes_of(c), vector = vector_of(c)
    cdef Py_ssize_t columns = s.N - edge_width(kind, s, lanes)
    cdef Py_ssize_t blocks = blocks_of(kind, s, lanes, vector)
    # Long rows compete for sets of the first-level cache and take a page each; packing pays when they are read again.
    cdef bint has_long_rows = s.M > 4 * BP_TILE_ROWS and (wants_panels(b, s.rs_b) or cache_conflict(b, s.rs_b))
    cdef bint has_partial_vectors = columns % vector != 0 and not BP_MASKS_ARE_FREE and s.edge is NULL
    cdef bint packed = (kind == INPUT or has_long_rows or has_partial_vectors) and s.ps_b == 0
    cdef Py_ssize_t k_blocks = k_blocks_of(kind, s, vectors_of(s.M) * vector, packed, b)
    cdef Py_ssize_t kc = max((s.K + k_blocks - 1) // k_blocks, 1)
    cdef Py_ssize_t row = kc * <Py_ssize_t> sizeof(floating)
    cdef Py_ssize_t mc = max(M_BLOCK_BYTES // row, 4 * BP_TILE_ROWS)
    cdef Py_ssize_t m_blocks, m_block, first, k_block, n, column
    cdef floating* dot_memory = NULL
    cdef const floating* edge_bias = <const floating*> NULL if bias is NULL else bias + columns
    cdef Rows rows, block_of_a
    cdef Shape part = s
    cdef KBlock terms
    cdef bint has_dots = columns < s.N and kind != PARAMETERS
    # Dot products read the rows of `a` a second time: best right after the tile that read them.
    cdef bint fuse_dots = (
        has_dots and blocks > 0 and s.K <= DOT_TERMS and k_blocks == 1 and not edge_in_place(kind, s, columns, c)
    )
    cdef EdgeColumns edge
    cdef Prefetch block_prefetch
    # Edge columns that fit into the tiles of the last block, of BP_EDGE_MR rows each.
    cdef int n_edge = 0
    cdef Py_ssize_t done
    if s.M == 0 or s.N == 0:
        return
    if s.edge is NULL and s.ps_b == 0 and few_rows_product(kind, a, b, bias, c, s):
        return
    if has_dots:
        dot_memory = <floating*> bp_dot_memory()
    if (
        kind == PARAMETERS and blocks > 0 and not packed and s.edge is NULL and s.packed_a is NULL
        and s.N - columns <= BP_EDGE_VECTORS * vector // BP_EDGE_MR
    ):
        n_edge = <int> (s.N - columns)
    if fuse_dots:
        edge = edge_columns(kind, b, s, 0, s.K, columns, dot_memory)
    if s.packed_a is not NULL:
        mc = s.packed_a_bytes // (row * BP_TILE_ROWS) * BP_TILE_ROWS
    m_blocks = (s.M + mc - 1) // mc
    for m_block in range(m_blocks):
        first = s.M * m_block // m_blocks
        part.M = s.M * (m_block + 1) // m_blocks - first
        rows = a_from(kind, a, first, 0)
        if prefetch is not NULL:
            block_prefetch = Prefetch(prefetch.rows + first, prefetch.step)
        for k_block in range(k_blocks):
            terms.first = s.K * k_block // k_blocks
            terms.count = s.K * (k_block + 1) // k_blocks - terms.first
            block_of_a = rows
            if s.packed_a is not NULL:
                pack_a(rows, part, &terms, <floating*> s.packed_a)
                block_of_a = rows_from(rows_of(<const floating*> s.packed_a, BP_TILE_ROWS), -terms.first, 0)
            for n in range(blocks):
                column = block_start(kind, s, lanes, vector, n, blocks)
                if fuse_dots and n == blocks - 1:
                    init_edge(edge_bias, c + first * s.ldc + columns, s.ldc, part.M, s.N - columns)
                macrokernel(
                    kind, block_of_a, b + (n * s.ps_b if s.ps_b > 0 else column * s.cs_b),
                    <const floating*> NULL if bias is NULL else bias + column, c + first * s.ldc + column, part, &terms,
                    block_start(kind, s, lanes, vector, n + 1, blocks) - column, packed,
                    &block_prefetch if prefetch is not NULL and n == 0 else NULL,
                    &edge if fuse_dots and n == blocks - 1 else NULL, n_edge if n == blocks - 1 else 0,
                )
        if has_dots and not fuse_dots:
            edge_by_dots(kind, rows, b, edge_bias, c + first * s.ldc + columns, part, columns, dot_memory)
        elif columns < s.N and kind == PARAMETERS:
            done = part.M // BP_EDGE_MR * BP_EDGE_MR if n_edge > 0 else 0
            part.M = part.M - done
            if s.edge is not NULL:
                part.edge = <floating*> s.edge + first
            edge_swapped(a_from(kind, rows, done, 0), b, bias, c + (first + done) * s.ldc, part, columns, vector)


cdef inline void macrokernel(
    Kind kind,
    const Rows a,
    const floating* b,
    const floating* init,         # IN   (width,) initial value of the sums, in the first k block; or NULL
    floating* c,                  # OUT  (M, width); the k blocks behind the first are added to it
    const Shape s,
    const KBlock* k_block,
    Py_ssize_t width,
    bint packed,                  # whether to pack this panel of b
    const Prefetch* prefetch,     # or NULL
    const EdgeColumns* edge,      # dot products to compute after each tile, or NULL
    int n_edge,                   # edge columns that the tiles compute too, of a transposed `a`
) noexcept nogil:
    """One block of columns of c: the loop over its rows around the micro-kernel."""
    cdef floating[96] zero
    cdef Address[MAX_KC] rows
    cdef floating* panel
    cdef int vector = vector_of(c)
    cdef int vectors = <int> ((width + vector - 1) // vector)
    cdef int last = <int> width - (vectors - 1) * vector
    cdef Py_ssize_t padded = vectors * vector
    cdef Py_ssize_t mr = BP_EDGE_MR if n_edge > 0 else BP_TILE_ROWS
    cdef Py_ssize_t tiles = (s.M + mr - 1) // mr
    cdef Py_ssize_t k = k_block.first, terms = k_block.count
    cdef const floating* b_block = b + k * s.rs_b
    cdef const floating* tile_init
    cdef Py_ssize_t rs_b = s.rs_b, rs_init, n, r, j, m, offset
    if init is NULL:
        for j in range(padded + n_edge):
            zero[j] = 0
        init = zero
    if packed:
        panel = <floating*> bp_panel_memory()
        if kind != INPUT:
            pack_rows(vectors, last, terms, b_block, rs_b, panel, padded)
        else:
            pack_columns(width, padded, terms, b_block, s.cs_b, panel, padded)
        b_block, rs_b = panel, padded
    if kind == PARAMETERS:
        row_addresses(a_from(kind, a, 0, k), terms, rows, b)
    for n in range(tiles):
        # Tiles of nearly equal height, since a low one has too few independent sums.
        r = n * BP_EDGE_MR if n_edge > 0 else s.M * n // tiles
        m = min(<Py_ssize_t> BP_EDGE_MR, s.M - r) if n_edge > 0 else s.M * (n + 1) // tiles - r
        offset = r if s.packed_a is NULL else n * terms * BP_TILE_ROWS
        if kind != PARAMETERS:
            row_addresses(a_from(kind, a, r, k), m, rows, b)
            offset = 0
        tile_init, rs_init = init, 0
        if k > 0:
            tile_init, rs_init = c + r * s.ldc, s.ldc
        if n_edge > 0 and m == BP_EDGE_MR:
            microkernel_edge(
                vectors, n_edge, terms, rows, r, b_block, rs_b, tile_init, rs_init, c + r * s.ldc, s.ldc
            )
            continue
        microkernel(
            kind == PARAMETERS, <int> m, vectors, last, terms, rows, offset, b_block, rs_b, tile_init,
            rs_init, c + r * s.ldc, s.ldc, <Address*> NULL if prefetch is NULL else prefetch.rows + r,
            0 if prefetch is NULL else k // prefetch.step * 128, 0 if prefetch is NULL else prefetch.step,
        )
        if edge is not NULL:
            edge_dots(a_from(kind, a, r, k), edge, terms, c + r * s.ldc + width, s.ldc, m)
