/* Micro-kernels of a matrix product, for one type; simd.h includes this once for float and once for double.

a) BP_T is the type, BP_(name) gives a name its suffix, BP_V is a vector of the level's width with BP_VL lanes.
b) A register tile is m rows of n vectors of c (BLIS: mr × nr), both known when it is compiled, every loop unrolled. The
   largest one fills the register file: BP_TILE_ROWS × BP_TILE_VECTORS accumulators, a row of vectors, and a broadcast.
c) Every sum is one chain of fused multiply-adds along k, however wide the vectors are.
d) A dot product runs in BP_LANES virtual lanes, lane l taking the terms l, l + BP_LANES, …; then the lanes are reduced
   pairwise, lane l and lane l + half. BP_LANES does not depend on the level, so neither do the bits.
e) While a tile computes, the multipliers are busy and the loads are not: it can prefetch what is needed later.
f) Of the last vector of a row only `last` lanes are read and written, so nothing behind a matrix is touched. */

typedef BP_T BP_(vector) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(sizeof(BP_T)), may_alias));

/* Numbers before the next address that is a multiple of a vector's bytes. */
static BP_INLINE ptrdiff_t BP_(unaligned)(const BP_T *p) {
    return (ptrdiff_t)(-(uintptr_t)p % BP_VECTOR_BYTES / BP_T_BYTES);
}

#if !BP_HAS_MASKS
static BP_INLINE BP_V BP_(load_partial)(const BP_T *p, int count) {
    BP_V v = {0};
    memcpy(&v, p, (size_t)count * sizeof(BP_T));
    return v;
}

static BP_INLINE void BP_(store_partial)(BP_T *p, int count, BP_V v) { memcpy(p, &v, (size_t)count * sizeof(BP_T)); }
#endif

/* The micro-kernel of m rows and n vectors of columns, the last of `last` lanes:

       c[r, j] = init[r·rs_init + j] + Σ_k scalar(r, k)·vector(k)[j]

   The rows of `a` in memory begin `offset` numbers behind the addresses in `rows`; those of `b` are rs_b numbers apart.
   `kind` says which operand is broadcast and which is read in vectors:

       BP_A_NO_TRANS   scalar(r, k) = rows[r][k]   vector(k) = b[k]
       BP_A_TRANS      scalar(r, k) = rows[k][r]   vector(k) = b[k]
       BP_SWAP_AB      scalar(r, k) = b[k][r]      vector(k) = rows[k]

   With rs_init = 0 every row has the same initial values. Where masks are not free, the vectors of `b` are full, and
   with the operands swapped only a tile of one vector may have a partial one. `prefetch` is NULL or has an address for
   each row, from which two cache lines are fetched every `prefetch_step` terms: behind byte `prefetch_byte` at first, then
   `prefetch_stride` bytes further each time.

   With a transposed `a`, a tile of BP_EDGE_MR rows and full vectors can have `edge_columns` columns more: each of
   `edge_vectors` accumulators holds BP_COLUMNS_PER_VECTOR of them, a column's rows in adjacent lanes. */
#define BP_COLUMNS_PER_VECTOR (BP_VL / BP_EDGE_MR)
static BP_INLINE void BP_(microkernel)(const int kind, const int m, const int n, const int edge_vectors,
                                       int edge_columns, int last, ptrdiff_t terms, const void **rows, ptrdiff_t offset,
                                       const BP_T *b, ptrdiff_t rs_b, const BP_T *init, ptrdiff_t rs_init, BP_T *c,
                                       ptrdiff_t ldc, const void **prefetch, ptrdiff_t prefetch_byte,
                                       ptrdiff_t prefetch_step, ptrdiff_t prefetch_stride) {
    BP_V sum[BP_MAX_TILE_ROWS][BP_WIDE_TILE_VECTORS];
    const BP_T *a_row[BP_TILE_ROWS];
    const int masked = BP_MASKS_ARE_FREE || (kind == BP_SWAP_AB && n == 1);
    const int partial = masked || last < BP_VL;
#if BP_EDGE_VECTORS
    BP_V edge_sum[BP_EDGE_VECTORS];
    BP_T edge_values[BP_EDGE_VECTORS * BP_VL];
    const BP_T *const edge_init = init + (n - 1) * BP_VL + last;
    BP_T *const edge_c = c + (n - 1) * BP_VL + last;
    /* What was just stored number by number, and is loaded as a vector, waits for all stores: not where rows are equal. */
    if (edge_vectors && rs_init)
        for (int j = 0; j < edge_vectors * BP_COLUMNS_PER_VECTOR; j++)
            BP_UNROLL for (int r = 0; r < BP_EDGE_MR; r++)
                edge_values[j * BP_EDGE_MR + r] = edge_init[r * rs_init + (j < edge_columns ? j : 0)];
    BP_UNROLL for (int v = 0; v < edge_vectors; v++) {
        const int j = v * BP_COLUMNS_PER_VECTOR, wanted = j + BP_COLUMNS_PER_VECTOR - 1;
        const int next = wanted < edge_columns ? wanted : edge_columns - 1;
        if (rs_init) edge_sum[v] = *(const BP_V *)(edge_values + v * BP_VL);
        else edge_sum[v] = BP_(vector_broadcast_pair)(edge_init + j, edge_init + next);
    }
#else
    (void)edge_vectors, (void)edge_columns;
#endif
    if (kind == BP_A_NO_TRANS)
        BP_UNROLL for (int r = 0; r < m; r++) a_row[r] = (const BP_T *)rows[r] + offset;
    BP_UNROLL for (int r = 0; r < m; r++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++) sum[r][v] = *(const BP_V *)(init + r * rs_init + v * BP_VL);
        const BP_T *const end = init + r * rs_init + (n - 1) * BP_VL;
        sum[r][n - 1] = partial ? BP_(load_partial)(end, last) : *(const BP_V *)end;
    }
    const ptrdiff_t step = prefetch ? prefetch_step : terms;
    for (ptrdiff_t first = 0, line = prefetch_byte; first < terms; first += step, line += prefetch_stride) {
        const ptrdiff_t stop = first + step < terms ? first + step : terms;
        if (prefetch)
            BP_UNROLL for (int r = 0; r < m; r++) {
                __builtin_prefetch((const char *)prefetch[r] + line);
                __builtin_prefetch((const char *)prefetch[r] + line + 64);
            }
        for (ptrdiff_t k = first; k < stop; k++) {
            BP_V vector[BP_WIDE_TILE_VECTORS];
            const BP_T *row = NULL;
            if (kind != BP_A_NO_TRANS) {
                row = (const BP_T *)rows[k] + offset;
                BP_KEEP_IN_REGISTER(row);
            }
            const BP_T *const scalars = kind == BP_SWAP_AB ? b + k * rs_b : row;
            const BP_T *const vectors = kind == BP_SWAP_AB ? row : b + k * rs_b;
            BP_UNROLL for (int v = 0; v < n - masked; v++) vector[v] = *(const BP_V *)(vectors + v * BP_VL);
            if (masked) vector[n - 1] = BP_(load_partial)(vectors + (n - 1) * BP_VL, last);
#if BP_EDGE_VECTORS
            BP_UNROLL for (int v = 0; v < edge_vectors; v++) {
                /* The last column stands for those that are not there. */
                const int j = v * BP_COLUMNS_PER_VECTOR, wanted = j + BP_COLUMNS_PER_VECTOR - 1;
                const int next = wanted < edge_columns ? wanted : edge_columns - 1;
                const BP_T *const y = vectors + n * BP_VL;
                const BP_V columns = BP_(vector_broadcast_pair)(y + j, y + next);
                edge_sum[v] = BP_(vector_fma)(BP_(vector_broadcast_eight)(row), columns, edge_sum[v]);
            }
#endif
            BP_UNROLL for (int r = 0; r < m; r++) {
                /* gcc makes a broadcast of x - 0, but an addition of 0 + x, which is no identity for −0. */
                const BP_V scalar = (kind == BP_A_NO_TRANS ? a_row[r][k] : scalars[r]) - (BP_V){0};
                BP_UNROLL for (int v = 0; v < n; v++) sum[r][v] = BP_(vector_fma)(scalar, vector[v], sum[r][v]);
            }
        }
    }
    BP_UNROLL for (int r = 0; r < m; r++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++) *(BP_V *)(c + r * ldc + v * BP_VL) = sum[r][v];
        BP_T *const end = c + r * ldc + (n - 1) * BP_VL;
        if (partial) BP_(store_partial)(end, last, sum[r][n - 1]);
        else *(BP_V *)end = sum[r][n - 1];
    }
#if BP_EDGE_VECTORS
    BP_UNROLL for (int v = 0; v < edge_vectors; v++) *(BP_V *)(edge_values + v * BP_VL) = edge_sum[v];
    for (int j = 0; j < edge_columns && edge_vectors; j++)
        BP_UNROLL for (int r = 0; r < BP_EDGE_MR; r++)
            edge_c[r * ldc + j] = edge_values[j * BP_EDGE_MR + r];
#endif
}

#define BP_CASE(m, n)                                                                      \
    case m:                                                                                \
        BP_(microkernel)(BP_KIND, m, n, 0, 0, last, terms, rows, offset, b, rs_b, init, rs_init, c, ldc, BP_PREFETCH); \
        return;
#define BP_WIDE_CASES(n) switch (m) { BP_CASE(1, n) BP_CASE(2, n) }
#define BP_CASES_4(n) switch (m) { BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n) }
#define BP_CASES_6(n) \
    switch (m) { BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n) BP_CASE(5, n) BP_CASE(6, n) }
#define BP_CASES_9(n)                                                                      \
    switch (m) {                                                                           \
        BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n) BP_CASE(5, n) BP_CASE(6, n) BP_CASE(7, n) BP_CASE(8, n) \
        BP_CASE(9, n)                                                                      \
    }
/* Tiles of one or two vectors, and of three. */
#define BP_TILES(tile_cases, cases_of_3)                                                   \
    switch (n) {                                                                           \
    case 1: tile_cases(1) return;                                                          \
    case 2: tile_cases(2) return;                                                          \
    case 3: cases_of_3(3) return;                                                          \
    case 4: BP_WIDE_CASES(4) return;                                                       \
    case 5: BP_WIDE_CASES(5) return;                                                       \
    case 6: BP_WIDE_CASES(6) return;                                                       \
    }
#if BP_TILE_ROWS == 9
#define BP_TILES_N BP_TILES(BP_CASES_9, BP_CASES_9)
#define BP_TILES_T BP_TILES_N
#elif BP_TILE_ROWS == 6
#define BP_TILES_N BP_TILES(BP_CASES_6, BP_CASES_4)
#define BP_TILES_T BP_TILES(BP_CASES_4, BP_CASES_4)
#else
#define BP_TILES_N BP_TILES(BP_CASES_4, BP_CASES_4)
#define BP_TILES_T BP_TILES_N
#endif

/* The micro-kernel for up to BP_TILE_ROWS rows and BP_TILE_VECTORS vectors, or fewer and more, as vectors_of says; `a` is not
   transposed. */
#define BP_KIND BP_A_NO_TRANS
#define BP_PREFETCH prefetch, prefetch_byte, prefetch_step, prefetch_stride
static BP_KERNEL void BP_(microkernel_n)(int m, int n, int last, ptrdiff_t terms, const void **rows, ptrdiff_t offset,
                                         const BP_T *b, ptrdiff_t rs_b, const BP_T *init, ptrdiff_t rs_init, BP_T *c,
                                         ptrdiff_t ldc, const void **prefetch, ptrdiff_t prefetch_byte,
                                         ptrdiff_t prefetch_step, ptrdiff_t prefetch_stride) {
    BP_TILES_N
}
#undef BP_KIND
#undef BP_PREFETCH

/* The same for a transposed `a`, of up to BP_TRANS_TILE_ROWS rows and BP_TRANS_TILE_VECTORS vectors. */
#define BP_KIND BP_A_TRANS
#define BP_PREFETCH NULL, 0, 0, 0
static BP_KERNEL void BP_(microkernel_t)(int m, int n, int last, ptrdiff_t terms, const void **rows, ptrdiff_t offset,
                                         const BP_T *b, ptrdiff_t rs_b, const BP_T *init, ptrdiff_t rs_init, BP_T *c,
                                         ptrdiff_t ldc) {
    BP_TILES_T
}
#undef BP_KIND

#if BP_EDGE_VECTORS
/* The same of BP_EDGE_MR rows, n full vectors, and 1 to BP_EDGE_VECTORS·BP_COLUMNS_PER_VECTOR edge columns. */
static BP_KERNEL void BP_(microkernel_t_edge)(int n, int edge_columns, ptrdiff_t terms, const void **rows,
                                              ptrdiff_t offset, const BP_T *b, ptrdiff_t rs_b, const BP_T *init,
                                              ptrdiff_t rs_init, BP_T *c, ptrdiff_t ldc) {
#define BP_WITH_EDGE(n, edge_vectors)                                                      \
    BP_(microkernel)(BP_A_TRANS, BP_EDGE_MR, n, edge_vectors, edge_columns, BP_VL, terms, rows, offset, b, rs_b, \
                     init, rs_init, c, ldc, NULL, 0, 0, 0)
    if (edge_columns <= BP_COLUMNS_PER_VECTOR) switch (n) {
        case 1: BP_WITH_EDGE(1, 1); return;
        case 2: BP_WITH_EDGE(2, 1); return;
        case 3: BP_WITH_EDGE(3, 1); return;
    }
    switch (n) {
    case 1: BP_WITH_EDGE(1, 2); return;
    case 2: BP_WITH_EDGE(2, 2); return;
    case 3: BP_WITH_EDGE(3, 2); return;
    }
#undef BP_WITH_EDGE
}
#else
static BP_KERNEL void BP_(microkernel_t_edge)(int n, int edge_columns, ptrdiff_t terms, const void **rows,
                                              ptrdiff_t offset, const BP_T *b, ptrdiff_t rs_b, const BP_T *init,
                                              ptrdiff_t rs_init, BP_T *c, ptrdiff_t ldc) {
    (void)n, (void)edge_columns, (void)terms, (void)rows, (void)offset, (void)b, (void)rs_b, (void)init, (void)rs_init;
    (void)c, (void)ldc;
}
#endif

/* With the operands swapped: c[r·ldc + j] += Σ_k b[k·rs_b + r]·rows[k][offset + j] for up to BP_SWAPPED_ROWS rows and
   BP_SWAPPED_NARROW vectors, or 1 vector of `last` lanes, or up to BP_SWAPPED_FEW_ROWS rows and BP_SWAPPED_WIDE vectors. */
#define BP_KIND BP_SWAP_AB
#define BP_FEW(n) BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n)
#define BP_MANY(n) BP_FEW(n) BP_CASE(5, n) BP_CASE(6, n) BP_CASE(7, n) BP_CASE(8, n)
static BP_KERNEL void BP_(microkernel_swapped)(int m, int n, int last, ptrdiff_t terms, const void **rows,
                                               ptrdiff_t offset, const BP_T *b, ptrdiff_t rs_b, BP_T *c,
                                               ptrdiff_t ldc) {
    const BP_T *const init = c;
    const ptrdiff_t rs_init = ldc;
    if (n == 1) switch (m) { BP_MANY(1) }
#if BP_SWAPPED_NARROW > 1
    else if (n == BP_SWAPPED_NARROW) switch (m) { BP_MANY(BP_SWAPPED_NARROW) }
#endif
    else switch (m) { BP_FEW(BP_SWAPPED_WIDE) }
}
#undef BP_FEW
#undef BP_MANY
#undef BP_KIND
#undef BP_PREFETCH

/* panel[k·panel_stride, :] = b[k·rs_b, :] for `terms` rows of n vectors, the last of `last` lanes, padded with 0. */
static BP_INLINE void BP_(pack)(const int n, int last, ptrdiff_t terms, const BP_T *b, ptrdiff_t rs_b, BP_T *panel,
                                ptrdiff_t panel_stride) {
    for (ptrdiff_t k = 0; k < terms; k++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++)
            *(BP_V *)(panel + k * panel_stride + v * BP_VL) = *(const BP_V *)(b + k * rs_b + v * BP_VL);
        *(BP_V *)(panel + k * panel_stride + (n - 1) * BP_VL) = BP_(load_partial)(b + k * rs_b + (n - 1) * BP_VL, last);
    }
}

static BP_KERNEL void BP_(pack_rows)(int n, int last, ptrdiff_t terms, const BP_T *b, ptrdiff_t rs_b, BP_T *panel,
                                     ptrdiff_t panel_stride) {
    switch (n) {
    case 1: BP_(pack)(1, last, terms, b, rs_b, panel, panel_stride); return;
    case 2: BP_(pack)(2, last, terms, b, rs_b, panel, panel_stride); return;
    case 3: BP_(pack)(3, last, terms, b, rs_b, panel, panel_stride); return;
    default: BP_(pack)(n, last, terms, b, rs_b, panel, panel_stride);
    }
}

/* As many independent chains of multiply-adds as a tile has, all in registers: what the processor can do at most.
   Each begins with another number, or a compiler would make one of them. */
static BP_UNUSED BP_T BP_(multiply_adds)(ptrdiff_t rounds) {
    BP_V sum[BP_TILE_ROWS * BP_TILE_VECTORS], x, y;
    BP_T total = 0;
    BP_UNROLL for (int l = 0; l < BP_VL; l++) x[l] = (BP_T)rounds / ((BP_T)rounds + 1), y[l] = (BP_T)1 / ((BP_T)l + 2);
    BP_UNROLL_TILE for (int i = 0; i < BP_TILE_ROWS * BP_TILE_VECTORS; i++) sum[i] = x * (BP_T)(i + 1);
    for (ptrdiff_t r = 0; r < rounds; r++)
        BP_UNROLL_TILE for (int i = 0; i < BP_TILE_ROWS * BP_TILE_VECTORS; i++) sum[i] = BP_(vector_fma)(sum[i], x, y);
    BP_UNROLL_TILE for (int i = 0; i < BP_TILE_ROWS * BP_TILE_VECTORS; i++) total += sum[i][0];
    return total;
}

/* Lanes reduced pairwise: s = op(s, its other half), then of that half likewise, until lanes 0 and 1 are left. */
#if BP_VL >= 16
#define BP_REDUCE_LANES(s, op)                                                             \
    s = op(s, __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)); \
    s = op(s, __builtin_shufflevector(s, s, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3)); \
    s = op(s, __builtin_shufflevector(s, s, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1))
#elif BP_VL >= 8
#define BP_REDUCE_LANES(s, op)                                                             \
    s = op(s, __builtin_shufflevector(s, s, 4, 5, 6, 7, 0, 1, 2, 3));                      \
    s = op(s, __builtin_shufflevector(s, s, 2, 3, 0, 1, 2, 3, 0, 1))
#elif BP_VL >= 4
#define BP_REDUCE_LANES(s, op) s = op(s, __builtin_shufflevector(s, s, 2, 3, 0, 1))
#else
#define BP_REDUCE_LANES(s, op) (void)0
#endif
#define BP_ADD(a, b) ((a) + (b))

/* The sum of the BP_LANES virtual lanes, reduced pairwise. */
static BP_INLINE BP_T BP_(lane_sum)(const BP_V *sum) {
    BP_V half[BP_LANE_VECTORS];
    BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) half[w] = sum[w];
    BP_UNROLL for (int w = BP_LANE_VECTORS / 2; w > 0; w /= 2)
        BP_UNROLL for (int i = 0; i < w; i++) half[i] += half[i + w];
    BP_V s = half[0];
    BP_REDUCE_LANES(s, BP_ADD);
    return s[0] + s[1];
}

/* Dot products: c[r·ldc + j] += Σ_k rows[r][k]·b[j·rs_b + k] for m rows and n columns. */
static BP_INLINE void BP_(dot_tile)(const int m, const int n, ptrdiff_t terms, const void **rows, const BP_T *b,
                                    ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    BP_V sum[BP_DOT_ROWS][BP_DOT_COLUMNS][BP_LANE_VECTORS];
    ptrdiff_t full = terms / BP_LANES * BP_LANES;
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++)
            BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) sum[r][j][w] = (BP_V){0};
#if BP_HAS_ROTATE
    /* The first terms are peeled so that no load of `a` crosses a cache line; the lanes rotate by as many. */
    const int peel = terms % BP_LANES ? 0 : (int)(-(uintptr_t)rows[0] / sizeof(BP_T) % BP_LANES);
    if (peel) {
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int j = 0; j < n; j++)
                sum[r][j][0] = BP_(vector_rotate)(
                    BP_(vector_fma_partial)(peel, *(const BP_V *)rows[r], *(const BP_V *)(b + j * rs_b), sum[r][j][0]),
                    peel);
        full -= BP_LANES;
    }
#else
    const int peel = 0;
#endif
    for (ptrdiff_t k = peel; k < full + peel; k += BP_LANES)
        BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++)
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP_(vector_fma)(*(const BP_V *)((const BP_T *)rows[r] + k + w * BP_VL),
                                                  *(const BP_V *)(b + j * rs_b + k + w * BP_VL), sum[r][j][w]);
#if BP_HAS_ROTATE
    if (peel)
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int j = 0; j < n; j++) {
                const ptrdiff_t k = terms - BP_LANES + peel;
                const BP_V x = BP_(load_partial)((const BP_T *)rows[r] + k, BP_LANES - peel);
                const BP_V y = BP_(load_partial)(b + j * rs_b + k, BP_LANES - peel);
                sum[r][j][0] = BP_(vector_rotate)(
                    BP_(vector_fma_partial)(BP_LANES - peel, x, y, sum[r][j][0]), BP_LANES - peel);
            }
    else
#endif
    if (full < terms)
        BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) {
            const int rest = (int)(terms - full) - w * BP_VL, count = rest < 0 ? 0 : rest > BP_VL ? BP_VL : rest;
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP_(vector_fma)(BP_(load_partial)((const BP_T *)rows[r] + full + w * BP_VL, count),
                                                  BP_(load_partial)(b + j * rs_b + full + w * BP_VL, count), sum[r][j][w]);
        }
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++) c[r * ldc + j] += BP_(lane_sum)(sum[r][j]);
}

#define BP_DOT_CASE(m, n) case n: BP_(dot_tile)(m, n, terms, rows, b, rs_b, c, ldc); return;
#if BP_DOT_COLUMNS == 4
#define BP_DOT_CASES(m) switch (n) { BP_DOT_CASE(m, 1) BP_DOT_CASE(m, 2) BP_DOT_CASE(m, 3) BP_DOT_CASE(m, 4) }
#else
#define BP_DOT_CASES(m) switch (n) { BP_DOT_CASE(m, 1) BP_DOT_CASE(m, 2) }
#endif

/* The same for 1, 2 or BP_DOT_ROWS rows and 1 to BP_DOT_COLUMNS columns. */
static BP_KERNEL void BP_(dots)(int m, int n, ptrdiff_t terms, const void **rows, const BP_T *b, ptrdiff_t rs_b,
                                BP_T *c, ptrdiff_t ldc) {
    switch (m) {
    case 1: BP_DOT_CASES(1) return;
    case 2: BP_DOT_CASES(2) return;
#if BP_DOT_ROWS == 4
    case 4: BP_DOT_CASES(4) return;
#endif
    }
}

#undef BP_COLUMNS_PER_VECTOR
#undef BP_CASE
#undef BP_WIDE_CASES
#undef BP_CASES_4
#undef BP_CASES_6
#undef BP_CASES_9
#undef BP_TILES
#undef BP_TILES_N
#undef BP_TILES_T
#undef BP_DOT_CASE
#undef BP_DOT_CASES
