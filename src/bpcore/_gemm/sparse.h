/* The affine layer of sparse rows: out = b + x·W and dW = xᵀ·dout, x stored in compressed sparse rows (CSR). For one type;
   simd.h includes this once for float and once for double.

a) Numbers that are not stored take no part. With finite weights their products would be 0, which changes no sum but the sign
   of one that is 0: the bits are those of product.h, because sums have its order. That of an element of dW is one chain of
   fused multiply-adds along the rows of the batch; that of `out` is one along k or, for edge columns, one in each virtual
   lane, and the index of a number says in which.
b) The sums of a row of `out` stay in registers, up to BP_SPARSE_VECTORS vectors of them. Two rows at a time were slower, but
   for less than 24 columns.
c) x is divided into blocks of columns: the rows of dW that belong to a block stay in the first-level cache until all rows of
   the batch are added.
d) The last vector of a row begins early enough to be full, and computes some columns again. */

#define BP_SPARSE_VECTORS 7           /* of columns in a tile at most: 50 float32 are 7 vectors of 32 bytes */
#define BP_SPARSE_BLOCK_BYTES 20480   /* of dW in a block of columns of x */
#define BP_SPARSE_LEAST 6             /* numbers of a row in a block on average, below which blocks are larger */
#define BP_SPARSE_ROWS 2048           /* of x whose places are kept at once: two lists of them in BP_DOT_BYTES */
#define BP_SPARSE_PARTS 4             /* of dW for each thread: some have few numbers */
/* Numbers in the memory of a virtual lane: up to BP_LANES / 2 edge columns. */
#define BP_LANE_NUMBERS (BP_VL > BP_LANES / 2 ? BP_VL : BP_LANES / 2)

/* Row r of x: data[n] in column k, k being number n of the indices, from place begin[r] to place end[r]. */
typedef struct {
    const BP_T *value, *end;
    const char *index;
} BP_(sparse_row);

static BP_INLINE BP_(sparse_row) BP_(sparse_row_of)(const bp_csr *x, ptrdiff_t begin, ptrdiff_t end) {
    const BP_T *const data = (const BP_T *)x->data;
    return (BP_(sparse_row)){data + begin, data + end, bp_index_address(x, begin)};
}

/* The edge columns of a row of W, which are its last ones: added to the lane of its number. Of at least BP_LANE_NUMBERS
   columns, some before the edge are read too, and not used. */
static BP_INLINE void BP_(sparse_edge)(const int is_short, ptrdiff_t outputs, BP_T value, const BP_T *row, ptrdiff_t k,
                                       BP_T *lanes) {
    BP_T *const lane = lanes + k % BP_LANES * BP_LANE_NUMBERS;
    if (is_short && !BP_HAS_MASKS) {
        BP_NO_UNROLL for (ptrdiff_t j = 0; j < outputs; j++) lane[j] = BP_(fma)(value, row[j], lane[j]);
        return;
    }
    BP_UNROLL for (int v = 0; v < BP_LANE_NUMBERS; v += BP_VL) {
        const BP_V columns = is_short ? BP_(load_partial)(row, (int)outputs)
                                      : *(const BP_V *)(row + outputs - BP_LANE_NUMBERS + v);
        *(BP_V *)(lane + v) = BP_(vector_fma)(value - (BP_V){0}, columns, *(const BP_V *)(lane + v));
    }
}

/* out[j] += the sum of the lanes, reduced pairwise, of `edge` columns, the last ones; the lanes are 0 again. */
static BP_KERNEL void BP_(sparse_edge_sums)(int edge, ptrdiff_t outputs, BP_T *lanes, BP_T *out) {
    const ptrdiff_t first = bp_min(outputs, BP_LANE_NUMBERS) - edge;
    BP_NO_UNROLL for (ptrdiff_t v = 0; v < BP_LANE_NUMBERS; v += BP_VL) {
        BP_V sum[BP_LANES / 2];
        BP_UNROLL for (int l = 0; l < BP_LANES / 2; l++)
            sum[l] = *(const BP_V *)(lanes + l * BP_LANE_NUMBERS + v)
                + *(const BP_V *)(lanes + (l + BP_LANES / 2) * BP_LANE_NUMBERS + v);
        BP_UNROLL for (int half = BP_LANES / 4; half > 0; half /= 2)
            BP_UNROLL for (int l = 0; l < half; l++) sum[l] += sum[l + half];
        *(BP_V *)(lanes + v) = sum[0];
    }
    BP_NO_UNROLL for (int j = 0; j < edge; j++) out[j] += lanes[first + j];
    memset(lanes, 0, BP_LANES * BP_LANE_NUMBERS * sizeof(BP_T));
}

/* n vectors of columns of one row: out[j] = b[j] + Σ_k x[k]·w[k, column + j] for `width` columns. If `lanes` is not NULL the
   edge columns, the last ones of w, are added to them. */
static BP_INLINE void BP_(sparse_tile)(const int n, const int partial, BP_(sparse_row) x, ptrdiff_t step, const BP_T *w,
                                       ptrdiff_t outputs, const BP_T *b, ptrdiff_t column, ptrdiff_t width, BP_T *out,
                                       BP_T *lanes) {
    BP_V sum[BP_SPARSE_VECTORS];
    const ptrdiff_t last = width - BP_VL;
    BP_UNROLL for (int v = 0; v < n - 1; v++) sum[v] = *(const BP_V *)(b + v * BP_VL);
    sum[n - 1] = partial ? BP_(load_partial)(b, (int)width) : *(const BP_V *)(b + last);
    for (; x.value < x.end; x.value++, x.index += step) {
        const ptrdiff_t k = bp_index_at(x.index);
        const BP_T *const row = w + k * outputs, *const part = row + column;
        const BP_V scalar = *x.value - (BP_V){0};
        BP_UNROLL for (int v = 0; v < n - 1; v++)
            sum[v] = BP_(vector_fma)(scalar, *(const BP_V *)(part + v * BP_VL), sum[v]);
        sum[n - 1] = BP_(vector_fma)(
            scalar, partial ? BP_(load_partial)(part, (int)width) : *(const BP_V *)(part + last), sum[n - 1]);
        if (!partial && lanes) BP_(sparse_edge)(0, outputs, *x.value, row, k, lanes);
    }
    BP_UNROLL for (int v = 0; v < n - 1; v++) *(BP_V *)(out + v * BP_VL) = sum[v];
    if (partial) BP_(store_partial)(out, (int)width, sum[n - 1]);
    else *(BP_V *)(out + last) = sum[n - 1];
}

#define BP_SPARSE_TILE(n, partial)                                                         \
    BP_(sparse_tile)(n, partial, x, step, w, outputs, b, column, width, out, lanes);       \
    return;
static BP_KERNEL void BP_(sparse_tiles)(BP_(sparse_row) x, ptrdiff_t step, const BP_T *w, ptrdiff_t outputs,
                                        const BP_T *b, ptrdiff_t column, ptrdiff_t width, BP_T *out, BP_T *lanes) {
    switch (width < BP_VL ? 0 : (width + BP_VL - 1) / BP_VL) {
    case 0: BP_SPARSE_TILE(1, 1)
    case 1: BP_SPARSE_TILE(1, 0)
    case 2: BP_SPARSE_TILE(2, 0)
    case 3: BP_SPARSE_TILE(3, 0)
    case 4: BP_SPARSE_TILE(4, 0)
    case 5: BP_SPARSE_TILE(5, 0)
    case 6: BP_SPARSE_TILE(6, 0)
    case 7: BP_SPARSE_TILE(7, 0)
    }
}
#undef BP_SPARSE_TILE

/* The edge columns of one row: dot products in virtual lanes over blocks of BP_DOT_TERMS terms. */
static BP_KERNEL void BP_(sparse_edge_row)(BP_(sparse_row) x, ptrdiff_t step, const BP_T *w, ptrdiff_t outputs, int edge,
                                           BP_T *lanes, BP_T *out) {
    ptrdiff_t block = 0;
    for (; x.value < x.end; x.value++, x.index += step) {
        const ptrdiff_t k = bp_index_at(x.index);
        if (k / BP_DOT_TERMS != block) BP_(sparse_edge_sums)(edge, outputs, lanes, out), block = k / BP_DOT_TERMS;
        if (outputs < BP_LANE_NUMBERS) BP_(sparse_edge)(1, outputs, *x.value, w + k * outputs, k, lanes);
        else BP_(sparse_edge)(0, outputs, *x.value, w + k * outputs, k, lanes);
    }
    BP_(sparse_edge_sums)(edge, outputs, lanes, out);
}

/* Where block n of `blocks` begins: nearly equal numbers of vectors, of which no last one of several is alone. */
static BP_INLINE ptrdiff_t BP_(sparse_column)(ptrdiff_t columns, ptrdiff_t n, ptrdiff_t blocks) {
    return bp_min((columns + BP_VL - 1) / BP_VL * n / blocks * BP_VL, columns);
}

/* out = b + x·W for rows `first` to `stop` of x; W is (I, O). */
static BP_UNUSED void BP_(sparse_forward_rows)(const bp_csr *x, const BP_T *w, const BP_T *b, BP_T *out, ptrdiff_t stride,
                                               ptrdiff_t first, ptrdiff_t stop, ptrdiff_t inputs, ptrdiff_t outputs) {
    BP_T lanes[BP_LANES * BP_LANE_NUMBERS];
    const bp_shape s = {stop - first, outputs, inputs, outputs, 1, stride, 0, NULL, 0, NULL, 0};
    const int edge = (int)BP_(edge_width)(BP_FORWARD, &s);
    const ptrdiff_t columns = outputs - edge, vectors = (columns + BP_VL - 1) / BP_VL;
    const ptrdiff_t blocks = (vectors + BP_SPARSE_VECTORS - 1) / BP_SPARSE_VECTORS;
    /* The rows of W are read once where no sum of lanes is needed before the end. */
    const int fused = edge && columns > 0 && inputs <= BP_DOT_TERMS;
    memset(lanes, 0, sizeof lanes);
    out += first * stride;
    for (ptrdiff_t r = first; r < stop; r++, out += stride) {
        const BP_(sparse_row) row = BP_(sparse_row_of)(x, bp_place(x, x->begin, r), bp_place(x, x->end, r));
        for (ptrdiff_t n = 0; n < blocks; n++) {
            const ptrdiff_t column = BP_(sparse_column)(columns, n, blocks);
            BP_(sparse_tiles)(row, x->step, w, outputs, b + column, column,
                              BP_(sparse_column)(columns, n + 1, blocks) - column, out + column,
                              fused && n == 0 ? lanes : NULL);
        }
        if (edge) {
            memcpy(out + columns, b + columns, (size_t)edge * sizeof(BP_T));
            if (fused) BP_(sparse_edge_sums)(edge, outputs, lanes, out + columns);
            else BP_(sparse_edge_row)(row, x->step, w, outputs, edge, lanes, out + columns);
        }
    }
}

/* dW[k] += x[r, k]·dout[r] in n vectors of columns, for numbers of x from place[r] on whose column k is below `stop`; next[r]
   is the place behind them. With n = 0 there are `width` columns, fewer than a vector has. */
static BP_INLINE void BP_(sparse_outer)(const int n, const bp_csr *x, const ptrdiff_t *place, ptrdiff_t *next,
                                        ptrdiff_t first, ptrdiff_t rows, ptrdiff_t stop, const BP_T *dout,
                                        ptrdiff_t stride, BP_T *dW, ptrdiff_t outputs, ptrdiff_t width) {
    const ptrdiff_t last = width - BP_VL, step = x->step;
    for (ptrdiff_t r = 0; r < rows; r++, dout += stride) {
        BP_(sparse_row) row = BP_(sparse_row_of)(x, place[r], bp_place(x, x->end, first + r));
        BP_V y[BP_SPARSE_VECTORS];
        BP_UNROLL for (int v = 0; v < n; v++) y[v] = *(const BP_V *)(dout + (v < n - 1 ? v * BP_VL : last));
        for (; row.value < row.end; row.value++, row.index += step) {
            const ptrdiff_t k = bp_index_at(row.index);
            if (k >= stop) break;
            BP_T *const c = dW + k * outputs;
            const BP_V scalar = *row.value - (BP_V){0};
            BP_V sum[BP_SPARSE_VECTORS];
            BP_UNROLL for (int v = 0; v < n; v++)
                sum[v] = BP_(vector_fma)(scalar, y[v], *(const BP_V *)(c + (v < n - 1 ? v * BP_VL : last)));
            BP_UNROLL for (int v = 0; v < n; v++) *(BP_V *)(c + (v < n - 1 ? v * BP_VL : last)) = sum[v];
            if (n == 0)
                BP_NO_UNROLL for (ptrdiff_t j = 0; j < width; j++) c[j] = BP_(fma)(*row.value, dout[j], c[j]);
        }
        next[r] = row.value - (const BP_T *)x->data;
    }
}

#define BP_SPARSE_OUTER(n)                                                                 \
    case n: BP_(sparse_outer)(n, x, place, next, first, rows, stop, dout, stride, dW, outputs, width); return;
static BP_KERNEL void BP_(sparse_outers)(const bp_csr *x, const ptrdiff_t *place, ptrdiff_t *next, ptrdiff_t first,
                                         ptrdiff_t rows, ptrdiff_t stop, const BP_T *dout, ptrdiff_t stride, BP_T *dW,
                                         ptrdiff_t outputs, ptrdiff_t width) {
    switch (width < BP_VL ? 0 : (width + BP_VL - 1) / BP_VL) {
        BP_SPARSE_OUTER(0) BP_SPARSE_OUTER(1) BP_SPARSE_OUTER(2) BP_SPARSE_OUTER(3) BP_SPARSE_OUTER(4)
        BP_SPARSE_OUTER(7)
    }
}
#undef BP_SPARSE_OUTER

/* Rows k0 to k1 of dW = xᵀ·dout, for B rows of x. */
static BP_UNUSED void BP_(sparse_parameters_part)(const bp_csr *x, const BP_T *dout, ptrdiff_t stride, BP_T *dW,
                                                  ptrdiff_t batch, ptrdiff_t k0, ptrdiff_t k1, ptrdiff_t inputs,
                                                  ptrdiff_t outputs) {
    /* Tiles of 5 and 6 vectors are not compiled. */
    const ptrdiff_t vectors = (outputs + BP_VL - 1) / BP_VL, blocks = vectors == 7 ? 1 : (vectors + 3) / 4;
    const ptrdiff_t least = bp_max(BP_SPARSE_BLOCK_BYTES / BP_T_BYTES / bp_min(outputs, BP_SPARSE_VECTORS * BP_VL), 1);
    ptrdiff_t *const place = (ptrdiff_t *)bp_dot_memory(), *const unused = place + BP_SPARSE_ROWS;
    memset(dW + k0 * outputs, 0, (size_t)((k1 - k0) * outputs) * sizeof(BP_T));
    for (ptrdiff_t first = 0; first < batch; first += BP_SPARSE_ROWS) {
        const ptrdiff_t rows = bp_min(batch - first, BP_SPARSE_ROWS);
        ptrdiff_t numbers = 1;
        for (ptrdiff_t r = 0; r < rows; r++) {
            const ptrdiff_t begin = bp_place(x, x->begin, first + r), end = bp_place(x, x->end, first + r);
            numbers += end - begin;
            place[r] = k0 > 0 ? bp_first_from(x, begin, end, k0) : begin;
        }
        const ptrdiff_t height = bp_max(least, BP_SPARSE_LEAST * rows * inputs / numbers);
        for (ptrdiff_t k = k0, stop; k < k1; k = stop) {
            stop = bp_min(k1 - k, height) + k;
            for (ptrdiff_t n = 0; n < blocks; n++) {
                const ptrdiff_t column = BP_(sparse_column)(outputs, n, blocks);
                BP_(sparse_outers)(x, place, n + 1 < blocks ? unused : place, first, rows, stop,
                                   dout + first * stride + column, stride, dW + column, outputs,
                                   BP_(sparse_column)(outputs, n + 1, blocks) - column);
            }
        }
    }
}

/* out = b + x·W for B rows; threads share them. */
static BP_UNUSED void BP_(sparse_forward)(const bp_csr *x, const BP_T *w, const BP_T *b, BP_T *out, ptrdiff_t stride,
                                          ptrdiff_t batch, ptrdiff_t inputs, ptrdiff_t outputs, int threads) {
    if (threads <= 1) {
        BP_(sparse_forward_rows)(x, w, b, out, stride, 0, batch, inputs, outputs);
        return;
    }
    const ptrdiff_t parts = bp_min(batch, threads * BP_SPARSE_PARTS);
#if defined(_OPENMP)
#pragma omp parallel for num_threads(threads) schedule(static, 1)
#endif
    for (ptrdiff_t n = 0; n < parts; n++)
        BP_(sparse_forward_rows)(x, w, b, out, stride, bp_part_start(batch, n, parts, 1),
                                 bp_part_start(batch, n + 1, parts, 1), inputs, outputs);
}

/* dW = xᵀ·dout for B rows; threads share the rows of dW. */
static BP_UNUSED void BP_(sparse_parameters)(const bp_csr *x, const BP_T *dout, ptrdiff_t stride, BP_T *dW, ptrdiff_t batch,
                                             ptrdiff_t inputs, ptrdiff_t outputs, int threads) {
    if (threads <= 1) {
        BP_(sparse_parameters_part)(x, dout, stride, dW, batch, 0, inputs, inputs, outputs);
        return;
    }
    const ptrdiff_t parts = bp_min(inputs, threads * BP_SPARSE_PARTS);
#if defined(_OPENMP)
#pragma omp parallel for num_threads(threads) schedule(static, 1)
#endif
    for (ptrdiff_t n = 0; n < parts; n++)
        BP_(sparse_parameters_part)(x, dout, stride, dW, batch, inputs * n / parts, inputs * (n + 1) / parts, inputs, outputs);
}

#undef BP_LANE_NUMBERS
