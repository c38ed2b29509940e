/* Products of few rows, for one type; simd.h includes this once for float and once for double. Each number of the second
   factor is used once or a few times, so what counts is that it is read as it lies, and once. */

/* out[j] = b[j] + Σ_k x[k]·W[k·count + j] for n vectors of columns, the last of `last` lanes if `edge`. */
static BP_INLINE void BP_(row_block)(const int n, const int edge, int last, ptrdiff_t terms, ptrdiff_t count,
                                     const BP_T *x, const BP_T *w, const BP_T *b, BP_T *out) {
    BP_V sum[4];
    BP_UNROLL for (int v = 0; v < n - edge; v++) sum[v] = *(const BP_V *)(b + v * BP_VL);
    if (edge) sum[n - 1] = BP_(load_some)(b + (n - 1) * BP_VL, last);
    for (ptrdiff_t k = 0; k < terms; k++, w += count) {
        const BP_V number = x[k] - (BP_V){0};
        BP_UNROLL for (int v = 0; v < n - edge; v++)
            sum[v] = BP_(vector_fma)(number, *(const BP_V *)(w + v * BP_VL), sum[v]);
        if (edge) sum[n - 1] = BP_(vector_fma)(number, BP_(load_some)(w + (n - 1) * BP_VL, last), sum[n - 1]);
    }
    BP_UNROLL for (int v = 0; v < n - edge; v++) *(BP_V *)(out + v * BP_VL) = sum[v];
    if (edge) BP_(store_some)(out + (n - 1) * BP_VL, last, sum[n - 1]);
}

/* out = b + x·w for one row x of `terms` numbers and a w of `count` columns without gaps, each sum one chain along k. */
static BP_UNUSED void BP_(row_of)(ptrdiff_t terms, ptrdiff_t count, const BP_T *x, const BP_T *w, const BP_T *b,
                                  BP_T *out) {
    ptrdiff_t j = 0;
    for (; j + 4 * BP_VL <= count; j += 4 * BP_VL) BP_(row_block)(4, 0, 0, terms, count, x, w + j, b + j, out + j);
    const int left = (int)(count - j), last = left % BP_VL;
#define BP_ROW(n, edge) BP_(row_block)(n, edge, last, terms, count, x, w + j, b + j, out + j)
    switch (2 * (left / BP_VL) + (last > 0 && BP_MASKS)) {
    case 1: BP_ROW(1, 1); break;
    case 2: BP_ROW(1, 0); break;
    case 3: BP_ROW(2, 1); break;
    case 4: BP_ROW(2, 0); break;
    case 5: BP_ROW(3, 1); break;
    case 6: BP_ROW(3, 0); break;
    case 7: BP_ROW(4, 1); break;
    }
#undef BP_ROW
#if !BP_MASKS
    for (j = count - last; j < count; j++) {
        BP_T sum = b[j];
        for (ptrdiff_t k = 0; k < terms; k++) sum = BP_(fma)(x[k], w[k * count + j], sum);
        out[j] = sum;
    }
#endif
}

#if BP_IN_PLACE
/* c[r, j] = Σ_k rows[r][k]·b[j·cs_b + k] for 1 to BP_FEW_ROWS rows, at least BP_VL columns and BP_FOUR terms. */
static BP_UNUSED void BP_(few_rows_of)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                       ptrdiff_t cs_b, BP_T *c, ptrdiff_t ldc) {
#define BP_FEW(width, m, n) BP_(width##_few_rows)(m, n, last, count, terms, rows_or_last, b, cs_b, c, ldc)
    const void *rows_or_last[BP_FEW_ROWS];
    const int last = m - 1;
    for (int r = 0; r < BP_FEW_ROWS; r++) rows_or_last[r] = rows[r < last ? r : last];
#if BP_VECTOR_BYTES == 64
    if (m == 1) BP_FEW(narrow, 1, 4);
    else if (m == 2) BP_FEW(narrow, 2, 4);
    else if (m <= 4) BP_FEW(vector, 4, 3);
    else if (m <= 8) BP_FEW(vector, 8, 2);
#else
    if (m == 1) BP_FEW(vector, 1, 4);
    else if (m == 2) BP_FEW(vector, 2, 4);
    else if (m == 3) BP_FEW(vector, 3, 3);
#endif
#undef BP_FEW
}

/* c[j] += Σ_k x[k]·b[k·rs_b + j] for n ≤ BP_LANES/2 columns, as `dots` adds it: a vector runs along the columns, and there
   is one for each of the BP_LANES virtual lanes. Numbers of columns before the first are read too, and not used. */
static BP_UNUSED void BP_(few_edge_columns)(int n, ptrdiff_t terms, const BP_T *x, const BP_T *b, ptrdiff_t rs_b, BP_T *c) {
    const ptrdiff_t rest = terms % BP_LANES;
    for (int end = n; end > 0; end -= BP_VL) {
        BP_V sum[BP_LANES];
        const BP_T *at = b + end - BP_VL;
        ptrdiff_t k = 0;
        BP_UNROLL for (int l = 0; l < BP_LANES; l++) sum[l] = (BP_V){0};
        for (; k + BP_LANES <= terms; k += BP_LANES, at += BP_LANES * rs_b)
            BP_UNROLL for (int l = 0; l < BP_LANES; l++)
                sum[l] = BP_(vector_fma)(x[k + l] - (BP_V){0}, *(const BP_V *)(at + l * rs_b), sum[l]);
        for (int l = 0; l < rest; l++)
            sum[l] = BP_(vector_fma)(x[k + l] - (BP_V){0}, *(const BP_V *)(at + l * rs_b), sum[l]);
        /* Where lanes are not full `dots` adds 0, which −0 does not withstand. */
        for (int l = (int)rest; l < BP_LANES && rest; l++) sum[l] += 0;
        BP_UNROLL for (int w = BP_LANES / 2; w > 0; w /= 2)
            BP_UNROLL for (int l = 0; l < w; l++) sum[l] += sum[l + w];
        for (int j = end < BP_VL ? 0 : end - BP_VL; j < end; j++) c[j] += sum[0][j - end + BP_VL];
    }
}

/* c[r, j] = from[r, j] + Σ_k numbers[r·terms + k]·b[k·rs_b + j] for m rows and `count` columns; `from` is c itself or, if
   `first`, zeros. The first vector has `head` lanes, so that what counts, the loads or the stores, is on cache lines from
   then on. */
static BP_INLINE void BP_(add_terms)(const int m, const int terms, int first, ptrdiff_t head, ptrdiff_t count,
                                     const BP_T *numbers, const BP_T *b, ptrdiff_t rs_b, BP_T *c,
                                     ptrdiff_t ldc) {
    const BP_T zeros[BP_VL] = {0}, *const from = first ? zeros : c;
    const ptrdiff_t from_stride = first ? 0 : ldc, step = !first;
    BP_V number[4][8], sum[4];
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int k = 0; k < terms; k++) number[r][k] = numbers[r * terms + k] - (BP_V){0};
    for (ptrdiff_t j = 0; j < count;) {
        const ptrdiff_t left = j == 0 && head ? head : BP_VL;
        const int some = (int)(left < count - j ? left : count - j);
        if (some < BP_VL) {
            BP_UNROLL for (int r = 0; r < m; r++) sum[r] = BP_(load_some)(from + r * from_stride + j * step, some);
            BP_UNROLL for (int k = 0; k < terms; k++) {
                const BP_V v = BP_(load_some)(b + k * rs_b + j, some);
                BP_UNROLL for (int r = 0; r < m; r++) sum[r] = BP_(vector_fma)(number[r][k], v, sum[r]);
            }
            BP_UNROLL for (int r = 0; r < m; r++) BP_(store_some)(c + r * ldc + j, some, sum[r]);
            j += some;
        }
        for (; j + BP_VL <= count; j += BP_VL) {
            BP_UNROLL for (int r = 0; r < m; r++) sum[r] = *(const BP_V *)(from + r * from_stride + j * step);
            BP_UNROLL for (int k = 0; k < terms; k++) {
                const BP_V v = *(const BP_V *)(b + k * rs_b + j);
                BP_UNROLL for (int r = 0; r < m; r++) sum[r] = BP_(vector_fma)(number[r][k], v, sum[r]);
            }
            BP_UNROLL for (int r = 0; r < m; r++) *(BP_V *)(c + r * ldc + j) = sum[r];
        }
    }
}

/* c[r, j] = Σ_k rows[k][r]·b[k·rs_b + j] for `height` rows and few terms, in the order in which c lies: several rows at a
   time where all of them are on lines alike, one where its head has to be found for each. */
/* With the names of the function below. */
#define BP_TERMS(m, n)                                                                     \
    case m * 8 + n - 1:                                                                    \
        BP_(add_terms)(m, n, k == 0, head, count, numbers, b + k * rs_b, rs_b, c, ldc); \
        break;
static BP_UNUSED void BP_(few_terms)(ptrdiff_t height, ptrdiff_t count, int terms, const void **rows, const BP_T *b,
                                     ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    const int alike = ldc * BP_T_BYTES % BP_VECTOR_BYTES == 0;
    for (ptrdiff_t r = 0, m; r < height; r += m, c += m * ldc) {
        const ptrdiff_t head = BP_(unaligned)(c);
        m = !alike || terms > BP_TERMS_AT_ONCE ? 1 : terms > BP_TERMS_AT_ONCE / 2 ? 2 : 4;
        if (r + m > height) m = 1;
        for (int k = 0; k < terms; k += 8) {
            const int now = terms - k < 8 ? terms - k : 8;
            BP_T numbers[16];
            for (ptrdiff_t i = 0; i < m; i++)
                for (int l = 0; l < now; l++) numbers[i * now + l] = ((const BP_T *)rows[k + l])[r + i];
            switch (m * 8 + now - 1) {
#if BP_TERMS_AT_ONCE == 8
                BP_TERMS(4, 1) BP_TERMS(4, 2) BP_TERMS(4, 3) BP_TERMS(4, 4)
                BP_TERMS(2, 5) BP_TERMS(2, 6) BP_TERMS(2, 7) BP_TERMS(2, 8)
#else
                BP_TERMS(4, 1) BP_TERMS(4, 2) BP_TERMS(2, 3) BP_TERMS(2, 4)
#endif
                BP_TERMS(1, 1) BP_TERMS(1, 2) BP_TERMS(1, 3) BP_TERMS(1, 4)
                BP_TERMS(1, 5) BP_TERMS(1, 6) BP_TERMS(1, 7) BP_TERMS(1, 8)
            }
        }
    }
}

/* c[r, j] += Σ_k rows[r][k]·b[k·rs_b + j] for 1 to BP_ALONG_ROWS rows, in the order in which b lies. */
static BP_INLINE void BP_(along)(const int m, const int at_once, ptrdiff_t count, ptrdiff_t terms, const void **rows,
                                 const BP_T *b, ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    const ptrdiff_t head = rs_b * BP_T_BYTES % BP_VECTOR_BYTES ? 0 : BP_(unaligned)(b);
    BP_T numbers[3 * 8];
    ptrdiff_t k = 0;
    for (; k + at_once <= terms; k += at_once) {
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int l = 0; l < at_once; l++) numbers[r * at_once + l] = ((const BP_T *)rows[r])[k + l];
        BP_(add_terms)(m, at_once, 0, head, count, numbers, b + k * rs_b, rs_b, c, ldc);
    }
    for (; k < terms; k++) {
        BP_UNROLL for (int r = 0; r < m; r++) numbers[r] = ((const BP_T *)rows[r])[k];
        BP_(add_terms)(m, 1, 0, head, count, numbers, b + k * rs_b, rs_b, c, ldc);
    }
}

static BP_UNUSED void BP_(few_rows_along)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                          ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    if (m == 1) BP_(along)(1, 8, count, terms, rows, b, rs_b, c, ldc);
    else if (m == 2) BP_(along)(2, BP_TERMS_AT_ONCE, count, terms, rows, b, rs_b, c, ldc);
    else if (m == 3) BP_(along)(3, BP_TERMS_AT_ONCE, count, terms, rows, b, rs_b, c, ldc);
}
#else
static BP_UNUSED void BP_(few_rows_of)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                       ptrdiff_t cs_b, BP_T *c, ptrdiff_t ldc) {
    (void)m, (void)count, (void)terms, (void)rows, (void)b, (void)cs_b, (void)c, (void)ldc;
}

static BP_UNUSED void BP_(few_edge_columns)(int n, ptrdiff_t terms, const BP_T *x, const BP_T *b, ptrdiff_t rs_b, BP_T *c) {
    (void)n, (void)terms, (void)x, (void)b, (void)rs_b, (void)c;
}

static BP_UNUSED void BP_(few_terms)(ptrdiff_t height, ptrdiff_t count, int terms, const void **rows, const BP_T *b,
                                     ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    (void)height, (void)count, (void)terms, (void)rows, (void)b, (void)rs_b, (void)c, (void)ldc;
}

static BP_UNUSED void BP_(few_rows_along)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                          ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    (void)m, (void)count, (void)terms, (void)rows, (void)b, (void)rs_b, (void)c, (void)ldc;
}
#endif

#undef BP_TERMS
