/* Functions over rows of numbers, for one type; simd.h includes this once for float and once for double. What they do
   to a number does not depend on where in a vector it stands. */

#define V BP(vector)
#define VL (BP_VECTOR_BYTES / T_BYTES)
#define LANES (64 / T_BYTES)
#define WIDE (LANES / VL)
#if T_BYTES == 4
typedef uint32_t BP(vector_bits) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(T_BYTES), may_alias));
typedef int32_t BP(vector_integers) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(T_BYTES), may_alias));
#else
typedef uint64_t BP(vector_bits) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(T_BYTES), may_alias));
typedef int64_t BP(vector_integers) __attribute__((vector_size(BP_VECTOR_BYTES), aligned(T_BYTES), may_alias));
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

/* max_k x[k], or x[0] if that is NaN; a NaN behind it is passed over. Which lane held the largest changes no bit, nor
   that some numbers are looked at twice. */
static BP_UNUSED T BP(highest)(ptrdiff_t K, const T *x) {
    V most[4];
    T m = x[0];
    ptrdiff_t k = 0;
    if (K < VL) {
        for (; k < K; k++) m = x[k] > m ? x[k] : m;
        return m;
    }
    for (int i = 0; i < 4; i++) most[i] = m - (V){0};
    for (; k + 4 * VL <= K; k += 4 * VL)
        BP_UNROLL for (int i = 0; i < 4; i++) most[i] = BP(vector_max)(*(const V *)(x + k + i * VL), most[i]);
    for (; k < K; k += VL) most[0] = BP(vector_max)(*(const V *)(x + (k + VL <= K ? k : K - VL)), most[0]);
    for (int i = 1; i < 4; i++) most[0] = BP(vector_max)(most[i], most[0]);
    BP_HALVES(most[0], BP(vector_max));
    return most[0][1] > most[0][0] ? most[0][1] : most[0][0];
}

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

/* mask = x <= 0, which NaN is not, and out = 0 where mask else x. `stream` is for results that no cache holds: `out`
   goes to memory without being read first. out may be x. And dx = 0 where mask else dout, likewise. */
#if defined(bp_vector_stream)
static BP_INLINE void BP(relu)(const int stream, const T *x, T *out, unsigned char *mask) {
    const V v = *(const V *)x;
    const BP(vector_integers) zero = (BP(vector_integers))(v <= 0);
    const V y = (V)(~zero & (BP(vector_integers))v);
    BP(vector_to_bytes)(mask, zero);
    if (stream) BP(vector_stream)(out, y);
    else *(V *)out = y;
}

static BP_INLINE void BP(relu_back)(const int stream, const T *dout, const unsigned char *mask, T *dx) {
    V v = *(const V *)dout;
    /* gcc would make a masked load of it, which takes twice the time. */
    __asm__("" : "+v"(v));
    const V y = (V)((BP(vector_of_bytes)(mask) == 0) & (BP(vector_integers))v);
    if (stream) BP(vector_stream)(dx, y);
    else *(V *)dx = y;
}

/* Numbers before the next address that is a multiple of a vector's bytes. */
static BP_INLINE ptrdiff_t BP(unaligned)(const T *p, ptrdiff_t n) {
    const ptrdiff_t count = (ptrdiff_t)(-(uintptr_t)p % BP_VECTOR_BYTES / T_BYTES);
    return count < n ? count : n;
}

static BP_UNUSED void BP(relu_span)(ptrdiff_t n, const T *x, T *out, unsigned char *mask, int stream) {
    const ptrdiff_t head = stream ? BP(unaligned)(out, n) : 0;
    ptrdiff_t i = 0;
    for (; i < head; i++) mask[i] = x[i] <= 0, out[i] = mask[i] ? 0 : x[i];
    if (stream) for (; i + VL <= n; i += VL) BP(relu)(1, x + i, out + i, mask + i);
    else for (; i + VL <= n; i += VL) BP(relu)(0, x + i, out + i, mask + i);
    for (; i < n; i++) mask[i] = x[i] <= 0, out[i] = mask[i] ? 0 : x[i];
}

static BP_UNUSED void BP(relu_backward_span)(ptrdiff_t n, const T *dout, const unsigned char *mask, T *dx, int stream) {
    const ptrdiff_t head = stream ? BP(unaligned)(dx, n) : 0;
    ptrdiff_t i = 0;
    for (; i < head; i++) dx[i] = mask[i] ? 0 : dout[i];
    if (stream) for (; i + VL <= n; i += VL) BP(relu_back)(1, dout + i, mask + i, dx + i);
    else for (; i + VL <= n; i += VL) BP(relu_back)(0, dout + i, mask + i, dx + i);
    for (; i < n; i++) dx[i] = mask[i] ? 0 : dout[i];
}
#else
static BP_UNUSED void BP(relu_span)(ptrdiff_t n, const T *x, T *out, unsigned char *mask, int stream) {
    (void)stream;
    /* The mask comes first: out may be x. */
    for (ptrdiff_t i = 0; i < n; i++) mask[i] = x[i] <= 0;
    for (ptrdiff_t i = 0; i < n; i++) {
        const T v = x[i];
        out[i] = v <= 0 ? 0 : v;
    }
}

static BP_UNUSED void BP(relu_backward_span)(ptrdiff_t n, const T *dout, const unsigned char *mask, T *dx, int stream) {
    (void)stream;
    for (ptrdiff_t i = 0; i < n; i++) {
        /* Read in any case, or a compiler would have to branch. */
        const T v = dout[i];
        dx[i] = mask[i] ? 0 : v;
    }
}
#endif

#undef BP_OVER
#undef BP_HALVES
#undef V
#undef VL
#undef LANES
#undef WIDE
