/* Register tiles of a matrix product, for one type; simd.h includes this once for float and once for double.

a) BP_T is the type, BP_(name) gives a name its suffix, BP_V is a vector of the level's width with BP_VL lanes.
b) A tile's sums live in registers: m rows of n vectors, both known when it is compiled, every loop unrolled. Its
   sizes fill the register file: tile rows × tile vectors, a row of the second factor, and a broadcast number.
c) Every sum is one chain of fused multiply-adds along k, however wide the vectors are.
d) A dot product runs in BP_LANES virtual lanes, lane l taking the terms l, l + BP_LANES, …; then the lanes are added in
   halves. BP_LANES does not depend on the level, so neither do the bits.
e) While a tile computes, the multipliers are busy and the loads are not: it can ask for memory that is needed later.
f) Of the last vector of a row only `last` lanes are read and written, so nothing behind a matrix is touched. */

typedef BP_T BP_(vector) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(sizeof(BP_T)), may_alias));

/* Numbers before the next address that is a multiple of a vector's bytes. */
static BP_INLINE ptrdiff_t BP_(unaligned)(const BP_T *p) {
    return (ptrdiff_t)(-(uintptr_t)p % BP_VECTOR_BYTES / BP_T_BYTES);
}

#if !BP_MASKS
static BP_INLINE BP_V BP_(load_some)(const BP_T *p, int count) {
    BP_V v = {0};
    memcpy(&v, p, (size_t)count * sizeof(BP_T));
    return v;
}

static BP_INLINE void BP_(store_some)(BP_T *p, int count, BP_V v) { memcpy(p, &v, (size_t)count * sizeof(BP_T)); }
#endif

/* Sums of products for m rows and n vectors of columns, the last of `last` lanes:

       c[r, j] = from[r·from_stride + j] + Σ_k number(r, k)·vector(k)[j]

   One factor has its rows at addresses of its own, `rows`, each of which is read from its number `skip` on; the other,
   `whole`, has rows `apart` numbers from each other. Of which the numbers are taken and of which the vectors:

       BP_ALONG   number(r, k) = rows[r][k]    vector(k) = whole[k]
       BP_ACROSS  number(r, k) = rows[k][r]    vector(k) = whole[k]
       BP_STRIP   number(r, k) = whole[k][r]   vector(k) = rows[k]

   With from_stride = 0 every row starts from the same numbers. Where masks are not free, `whole` has vectors without an
   edge, and a strip has an edge only if it is one vector wide. `ahead` is NULL or has an address for each row, of which
   two lines are fetched every `ahead_step` terms, from byte `ahead_line` on.

   Across, a tile of BP_EIGHT rows without an edge can have `tails` columns more: BP_SHARE of them in each of `more`
   vectors, whose lanes are the rows, over and over. */
#define BP_SHARE (BP_VL / BP_EIGHT)
static BP_INLINE void BP_(tile)(const int kind, const int m, const int n, const int more, int edges, int last,
                                ptrdiff_t terms, const void **rows, ptrdiff_t skip, const BP_T *whole, ptrdiff_t stride,
                                const BP_T *from, ptrdiff_t from_stride, BP_T *c, ptrdiff_t ldc, const void **ahead,
                                ptrdiff_t ahead_line, ptrdiff_t ahead_step) {
    BP_V sum[BP_MOST_ROWS][BP_THIN_VECTORS];
    const BP_T *along[BP_TILE_ROWS];
    const int masked = BP_MASKS_ARE_FREE || (kind == BP_STRIP && n == 1);
    const int edge = masked || last < BP_VL;
#if BP_MORE_VECTORS
    BP_V also[BP_MORE_VECTORS];
    BP_T numbers_of[BP_MORE_VECTORS * BP_VL];
    const BP_T *const from_tail = from + (n - 1) * BP_VL + last;
    BP_T *const tail = c + (n - 1) * BP_VL + last;
    if (more)
        for (int j = 0; j < more * BP_SHARE; j++)
            BP_UNROLL for (int r = 0; r < BP_EIGHT; r++)
                numbers_of[j * BP_EIGHT + r] = from_tail[r * from_stride + (j < edges ? j : 0)];
    BP_UNROLL for (int v = 0; v < more; v++) also[v] = *(const BP_V *)(numbers_of + v * BP_VL);
#else
    (void)more, (void)edges;
#endif
    if (kind == BP_ALONG)
        BP_UNROLL for (int r = 0; r < m; r++) along[r] = (const BP_T *)rows[r] + skip;
    BP_UNROLL for (int r = 0; r < m; r++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++) sum[r][v] = *(const BP_V *)(from + r * from_stride + v * BP_VL);
        const BP_T *const end = from + r * from_stride + (n - 1) * BP_VL;
        sum[r][n - 1] = edge ? BP_(load_some)(end, last) : *(const BP_V *)end;
    }
    const ptrdiff_t step = ahead ? ahead_step : terms;
    for (ptrdiff_t first = 0, line = ahead_line; first < terms; first += step, line += 128) {
        const ptrdiff_t stop = first + step < terms ? first + step : terms;
        if (ahead)
            BP_UNROLL for (int r = 0; r < m; r++) {
                __builtin_prefetch((const char *)ahead[r] + line);
                __builtin_prefetch((const char *)ahead[r] + line + 64);
            }
        for (ptrdiff_t k = first; k < stop; k++) {
            BP_V vector[BP_THIN_VECTORS];
            const BP_T *row = NULL;
            if (kind != BP_ALONG) {
                row = (const BP_T *)rows[k] + skip;
                BP_KNOWN(row);
            }
            const BP_T *const numbers = kind == BP_STRIP ? whole + k * stride : row;
            const BP_T *const vectors = kind == BP_STRIP ? row : whole + k * stride;
            BP_UNROLL for (int v = 0; v < n - masked; v++) vector[v] = *(const BP_V *)(vectors + v * BP_VL);
            if (masked) vector[n - 1] = BP_(load_some)(vectors + (n - 1) * BP_VL, last);
#if BP_MORE_VECTORS
            BP_UNROLL for (int v = 0; v < more; v++) {
                /* Of columns that are not there the last is read instead. */
                const int j = v * BP_SHARE, next = j + BP_SHARE - 1 < edges ? j + BP_SHARE - 1 : edges - 1;
                const BP_T *const y = vectors + n * BP_VL;
                also[v] = BP_(vector_fma)(BP_(vector_repeat)(row), BP_(vector_halves)(y + j, y + next), also[v]);
            }
#endif
            BP_UNROLL for (int r = 0; r < m; r++) {
                /* gcc makes a plain broadcast of x - 0, but an addition of 0 + x, which is no identity for −0. */
                const BP_V number = (kind == BP_ALONG ? along[r][k] : numbers[r]) - (BP_V){0};
                BP_UNROLL for (int v = 0; v < n; v++) sum[r][v] = BP_(vector_fma)(number, vector[v], sum[r][v]);
            }
        }
    }
    BP_UNROLL for (int r = 0; r < m; r++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++) *(BP_V *)(c + r * ldc + v * BP_VL) = sum[r][v];
        BP_T *const end = c + r * ldc + (n - 1) * BP_VL;
        if (edge) BP_(store_some)(end, last, sum[r][n - 1]);
        else *(BP_V *)end = sum[r][n - 1];
    }
#if BP_MORE_VECTORS
    BP_UNROLL for (int v = 0; v < more; v++) *(BP_V *)(numbers_of + v * BP_VL) = also[v];
    for (int j = 0; j < edges && more; j++)
        BP_UNROLL for (int r = 0; r < BP_EIGHT; r++) tail[r * ldc + j] = numbers_of[j * BP_EIGHT + r];
#endif
}

#define BP_CASE(m, n)                                                                      \
    case m:                                                                                \
        BP_(tile)(BP_KIND, m, n, 0, 0, last, terms, rows, skip, whole, stride, from, from_stride, c, ldc, BP_AHEAD); \
        return;
#if BP_TILE_ROWS == 9
#define BP_MORE_CASES(n) BP_CASE(5, n) BP_CASE(6, n) BP_CASE(7, n) BP_CASE(8, n) BP_CASE(9, n)
#else
#define BP_MORE_CASES(n)
#endif
#define BP_THIN(n) switch (m) { BP_CASE(1, n) BP_CASE(2, n) }
#define BP_FULL(n) switch (m) { BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n) BP_MORE_CASES(n) }
#define BP_TILES                                                                           \
    switch (n) {                                                                           \
    case 1: BP_FULL(1) return;                                                             \
    case 2: BP_FULL(2) return;                                                             \
    case 3: BP_FULL(3) return;                                                             \
    case 4: BP_THIN(4) return;                                                             \
    case 5: BP_THIN(5) return;                                                             \
    case 6: BP_THIN(6) return;                                                             \
    }

/* The tile for m rows (1 to BP_TILE_ROWS) and n vectors (1 to BP_TILE_VECTORS), or up to BP_THIN_ROWS rows and
   BP_THIN_VECTORS vectors. */
#define BP_KIND BP_ALONG
#define BP_AHEAD ahead, ahead_line, ahead_step
static BP_UNUSED void BP_(tile_along)(int m, int n, int last, ptrdiff_t terms, const void **rows, ptrdiff_t skip,
                                      const BP_T *whole, ptrdiff_t stride, const BP_T *from, ptrdiff_t from_stride, BP_T *c,
                                      ptrdiff_t ldc, const void **ahead, ptrdiff_t ahead_line, ptrdiff_t ahead_step) {
    BP_TILES
}
#undef BP_KIND
#undef BP_AHEAD

#define BP_KIND BP_ACROSS
#define BP_AHEAD NULL, 0, 0
static BP_UNUSED void BP_(tile_across)(int m, int n, int last, ptrdiff_t terms, const void **rows, ptrdiff_t skip,
                                       const BP_T *whole, ptrdiff_t stride, const BP_T *from, ptrdiff_t from_stride,
                                       BP_T *c, ptrdiff_t ldc) {
    BP_TILES
}
#undef BP_KIND

#if BP_MORE_VECTORS
/* The tile of BP_EIGHT rows and n whole vectors across with `tails` columns more, 1 to BP_MORE_VECTORS·BP_SHARE. */
static BP_UNUSED void BP_(tile_and_edge)(int n, int edges, ptrdiff_t terms, const void **rows, ptrdiff_t skip,
                                         const BP_T *whole, ptrdiff_t stride, const BP_T *from, ptrdiff_t from_stride,
                                         BP_T *c, ptrdiff_t ldc) {
#define BP_AND_TAIL(n, more)                                                               \
    BP_(tile)(BP_ACROSS, BP_EIGHT, n, more, edges, BP_VL, terms, rows, skip, whole, stride, from, from_stride, c, ldc, \
              NULL, 0, 0)
    if (edges <= BP_SHARE) switch (n) {
        case 1: BP_AND_TAIL(1, 1); return;
        case 2: BP_AND_TAIL(2, 1); return;
        case 3: BP_AND_TAIL(3, 1); return;
    }
    switch (n) {
    case 1: BP_AND_TAIL(1, 2); return;
    case 2: BP_AND_TAIL(2, 2); return;
    case 3: BP_AND_TAIL(3, 2); return;
    }
#undef BP_AND_TAIL
}
#else
static BP_UNUSED void BP_(tile_and_edge)(int n, int edges, ptrdiff_t terms, const void **rows, ptrdiff_t skip,
                                         const BP_T *whole, ptrdiff_t stride, const BP_T *from, ptrdiff_t from_stride,
                                         BP_T *c, ptrdiff_t ldc) {
    (void)n, (void)edges, (void)terms, (void)rows, (void)skip, (void)whole, (void)stride, (void)from, (void)from_stride;
    (void)c, (void)ldc;
}
#endif

/* c[r·ldc + j] += Σ_k whole[k·apart + r]·rows[k][skip + j] for up to BP_STRIP_ROWS rows and BP_STRIP_NARROW
   vectors or 1 vector of `last` lanes, or up to BP_STRIP_FEW rows and BP_STRIP_WIDE vectors. */
#define BP_KIND BP_STRIP
#define BP_FEW(n) BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n)
#define BP_MANY(n) BP_FEW(n) BP_CASE(5, n) BP_CASE(6, n) BP_CASE(7, n) BP_CASE(8, n)
static BP_UNUSED void BP_(strip)(int m, int n, int last, ptrdiff_t terms, const void **rows, ptrdiff_t skip,
                                 const BP_T *whole, ptrdiff_t stride, BP_T *c, ptrdiff_t ldc) {
    const BP_T *const from = c;
    const ptrdiff_t from_stride = ldc;
    if (n == 1) switch (m) { BP_MANY(1) }
#if BP_STRIP_NARROW > 1
    else if (n == BP_STRIP_NARROW) switch (m) { BP_MANY(BP_STRIP_NARROW) }
#endif
    else switch (m) { BP_FEW(BP_STRIP_WIDE) }
}
#undef BP_FEW
#undef BP_MANY
#undef BP_KIND
#undef BP_AHEAD

/* panel[k·panel_stride, :] = b[k·rs_b, :] for `terms` rows of n vectors, the last of `last` lanes and filled up with 0. */
static BP_INLINE void BP_(pack)(const int n, int last, ptrdiff_t terms, const BP_T *b, ptrdiff_t rs_b, BP_T *panel,
                                ptrdiff_t panel_stride) {
    for (ptrdiff_t k = 0; k < terms; k++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++)
            *(BP_V *)(panel + k * panel_stride + v * BP_VL) = *(const BP_V *)(b + k * rs_b + v * BP_VL);
        *(BP_V *)(panel + k * panel_stride + (n - 1) * BP_VL) = BP_(load_some)(b + k * rs_b + (n - 1) * BP_VL, last);
    }
}

static BP_UNUSED void BP_(pack_rows)(int n, int last, ptrdiff_t terms, const BP_T *b, ptrdiff_t rs_b, BP_T *panel,
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

/* s = with(s, its other half), then of that half likewise, until lanes 0 and 1 are left. */
#if BP_VL >= 16
#define BP_HALVES(s, with)                                                                 \
    s = with(s, __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)); \
    s = with(s, __builtin_shufflevector(s, s, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3)); \
    s = with(s, __builtin_shufflevector(s, s, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1))
#elif BP_VL >= 8
#define BP_HALVES(s, with)                                                                 \
    s = with(s, __builtin_shufflevector(s, s, 4, 5, 6, 7, 0, 1, 2, 3));                    \
    s = with(s, __builtin_shufflevector(s, s, 2, 3, 0, 1, 2, 3, 0, 1))
#elif BP_VL >= 4
#define BP_HALVES(s, with) s = with(s, __builtin_shufflevector(s, s, 2, 3, 0, 1))
#else
#define BP_HALVES(s, with) (void)0
#endif
#define BP_PLUS(a, b) ((a) + (b))

/* The BP_LANES virtual lanes of a sum, added in halves. */
static BP_INLINE BP_T BP_(lane_sum)(const BP_V *sum) {
    BP_V half[BP_WIDE];
    BP_UNROLL for (int w = 0; w < BP_WIDE; w++) half[w] = sum[w];
    BP_UNROLL for (int w = BP_WIDE / 2; w > 0; w /= 2)
        BP_UNROLL for (int i = 0; i < w; i++) half[i] += half[i + w];
    BP_V s = half[0];
    BP_HALVES(s, BP_PLUS);
    return s[0] + s[1];
}

/* c[r·ldc + j] += Σ_k rows[r][k]·b[j·rs_b + k] for m rows and n columns. */
static BP_INLINE void BP_(dots)(const int m, const int n, ptrdiff_t terms, const void **rows, const BP_T *b,
                                ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    BP_V sum[BP_DOT_ROWS][BP_DOT_COLUMNS][BP_WIDE];
    ptrdiff_t whole = terms / BP_LANES * BP_LANES;
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++)
            BP_UNROLL for (int w = 0; w < BP_WIDE; w++) sum[r][j][w] = (BP_V){0};
#if BP_ROTATES
    /* Vectors on a line of the cache each, not on two: the first few terms apart, then all lanes further by as many. */
    const int few = terms % BP_LANES ? 0 : (int)(-(uintptr_t)rows[0] / sizeof(BP_T) % BP_LANES);
    if (few) {
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int j = 0; j < n; j++)
                sum[r][j][0] = BP_(vector_rotate)(
                    BP_(vector_fma_some)(few, *(const BP_V *)rows[r], *(const BP_V *)(b + j * rs_b), sum[r][j][0]), few);
        whole -= BP_LANES;
    }
#else
    const int few = 0;
#endif
    for (ptrdiff_t k = few; k < whole + few; k += BP_LANES)
        BP_UNROLL for (int w = 0; w < BP_WIDE; w++)
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP_(vector_fma)(*(const BP_V *)((const BP_T *)rows[r] + k + w * BP_VL),
                                                  *(const BP_V *)(b + j * rs_b + k + w * BP_VL), sum[r][j][w]);
#if BP_ROTATES
    if (few)
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int j = 0; j < n; j++) {
                const ptrdiff_t k = terms - BP_LANES + few;
                const BP_V x = BP_(load_some)((const BP_T *)rows[r] + k, BP_LANES - few);
                const BP_V y = BP_(load_some)(b + j * rs_b + k, BP_LANES - few);
                sum[r][j][0] = BP_(vector_rotate)(
                    BP_(vector_fma_some)(BP_LANES - few, x, y, sum[r][j][0]), BP_LANES - few);
            }
    else
#endif
    if (whole < terms)
        BP_UNROLL for (int w = 0; w < BP_WIDE; w++) {
            const int rest = (int)(terms - whole) - w * BP_VL, count = rest < 0 ? 0 : rest > BP_VL ? BP_VL : rest;
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP_(vector_fma)(BP_(load_some)((const BP_T *)rows[r] + whole + w * BP_VL, count),
                                                  BP_(load_some)(b + j * rs_b + whole + w * BP_VL, count), sum[r][j][w]);
        }
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++) c[r * ldc + j] += BP_(lane_sum)(sum[r][j]);
}

#define BP_DOT_CASE(m, n) case n: BP_(dots)(m, n, terms, rows, b, rs_b, c, ldc); return;
#if BP_DOT_COLUMNS == 4
#define BP_DOT_CASES(m) switch (n) { BP_DOT_CASE(m, 1) BP_DOT_CASE(m, 2) BP_DOT_CASE(m, 3) BP_DOT_CASE(m, 4) }
#else
#define BP_DOT_CASES(m) switch (n) { BP_DOT_CASE(m, 1) BP_DOT_CASE(m, 2) }
#endif

/* The same for 1, 2 or BP_DOT_ROWS rows and 1 to BP_DOT_COLUMNS columns. */
static BP_UNUSED void BP_(dots_of)(int m, int n, ptrdiff_t terms, const void **rows, const BP_T *b, ptrdiff_t rs_b,
                                   BP_T *c, ptrdiff_t ldc) {
    switch (m) {
    case 1: BP_DOT_CASES(1) return;
    case 2: BP_DOT_CASES(2) return;
#if BP_DOT_ROWS == 4
    case 4: BP_DOT_CASES(4) return;
#endif
    }
}

#undef BP_SHARE
#undef BP_CASE
#undef BP_MORE_CASES
#undef BP_THIN
#undef BP_FULL
#undef BP_TILES
#undef BP_DOT_CASE
#undef BP_DOT_CASES
