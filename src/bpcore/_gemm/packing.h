/* Packing of columns, transposed in registers, for one type; simd.h includes this once for float and once for double. */

/* The strides that address eight columns from one pointer: an x86-64 address scales a stride by 1, 2 or 4. */
typedef struct { ptrdiff_t one, three, five, seven; } BP_(column_strides);
static BP_INLINE BP_(column_strides) BP_(column_strides_of)(ptrdiff_t cs_b) {
    const ptrdiff_t bytes = cs_b * BP_T_BYTES;
    BP_(column_strides) strides = {bytes, 3 * bytes, 5 * bytes, 7 * bytes};
    BP_KEEP_IN_REGISTER(strides.one);
    BP_KEEP_IN_REGISTER(strides.three);
    BP_KEEP_IN_REGISTER(strides.five);
    BP_KEEP_IN_REGISTER(strides.seven);
    return strides;
}

static BP_INLINE const BP_T *BP_(column)(const char *b, const BP_(column_strides) strides, const int j) {
    const ptrdiff_t small = j % 3 ? j * strides.one : j / 3 * strides.three;
    return (const BP_T *)(b + (j == 7 ? strides.seven : j == 5 ? strides.five : small));
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

/* panel[k·panel_stride + j] = b[j·cs_b + k] for `terms` numbers of BP_VL128 columns. */
typedef BP_T BP_(vector128) __attribute__((vector_size(16), aligned(sizeof(BP_T)), may_alias));
static BP_INLINE void BP_(pack_columns_128)(ptrdiff_t terms, const BP_T *b, ptrdiff_t cs_b, BP_T *panel,
                                            ptrdiff_t panel_stride) {
    ptrdiff_t k = 0;
    for (; k + BP_VL128 <= terms; k += BP_VL128) {
        BP_(vector128) s[BP_VL128], low[BP_VL128];
        BP_UNROLL for (int i = 0; i < BP_VL128; i++) s[i] = *(const BP_(vector128) *)(b + i * cs_b + k);
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
        BP_UNROLL for (int i = 0; i < BP_VL128; i++) *(BP_(vector128) *)(panel + (k + i) * panel_stride) = s[i];
    }
    for (; k < terms; k++)
        BP_UNROLL for (int i = 0; i < BP_VL128; i++) panel[k * panel_stride + i] = b[i * cs_b + k];
}

/* panel[k·panel_stride + j] = b[j·cs_b + k] for `terms` numbers of `count` columns, 0 for j from `count` to `width`;
   a cache line of each column at a time, so that the lines of the panel stay in the first-level cache until complete. */
static BP_KERNEL void BP_(pack_columns)(ptrdiff_t count, ptrdiff_t width, ptrdiff_t terms, const BP_T *b,
                                        ptrdiff_t cs_b, BP_T *panel, ptrdiff_t panel_stride) {
    const ptrdiff_t columns = count / BP_VL * BP_VL, full = terms / BP_VL128 * BP_VL128;
    const BP_(column_strides) strides = BP_(column_strides_of)(cs_b);
    ptrdiff_t j;
    for (ptrdiff_t line = 0; line < full; line += BP_LANES)
        for (j = 0; j < columns; j += BP_VL)
            for (ptrdiff_t k = line; k < line + BP_LANES && k < full; k += BP_VL128) {
                BP_V s[BP_VL128];
                BP_(vector_load_columns)(b + j * cs_b + k, strides, s);
                BP_UNROLL for (int i = 0; i < BP_VL128; i++) *(BP_V *)(panel + (k + i) * panel_stride + j) = s[i];
            }
    for (j = 0; j + BP_VL128 <= count; j += BP_VL128) {
        const ptrdiff_t done = j < columns ? full : 0;
        if (done < terms)
            BP_(pack_columns_128)(terms - done, b + j * cs_b + done, cs_b, panel + done * panel_stride + j, panel_stride);
    }
    for (; j < count; j++)
        for (ptrdiff_t k = 0; k < terms; k++) panel[k * panel_stride + j] = b[j * cs_b + k];
    for (ptrdiff_t k = 0; k < terms; k++)
        for (j = count; j < width; j++) panel[k * panel_stride + j] = 0;
}
