/* Register tiles of a matrix product, for one type; simd.h includes this once for float and once for double.

a) T is the type, BP(name) gives a name its suffix, V is a vector of the level's width with VL lanes.
b) A tile's sums live in registers: m rows of n vectors, both known when it is compiled, every loop unrolled. Its
   sizes fill the register file: tile rows × tile vectors, a row of the second factor, and a broadcast number.
c) Every sum is one chain of fused multiply-adds along k, however wide the vectors are.
d) A dot product runs in LANES virtual lanes, lane l taking the terms l, l + LANES, …; then the lanes are added in
   halves. LANES does not depend on the level, so neither do the bits.
e) While a tile computes, the multipliers are busy and the loads are not: it can ask for memory that is needed later.
f) Of the last vector of a row only `last` lanes are read and written, so nothing behind a matrix is touched. */

typedef T BP(vector) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
#define V BP(vector)
#define VL (BP_VECTOR_BYTES / T_BYTES)
#define LANES (64 / T_BYTES)
#define WIDE (LANES / VL)

#if !BP_MASKS
static BP_INLINE V BP(load_some)(const T *p, int count) {
    V v = {0};
    memcpy(&v, p, (size_t)count * sizeof(T));
    return v;
}

static BP_INLINE void BP(store_some)(T *p, int count, V v) { memcpy(p, &v, (size_t)count * sizeof(T)); }
#endif

/* Sums of products for m rows and n vectors of columns, the last of `last` lanes:

       c[r, j] = from[r·from_row + j] + Σ_k number(r, k)·vector(k)[j]

   One factor has its rows at addresses of its own, `rows`, each of which is read from its number `skip` on; the other,
   `whole`, has rows `apart` numbers from each other. Of which the numbers are taken and of which the vectors:

       BP_ALONG   number(r, k) = rows[r][k]    vector(k) = whole[k]
       BP_ACROSS  number(r, k) = rows[k][r]    vector(k) = whole[k]
       BP_STRIP   number(r, k) = whole[k][r]   vector(k) = rows[k]

   With from_row = 0 every row starts from the same numbers. Where masks are not free, `whole` has vectors without an
   edge, and a strip has an edge only if it is one vector wide. `ahead` is NULL or has an address for each row, of which
   two lines are fetched every `ahead_step` terms, from byte `ahead_line` on.

   Across, a tile of BP_EIGHT rows without an edge can have `tails` columns more: SHARE of them in each of `more`
   vectors, whose lanes are the rows, over and over. */
#define SHARE (VL / BP_EIGHT)
static BP_INLINE void BP(tile)(const int kind, const int m, const int n, const int more, int tails, int last, ptrdiff_t K, const void **rows,
                               ptrdiff_t skip, const T *whole, ptrdiff_t apart, const T *from, ptrdiff_t from_row,
                               T *c, ptrdiff_t c_row, const void **ahead, ptrdiff_t ahead_line, ptrdiff_t ahead_step) {
    V sum[BP_MOST_ROWS][BP_THIN_VECTORS];
    const T *along[BP_TILE_ROWS];
    const int masked = BP_MASKS_ARE_FREE || (kind == BP_STRIP && n == 1);
    const int edge = masked || last < VL;
#if BP_MORE_VECTORS
    V also[BP_MORE_VECTORS];
    T numbers_of[BP_MORE_VECTORS * VL];
    const T *const from_tail = from + (n - 1) * VL + last;
    T *const tail = c + (n - 1) * VL + last;
    if (more)
        for (int j = 0; j < more * SHARE; j++)
            BP_UNROLL for (int r = 0; r < BP_EIGHT; r++)
                numbers_of[j * BP_EIGHT + r] = from_tail[r * from_row + (j < tails ? j : 0)];
    BP_UNROLL for (int v = 0; v < more; v++) also[v] = *(const V *)(numbers_of + v * VL);
#endif
    if (kind == BP_ALONG)
        BP_UNROLL for (int r = 0; r < m; r++) along[r] = (const T *)rows[r] + skip;
    BP_UNROLL for (int r = 0; r < m; r++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++) sum[r][v] = *(const V *)(from + r * from_row + v * VL);
        const T *const end = from + r * from_row + (n - 1) * VL;
        sum[r][n - 1] = edge ? BP(load_some)(end, last) : *(const V *)end;
    }
    const ptrdiff_t step = ahead ? ahead_step : K;
    for (ptrdiff_t first = 0, line = ahead_line; first < K; first += step, line += 128) {
        const ptrdiff_t stop = first + step < K ? first + step : K;
        if (ahead)
            BP_UNROLL for (int r = 0; r < m; r++) {
                __builtin_prefetch((const char *)ahead[r] + line);
                __builtin_prefetch((const char *)ahead[r] + line + 64);
            }
        for (ptrdiff_t k = first; k < stop; k++) {
            V vector[BP_THIN_VECTORS];
            const T *row = NULL;
            if (kind != BP_ALONG) {
                row = (const T *)rows[k] + skip;
                BP_KNOWN(row);
            }
            const T *const numbers = kind == BP_STRIP ? whole + k * apart : row;
            const T *const vectors = kind == BP_STRIP ? row : whole + k * apart;
            BP_UNROLL for (int v = 0; v < n - masked; v++) vector[v] = *(const V *)(vectors + v * VL);
            if (masked) vector[n - 1] = BP(load_some)(vectors + (n - 1) * VL, last);
#if BP_MORE_VECTORS
            BP_UNROLL for (int v = 0; v < more; v++) {
                /* Of columns that are not there the last is read instead. */
                const int j = v * SHARE, next = j + SHARE - 1 < tails ? j + SHARE - 1 : tails - 1;
                const T *const y = vectors + n * VL;
                also[v] = BP(vector_fma)(BP(vector_repeat)(row), BP(vector_halves)(y + j, y + next), also[v]);
            }
#endif
            BP_UNROLL for (int r = 0; r < m; r++) {
                /* gcc makes a plain broadcast of x - 0, but an addition of 0 + x, which is no identity for −0. */
                const V number = (kind == BP_ALONG ? along[r][k] : numbers[r]) - (V){0};
                BP_UNROLL for (int v = 0; v < n; v++) sum[r][v] = BP(vector_fma)(number, vector[v], sum[r][v]);
            }
        }
    }
    BP_UNROLL for (int r = 0; r < m; r++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++) *(V *)(c + r * c_row + v * VL) = sum[r][v];
        T *const end = c + r * c_row + (n - 1) * VL;
        if (edge) BP(store_some)(end, last, sum[r][n - 1]);
        else *(V *)end = sum[r][n - 1];
    }
#if BP_MORE_VECTORS
    BP_UNROLL for (int v = 0; v < more; v++) *(V *)(numbers_of + v * VL) = also[v];
    for (int j = 0; j < tails && more; j++)
        BP_UNROLL for (int r = 0; r < BP_EIGHT; r++) tail[r * c_row + j] = numbers_of[j * BP_EIGHT + r];
#endif
}

#define BP_CASE(m, n)                                                                      \
    case m: BP(tile)(KIND, m, n, 0, 0, last, K, rows, skip, whole, apart, from, from_row, c, c_row, AHEAD); return;
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
#define KIND BP_ALONG
#define AHEAD ahead, ahead_line, ahead_step
static BP_UNUSED void BP(tile_along)(int m, int n, int last, ptrdiff_t K, const void **rows, ptrdiff_t skip,
                                     const T *whole, ptrdiff_t apart, const T *from, ptrdiff_t from_row, T *c,
                                     ptrdiff_t c_row, const void **ahead, ptrdiff_t ahead_line, ptrdiff_t ahead_step) {
    BP_TILES
}
#undef KIND
#undef AHEAD

#define KIND BP_ACROSS
#define AHEAD NULL, 0, 0
static BP_UNUSED void BP(tile_across)(int m, int n, int last, ptrdiff_t K, const void **rows, ptrdiff_t skip,
                                      const T *whole, ptrdiff_t apart, const T *from, ptrdiff_t from_row, T *c,
                                      ptrdiff_t c_row) {
    BP_TILES
}
#undef KIND

#if BP_MORE_VECTORS
/* The tile of BP_EIGHT rows and n whole vectors across with `tails` columns more, 1 to BP_MORE_VECTORS·SHARE. */
static BP_UNUSED void BP(tile_and_tail)(int n, int tails, ptrdiff_t K, const void **rows, ptrdiff_t skip, const T *whole,
                                        ptrdiff_t apart, const T *from, ptrdiff_t from_row, T *c, ptrdiff_t c_row) {
#define BP_AND_TAIL(n, more)                                                               \
    BP(tile)(BP_ACROSS, BP_EIGHT, n, more, tails, VL, K, rows, skip, whole, apart, from, from_row, c, c_row, NULL, 0, 0)
    if (tails <= SHARE) switch (n) {
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
static BP_UNUSED void BP(tile_and_tail)(int n, int tails, ptrdiff_t K, const void **rows, ptrdiff_t skip, const T *whole,
                                        ptrdiff_t apart, const T *from, ptrdiff_t from_row, T *c, ptrdiff_t c_row) {
    (void)n, (void)tails, (void)K, (void)rows, (void)skip, (void)whole, (void)apart, (void)from, (void)from_row;
    (void)c, (void)c_row;
}
#endif

/* c[r·c_row + j] += Σ_k whole[k·apart + r]·rows[k][skip + j] for up to BP_STRIP_ROWS rows and BP_STRIP_NARROW vectors or 1 vector
   of `last` lanes, or up to BP_STRIP_FEW rows and BP_STRIP_WIDE vectors. */
#define KIND BP_STRIP
#define BP_FEW(n) BP_CASE(1, n) BP_CASE(2, n) BP_CASE(3, n) BP_CASE(4, n)
#define BP_MANY(n) BP_FEW(n) BP_CASE(5, n) BP_CASE(6, n) BP_CASE(7, n) BP_CASE(8, n)
static BP_UNUSED void BP(strip)(int m, int n, int last, ptrdiff_t K, const void **rows, ptrdiff_t skip, const T *whole,
                                ptrdiff_t apart, T *c, ptrdiff_t c_row) {
    const T *const from = c;
    const ptrdiff_t from_row = c_row;
    if (n == 1) switch (m) { BP_MANY(1) }
#if BP_STRIP_NARROW > 1
    else if (n == BP_STRIP_NARROW) switch (m) { BP_MANY(BP_STRIP_NARROW) }
#endif
    else switch (m) { BP_FEW(BP_STRIP_WIDE) }
}
#undef KIND
#undef AHEAD

/* panel[k·panel_row, :] = b[k·b_row, :] for K rows of n vectors, the last of `last` lanes in b and filled up with 0. */
static BP_INLINE void BP(pack)(const int n, int last, ptrdiff_t K, const T *b, ptrdiff_t b_row, T *panel,
                               ptrdiff_t panel_row) {
    for (ptrdiff_t k = 0; k < K; k++) {
        BP_UNROLL for (int v = 0; v < n - 1; v++)
            *(V *)(panel + k * panel_row + v * VL) = *(const V *)(b + k * b_row + v * VL);
        *(V *)(panel + k * panel_row + (n - 1) * VL) = BP(load_some)(b + k * b_row + (n - 1) * VL, last);
    }
}

static BP_UNUSED void BP(pack_rows)(int n, int last, ptrdiff_t K, const T *b, ptrdiff_t b_row, T *panel,
                                    ptrdiff_t panel_row) {
    switch (n) {
    case 1: BP(pack)(1, last, K, b, b_row, panel, panel_row); return;
    case 2: BP(pack)(2, last, K, b, b_row, panel, panel_row); return;
    case 3: BP(pack)(3, last, K, b, b_row, panel, panel_row); return;
    default: BP(pack)(n, last, K, b, b_row, panel, panel_row);
    }
}

/* panel[k·width + j] = b[j·b_column + k] for K numbers of N columns, in squares of SIDE × SIDE. */
#define SIDE (16 / T_BYTES)
typedef T BP(square) __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));
#if T_BYTES == 4
#define BP_TRANSPOSE(s)                                                                    \
    do {                                                                                   \
        const BP(square) p = __builtin_shufflevector(s[0], s[1], 0, 4, 1, 5),              \
                         q = __builtin_shufflevector(s[0], s[1], 2, 6, 3, 7),              \
                         t = __builtin_shufflevector(s[2], s[3], 0, 4, 1, 5),              \
                         u = __builtin_shufflevector(s[2], s[3], 2, 6, 3, 7);              \
        s[0] = __builtin_shufflevector(p, t, 0, 1, 4, 5);                                  \
        s[1] = __builtin_shufflevector(p, t, 2, 3, 6, 7);                                  \
        s[2] = __builtin_shufflevector(q, u, 0, 1, 4, 5);                                  \
        s[3] = __builtin_shufflevector(q, u, 2, 3, 6, 7);                                  \
    } while (0)
#else
#define BP_TRANSPOSE(s)                                                                    \
    do {                                                                                   \
        const BP(square) p = __builtin_shufflevector(s[0], s[1], 0, 2);                    \
        s[1] = __builtin_shufflevector(s[0], s[1], 1, 3);                                  \
        s[0] = p;                                                                          \
    } while (0)
#endif

static BP_UNUSED void BP(pack_columns)(ptrdiff_t N, ptrdiff_t width, ptrdiff_t K, const T *b, ptrdiff_t b_column,
                                       T *panel) {
    const ptrdiff_t columns = N / SIDE * SIDE, terms = K / SIDE * SIDE;
    for (ptrdiff_t j = 0; j < columns; j += SIDE) {
        for (ptrdiff_t k = 0; k < terms; k += SIDE) {
            BP(square) s[SIDE];
            BP_UNROLL for (int i = 0; i < SIDE; i++) s[i] = *(const BP(square) *)(b + (j + i) * b_column + k);
            BP_TRANSPOSE(s);
            BP_UNROLL for (int i = 0; i < SIDE; i++) *(BP(square) *)(panel + (k + i) * width + j) = s[i];
        }
        for (ptrdiff_t k = terms; k < K; k++)
            BP_UNROLL for (int i = 0; i < SIDE; i++) panel[k * width + j + i] = b[(j + i) * b_column + k];
    }
    for (ptrdiff_t j = columns; j < N; j++)
        for (ptrdiff_t k = 0; k < K; k++) panel[k * width + j] = b[j * b_column + k];
    for (ptrdiff_t k = 0; k < K; k++)
        for (ptrdiff_t j = N; j < width; j++) panel[k * width + j] = 0;
}

/* As many independent chains of multiply-adds as a tile has, all in registers: what the processor can do at most.
   Each begins with another number, or a compiler would make one of them. */
static BP_UNUSED T BP(multiply_adds)(ptrdiff_t rounds) {
    V sum[BP_TILE_ROWS * BP_TILE_VECTORS], x, y;
    T total = 0;
    BP_UNROLL for (int l = 0; l < VL; l++) x[l] = (T)rounds / ((T)rounds + 1), y[l] = (T)1 / ((T)l + 2);
    BP_UNROLL_TILE for (int i = 0; i < BP_TILE_ROWS * BP_TILE_VECTORS; i++) sum[i] = x * (T)(i + 1);
    for (ptrdiff_t r = 0; r < rounds; r++)
        BP_UNROLL_TILE for (int i = 0; i < BP_TILE_ROWS * BP_TILE_VECTORS; i++) sum[i] = BP(vector_fma)(sum[i], x, y);
    BP_UNROLL_TILE for (int i = 0; i < BP_TILE_ROWS * BP_TILE_VECTORS; i++) total += sum[i][0];
    return total;
}

/* s = with(s, its other half), then of that half likewise, until lanes 0 and 1 are left. */
#if VL >= 16
#define BP_HALVES(s, with)                                                                 \
    s = with(s, __builtin_shufflevector(s, s, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7)); \
    s = with(s, __builtin_shufflevector(s, s, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3)); \
    s = with(s, __builtin_shufflevector(s, s, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1))
#elif VL >= 8
#define BP_HALVES(s, with)                                                                 \
    s = with(s, __builtin_shufflevector(s, s, 4, 5, 6, 7, 0, 1, 2, 3));                    \
    s = with(s, __builtin_shufflevector(s, s, 2, 3, 0, 1, 2, 3, 0, 1))
#elif VL >= 4
#define BP_HALVES(s, with) s = with(s, __builtin_shufflevector(s, s, 2, 3, 0, 1))
#else
#define BP_HALVES(s, with) (void)0
#endif
#define BP_PLUS(a, b) ((a) + (b))

/* The LANES virtual lanes of a sum, added in halves. */
static BP_INLINE T BP(lane_sum)(const V *sum) {
    V half[WIDE];
    BP_UNROLL for (int w = 0; w < WIDE; w++) half[w] = sum[w];
    BP_UNROLL for (int w = WIDE / 2; w > 0; w /= 2)
        BP_UNROLL for (int i = 0; i < w; i++) half[i] += half[i + w];
    V s = half[0];
    BP_HALVES(s, BP_PLUS);
    return s[0] + s[1];
}

/* c[r·c_row + j] += Σ_k rows[r][k]·b[j·b_row + k] for m rows and n columns. */
static BP_INLINE void BP(dots)(const int m, const int n, ptrdiff_t K, const void **rows, const T *b, ptrdiff_t b_row, T *c,
                               ptrdiff_t c_row) {
    V sum[BP_DOT_ROWS][BP_DOT_COLUMNS][WIDE];
    ptrdiff_t whole = K / LANES * LANES;
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++)
            BP_UNROLL for (int w = 0; w < WIDE; w++) sum[r][j][w] = (V){0};
#if BP_ROTATES
    /* Vectors on a line of the cache each, not on two: the first few terms apart, then all lanes further by as many. */
    const int few = K % LANES ? 0 : (int)(-(uintptr_t)rows[0] / sizeof(T) % LANES);
    if (few) {
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int j = 0; j < n; j++)
                sum[r][j][0] = BP(vector_rotate)(
                    BP(vector_fma_some)(few, *(const V *)rows[r], *(const V *)(b + j * b_row), sum[r][j][0]), few);
        whole -= LANES;
    }
#else
    const int few = 0;
#endif
    for (ptrdiff_t k = few; k < whole + few; k += LANES)
        BP_UNROLL for (int w = 0; w < WIDE; w++)
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP(vector_fma)(*(const V *)((const T *)rows[r] + k + w * VL),
                                                  *(const V *)(b + j * b_row + k + w * VL), sum[r][j][w]);
#if BP_ROTATES
    if (few)
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int j = 0; j < n; j++) {
                const ptrdiff_t k = K - LANES + few;
                const V x = BP(load_some)((const T *)rows[r] + k, LANES - few);
                const V y = BP(load_some)(b + j * b_row + k, LANES - few);
                sum[r][j][0] = BP(vector_rotate)(BP(vector_fma_some)(LANES - few, x, y, sum[r][j][0]), LANES - few);
            }
    else
#endif
    if (whole < K)
        BP_UNROLL for (int w = 0; w < WIDE; w++) {
            const int rest = (int)(K - whole) - w * VL, count = rest < 0 ? 0 : rest > VL ? VL : rest;
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP(vector_fma)(BP(load_some)((const T *)rows[r] + whole + w * VL, count),
                                                  BP(load_some)(b + j * b_row + whole + w * VL, count), sum[r][j][w]);
        }
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++) c[r * c_row + j] += BP(lane_sum)(sum[r][j]);
}

#define BP_DOT_CASE(m, n) case n: BP(dots)(m, n, K, rows, b, b_row, c, c_row); return;
#if BP_DOT_COLUMNS == 4
#define BP_DOT_CASES(m) switch (n) { BP_DOT_CASE(m, 1) BP_DOT_CASE(m, 2) BP_DOT_CASE(m, 3) BP_DOT_CASE(m, 4) }
#else
#define BP_DOT_CASES(m) switch (n) { BP_DOT_CASE(m, 1) BP_DOT_CASE(m, 2) }
#endif

/* The same for 1, 2 or BP_DOT_ROWS rows and 1 to BP_DOT_COLUMNS columns. */
static BP_UNUSED void BP(dots_of)(int m, int n, ptrdiff_t K, const void **rows, const T *b, ptrdiff_t b_row, T *c,
                                  ptrdiff_t c_row) {
    switch (m) {
    case 1: BP_DOT_CASES(1) return;
    case 2: BP_DOT_CASES(2) return;
#if BP_DOT_ROWS == 4
    case 4: BP_DOT_CASES(4) return;
#endif
    }
}

#undef SHARE
#undef BP_CASE
#undef BP_MORE_CASES
#undef BP_THIN
#undef BP_FULL
#undef BP_TILES
#undef BP_FEW
#undef BP_MANY
#undef BP_TRANSPOSE
#undef BP_DOT_CASE
#undef BP_DOT_CASES
#undef SIDE
#undef V
#undef VL
#undef LANES
#undef WIDE
