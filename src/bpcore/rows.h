/* Functions over rows of numbers, for one type; simd.h includes this once for float and once for double. What they do
   to a number does not depend on where in a vector it stands. */

#define V BP(vector)
#define VL (BP_VECTOR_BYTES / T_BYTES)
#define LANES (64 / T_BYTES)
#define WIDE (LANES / VL)
#if T_BYTES == 4
typedef uint32_t BP(vector_bits) __attribute__((vector_size(BP_VECTOR_BYTES), may_alias));
typedef int32_t BP(vector_integers) __attribute__((vector_size(BP_VECTOR_BYTES), may_alias));
#else
typedef uint64_t BP(vector_bits) __attribute__((vector_size(BP_VECTOR_BYTES), may_alias));
typedef int64_t BP(vector_integers) __attribute__((vector_size(BP_VECTOR_BYTES), may_alias));
#endif

#define N V
#define U BP(vector_bits)
#define I BP(vector_integers)
#define NAME(name) BP(vector_##name)
#define BITS(x) ((U)(x))
#define FROM_BITS(u) ((V)(u))
#define FMA(a, b, c) BP(vector_fma)(a, b, c)
#define LEAST(a, b) BP(vector_min)(a, b)
#define MOST(a, b) BP(vector_max)(a, b)
#define SELECT(condition, a, b) BP_SELECT(a, b, condition)
#if defined(bp_vector_scale)
#define SCALE(p, n) BP(vector_scale)(p, n)
#endif
#include "exponential.h"
#undef N
#undef U
#undef I
#undef NAME
#undef BITS
#undef FROM_BITS
#undef FMA
#undef LEAST
#undef MOST
#undef SELECT
#undef SCALE

/* out = f(x) for n numbers. */
#define BP_OVER(f)                                                                         \
    ptrdiff_t i = 0;                                                                       \
    for (; i + VL <= n; i += VL) *(V *)(out + i) = f(*(const V *)(x + i));                 \
    if (i < n) BP(store_some)(out + i, (int)(n - i), f(BP(load_some)(x + i, (int)(n - i))))

static BP_UNUSED void BP(exp_span)(ptrdiff_t n, const T *x, T *out) { BP_OVER(BP(vector_exp)); }
static BP_UNUSED void BP(sigmoid_span)(ptrdiff_t n, const T *x, T *out) { BP_OVER(BP(vector_sigmoid)); }

/* y[k] = exp(x[k] − m) for K numbers; returns their sum, taken in LANES virtual lanes. y may be x. */
static BP_UNUSED T BP(exp_row)(ptrdiff_t K, const T *x, T m, T *y) {
    V sum[WIDE];
    ptrdiff_t k = 0;
    BP_UNROLL for (int w = 0; w < WIDE; w++) sum[w] = (V){0};
    for (; k + LANES <= K; k += LANES)
        BP_UNROLL for (int w = 0; w < WIDE; w++) {
            const V e = BP(vector_exp)(*(const V *)(x + k + w * VL) - m);
            *(V *)(y + k + w * VL) = e;
            sum[w] += e;
        }
    for (int w = 0; k + w * VL < K; w++) {
        const int rest = (int)(K - k) - w * VL, count = rest > VL ? VL : rest;
        BP(store_some)(y + k + w * VL, count, BP(vector_exp)(BP(load_some)(x + k + w * VL, count) - m));
        /* Lanes without a number add 0, which changes no sum of what is not negative. */
        sum[w] += BP(load_some)(y + k + w * VL, count);
    }
    return BP(lane_sum)(sum);
}

/* e[k·LANES + lane] = exp(e[k·LANES + lane] − m[lane]), m[lane] = max_k e[k·LANES + lane] as `highest` has it, for K
   numbers of each of LANES rows. */
static BP_UNUSED void BP(exp_lanes)(ptrdiff_t K, T *e, T *m) {
    V most[WIDE];
    BP_UNROLL for (int w = 0; w < WIDE; w++) most[w] = *(const V *)(e + w * VL);
    for (ptrdiff_t k = 1; k < K; k++)
        BP_UNROLL for (int w = 0; w < WIDE; w++)
            most[w] = BP(vector_max)(*(const V *)(e + k * LANES + w * VL), most[w]);
    for (ptrdiff_t k = 0; k < K; k++)
        BP_UNROLL for (int w = 0; w < WIDE; w++)
            *(V *)(e + k * LANES + w * VL) = BP(vector_exp)(*(const V *)(e + k * LANES + w * VL) - most[w]);
    BP_UNROLL for (int w = 0; w < WIDE; w++) *(V *)(m + w * VL) = most[w];
}

#undef BP_OVER
#undef V
#undef VL
#undef LANES
#undef WIDE
