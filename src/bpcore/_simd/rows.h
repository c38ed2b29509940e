/* Vectorized functions over rows of numbers, for one type; simd.h includes this once for float and once for double. The
   result for a number does not depend on its lane. */

#if BP_T_BYTES == 4
typedef uint32_t BP_(vector_bits) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(BP_T_BYTES), may_alias));
typedef int32_t BP_(vector_integers) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(BP_T_BYTES), may_alias));
#else
typedef uint64_t BP_(vector_bits) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(BP_T_BYTES), may_alias));
typedef int64_t BP_(vector_integers) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(BP_T_BYTES), may_alias));
#endif

#if !defined(bp_vector_max)
static BP_INLINE BP_V BP_(vector_max)(BP_V a, BP_V b) { return BP_BLEND(a, b, a > b); }
static BP_INLINE BP_V BP_(vector_min)(BP_V a, BP_V b) { return BP_BLEND(a, b, a < b); }
#endif

#define BP_N BP_V
#define BP_U BP_(vector_bits)
#define BP_I BP_(vector_integers)
#define BP_NAME(name) BP_(vector_##name)
#define BP_BITS(x) ((BP_U)(x))
#define BP_FROM_BITS(u) ((BP_V)(u))
#define BP_FMA(a, b, c) BP_(vector_fma)(a, b, c)
#define BP_FMA_IS_FUSED BP_VECTOR_FMA_IS_FUSED
#define BP_LEAST(a, b) BP_(vector_min)(a, b)
#define BP_MOST(a, b) BP_(vector_max)(a, b)
#define BP_SELECT(condition, a, b) BP_BLEND(a, b, condition)
#if defined(bp_vector_scale)
#define BP_SCALE(p, n) BP_(vector_scale)(p, n)
#endif
#include "functions.h"
#undef BP_N
#undef BP_U
#undef BP_I
#undef BP_NAME
#undef BP_BITS
#undef BP_FROM_BITS
#undef BP_FMA
#undef BP_FMA_IS_FUSED
#undef BP_LEAST
#undef BP_MOST
#undef BP_SELECT
#undef BP_SCALE

/* out = exp(x) for n numbers. */
static BP_UNUSED void BP_(exp_span)(ptrdiff_t n, const BP_T *x, BP_T *out) {
    ptrdiff_t i = 0;
    for (; i + BP_VL <= n; i += BP_VL) *(BP_V *)(out + i) = BP_(vector_exp)(*(const BP_V *)(x + i));
    if (i < n)
        BP_(store_partial)(out + i, (int)(n - i), BP_(vector_exp)(BP_(load_partial)(x + i, (int)(n - i))));
}

/* max_k x[k], or x[0] if that is NaN; a later NaN is ignored. The order of the comparisons changes no bit, nor that some
   numbers are compared twice. */
static BP_UNUSED BP_T BP_(row_max)(ptrdiff_t n, const BP_T *x) {
    BP_V largest[4];
    BP_T m = x[0];
    ptrdiff_t k = 0;
    if (n < BP_VL) {
        for (; k < n; k++) m = x[k] > m ? x[k] : m;
        return m;
    }
    for (int i = 0; i < 4; i++) largest[i] = m - (BP_V){0};
    for (; k + 4 * BP_VL <= n; k += 4 * BP_VL)
        BP_UNROLL for (int i = 0; i < 4; i++) largest[i] = BP_(vector_max)(*(const BP_V *)(x + k + i * BP_VL), largest[i]);
    for (; k < n; k += BP_VL) largest[0] = BP_(vector_max)(*(const BP_V *)(x + (k + BP_VL <= n ? k : n - BP_VL)), largest[0]);
    for (int i = 1; i < 4; i++) largest[0] = BP_(vector_max)(largest[i], largest[0]);
    BP_REDUCE_LANES(largest[0], BP_(vector_max));
    return largest[0][1] > largest[0][0] ? largest[0][1] : largest[0][0];
}

/* y[k] = exp(x[k] − m) for n numbers; returns their sum, taken in BP_LANES virtual lanes. y may be x. */
static BP_UNUSED BP_T BP_(exp_row)(ptrdiff_t n, const BP_T *x, BP_T m, BP_T *y) {
    BP_V sum[BP_LANE_VECTORS];
    ptrdiff_t k = 0;
    BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) sum[w] = (BP_V){0};
    for (; k + BP_LANES <= n; k += BP_LANES)
        BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) {
            const BP_V e = BP_(vector_exp)(*(const BP_V *)(x + k + w * BP_VL) - m);
            *(BP_V *)(y + k + w * BP_VL) = e;
            sum[w] += e;
        }
    for (int w = 0; k + w * BP_VL < n; w++) {
        const int rest = (int)(n - k) - w * BP_VL, count = rest > BP_VL ? BP_VL : rest;
        BP_(store_partial)(y + k + w * BP_VL, count, BP_(vector_exp)(BP_(load_partial)(x + k + w * BP_VL, count) - m));
        /* Lanes without a number add 0, which changes no sum of numbers that are not negative. */
        sum[w] += BP_(load_partial)(y + k + w * BP_VL, count);
    }
    return BP_(lane_sum)(sum);
}

/* e[k·BP_LANES + lane] = exp(e[k·BP_LANES + lane] − m[lane]), m[lane] = max_k e[k·BP_LANES + lane] as in row_max,
   for n numbers of each of BP_LANES rows. */
static BP_UNUSED void BP_(exp_lanes)(ptrdiff_t n, BP_T *e, BP_T *m) {
    BP_V largest[BP_LANE_VECTORS];
    BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) largest[w] = *(const BP_V *)(e + w * BP_VL);
    for (ptrdiff_t k = 1; k < n; k++)
        BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++)
            largest[w] = BP_(vector_max)(*(const BP_V *)(e + k * BP_LANES + w * BP_VL), largest[w]);
    for (ptrdiff_t k = 0; k < n; k++)
        BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++)
            *(BP_V *)(e + k * BP_LANES + w * BP_VL) =
                BP_(vector_exp)(*(const BP_V *)(e + k * BP_LANES + w * BP_VL) - largest[w]);
    BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) *(BP_V *)(m + w * BP_VL) = largest[w];
}

/* mask = x <= 0, which NaN is not, and out = 0 where mask else x; dx = 0 where mask else dout. out may be x. `stream`
   asks for non-temporal stores, for results larger than the caches. */
#if defined(bp_vector_stream)
static BP_INLINE void BP_(relu_vector)(const int stream, const BP_T *x, BP_T *out, unsigned char *mask) {
    const BP_V v = *(const BP_V *)x;
    const BP_(vector_integers) zero = (BP_(vector_integers))(v <= 0);
    const BP_V y = (BP_V)(~zero & (BP_(vector_integers))v);
    BP_(vector_to_bytes)(mask, zero);
    if (stream) BP_(vector_stream)(out, y);
    else *(BP_V *)out = y;
}

static BP_INLINE void BP_(relu_backward_vector)(const int stream, const BP_T *dout, const unsigned char *mask, BP_T *dx) {
    BP_V v = *(const BP_V *)dout;
    /* gcc would make a masked load of it, which takes twice the time. */
    __asm__("" : "+v"(v));
    const BP_V y = (BP_V)((BP_(vector_of_bytes)(mask) == 0) & (BP_(vector_integers))v);
    if (stream) BP_(vector_stream)(dx, y);
    else *(BP_V *)dx = y;
}

static BP_UNUSED void BP_(relu_span)(ptrdiff_t n, const BP_T *x, BP_T *out, unsigned char *mask, int stream) {
    const ptrdiff_t unaligned = stream ? BP_(unaligned)(out) : 0, peel = unaligned < n ? unaligned : n;
    ptrdiff_t i = 0;
    for (; i < peel; i++) mask[i] = x[i] <= 0, out[i] = mask[i] ? 0 : x[i];
    if (stream) for (; i + BP_VL <= n; i += BP_VL) BP_(relu_vector)(1, x + i, out + i, mask + i);
    else for (; i + BP_VL <= n; i += BP_VL) BP_(relu_vector)(0, x + i, out + i, mask + i);
    for (; i < n; i++) mask[i] = x[i] <= 0, out[i] = mask[i] ? 0 : x[i];
}

static BP_UNUSED void BP_(relu_backward_span)(ptrdiff_t n, const BP_T *dout, const unsigned char *mask, BP_T *dx,
                                              int stream) {
    const ptrdiff_t unaligned = stream ? BP_(unaligned)(dx) : 0, peel = unaligned < n ? unaligned : n;
    ptrdiff_t i = 0;
    for (; i < peel; i++) dx[i] = mask[i] ? 0 : dout[i];
    if (stream) for (; i + BP_VL <= n; i += BP_VL) BP_(relu_backward_vector)(1, dout + i, mask + i, dx + i);
    else for (; i + BP_VL <= n; i += BP_VL) BP_(relu_backward_vector)(0, dout + i, mask + i, dx + i);
    for (; i < n; i++) dx[i] = mask[i] ? 0 : dout[i];
}
#else
static BP_UNUSED void BP_(relu_span)(ptrdiff_t n, const BP_T *x, BP_T *out, unsigned char *mask, int stream) {
    (void)stream;
    /* The mask comes first: out may be x. */
    for (ptrdiff_t i = 0; i < n; i++) mask[i] = x[i] <= 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const BP_T v = x[i];
        out[i] = v <= 0 ? 0 : v;
    }
}

static BP_UNUSED void BP_(relu_backward_span)(ptrdiff_t n, const BP_T *dout, const unsigned char *mask, BP_T *dx,
                                              int stream) {
    (void)stream;
    for (ptrdiff_t i = 0; i < n; i++) {
        /* Read in any case, or a compiler would have to branch. */
        const BP_T v = dout[i];
        dx[i] = mask[i] ? 0 : v;
    }
}
#endif

#undef BP_REDUCE_LANES
