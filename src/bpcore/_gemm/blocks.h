/* How a matrix product is divided, and what its three kinds have in common. For one type; simd.h includes this once for float
   and once for double. */

#define BP_K_BLOCK_BYTES 262144   /* of b where it is not packed */
/* Of `a` in a k block. It need not stay in the second-level cache: its rows are read in order, and slowly. But each block
   packs b once more. */
#define BP_M_BLOCK_BYTES 1572864
#define BP_PACK_A_MIN_BLOCKS 6    /* of columns, from which on packing `a` pays */
#define BP_SMALL_K 16             /* up to which sums take less time than writing them, where c has BP_LARGE_C_BYTES or more; */
#define BP_SMALL_K_SMALL_C 4      /* for a smaller c; */
#define BP_SMALLEST_K 2           /* where rows of c have BP_LONG_ROW_BYTES, not BP_PANEL_STRIDE_BYTES */
#define BP_LARGE_C_BYTES 1048576
#define BP_LONG_ROW_BYTES 512
#define BP_PACK_MIN_ROWS 32        /* of c, for which b is packed because of where it begins */
#define BP_AHEAD_MIN_TERMS 64      /* of a tile that prefetches the next panel, */
#define BP_AHEAD_MIN_BYTES 65536   /* of a b so large that it is not in the first-level cache */
#define BP_AXPY_MIN_VECTORS 12    /* of one or two rows of c, below which tiles keep the sums in registers */

/* Vectors of the widest tile (BLIS: nr): few rows need more columns to have enough independent sums. */
static BP_INLINE int BP_(vectors_of)(const int kind, ptrdiff_t rows) {
    const ptrdiff_t tiles = (rows + BP_MR(kind) - 1) / BP_MR(kind);
    if (rows <= BP_WIDE_TILE_ROWS) return BP_WIDE_TILE_VECTORS;
    return BP_NR(kind) < BP_LOW_TILE_VECTORS && rows <= tiles * BP_LOW_TILE_ROWS ? BP_LOW_TILE_VECTORS : BP_NR(kind);
}

/* Whether rows of n numbers are so long that packing pays. */
static BP_INLINE int BP_(is_long)(ptrdiff_t n) { return n * BP_T_BYTES >= BP_PANEL_STRIDE_BYTES; }

/* Blocks of columns that are computed in tiles. */
static BP_INLINE ptrdiff_t BP_(blocks_of)(const int kind, const bp_shape *s) {
    const ptrdiff_t widest = (s->ps_b > 0 ? BP_NR(kind) : BP_(vectors_of)(kind, s->rows)) * BP_VL;
    return (s->columns - BP_(edge_width)(kind, s) + widest - 1) / widest;
}

/* The first column of a block: blocks are nearly equal in multiples of BP_LANES; of a packed b they are its panels. */
static BP_INLINE ptrdiff_t BP_(block_start)(const int kind, const bp_shape *s, ptrdiff_t columns, ptrdiff_t block,
                                             ptrdiff_t blocks) {
    const ptrdiff_t step = BP_(vectors_of)(kind, s->rows) * BP_VL % BP_LANES == 0 ? BP_LANES : BP_VL;
    if (s->ps_b > 0) return bp_min(block * s->rs_b, columns);
    return bp_min((columns + step - 1) / step * block / bp_max(blocks, 1) * step, columns);
}

/* Blocks of k, of which the part of b that a column block reads stays in cache. */
static BP_INLINE ptrdiff_t BP_(k_blocks_of)(const int kind, const bp_shape *s, int packed) {
    const ptrdiff_t bytes = packed ? BP_PANEL_BYTES : BP_K_BLOCK_BYTES;
    ptrdiff_t most = bytes / (BP_(vectors_of)(kind, s->rows) * BP_VECTOR_BYTES);
    /* Each term is a row of `a`, in another page. */
    if (kind == BP_PARAMETERS) most = bp_min(most / 2, BP_MAX_KC);
    return bp_max((s->terms + most - 1) / most, 1);
}

/* Whether c is written row by row: its rows are long, and k is so small that writing dominates. */
static BP_INLINE int BP_(has_small_k)(const bp_shape *s) {
    const ptrdiff_t row = s->columns * BP_T_BYTES, most = s->rows * row >= BP_LARGE_C_BYTES ? BP_SMALL_K : BP_SMALL_K_SMALL_C;
    return 0 < s->terms && s->terms <= most && row >= (s->terms <= BP_SMALLEST_K ? BP_LONG_ROW_BYTES : BP_PANEL_STRIDE_BYTES);
}

/* Bytes to pack a transposed `a` in, for one thread; 0 where packing does not pay. */
static BP_UNUSED ptrdiff_t BP_(packed_a_size)(const bp_shape *s) {
    const ptrdiff_t term = BP_TRANS_TILE_ROWS * BP_T_BYTES, tiles = (s->rows + BP_TRANS_TILE_ROWS - 1) / BP_TRANS_TILE_ROWS;
    if (BP_(has_small_k)(s) || BP_(blocks_of)(BP_PARAMETERS, s) < BP_PACK_A_MIN_BLOCKS) return 0;
    return bp_max(bp_min(tiles * bp_min(s->terms, BP_MAX_KC) * term, BP_M_BLOCK_BYTES), BP_MAX_KC * term);
}

/* For each tile, BP_TRANS_TILE_ROWS numbers of every term. */
static BP_INLINE void BP_(pack_a)(const bp_rows a, ptrdiff_t height, ptrdiff_t first, ptrdiff_t terms, BP_T *packed_a) {
    const ptrdiff_t tiles = (height + BP_TRANS_TILE_ROWS - 1) / BP_TRANS_TILE_ROWS;
    for (ptrdiff_t n = 0; n < tiles; n++) {
        const ptrdiff_t r = height * n / tiles;
        for (ptrdiff_t k = first; k < first + terms; k++, packed_a += BP_TRANS_TILE_ROWS) {
            const BP_T *const numbers = BP_(row_address)(&a, k) + r;
            if (r + BP_TRANS_TILE_ROWS <= height) memcpy(packed_a, numbers, BP_TRANS_TILE_ROWS * sizeof(BP_T));
            else
                for (ptrdiff_t i = 0; i < height - r; i++) packed_a[i] = numbers[i];
        }
    }
}

/* While a panel is used, each row of c prefetches so many pieces of the next one: a row of it or, of columns, which are
   contiguous, 128 bytes of one. Its lines are pages apart, where a processor does not look ahead by itself. */
static BP_INLINE ptrdiff_t BP_(pieces_ahead)(const int kind, ptrdiff_t rows, ptrdiff_t terms, ptrdiff_t width) {
    return ((kind == BP_INPUT ? width * terms * BP_T_BYTES / 128 : terms) + rows - 1) / rows;
}

/* What a tile of m rows from row r on prefetches of the panel that begins at b. */
static BP_INLINE bp_ahead BP_(panel_ahead)(const int kind, const BP_T *b, const bp_shape *s, ptrdiff_t pieces,
                                           ptrdiff_t step, ptrdiff_t width, ptrdiff_t r, int m, const void **rows) {
    unsigned column = (unsigned)r % (unsigned)width, part = (unsigned)r / (unsigned)width;
    for (int i = 0; i < m; i++) {
        const BP_T *row = b + (kind == BP_INPUT ? column * s->cs_b + part * pieces * (128 / BP_T_BYTES)
                                                : (r + i) * pieces * s->rs_b);
        BP_KEEP_IN_REGISTER(row);
        rows[i] = row;
        if (++column == (unsigned)width) column = 0, part++;
    }
    return (bp_ahead){rows, 0, step, kind == BP_INPUT ? 128 : s->rs_b * BP_T_BYTES};
}

/* Whether it is one row whose sums row_product keeps in registers: no column is a dot product, and b is small. */
static BP_INLINE int BP_(is_short_row)(ptrdiff_t rows, ptrdiff_t terms, ptrdiff_t columns) {
    return rows == 1 && terms < BP_DOT_LEAST && columns <= BP_AXPY_MIN_VECTORS * BP_VL;
}

/* The products: bp_product_forward and bp_product_shared_forward, and so on; both types: …f for float. */
#define BP_KIND BP_FORWARD
#define BP_OF(name) BP_(name##_forward)
#include "product.h"
#undef BP_KIND
#undef BP_OF
#define BP_KIND BP_INPUT
#define BP_OF(name) BP_(name##_input)
#include "product.h"
#undef BP_KIND
#undef BP_OF
#define BP_KIND BP_PARAMETERS
#define BP_OF(name) BP_(name##_parameters)
#include "product.h"
#undef BP_KIND
#undef BP_OF
