/* Columns of numbers that are transposed in registers, and packed, for one type; simd.h includes this once for float and
   once for double. */

/* Eight columns from one pointer and four distances, as many as a processor's addresses take. */
typedef struct { ptrdiff_t one, three, five, seven; } BP_(columns);
static BP_INLINE BP_(columns) BP_(columns_of)(ptrdiff_t cs_b) {
    const ptrdiff_t bytes = cs_b * BP_T_BYTES;
    BP_(columns) d = {bytes, 3 * bytes, 5 * bytes, 7 * bytes};
    BP_KNOWN(d.one);
    BP_KNOWN(d.three);
    BP_KNOWN(d.five);
    BP_KNOWN(d.seven);
    return d;
}

static BP_INLINE const BP_T *BP_(column)(const char *b, const BP_(columns) d, const int j) {
    return (const BP_T *)(b + (j == 7 ? d.seven : j == 5 ? d.five : j % 3 ? j * d.one : j / 3 * d.three));
}

#define BP_W BP_V
#define BP_WIDTH(name) BP_(vector_##name)
#define BP_WIDTH_BYTES BP_VECTOR_BYTES
#include "transpose.h"
#if BP_VECTOR_BYTES == 64
typedef BP_T BP_(narrow) __attribute__((vector_size(32), aligned(sizeof(BP_T)), may_alias));
#define BP_W BP_(narrow)
#define BP_WIDTH(name) BP_(narrow_##name)
#define BP_WIDTH_BYTES 32
#include "transpose.h"
#endif

/* panel[k·panel_stride + j] = b[j·cs_b + k] for `terms` numbers of BP_FOUR columns. */
typedef BP_T BP_(quarter) __attribute__((vector_size(16), aligned(sizeof(BP_T)), may_alias));
static BP_INLINE void BP_(pack_four)(ptrdiff_t terms, const BP_T *b, ptrdiff_t cs_b, BP_T *panel,
                                     ptrdiff_t panel_stride) {
    ptrdiff_t k = 0;
    for (; k + BP_FOUR <= terms; k += BP_FOUR) {
        BP_(quarter) s[BP_FOUR], low[BP_FOUR];
        BP_UNROLL for (int i = 0; i < BP_FOUR; i++) s[i] = *(const BP_(quarter) *)(b + i * cs_b + k);
#if BP_T_BYTES == 4
        BP_UNROLL for (int i = 0; i < 2; i++) {
            low[2 * i] = __builtin_shufflevector(s[2 * i], s[2 * i + 1], 0, 4, 1, 5);
            low[2 * i + 1] = __builtin_shufflevector(s[2 * i], s[2 * i + 1], 2, 6, 3, 7);
        }
        BP_UNROLL for (int i = 0; i < 2; i++) {
            s[2 * i] = __builtin_shufflevector(low[i], low[i + 2], 0, 1, 4, 5);
            s[2 * i + 1] = __builtin_shufflevector(low[i], low[i + 2], 2, 3, 6, 7);
        }
#else
        low[0] = __builtin_shufflevector(s[0], s[1], 0, 2), low[1] = __builtin_shufflevector(s[0], s[1], 1, 3);
        s[0] = low[0], s[1] = low[1];
#endif
        BP_UNROLL for (int i = 0; i < BP_FOUR; i++) *(BP_(quarter) *)(panel + (k + i) * panel_stride) = s[i];
    }
    for (; k < terms; k++)
        BP_UNROLL for (int i = 0; i < BP_FOUR; i++) panel[k * panel_stride + i] = b[i * cs_b + k];
}

/* panel[k·panel_stride + j] = b[j·cs_b + k] for `terms` numbers of `count` columns, 0 for j from `count` to `width`; a line
   of each column at a time, so that the lines of the panel stay in the first-level cache until they are full. */
static BP_UNUSED void BP_(pack_columns)(ptrdiff_t count, ptrdiff_t width, ptrdiff_t terms, const BP_T *b,
                                        ptrdiff_t cs_b, BP_T *panel, ptrdiff_t panel_stride) {
    const ptrdiff_t columns = count / BP_VL * BP_VL, whole = terms / BP_FOUR * BP_FOUR;
    const BP_(columns) d = BP_(columns_of)(cs_b);
    ptrdiff_t j;
    for (ptrdiff_t line = 0; line < whole; line += BP_LANES)
        for (j = 0; j < columns; j += BP_VL)
            for (ptrdiff_t k = line; k < line + BP_LANES && k < whole; k += BP_FOUR) {
                BP_V s[BP_FOUR];
                BP_(vector_load_columns)(b + j * cs_b + k, d, s);
                BP_UNROLL for (int i = 0; i < BP_FOUR; i++) *(BP_V *)(panel + (k + i) * panel_stride + j) = s[i];
            }
    for (j = 0; j + BP_FOUR <= count; j += BP_FOUR) {
        const ptrdiff_t done = j < columns ? whole : 0;
        if (done < terms)
            BP_(pack_four)(terms - done, b + j * cs_b + done, cs_b, panel + done * panel_stride + j, panel_stride);
    }
    for (; j < count; j++)
        for (ptrdiff_t k = 0; k < terms; k++) panel[k * panel_stride + j] = b[j * cs_b + k];
    for (ptrdiff_t k = 0; k < terms; k++)
        for (j = count; j < width; j++) panel[k * panel_stride + j] = 0;
}
