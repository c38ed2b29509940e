/* Products of few rows, for one type; simd.h includes this once for float and once for double. Each number of `b` is used
   once or a few times, so packing does not pay: b is read in place, and once. */

/* out[j] = b[j] + Σ_k x[k]·W[k·count + j] for n vectors of columns, the last of `last` lanes if `edge`. */
static BP_INLINE void BP_(row_block)(const int n, const int edge, int last, ptrdiff_t terms, ptrdiff_t count,
                                     const BP_T *x, const BP_T *w, const BP_T *b, BP_T *out) {
    BP_V sum[4];
    BP_UNROLL for (int v = 0; v < n - edge; v++) sum[v] = *(const BP_V *)(b + v * BP_VL);
    if (edge) sum[n - 1] = BP_(load_partial)(b + (n - 1) * BP_VL, last);
    for (ptrdiff_t k = 0; k < terms; k++, w += count) {
        const BP_V scalar = x[k] - (BP_V){0};
        BP_UNROLL for (int v = 0; v < n - edge; v++)
            sum[v] = BP_(vector_fma)(scalar, *(const BP_V *)(w + v * BP_VL), sum[v]);
        if (edge) sum[n - 1] = BP_(vector_fma)(scalar, BP_(load_partial)(w + (n - 1) * BP_VL, last), sum[n - 1]);
    }
    BP_UNROLL for (int v = 0; v < n - edge; v++) *(BP_V *)(out + v * BP_VL) = sum[v];
    if (edge) BP_(store_partial)(out + (n - 1) * BP_VL, last, sum[n - 1]);
}

/* out = b + x·w for one row x of `terms` numbers and a contiguous w of `count` columns, each sum one chain along k. */
static BP_UNUSED void BP_(row_product)(ptrdiff_t terms, ptrdiff_t count, const BP_T *x, const BP_T *w, const BP_T *b,
                                       BP_T *out) {
    ptrdiff_t j = 0;
    for (; j + 4 * BP_VL <= count; j += 4 * BP_VL) BP_(row_block)(4, 0, 0, terms, count, x, w + j, b + j, out + j);
    const int left = (int)(count - j), last = left % BP_VL;
#define BP_ROW(n, edge) BP_(row_block)(n, edge, last, terms, count, x, w + j, b + j, out + j)
    switch (2 * (left / BP_VL) + (last > 0 && BP_HAS_MASKS)) {
    case 1: BP_ROW(1, 1); break;
    case 2: BP_ROW(1, 0); break;
    case 3: BP_ROW(2, 1); break;
    case 4: BP_ROW(2, 0); break;
    case 5: BP_ROW(3, 1); break;
    case 6: BP_ROW(3, 0); break;
    case 7: BP_ROW(4, 1); break;
    }
#undef BP_ROW
#if !BP_HAS_MASKS
    for (j = count - last; j < count; j++) {
        BP_T sum = b[j];
        for (ptrdiff_t k = 0; k < terms; k++) sum = BP_(fma)(x[k], w[k * count + j], sum);
        out[j] = sum;
    }
#endif
}

#if BP_FEW_ROWS_COMPILED
/* c[r, j] = Σ_k rows[r][k]·b[j·cs_b + k] for 1 to BP_FEW_ROWS rows, at least BP_VL columns and BP_VL128 terms. */
static BP_KERNEL void BP_(few_rows)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
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

/* c[j] += Σ_k x[k]·b[k·rs_b + j] for n ≤ BP_LANES/2 columns, in the order of `dots`: an accumulator holds columns, and
   there is one for each of the BP_LANES virtual lanes. Columns before the first are read too, and not used. */
static BP_KERNEL void BP_(few_edge_columns)(int n, ptrdiff_t terms, const BP_T *x, const BP_T *b, ptrdiff_t rs_b, BP_T *c) {
    const ptrdiff_t rest = terms % BP_LANES;
    for (int end = n; end > 0; end -= BP_VL) {
        BP_V sum[BP_LANES];
        const BP_T *row = b + end - BP_VL;
        ptrdiff_t k = 0;
        BP_UNROLL for (int l = 0; l < BP_LANES; l++) sum[l] = (BP_V){0};
        for (; k + BP_LANES <= terms; k += BP_LANES, row += BP_LANES * rs_b)
            BP_UNROLL for (int l = 0; l < BP_LANES; l++)
                sum[l] = BP_(vector_fma)(x[k + l] - (BP_V){0}, *(const BP_V *)(row + l * rs_b), sum[l]);
        for (int l = 0; l < rest; l++)
            sum[l] = BP_(vector_fma)(x[k + l] - (BP_V){0}, *(const BP_V *)(row + l * rs_b), sum[l]);
        /* Where lanes are not full `dots` adds 0, which makes +0 of −0. */
        for (int l = (int)rest; l < BP_LANES && rest; l++) sum[l] += 0;
        BP_UNROLL for (int w = BP_LANES / 2; w > 0; w /= 2)
            BP_UNROLL for (int l = 0; l < w; l++) sum[l] += sum[l + w];
        for (int j = end < BP_VL ? 0 : end - BP_VL; j < end; j++) c[j] += sum[0][j - end + BP_VL];
    }
}

/* Fused axpys: c[r, j] = init[r, j] + Σ_k scalars[r·terms + k]·b[k·rs_b + j] for m rows and `count` columns; `init` is c
   itself or, if `first`, zeros. `peel` columns are done first, so that the loads or the stores that follow are aligned. */
static BP_INLINE void BP_(fused_axpy)(const int m, const int terms, int first, ptrdiff_t peel, ptrdiff_t count,
                                      const BP_T *scalars, const BP_T *b, ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    const BP_T zeros[BP_VL] = {0}, *const init = first ? zeros : c;
    const ptrdiff_t rs_init = first ? 0 : ldc, step = !first;
    BP_V scalar[4][8], sum[4];
    BP_UNROLL for (int r = 0; r < m; r++)
        BP_UNROLL for (int k = 0; k < terms; k++) scalar[r][k] = scalars[r * terms + k] - (BP_V){0};
    for (ptrdiff_t j = 0; j < count;) {
        const ptrdiff_t left = j == 0 && peel ? peel : BP_VL;
        const int lanes = (int)(left < count - j ? left : count - j);
        if (lanes < BP_VL) {
            BP_UNROLL for (int r = 0; r < m; r++) sum[r] = BP_(load_partial)(init + r * rs_init + j * step, lanes);
            BP_UNROLL for (int k = 0; k < terms; k++) {
                const BP_V v = BP_(load_partial)(b + k * rs_b + j, lanes);
                BP_UNROLL for (int r = 0; r < m; r++) sum[r] = BP_(vector_fma)(scalar[r][k], v, sum[r]);
            }
            BP_UNROLL for (int r = 0; r < m; r++) BP_(store_partial)(c + r * ldc + j, lanes, sum[r]);
            j += lanes;
        }
        for (; j + BP_VL <= count; j += BP_VL) {
            BP_UNROLL for (int r = 0; r < m; r++) sum[r] = *(const BP_V *)(init + r * rs_init + j * step);
            BP_UNROLL for (int k = 0; k < terms; k++) {
                const BP_V v = *(const BP_V *)(b + k * rs_b + j);
                BP_UNROLL for (int r = 0; r < m; r++) sum[r] = BP_(vector_fma)(scalar[r][k], v, sum[r]);
            }
            BP_UNROLL for (int r = 0; r < m; r++) *(BP_V *)(c + r * ldc + j) = sum[r];
        }
    }
}

/* c[r, j] = Σ_k rows[k][r]·b[k·rs_b + j] for `height` rows and a small k, in the order of c in memory: several rows at a
   time where all of them have the same alignment, else one. */
#define BP_FUSED_CASE(m, n)                                                                \
    case m * 8 + n - 1:                                                                    \
        BP_(fused_axpy)(m, n, k == 0, peel, count, scalars, b + k * rs_b, rs_b, c, ldc);                   \
        break;
static BP_KERNEL void BP_(small_k)(ptrdiff_t height, ptrdiff_t count, int terms, const void **rows, const BP_T *b,
                                   ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    const int is_aligned = ldc * BP_T_BYTES % BP_VECTOR_BYTES == 0;
    for (ptrdiff_t r = 0, m; r < height; r += m, c += m * ldc) {
        const ptrdiff_t peel = BP_(unaligned)(c);
        m = !is_aligned || terms > BP_FUSED_TERMS ? 1 : terms > BP_FUSED_TERMS / 2 ? 2 : 4;
        if (r + m > height) m = 1;
        for (int k = 0; k < terms; k += 8) {
            const int fused = terms - k < 8 ? terms - k : 8;
            BP_T scalars[16];
            for (ptrdiff_t i = 0; i < m; i++)
                for (int l = 0; l < fused; l++) scalars[i * fused + l] = ((const BP_T *)rows[k + l])[r + i];
            switch (m * 8 + fused - 1) {
#if BP_FUSED_TERMS == 8
                BP_FUSED_CASE(4, 1) BP_FUSED_CASE(4, 2) BP_FUSED_CASE(4, 3) BP_FUSED_CASE(4, 4)
                BP_FUSED_CASE(2, 5) BP_FUSED_CASE(2, 6) BP_FUSED_CASE(2, 7) BP_FUSED_CASE(2, 8)
#else
                BP_FUSED_CASE(4, 1) BP_FUSED_CASE(4, 2) BP_FUSED_CASE(2, 3) BP_FUSED_CASE(2, 4)
#endif
                BP_FUSED_CASE(1, 1) BP_FUSED_CASE(1, 2) BP_FUSED_CASE(1, 3) BP_FUSED_CASE(1, 4)
                BP_FUSED_CASE(1, 5) BP_FUSED_CASE(1, 6) BP_FUSED_CASE(1, 7) BP_FUSED_CASE(1, 8)
            }
        }
    }
}

/* c[r, j] = x[r]·y[j], a sum of one product: it is added to 0, as every other. */
static BP_KERNEL void BP_(outer_product)(ptrdiff_t height, ptrdiff_t count, const BP_T *x, const BP_T *y, BP_T *c,
                                         ptrdiff_t ldc) {
    const ptrdiff_t full = count / BP_VL * BP_VL;
    for (ptrdiff_t r = 0; r < height; r++, c += ldc) {
        const BP_V scalar = x[r] - (BP_V){0};
        for (ptrdiff_t j = 0; j < full; j += BP_VL)
            *(BP_V *)(c + j) = BP_(vector_fma)(scalar, *(const BP_V *)(y + j), (BP_V){0});
        for (ptrdiff_t j = full; j < count; j++) c[j] = BP_(fma)(x[r], y[j], 0);
    }
}

/* c[r, j] += Σ_k rows[r][k]·b[k·rs_b + j] for 1 to BP_AXPY_ROWS rows, in the order of b in memory. */
static BP_INLINE void BP_(axpy_rows)(const int m, const int fused, ptrdiff_t count, ptrdiff_t terms, const void **rows,
                                     const BP_T *b, ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    const ptrdiff_t peel = rs_b * BP_T_BYTES % BP_VECTOR_BYTES ? 0 : BP_(unaligned)(b);
    BP_T scalars[3 * 8];
    ptrdiff_t k = 0;
    for (; k + fused <= terms; k += fused) {
        BP_UNROLL for (int r = 0; r < m; r++)
            BP_UNROLL for (int l = 0; l < fused; l++) scalars[r * fused + l] = ((const BP_T *)rows[r])[k + l];
        BP_(fused_axpy)(m, fused, 0, peel, count, scalars, b + k * rs_b, rs_b, c, ldc);
    }
    for (; k < terms; k++) {
        BP_UNROLL for (int r = 0; r < m; r++) scalars[r] = ((const BP_T *)rows[r])[k];
        BP_(fused_axpy)(m, 1, 0, peel, count, scalars, b + k * rs_b, rs_b, c, ldc);
    }
}

static BP_KERNEL void BP_(few_rows_axpy)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                         ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    if (m == 1) BP_(axpy_rows)(1, 8, count, terms, rows, b, rs_b, c, ldc);
    else if (m == 2) BP_(axpy_rows)(2, BP_FUSED_TERMS, count, terms, rows, b, rs_b, c, ldc);
    else if (m == 3) BP_(axpy_rows)(3, BP_FUSED_TERMS, count, terms, rows, b, rs_b, c, ldc);
}
#else
static BP_KERNEL void BP_(few_rows)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                    ptrdiff_t cs_b, BP_T *c, ptrdiff_t ldc) {
    (void)m, (void)count, (void)terms, (void)rows, (void)b, (void)cs_b, (void)c, (void)ldc;
}

static BP_KERNEL void BP_(few_edge_columns)(int n, ptrdiff_t terms, const BP_T *x, const BP_T *b, ptrdiff_t rs_b, BP_T *c) {
    (void)n, (void)terms, (void)x, (void)b, (void)rs_b, (void)c;
}

static BP_KERNEL void BP_(small_k)(ptrdiff_t height, ptrdiff_t count, int terms, const void **rows, const BP_T *b,
                                   ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    (void)height, (void)count, (void)terms, (void)rows, (void)b, (void)rs_b, (void)c, (void)ldc;
}

static BP_KERNEL void BP_(outer_product)(ptrdiff_t height, ptrdiff_t count, const BP_T *x, const BP_T *y, BP_T *c,
                                         ptrdiff_t ldc) {
    (void)height, (void)count, (void)x, (void)y, (void)c, (void)ldc;
}

static BP_KERNEL void BP_(few_rows_axpy)(int m, ptrdiff_t count, ptrdiff_t terms, const void **rows, const BP_T *b,
                                         ptrdiff_t rs_b, BP_T *c, ptrdiff_t ldc) {
    (void)m, (void)count, (void)terms, (void)rows, (void)b, (void)rs_b, (void)c, (void)ldc;
}
#endif

#undef BP_FUSED_CASE
