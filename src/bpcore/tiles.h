/* Register tiles of a matrix product, for one type; simd.h includes this once for float and once for double.

a) T is the type, BP(name) gives a name its suffix, V is a vector of the level's width with VL lanes.
b) A tile's sums live in registers: m rows of n vectors, both known when it is compiled, every loop unrolled. Its
   sizes fill the register file: tile rows × tile vectors, a row of the second factor, and a broadcast number.
c) Every sum is one chain of fused multiply-adds along k, however wide the vectors are.
d) A dot product runs in LANES virtual lanes, lane l taking the terms l, l + LANES, …; then the lanes are added in
   halves. LANES does not depend on the level, so neither do the bits. */

typedef T BP(vector) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
#define V BP(vector)
#define VL ((int)(sizeof(V) / sizeof(T)))
#define LANES ((int)(64 / sizeof(T)))
#define WIDE (LANES / VL)

/* c[r, j] = from[r·from_row + j] + Σ_k a[r·a_row + k·a_k]·b[k·b_row + j] for m rows and n vectors of columns;
   with from_row = 0 every row starts from the same numbers. */
static BP_INLINE void BP(tile)(const int m, const int n, ptrdiff_t K, const T *a, ptrdiff_t a_row, ptrdiff_t a_k,
                               const T *b, ptrdiff_t b_row, const T *from, ptrdiff_t from_row,
                               T *c, ptrdiff_t c_row) {
    V sum[BP_TILE_ROWS][BP_TILE_VECTORS];
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int v = 0; v < n; v++) sum[r][v] = *(const V *)(from + r * from_row + v * VL);
    for (ptrdiff_t k = 0; k < K; k++) {
        V row[BP_TILE_VECTORS];
        BP_UNROLL for (int v = 0; v < n; v++) row[v] = *(const V *)(b + k * b_row + v * VL);
        BP_UNROLL for (int r = 0; r < m; r++) {
            /* gcc makes a plain broadcast of x - 0, but an addition of 0 + x, which is no identity for −0. */
            const V number = a[r * a_row + k * a_k] - (V){0};
            BP_UNROLL for (int v = 0; v < n; v++) sum[r][v] = BP(vector_fma)(number, row[v], sum[r][v]);
        }
    }
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int v = 0; v < n; v++) *(V *)(c + r * c_row + v * VL) = sum[r][v];
}

#define BP_REST b, b_row, from, from_row, c, c_row
#define BP_CASES(n, a_row, a_k)                                                            \
    switch (m) {                                                                           \
    case 1: BP(tile)(1, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 2: BP(tile)(2, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 3: BP(tile)(3, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 4: BP(tile)(4, n, K, a, a_row, a_k, BP_REST); return;                             \
    BP_MORE_CASES(n, a_row, a_k)                                                           \
    }
#if BP_TILE_ROWS == 9
#define BP_MORE_CASES(n, a_row, a_k)                                                       \
    case 5: BP(tile)(5, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 6: BP(tile)(6, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 7: BP(tile)(7, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 8: BP(tile)(8, n, K, a, a_row, a_k, BP_REST); return;                             \
    case 9: BP(tile)(9, n, K, a, a_row, a_k, BP_REST); return;
#else
#define BP_MORE_CASES(n, a_row, a_k)
#endif

/* The tile for m rows (1 to BP_TILE_ROWS) and n vectors (1 to BP_TILE_VECTORS); a's rows or its k are adjacent. */
static BP_UNUSED void BP(tile_rows)(int m, int n, ptrdiff_t K, const T *a, ptrdiff_t a_row, const T *b, ptrdiff_t b_row,
                                    const T *from, ptrdiff_t from_row, T *c, ptrdiff_t c_row) {
    if (n == 3) { BP_CASES(3, a_row, 1) }
    if (n == 2) { BP_CASES(2, a_row, 1) }
    BP_CASES(1, a_row, 1)
}

static BP_UNUSED void BP(tile_columns)(int m, int n, ptrdiff_t K, const T *a, ptrdiff_t a_k, const T *b, ptrdiff_t b_row,
                                       const T *from, ptrdiff_t from_row, T *c, ptrdiff_t c_row) {
    if (n == 3) { BP_CASES(3, 1, a_k) }
    if (n == 2) { BP_CASES(2, 1, a_k) }
    BP_CASES(1, 1, a_k)
}

/* panel[k, :] = b[k·b_row, :] for K rows of n vectors: what memcpy does, without a call for each short row. */
static BP_UNUSED void BP(pack_rows)(int n, ptrdiff_t K, const T *b, ptrdiff_t b_row, T *panel) {
    for (ptrdiff_t k = 0; k < K; k++)
        for (int v = 0; v < n; v++)
            *(V *)(panel + (k * n + v) * VL) = *(const V *)(b + k * b_row + v * VL);
}

/* sums[r·n + j] = Σ_k a[r·a_row + k]·b[j·b_row + k] over K terms; b is 0 from K to the next multiple of LANES.
   `rest` holds the terms of a after the last such multiple, m rows of LANES with 0 behind them. */
static BP_INLINE void BP(dots)(const int m, const int n, ptrdiff_t K, const T *a, ptrdiff_t a_row, const T *rest,
                               const T *b, ptrdiff_t b_row, T *sums) {
    V sum[4][2][WIDE];
    const ptrdiff_t whole = K / LANES * LANES;
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++)
            BP_UNROLL for (int w = 0; w < WIDE; w++) sum[r][j][w] = (V){0};
    for (ptrdiff_t k = 0; k < whole; k += LANES)
        BP_UNROLL for (int w = 0; w < WIDE; w++)
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP(vector_fma)(*(const V *)(a + r * a_row + k + w * VL),
                                                  *(const V *)(b + j * b_row + k + w * VL), sum[r][j][w]);
    if (whole < K)
        BP_UNROLL for (int w = 0; w < WIDE; w++)
            BP_UNROLL for (int r = 0; r < m; r++)
                BP_UNROLL for (int j = 0; j < n; j++)
                    sum[r][j][w] = BP(vector_fma)(*(const V *)(rest + r * LANES + w * VL),
                                                  *(const V *)(b + j * b_row + whole + w * VL), sum[r][j][w]);
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int j = 0; j < n; j++) {
            T lane[LANES];
            memcpy(lane, sum[r][j], sizeof lane);
            for (int half = LANES / 2; half > 0; half /= 2)
                for (int l = 0; l < half; l++) lane[l] = lane[l] + lane[l + half];
            sums[r * n + j] = lane[0];
        }
}

static BP_UNUSED void BP(dots_of)(int m, int n, ptrdiff_t K, const T *a, ptrdiff_t a_row, const T *rest, const T *b,
                        ptrdiff_t b_row, T *sums) {
    if (m == 4 && n == 2) BP(dots)(4, 2, K, a, a_row, rest, b, b_row, sums);
    else if (m == 4) BP(dots)(4, 1, K, a, a_row, rest, b, b_row, sums);
    else if (n == 2) BP(dots)(1, 2, K, a, a_row, rest, b, b_row, sums);
    else BP(dots)(1, 1, K, a, a_row, rest, b, b_row, sums);
}

#undef BP_REST
#undef BP_CASES
#undef BP_MORE_CASES
#undef V
#undef VL
#undef LANES
#undef WIDE
