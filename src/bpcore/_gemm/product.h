/* The matrix product behind the affine layer: c = bias + a·b, blocked, packed, and exact at the edges. For one type
   and one kind of product: blocks.h includes this once for each. BP_KIND is the kind, BP_OF(name) a name with its suffix.

a) The columns of c are divided into blocks at most as wide as a register tile. A part of the rows of c, or of the columns
   from one multiple of BP_LANES to another or to the end, is a product of its own with the same bits: so threads share c.
b) k is divided into blocks whose panel of `b` stays in cache (BLIS: kc), packed in memory of the thread where rows are long
   or vectors partial; the rows of c into blocks whose part of `a` is not too large (mc, blocks.h). The next k block
   adds to the sums in c, so every element is one chain of fused multiply-adds, whatever kc is.
c) The rows of `a` may be anywhere in memory, so that a mini-batch need not be copied: tiles read them by address.
d) Each row of a transposed `a` is in another page, and a tile reads few numbers of each. Where many blocks do so, `a` is
   packed, if the caller has memory for it.
e) The edge, a few last columns, is computed in edges.h.
f) Products of few rows or a small k are computed by few_rows.h, not in tiles: there, a large matrix is read, or written,
   once and in its order in memory. The order of the sums is the same.
g) The kind is a constant of the preprocessor, so that a module that has one of them compiles nothing of the others: what an
   inlined function names after `if (0)` a compiler leaves out, what it names after a test of an argument it compiles. */

/* The columns of c from first_column on, where c begins; bias too, or it is NULL. */
static BP_INLINE void BP_OF(edge_by_dots)(const bp_rows a, const BP_T *b, const BP_T *bias, BP_T *c,
                                          const bp_shape *s, ptrdiff_t first_column) {
    BP_(init_edge)(bias, c, s->ldc, s->rows, s->columns - first_column);
    for (ptrdiff_t k = 0; k < s->terms; k += BP_DOT_TERMS) {
        const ptrdiff_t terms = bp_min(BP_DOT_TERMS, s->terms - k);
        const BP_T *const part = b + k * s->rs_b;
        if (BP_(edge_in_place)(BP_KIND, s, first_column)) {
            for (ptrdiff_t r = 0; r < s->rows; r++)
                BP_(few_edge_columns)((int)(s->columns - first_column), terms, BP_(row_address)(&a, r) + k,
                                      part + first_column, s->rs_b, c + r * s->ldc);
            continue;
        }
        const BP_(edge_columns) edge =
            BP_(edge_columns_of)(BP_KIND, part, s, k, terms, first_column, (BP_T *)bp_dot_memory());
        BP_(edge_dots)(bp_a_from(BP_FORWARD, a, 0, k), &edge, terms, c, s->ldc, s->rows);
    }
}

/* The product, if there are so few rows or terms that b is best read in place; else 0. */
static BP_INLINE int BP_OF(few_rows_product)(const bp_rows a, const BP_T *b, const BP_T *bias, BP_T *c,
                                             const bp_shape *s) {
    const ptrdiff_t columns = s->columns - BP_(edge_width)(BP_KIND, s);
    const void *rows[BP_SMALL_K];
    if (!BP_FEW_ROWS_COMPILED) return 0;
    if (BP_KIND == BP_PARAMETERS) {
        if (!BP_(has_small_k)(s)) {
            if (s->terms == 1) BP_(outer_product)(s->rows, s->columns, BP_(row_address)(&a, 0), b, c, s->ldc);
            return s->terms == 1;
        }
        BP_(row_addresses)(a, s->terms, rows);
        BP_(small_k)(s->rows, s->columns, (int)s->terms, rows, b, s->rs_b, c, s->ldc);
        return 1;
    }
    if (BP_KIND == BP_FORWARD) {
        const int is_wide =
            s->rows <= BP_WIDE_TILE_ROWS ? columns > BP_AXPY_MIN_VECTORS * BP_VL : BP_(is_long)(columns);
        if (s->rows > BP_AXPY_ROWS || !is_wide) return 0;
        BP_(row_addresses)(a, s->rows, rows);
        BP_(init_edge)(bias, c, s->ldc, s->rows, columns);
        BP_(few_rows_axpy)((int)s->rows, columns, s->terms, rows, b, s->rs_b, c, s->ldc);
    } else {
        if (s->rows > BP_FEW_ROWS || columns < BP_VL || s->terms < 4) return 0;
        BP_(row_addresses)(a, s->rows, rows);
        BP_(few_rows)((int)s->rows, columns, s->terms, rows, b, s->cs_b, c, s->ldc);
    }
    if (columns < s->columns) BP_OF(edge_by_dots)(a, b, bias ? bias + columns : NULL, c + columns, s, columns);
    return 1;
}

/* One block of columns of c, `width` of them: the loop over its rows around the micro-kernel. `init` has the initial values
   of the sums in the first k block, or is NULL; the k blocks behind the first are added to c. After each tile the dot
   products of `edge` are computed, if it is not NULL. Of a transposed `a`, tiles compute n_edge edge columns too. */
static BP_INLINE void BP_OF(macrokernel)(const bp_rows a, const BP_T *b, const BP_T *init, BP_T *c,
                                         const bp_shape *s, ptrdiff_t k, ptrdiff_t terms, ptrdiff_t width, int packed,
                                         const BP_T *next_b, const bp_prefetch prefetch,
                                         const BP_(edge_columns) *edge, int n_edge) {
    BP_T zero[96];
    const void *rows[BP_MAX_KC];
    const int vectors = (int)((width + BP_VL - 1) / BP_VL), last = (int)width - (vectors - 1) * BP_VL;
    const ptrdiff_t padded = vectors * BP_VL, height = n_edge ? BP_EDGE_MR : BP_MR(BP_KIND);
    const ptrdiff_t tiles = (s->rows + height - 1) / height;
    const ptrdiff_t pieces = next_b ? BP_(pieces_ahead)(BP_KIND, s->rows, terms, width) : 1;
    const ptrdiff_t ahead_step = next_b ? bp_max(terms / pieces, 16) : 0;
    const BP_T *b_block = b + k * s->rs_b;
    ptrdiff_t rs_b = s->rs_b;
    if (!init) {
        for (ptrdiff_t j = 0; j < padded + n_edge; j++) zero[j] = 0;
        init = zero;
    }
    if (packed) {
        BP_T *const panel = (BP_T *)bp_panel_memory();
        if (BP_KIND == BP_INPUT) BP_(pack_columns)(width, padded, terms, b_block, s->cs_b, panel, padded);
        else BP_(pack_rows)(vectors, last, terms, b_block, rs_b, panel, padded);
        b_block = panel, rs_b = padded;
    }
    if (BP_KIND == BP_PARAMETERS) BP_(row_addresses)(bp_a_from(BP_KIND, a, 0, k), terms, rows);
    for (ptrdiff_t n = 0, r = 0, next; n < tiles; n++, r = next) {
        /* Tiles of nearly equal height, since a low one has too few independent sums. */
        next = n_edge ? bp_min((n + 1) * BP_EDGE_MR, s->rows) : s->rows * (n + 1) / tiles;
        const int m = (int)(next - r);
        const BP_T *const tile_init = k > 0 ? c + r * s->ldc : init;
        const ptrdiff_t rs_init = k > 0 ? s->ldc : 0;
        if (BP_KIND == BP_PARAMETERS) {
            if (n_edge && m == BP_EDGE_MR)
                BP_(microkernel_t_edge)(vectors, n_edge, terms, rows, r, b_block, rs_b, tile_init, rs_init,
                                        c + r * s->ldc, s->ldc);
            else
                BP_(microkernel_t)(m, vectors, last, terms, rows, s->packed_a ? n * terms * BP_MR(BP_KIND) : r, b_block,
                                   rs_b, tile_init, rs_init, c + r * s->ldc, s->ldc);
            continue;
        }
        const void *ahead_rows[BP_TILE_ROWS];
        bp_ahead ahead = {NULL, 0, 0, 0};
        if (prefetch.rows) ahead = (bp_ahead){prefetch.rows + r, k / prefetch.step * 128, prefetch.step, 128};
        else if (next_b)
            ahead = BP_(panel_ahead)(BP_KIND, next_b, s, pieces, ahead_step, width, r, m, ahead_rows);
        BP_(row_addresses)(bp_a_from(BP_KIND, a, r, k), m, rows);
        BP_(microkernel_n)(m, vectors, last, terms, rows, 0, b_block, rs_b, tile_init, rs_init, c + r * s->ldc, s->ldc,
                           ahead.rows, ahead.byte, ahead.step, ahead.stride);
        if (edge) BP_(edge_dots)(bp_a_from(BP_KIND, a, r, k), edge, terms, c + r * s->ldc + width, s->ldc, m);
    }
}

/* c = bias + a·b on the calling thread; bias has the initial values of each row. Of the kinds but BP_FORWARD it is NULL: 0. */
static BP_UNUSED void BP_OF(product)(const bp_rows a, const BP_T *b, const BP_T *bias, BP_T *c,
                                     const bp_shape *s, const bp_prefetch prefetch) {
    const ptrdiff_t columns = s->columns - BP_(edge_width)(BP_KIND, s), blocks = BP_(blocks_of)(BP_KIND, s);
    /* Long rows compete for sets of the first-level cache and take a page each; packing pays when they are read again. */
    const int has_long_rows =
        s->rows > 4 * BP_MR(BP_KIND) && (BP_(is_long)(s->rs_b) || s->rs_b * BP_T_BYTES % BP_CONFLICT_BYTES == 0);
    const int has_partial_vectors = columns % BP_VL != 0 && !BP_MASKS_ARE_FREE && !s->edge;
    /* Half of the loads of rows that begin anywhere take two lines. (Vectors of 64 bytes were not looked into.) */
    const int splits_lines = BP_KIND == BP_FORWARD && BP_VECTOR_BYTES < 64 && s->rows > BP_PACK_MIN_ROWS
        && ((uintptr_t)b % 64 || s->rs_b * BP_T_BYTES % 64);
    const int packed =
        (BP_KIND == BP_INPUT || has_long_rows || has_partial_vectors || splits_lines) && s->ps_b == 0;
    const ptrdiff_t k_blocks = BP_(k_blocks_of)(BP_KIND, s, packed);
    const int prefetches_panels = BP_KIND != BP_PARAMETERS && packed && s->terms >= BP_AHEAD_MIN_TERMS
        && s->terms * columns * BP_T_BYTES >= BP_AHEAD_MIN_BYTES;
    const ptrdiff_t kc = bp_max((s->terms + k_blocks - 1) / k_blocks, 1);
    const int has_dots = BP_KIND != BP_PARAMETERS && columns < s->columns;
    /* Dot products read the rows of `a` a second time: best right after the tile that read them. */
    const int fuse_dots = has_dots && blocks > 0 && s->terms <= BP_DOT_TERMS && k_blocks == 1
        && !BP_(edge_in_place)(BP_KIND, s, columns);
    /* Edge columns that fit into the tiles of the last block, of BP_EDGE_MR rows each. */
    const int n_edge = BP_KIND == BP_PARAMETERS && blocks > 0 && !packed && !s->edge && !s->packed_a
        && s->columns - columns <= BP_EDGE_VECTORS * BP_VL / BP_EDGE_MR ? (int)(s->columns - columns) : 0;
    const BP_T *const edge_bias = bias ? bias + columns : NULL;
    ptrdiff_t mc = bp_max(BP_M_BLOCK_BYTES / (kc * BP_T_BYTES), 4 * BP_MR(BP_KIND));
    BP_(edge_columns) edge = {0, NULL, 0};
    bp_shape part = *s;
    if (s->rows == 0 || s->columns == 0) return;
    if (!s->edge && s->ps_b == 0 && BP_OF(few_rows_product)(a, b, bias, c, s)) return;
    if (fuse_dots) edge = BP_(edge_columns_of)(BP_KIND, b, s, 0, s->terms, columns, (BP_T *)bp_dot_memory());
    if (s->packed_a) mc = s->packed_a_bytes / (kc * BP_T_BYTES * BP_MR(BP_KIND)) * BP_MR(BP_KIND);
    const ptrdiff_t m_blocks = (s->rows + mc - 1) / mc;
    for (ptrdiff_t m_block = 0; m_block < m_blocks; m_block++) {
        const ptrdiff_t first = s->rows * m_block / m_blocks;
        const bp_rows rows = bp_a_from(BP_KIND, a, first, 0);
        BP_T *const c_rows = c + first * s->ldc;
        part.rows = s->rows * (m_block + 1) / m_blocks - first;
        for (ptrdiff_t k_block = 0; k_block < k_blocks; k_block++) {
            const ptrdiff_t k = s->terms * k_block / k_blocks, terms = s->terms * (k_block + 1) / k_blocks - k;
            bp_rows block_of_a = rows;
            if (BP_KIND == BP_PARAMETERS && s->packed_a) {
                BP_(pack_a)(rows, part.rows, k, terms, (BP_T *)s->packed_a);
                block_of_a = (bp_rows){s->packed_a, BP_MR(BP_KIND), NULL, -k, 0};
            }
            for (ptrdiff_t n = 0; n < blocks; n++) {
                const ptrdiff_t column = BP_(block_start)(BP_KIND, s, columns, n, blocks);
                const ptrdiff_t width = BP_(block_start)(BP_KIND, s, columns, n + 1, blocks) - column;
                const int is_last = n == blocks - 1, prefetches = prefetch.rows && n == 0;
                const BP_T *const next_b =
                    prefetches_panels && !is_last ? b + (column + width) * s->cs_b + k * s->rs_b : NULL;
                if (fuse_dots && is_last)
                    BP_(init_edge)(edge_bias, c_rows + columns, s->ldc, part.rows, s->columns - columns);
                BP_OF(macrokernel)(block_of_a, b + (s->ps_b > 0 ? n * s->ps_b : column * s->cs_b),
                                   bias ? bias + column : NULL, c_rows + column, &part, k, terms, width, packed, next_b,
                                   (bp_prefetch){prefetches ? prefetch.rows + first : NULL, prefetch.step},
                                   fuse_dots && is_last ? &edge : NULL, is_last ? n_edge : 0);
            }
        }
        if (has_dots && !fuse_dots) BP_OF(edge_by_dots)(rows, b, edge_bias, c_rows + columns, &part, columns);
        if (BP_KIND == BP_PARAMETERS && columns < s->columns) {
            const ptrdiff_t done = n_edge ? part.rows / BP_EDGE_MR * BP_EDGE_MR : 0;
            part.rows -= done;
            if (s->edge) part.edge = (BP_T *)s->edge + first;
            BP_(edge_swapped)(bp_a_from(BP_KIND, rows, done, 0), b, c_rows + done * s->ldc, &part, columns);
        }
    }
}

/* The product on several threads: they share the rows or, where these are few, a grid of rows and columns. */
static BP_UNUSED void BP_OF(product_shared)(const bp_rows a, const BP_T *b, const BP_T *bias, BP_T *c,
                                            const bp_shape *s, int threads) {
    if (threads <= 1) {
        BP_OF(product)(a, b, bias, c, s, (bp_prefetch){NULL, 0});
        return;
    }
    const ptrdiff_t width = s->columns - BP_(edge_width)(BP_KIND, s);
    const ptrdiff_t most = bp_min(BP_(blocks_of)(BP_KIND, s), (width + BP_LANES - 1) / BP_LANES);
    const ptrdiff_t rows = bp_min(threads, (s->rows + BP_MR(BP_KIND) - 1) / BP_MR(BP_KIND));
    const ptrdiff_t columns = bp_max(bp_min(threads / bp_max(rows, 1), most), 1), parts = rows * columns;
#if defined(_OPENMP)
#pragma omp parallel for num_threads(threads) schedule(static)
#endif
    for (ptrdiff_t n = 0; n < parts; n++) {
        const ptrdiff_t row = n / columns, column = n % columns, first = s->rows * row / rows;
        /* A part whose width is no multiple of BP_LANES has an edge of its own: only the last part may, or columns in the
           middle of c would be dot products. */
        const ptrdiff_t start = bp_part_start(width, column, columns, BP_LANES);
        const ptrdiff_t stop =
            column + 1 < columns ? bp_part_start(width, column + 1, columns, BP_LANES) : s->columns;
        bp_shape part = *s;
        part.rows = s->rows * (row + 1) / rows - first, part.columns = stop - start;
        if (s->packed_a) part.packed_a = (char *)s->packed_a + n * s->packed_a_bytes;
        BP_OF(product)(bp_a_from(BP_KIND, a, first, 0), b + start * s->cs_b, bias ? bias + start : NULL,
                       c + first * s->ldc + start, &part, (bp_prefetch){NULL, 0});
    }
}

