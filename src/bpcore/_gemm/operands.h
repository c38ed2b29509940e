/* The operands of a matrix product: rows of numbers, which may be anywhere in memory, and a shape. simd.h includes this
   once; operands.pxd and product.pxd say the same to Cython. */

/* Which product of the affine layer it is (oneDNN: the propagation kind). */
#define BP_FORWARD 0    /* x·W + b: b is stored by rows */
#define BP_INPUT 1      /* dout·Wᵀ: b is stored by columns */
#define BP_PARAMETERS 2 /* xᵀ·dout: a is transposed */

#define BP_MAX_KC 512              /* terms whose rows of a transposed `a` are addressed at once */
#define BP_DOT_TERMS 1024          /* terms of one dot product; part of the bits contract */
#define BP_DOT_LEAST 128           /* terms, below which reducing lanes costs too much; part of the bits contract */
#define BP_PANEL_STRIDE_BYTES 2048 /* from one row of b to the next, from which on packing pays */
#define BP_CONFLICT_BYTES 1024     /* multiples of it between rows leave at most a quarter of a cache's sets */

/* Row n begins `offset` numbers behind pointers[first + n] or, if these are NULL, behind base + (first + n)·stride. */
typedef struct {
    const void *base;
    ptrdiff_t stride; /* numbers */
    const void **pointers;
    ptrdiff_t first, offset;
} bp_rows;

/* c is (rows, columns), a is (rows, terms), b is (terms, columns). The rows of `a` in memory run along its terms or, if it
   is transposed, along its rows. */
typedef struct {
    ptrdiff_t rows, columns, terms;
    ptrdiff_t rs_b, cs_b, ldc; /* strides in numbers; rs_b or cs_b is 1 */
    ptrdiff_t ps_b;            /* 0, or b is packed in panels: the stride of these, and rs_b is their width */
    /* NULL, or the edge columns of a padded layout, each contiguous: those of b or, if `a` is transposed, of c. All rows
       of the other columns then consist of full vectors. */
    void *edge;
    ptrdiff_t edge_stride;
    /* NULL, or memory to pack a transposed `a` in; so much for each thread. */
    void *packed_a;
    ptrdiff_t packed_a_bytes;
} bp_shape;

/* Rows in compressed sparse rows (CSR): row r has data[n] in column indices[n] from place begin[r] to place end[r]. Its indices
   ascend, are at least 0 and below 2^32: of one of 64 bits the lower half is read. begin and end are integers of the same
   type, most often one array and the same from its second number on. */
typedef struct {
    const void *begin, *end;
    const void *indices, *data;
    ptrdiff_t step; /* bytes of an index */
    int wide;       /* whether begin and end have 64 bits, not 32 */
} bp_csr;

typedef uint32_t bp_index __attribute__((may_alias));
typedef int32_t bp_place_32 __attribute__((may_alias));
typedef int64_t bp_place_64 __attribute__((may_alias));

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BP_LOWER_HALF(x) ((x)->step - 4)
#else
#define BP_LOWER_HALF(x) 0
#endif

/* Data that is needed after the product: a tile that computes row r of c prefetches from rows[r] on. */
typedef struct {
    const void **rows; /* one for each row of c, or NULL */
    ptrdiff_t step;    /* two cache lines every `step` terms */
} bp_prefetch;

/* What one tile prefetches: of each of its rows two cache lines every `step` terms, from byte `byte` on and `stride` bytes
   further each time. */
typedef struct {
    const void **rows; /* or NULL */
    ptrdiff_t byte, step, stride;
} bp_ahead;

/* The submatrix of `a` that begins at row r and column k. */
static inline bp_rows bp_a_from(const int kind, bp_rows a, ptrdiff_t r, ptrdiff_t k) {
    a.first += kind == BP_PARAMETERS ? k : r;
    a.offset += kind == BP_PARAMETERS ? r : k;
    return a;
}

/* Where part `part` of n begins: parts are nearly equal in multiples of `step`. */
static inline ptrdiff_t bp_part_start(ptrdiff_t n, ptrdiff_t part, ptrdiff_t parts, ptrdiff_t step) {
    const ptrdiff_t start = (n + step - 1) / step * part / parts * step;
    return start < n ? start : n;
}

static inline ptrdiff_t bp_min(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }
static inline ptrdiff_t bp_max(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

/* Number r of `begin` or `end`. */
static inline ptrdiff_t bp_place(const bp_csr *x, const void *places, ptrdiff_t r) {
    return x->wide ? (ptrdiff_t)((const bp_place_64 *)places)[r] : ((const bp_place_32 *)places)[r];
}

/* Where the index of place n is read from, and the index that is there. */
static inline const char *bp_index_address(const bp_csr *x, ptrdiff_t n) {
    return (const char *)x->indices + n * x->step + BP_LOWER_HALF(x);
}
static inline ptrdiff_t bp_index_at(const char *address) { return *(const bp_index *)address; }

/* The first place from `begin` to `end` whose index is at least k; `end` if there is none. */
static inline ptrdiff_t bp_first_from(const bp_csr *x, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t k) {
    while (begin < end) {
        const ptrdiff_t middle = begin + (end - begin) / 2;
        if (bp_index_at(bp_index_address(x, middle)) < k) begin = middle + 1;
        else end = middle;
    }
    return begin;
}
