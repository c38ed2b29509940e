/* Rows of a matrix that is stored by columns, as vectors: transposed in registers. For one type and one width of vectors;
   packing.h includes this for the level's own width, and for half of it where that is faster for few rows: BP_W is a
   vector of BP_WIDTH_BYTES, BP_WIDTH(name) its functions. */

#define BP_WL (BP_WIDTH_BYTES / BP_T_BYTES)
#if BP_WL == 16
#define BP_LOW(p, q) __builtin_shufflevector(p, q, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define BP_HIGH(p, q) __builtin_shufflevector(p, q, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define BP_LOW_PAIRS(p, q) __builtin_shufflevector(p, q, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29)
#define BP_HIGH_PAIRS(p, q) __builtin_shufflevector(p, q, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31)
#elif BP_WL == 8 && BP_T_BYTES == 4
#define BP_LOW(p, q) __builtin_shufflevector(p, q, 0, 8, 1, 9, 4, 12, 5, 13)
#define BP_HIGH(p, q) __builtin_shufflevector(p, q, 2, 10, 3, 11, 6, 14, 7, 15)
#define BP_LOW_PAIRS(p, q) __builtin_shufflevector(p, q, 0, 1, 8, 9, 4, 5, 12, 13)
#define BP_HIGH_PAIRS(p, q) __builtin_shufflevector(p, q, 2, 3, 10, 11, 6, 7, 14, 15)
#elif BP_WL == 8
#define BP_LOW(p, q) __builtin_shufflevector(p, q, 0, 8, 2, 10, 4, 12, 6, 14)
#define BP_HIGH(p, q) __builtin_shufflevector(p, q, 1, 9, 3, 11, 5, 13, 7, 15)
#elif BP_WL == 4 && BP_T_BYTES == 4
#define BP_LOW(p, q) __builtin_shufflevector(p, q, 0, 4, 1, 5)
#define BP_HIGH(p, q) __builtin_shufflevector(p, q, 2, 6, 3, 7)
#define BP_LOW_PAIRS(p, q) __builtin_shufflevector(p, q, 0, 1, 4, 5)
#define BP_HIGH_PAIRS(p, q) __builtin_shufflevector(p, q, 2, 3, 6, 7)
#elif BP_WL == 4
#define BP_LOW(p, q) __builtin_shufflevector(p, q, 0, 4, 2, 6)
#define BP_HIGH(p, q) __builtin_shufflevector(p, q, 1, 5, 3, 7)
#else
#define BP_LOW(p, q) __builtin_shufflevector(p, q, 0, 2)
#define BP_HIGH(p, q) __builtin_shufflevector(p, q, 1, 3)
#endif
#if BP_WIDTH_BYTES == 64
#define BP_PARTS(j)                                                                        \
    BP_WIDTH(of_parts)(BP_COLUMN(j), BP_COLUMN(j + BP_VL128), BP_COLUMN(j + 2 * BP_VL128), BP_COLUMN(j + 3 * BP_VL128))
#elif BP_WIDTH_BYTES == 32
#define BP_PARTS(j) BP_WIDTH(of_parts)(BP_COLUMN(j), BP_COLUMN(j + BP_VL128))
#else
#define BP_PARTS(j) (*(const BP_W *)BP_COLUMN(j))
#endif

/* s[k][j] = b[j·cs_b + k] for BP_WL columns and BP_VL128 terms. 128-bit parts are loaded in their place, so that
   only shuffles within a part are left. */
#define BP_COLUMN(j) BP_(column)((j) < 8 ? first : second, strides, (j) % 8)
static BP_INLINE void BP_WIDTH(load_columns)(const BP_T *b, const BP_(column_strides) strides, BP_W *s) {
    const char *const first = (const char *)b, *const second = first + 8 * strides.one;
#if BP_T_BYTES == 4
    const BP_W p = BP_PARTS(0), q = BP_PARTS(1), t = BP_PARTS(2), u = BP_PARTS(3);
    const BP_W low = BP_LOW(p, q), high = BP_HIGH(p, q), low2 = BP_LOW(t, u), high2 = BP_HIGH(t, u);
    s[0] = BP_LOW_PAIRS(low, low2), s[1] = BP_HIGH_PAIRS(low, low2);
    s[2] = BP_LOW_PAIRS(high, high2), s[3] = BP_HIGH_PAIRS(high, high2);
#else
    const BP_W p = BP_PARTS(0), q = BP_PARTS(1);
    s[0] = BP_LOW(p, q), s[1] = BP_HIGH(p, q);
#endif
    (void)second;
}

/* c[r, j] = Σ_k rows[r][k]·b[j·cs_b + k] for rows 0 to `last` of m, n·BP_WL columns and at least BP_VL128 terms: n vectors
   of columns at a time, transposed in registers, so that enough independent chains of multiply-adds run. Of the last
   BP_VL128 terms only those that are left are added. Rows beyond the last repeat it. */
static BP_INLINE void BP_WIDTH(few_rows_block)(const int m, const int n, int last, ptrdiff_t terms, const void **rows,
                                               const BP_T *b, ptrdiff_t cs_b, BP_T *c, ptrdiff_t ldc) {
    BP_W sum[BP_FEW_ROWS][4], s[BP_VL128];
    const BP_(column_strides) strides = BP_(column_strides_of)(cs_b);
    const BP_T *block[4];
    const ptrdiff_t rest = terms % BP_VL128;
    ptrdiff_t k = 0;
    BP_UNROLL for (int q = 0; q < n; q++) {
        block[q] = b + q * BP_WL * cs_b;
        BP_KEEP_IN_REGISTER(block[q]);
    }
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int q = 0; q < n; q++) sum[r][q] = (BP_W){0};
    for (; k + BP_VL128 <= terms; k += BP_VL128)
        BP_UNROLL for (int q = 0; q < n; q++) {
            BP_WIDTH(load_columns)(block[q] + k, strides, s);
            BP_UNROLL for (int i = 0; i < BP_VL128; i++)
                BP_UNROLL for (int r = 0; r < m; r++)
                    sum[r][q] = BP_WIDTH(fma)(((const BP_T *)rows[r])[k + i] - (BP_W){0}, s[i], sum[r][q]);
        }
    if (rest)
        BP_UNROLL for (int q = 0; q < n; q++) {
            BP_WIDTH(load_columns)(block[q] + terms - BP_VL128, strides, s);
            BP_NO_UNROLL for (ptrdiff_t i = BP_VL128 - rest; i < BP_VL128; i++)
                BP_UNROLL for (int r = 0; r < m; r++)
                    sum[r][q] =
                        BP_WIDTH(fma)(((const BP_T *)rows[r])[terms - BP_VL128 + i] - (BP_W){0}, s[i], sum[r][q]);
        }
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int q = 0; q < n; q++) *(BP_W *)(c + (r < last ? r : last) * ldc + q * BP_WL) = sum[r][q];
}

/* The same for `count` ≥ BP_WL columns: the last block begins early enough to be full, and computes some columns again. */
static BP_INLINE void BP_WIDTH(few_rows)(const int m, const int n, int last, ptrdiff_t count, ptrdiff_t terms,
                                         const void **rows, const BP_T *b, ptrdiff_t cs_b, BP_T *c,
                                         ptrdiff_t ldc) {
#define BP_BLOCK(n) BP_WIDTH(few_rows_block)(m, n, last, terms, rows, b + j * cs_b, cs_b, c + j, ldc)
    ptrdiff_t j = 0;
    for (; j + n * BP_WL <= count; j += n * BP_WL) BP_BLOCK(n);
    while (j < count) {
        /* As few columns again as possible, and none before the first. */
        const ptrdiff_t full = count / BP_WL, wanted = (count - j + BP_WL - 1) / BP_WL;
        const ptrdiff_t left = wanted < full ? wanted : full;
        if (j > count - left * BP_WL) j = count - left * BP_WL;
        if (n > 3 && left == 4) BP_BLOCK(4);
        else if (n > 2 && left == 3) BP_BLOCK(3);
        else if (n > 1 && left == 2) BP_BLOCK(2);
        else BP_BLOCK(1);
        j += left * BP_WL;
    }
#undef BP_BLOCK
}

#undef BP_WL
#undef BP_LOW
#undef BP_HIGH
#undef BP_LOW_PAIRS
#undef BP_HIGH_PAIRS
#undef BP_PARTS
#undef BP_COLUMN
#undef BP_W
#undef BP_WIDTH
#undef BP_WIDTH_BYTES
