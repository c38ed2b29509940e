/* Losses of outputs that are numbers, row by row, for one type; simd.h includes this once for float and once for double,
   behind rows.h. The sum over a row runs in virtual lanes. Every element is read before its gradient is written. */

#ifndef BP_LOSS_LIST
/* Files store names, not these numbers. The first is in _losses/softmax.pxd. */
enum bp_loss {
    BP_SOFTMAX_CROSS_ENTROPY, BP_SQUARED_ERROR, BP_HUBER, BP_ABSOLUTE_ERROR, BP_LOG_COSH, BP_QUANTILE,
    BP_BINARY_CROSS_ENTROPY, BP_POISSON, BP_GAUSSIAN_NLL, BP_COUNT_OF_LOSSES
};

/* each(kind, name, factor, value, slope) of vectors x, t, and d = x − t: a row's loss is factor·Σ value, the gradient of x is
   slope. a and b are what losses.pxd makes of the number that the loss takes. NaN stays NaN. */
#define BP_LOSS_LIST(each)                                                                                              \
    each(BP_SQUARED_ERROR, squared_error, (BP_T)0.5, d * d, d)                                                          \
    each(BP_HUBER, huber, 1, BP_(huber_value)(BP_(magnitude)(d), a),                                                    \
         BP_BLEND(BP_ROW_NUMBER(-a), BP_BLEND(BP_ROW_NUMBER(a), d, d > a), d < -a))                                     \
    each(BP_ABSOLUTE_ERROR, absolute_error, 1, BP_(magnitude)(d),                                                       \
         BP_BLEND(BP_ROW_NUMBER(1), BP_BLEND(BP_ROW_NUMBER(-1), d, d < 0), d > 0))                                      \
    each(BP_LOG_COSH, log_cosh, 1, BP_(vector_log_cosh)(d), BP_(vector_tanh)(d))                                        \
    each(BP_QUANTILE, quantile, 1, BP_BLEND(-a * d, b * d, d < 0),                                                      \
         BP_BLEND(BP_ROW_NUMBER(b), BP_BLEND(BP_ROW_NUMBER(-a), d, d < 0), d > 0))                                      \
    each(BP_BINARY_CROSS_ENTROPY, binary_cross_entropy, 1, BP_(binary_cross_entropy_value)(x, t),                       \
         BP_(vector_sigmoid)(x) - t)                                                                                    \
    each(BP_POISSON, poisson, 1, BP_(poisson_value)(x, t), BP_(vector_exp)(x) - t)
#endif

#define BP_ROW_NUMBER(number) ((number) - (BP_V){0})

static BP_INLINE BP_V BP_(magnitude)(BP_V d) { return BP_BLEND(-d, d, d < 0); }

/* c·(size − c/2), c = min(size, a). */
static BP_INLINE BP_V BP_(huber_value)(BP_V size, BP_T a) {
    const BP_V c = BP_BLEND(BP_ROW_NUMBER(a), size, size > a);
    return c * (size - c / 2);
}

/* −t·log σ(x) − (1 − t)·log(1 − σ(x)) = |x|·w + log(1 + exp(−|x|)), w = 1 − t from 0 on, t below; w = 0 takes no term of an
   infinite x. */
static BP_INLINE BP_V BP_(binary_cross_entropy_value)(BP_V x, BP_V t) {
    BP_V size = BP_(magnitude)(x), w = BP_BLEND(1 - t, t, x >= 0), first = size * w;
    return BP_BLEND(BP_ROW_NUMBER(0), first, w == 0) + BP_(vector_log1p)(BP_(vector_exp)(-size));
}

/* exp(x) − t·x, where x is log of a rate: infinite where exp(x) is, and 0 at −∞ if t is 0. */
static BP_INLINE BP_V BP_(poisson_value)(BP_V x, BP_V t) {
    BP_V second = t * x;
    return BP_(vector_exp)(x) - BP_BLEND(BP_ROW_NUMBER(0), second, (t == 0) | (x > 1000));
}

/* The negative logarithm of the density of a normal distribution, less a constant, times 2: log v + d²/v, v = exp(s) + a,
   log v = m + log(1 + e) where m is the larger of s and log(a) and e = exp(−|s − log(a)|), which overflows nowhere. */
#define BP_GAUSSIAN_E BP_(vector_exp)(-BP_(magnitude)(s - b))
#define BP_GAUSSIAN_MOST BP_BLEND(BP_ROW_NUMBER(b), s, s < b)
#define BP_GAUSSIAN_INVERSE (BP_(vector_exp)(-BP_GAUSSIAN_MOST) / (1 + BP_GAUSSIAN_E))
#define BP_GAUSSIAN_VALUE (BP_GAUSSIAN_MOST + BP_(vector_log1p)(BP_GAUSSIAN_E) + d * (d * BP_GAUSSIAN_INVERSE))
/* The gradient of s is ½·(1 − d²/v)·exp(s)/v. */
#define BP_GAUSSIAN_SLOPE                                                                                               \
    ((1 - d * (d * BP_GAUSSIAN_INVERSE)) * (BP_BLEND(BP_ROW_NUMBER(1), BP_GAUSSIAN_E, s >= b) / (2 + 2 * BP_GAUSSIAN_E)))

/* x, t, d and s are not const, as in activations.h. A row has `parts` outputs a target: s are those of the second part, of
   which `second` is the gradient. */
#define BP_LOSS_LOOP(kind, name, parts, factor, value, slope, second)                                                   \
    static BP_UNUSED void BP_(name##_rows)(const BP_T *outputs, const BP_T *targets, const BP_T *shares, BP_T *dx,      \
                                           double *losses, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, BP_T dout,    \
                                           const BP_T a, const BP_T b) {                                                \
        (void)a, (void)b;                                                                                               \
        for (ptrdiff_t r = 0; r < rows; r++, outputs += stride, targets += n, dx = dx ? dx + stride : dx) {             \
            const BP_T scale = shares ? shares[r] * dout : dout;                                                        \
            if (shares && shares[r] == 0) {                                                                             \
                losses[r] = 0;                                                                                          \
                for (ptrdiff_t i = 0; dx && i < parts * n; i++) dx[i] = 0;                                              \
                continue;                                                                                               \
            }                                                                                                           \
            BP_V sum[BP_LANE_VECTORS];                                                                                  \
            BP_T part[BP_VL];                                                                                           \
            ptrdiff_t k = 0;                                                                                            \
            BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) sum[w] = (BP_V){0};                                     \
            for (; k + BP_LANES <= n; k += BP_LANES)                                                                    \
                BP_UNROLL for (int w = 0; w < BP_LANE_VECTORS; w++) {                                                   \
                    const ptrdiff_t at = k + w * BP_VL, other = at + (parts - 1) * n;                                   \
                    BP_V x = *(const BP_V *)(outputs + at), s = *(const BP_V *)(outputs + other);                       \
                    BP_V t = *(const BP_V *)(targets + at), d = x - t;                                                  \
                    (void)d, (void)s;                                                                                   \
                    sum[w] += value;                                                                                    \
                    if (dx && parts == 2) *(BP_V *)(dx + other) = (second) * scale;                                     \
                    if (dx) *(BP_V *)(dx + at) = (slope) * scale;                                                       \
                }                                                                                                       \
            for (int w = 0; k + w * BP_VL < n; w++) {                                                                   \
                const ptrdiff_t at = k + w * BP_VL, other = at + (parts - 1) * n;                                       \
                const int count = n - at > BP_VL ? BP_VL : (int)(n - at);                                               \
                BP_V x = BP_(load_partial)(outputs + at, count), s = BP_(load_partial)(outputs + other, count);         \
                BP_V t = BP_(load_partial)(targets + at, count), d = x - t;                                             \
                (void)d, (void)s;                                                                                       \
                /* Lanes without a number add 0. */                                                                     \
                BP_(store_partial)(part, count, value);                                                                 \
                sum[w] += BP_(load_partial)(part, count);                                                               \
                if (dx && parts == 2) BP_(store_partial)(dx + other, count, (second) * scale);                          \
                if (dx) BP_(store_partial)(dx + at, count, (slope) * scale);                                            \
            }                                                                                                           \
            losses[r] = BP_(lane_sum)(sum) * factor;                                                                    \
            if (shares) losses[r] *= shares[r];                                                                         \
        }                                                                                                               \
    }
#define BP_LOSS_OF_ONE(kind, name, factor, value, slope)                                                                \
    BP_LOSS_LOOP(kind, name, 1, factor, value, slope, slope)
BP_LOSS_LIST(BP_LOSS_OF_ONE)
BP_LOSS_LOOP(BP_GAUSSIAN_NLL, gaussian_nll, 2, (BP_T)0.5, BP_GAUSSIAN_VALUE, d * BP_GAUSSIAN_INVERSE, BP_GAUSSIAN_SLOPE)

#define BP_CASE(kind, name, factor, value, slope)                                                                       \
    case kind: BP_(name##_rows)(outputs, targets, shares, dx, losses, stride, rows, n, dout, a, b); return;
/* losses[r] of rows of outputs, `stride` numbers apart, and n targets without gaps; dx = dout·the gradient, in rows like
   those of the outputs, or NULL. dx may be the outputs, if these have no gaps either, or the targets, if there are as many.
   With shares both are multiplied by that of the row, and a row of share 0 is left out. */
static BP_UNUSED void BP_(loss_rows)(int loss, const BP_T *outputs, const BP_T *targets, const BP_T *shares, BP_T *dx,
                                     double *losses, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t n, BP_T dout, BP_T a,
                                     BP_T b) {
    switch (loss) { BP_LOSS_LIST(BP_CASE) BP_CASE(BP_GAUSSIAN_NLL, gaussian_nll, , , ) }
}
#undef BP_CASE
#undef BP_LOSS_OF_ONE
#undef BP_LOSS_LOOP
#undef BP_GAUSSIAN_SLOPE
#undef BP_GAUSSIAN_VALUE
#undef BP_GAUSSIAN_INVERSE
#undef BP_GAUSSIAN_MOST
#undef BP_GAUSSIAN_E
#undef BP_ROW_NUMBER
