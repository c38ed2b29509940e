/* The edge of a product: its last columns, where their number is no multiple of BP_LANES, would waste most of a vector. For one type;
   simd.h includes this once for float and once for double.

   Up to half of BP_LANES columns are computed here. Where k is contiguous in `a` and long, they are dot products in virtual
   lanes over blocks of BP_DOT_TERMS terms. Where `a` is transposed, the operands are swapped: vectors hold rows of c, and
   the sums have the order of all others. Which of these it is depends on the numbers of columns and terms and the layout alone, and so does the order
   of a sum. */

#define BP_SWAPPED_BYTES 1536 /* of c: 4 columns of 6 vectors of 64 bytes, or 8 of 3 */
#define BP_IN_PLACE_ROWS 3    /* for whose dot products columns of b are not packed */

/* Columns of b for dot products. */
typedef struct {
    ptrdiff_t columns;
    const BP_T *first;
    ptrdiff_t stride; /* numbers from one column to the next */
} BP_(edge_columns);

static BP_INLINE const BP_T *BP_(row_address)(const bp_rows *rows, ptrdiff_t n) {
    if (rows->pointers) return (const BP_T *)rows->pointers[rows->first + n] + rows->offset;
    return (const BP_T *)rows->base + (rows->first + n) * rows->stride + rows->offset;
}

static BP_INLINE void BP_(row_addresses)(const bp_rows rows, ptrdiff_t count, const void **out) {
    for (ptrdiff_t n = 0; n < count; n++) {
        const BP_T *row = BP_(row_address)(&rows, n);
        /* Not vectorised: most often there are as few rows as a tile has. */
        BP_KEEP_IN_REGISTER(row);
        out[n] = row;
    }
}

/* How many edge columns there are: those that are not computed in tiles. */
static BP_INLINE ptrdiff_t BP_(edge_width)(const int kind, const bp_shape *s) {
    const ptrdiff_t left = s->columns % BP_LANES;
    if (left > BP_LANES / 2 || s->ps_b > 0) return 0;
    if (!s->edge && (kind == BP_PARAMETERS ? s->rows < BP_LANES : s->terms < BP_DOT_LEAST)) return 0;
    return left;
}

/* The columns of b from first_column on, terms `first` to first + terms; b begins at term `first`. Where they are not
   contiguous they are copied to `packed`, which has BP_DOT_BYTES. */
static BP_INLINE BP_(edge_columns) BP_(edge_columns_of)(const int kind, const BP_T *b, const bp_shape *s, ptrdiff_t first,
                                                        ptrdiff_t terms, ptrdiff_t first_column, BP_T *packed) {
    const ptrdiff_t columns = s->columns - first_column;
    if (s->edge) return (BP_(edge_columns)){columns, (const BP_T *)s->edge + first, s->edge_stride};
    if (kind == BP_INPUT) return (BP_(edge_columns)){columns, b + first_column * s->cs_b, s->cs_b};
    for (ptrdiff_t k = 0; k < terms; k++)
        for (ptrdiff_t j = 0; j < columns; j++) packed[j * BP_DOT_TERMS + k] = b[k * s->rs_b + first_column + j];
    return (BP_(edge_columns)){columns, packed, BP_DOT_TERMS};
}

/* The dot products are added to c, `rows` rows of edge->columns numbers. */
static BP_UNUSED void BP_(edge_dots)(const bp_rows a, const BP_(edge_columns) *edge, ptrdiff_t terms, BP_T *c,
                                     ptrdiff_t ldc, ptrdiff_t rows) {
    const void *addresses[BP_DOT_ROWS];
    for (ptrdiff_t r = 0, m; r < rows; r += m) {
        m = bp_min(BP_DOT_ROWS, rows - r);
        if (m == 3) m = 2;
        BP_(row_addresses)(bp_a_from(BP_FORWARD, a, r, 0), m, addresses);
        for (ptrdiff_t j = 0; j < edge->columns; j += BP_DOT_COLUMNS)
            BP_(dots)((int)m, (int)bp_min(BP_DOT_COLUMNS, edge->columns - j), terms, addresses,
                      edge->first + j * edge->stride, edge->stride, c + r * ldc + j, ldc);
    }
}

static BP_INLINE void BP_(init_edge)(const BP_T *bias, BP_T *c, ptrdiff_t ldc, ptrdiff_t rows, ptrdiff_t n) {
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t j = 0; j < n; j++) c[r * ldc + j] = bias ? bias[j] : 0;
}

/* Whether there are so few rows that packing the columns for dot products does not pay. */
static BP_INLINE int BP_(edge_in_place)(const int kind, const bp_shape *s, ptrdiff_t first_column) {
    return kind == BP_FORWARD && BP_FEW_ROWS_COMPILED && s->rows <= BP_IN_PLACE_ROWS && !s->edge && first_column >= BP_VL;
}

/* The columns of c from first_column on, of a transposed `a`. */
static BP_UNUSED void BP_(edge_swapped)(const bp_rows a, const BP_T *b, BP_T *c, const bp_shape *s,
                                        ptrdiff_t first_column) {
    unsigned char memory[BP_SWAPPED_BYTES + 64];
    const void *rows[BP_MAX_KC];
    const int m = (int)(s->columns - first_column);
    const int max_vectors = m <= BP_SWAPPED_FEW_ROWS ? BP_SWAPPED_WIDE : BP_SWAPPED_NARROW;
    BP_T *edge = (BP_T *)(memory + (-(uintptr_t)memory & 63));
    ptrdiff_t stride = max_vectors * BP_VL, width;
    for (ptrdiff_t k = 0; k < s->terms || k == 0; k += BP_MAX_KC) {
        const ptrdiff_t terms = bp_min(BP_MAX_KC, s->terms - k);
        BP_(row_addresses)(bp_a_from(BP_PARAMETERS, a, 0, k), terms, rows);
        for (ptrdiff_t r = 0; r < s->rows; r += width) {
            int vectors = max_vectors;
            if (s->rows - r < max_vectors * BP_VL)
                vectors = s->rows - r >= BP_SWAPPED_NARROW * BP_VL ? BP_SWAPPED_NARROW : 1;
            width = bp_min(vectors * BP_VL, s->rows - r);
            if (s->edge) edge = (BP_T *)s->edge + r, stride = s->edge_stride;
            for (int i = 0; i < m; i++)
                for (ptrdiff_t j = 0; j < width; j++) {
                    if (k == 0) edge[i * stride + j] = 0;
                    else if (!s->edge) edge[i * stride + j] = c[(r + j) * s->ldc + first_column + i];
                }
            BP_(microkernel_swapped)(m, vectors, (int)(width - (vectors - 1) * BP_VL), terms, rows, r,
                                     b + k * s->rs_b + first_column, s->rs_b, edge, stride);
            if (!s->edge)
                for (ptrdiff_t j = 0; j < width; j++)
                    for (int i = 0; i < m; i++) c[(r + j) * s->ldc + first_column + i] = edge[i * stride + j];
        }
    }
}
