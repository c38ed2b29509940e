/* Functions of one number, for numbers or for vectors of them; simd.h and rows.h include this once for each.

   Of the including file: BP_N, the type; BP_U and BP_I, the unsigned and signed integers of its width; BP_NAME(name);
   BP_BITS(x) and BP_FROM_BITS(u); BP_FMA; BP_LEAST(a, b) and BP_MOST(a, b), which are b where one of them is NaN;
   BP_SELECT(condition, a, b); and BP_SCALE(p, n) = p·2^n rounded once, if the processor has it. */

#define BP_ALL(number) ((number) - (BP_N){0})
#if BP_T_BYTES == 4
#define BP_SIGN_BIT 0x80000000u
#else
#define BP_SIGN_BIT 0x8000000000000000u
#endif

#if BP_T_BYTES == 4
/* (exp(f·r) − 1) / f = r + r²·q(r) on |f·r| ≤ ln 2 / 2. f is 1 or, for tanh, −2: its powers scale the coefficients exactly,
   and the compiler does it. */
static BP_INLINE BP_N BP_NAME(exp_tail)(BP_N r, const float f) {
    BP_N q = BP_FMA(r, BP_ALL(0x1.6d10fcp-10f * f * f * f * f * f), BP_ALL(0x1.120b62p-7f * f * f * f * f));
    q = BP_FMA(q, r, BP_ALL(0x1.55551ap-5f * f * f * f));
    q = BP_FMA(q, r, BP_ALL(0x1.5554dep-3f * f * f));
    q = BP_FMA(q, r, BP_ALL(0x1p-1f * f));
    return BP_FMA(r * r, q, r);
}

/* exp(x) = 2^n · exp(r), n = rint(x / ln 2), r = x − n·ln 2 in two parts (Cody and Waite). Adding 1.5·2^23 (1.5·2^52)
   rounds to an integer and leaves it in the low bits. 2^n is applied so that results below the normal range round once:
   as two factors, where it is not one instruction. Beyond the clamps the result is exactly 0 or infinity.
   Error ≤ 2 ULP. */
static BP_INLINE BP_N BP_NAME(exp)(BP_N x) {
    x = BP_LEAST(BP_ALL(89.0f), x);
    x = BP_MOST(BP_ALL(-104.0f), x);
    const BP_N shifted = BP_FMA(x, BP_ALL(0x1.715476p+0f), BP_ALL(0x1.8p23f));
    const BP_N n = shifted - 0x1.8p23f;
    BP_N r = BP_FMA(n, BP_ALL(-0x1.63p-1f), x);
    r = BP_FMA(n, BP_ALL(0x1.bd0106p-13f), r);
    const BP_N p = BP_NAME(exp_tail)(r, 1.0f) + 1.0f;
#ifdef BP_SCALE
    return BP_SCALE(p, n);
#else
    const BP_I k = (BP_I)(BP_BITS(shifted) - 0x4b400000u), half = k >> 1;
    return p * BP_FROM_BITS((BP_U)(half + 127) << 23) * BP_FROM_BITS((BP_U)(k - half + 127) << 23);
#endif
}
#else
static BP_INLINE BP_N BP_NAME(exp_tail)(BP_N r, const double f) {
    const double f2 = f * f, f4 = f2 * f2, f8 = f4 * f4;
    BP_N q = BP_FMA(r, BP_ALL(0x1.af389ecfc4b9cp-26 * f8 * f2), BP_ALL(0x1.28917c89a43a7p-22 * f8 * f));
    q = BP_FMA(q, r, BP_ALL(0x1.71de0db2f6b19p-19 * f8));
    q = BP_FMA(q, r, BP_ALL(0x1.a019b9149a41cp-16 * f4 * f2 * f));
    q = BP_FMA(q, r, BP_ALL(0x1.a01a01a7c2efep-13 * f4 * f2));
    q = BP_FMA(q, r, BP_ALL(0x1.6c16c17889ef1p-10 * f4 * f));
    q = BP_FMA(q, r, BP_ALL(0x1.11111111109b5p-7 * f4));
    q = BP_FMA(q, r, BP_ALL(0x1.5555555553d68p-5 * f2 * f));
    q = BP_FMA(q, r, BP_ALL(0x1.5555555555556p-3 * f2));
    q = BP_FMA(q, r, BP_ALL(0x1.0000000000001p-1 * f));
    return BP_FMA(r * r, q, r);
}

static BP_INLINE BP_N BP_NAME(exp)(BP_N x) {
    x = BP_LEAST(BP_ALL(710.0), x);
    x = BP_MOST(BP_ALL(-746.0), x);
    const BP_N shifted = BP_FMA(x, BP_ALL(0x1.71547652b82fep+0), BP_ALL(0x1.8p52));
    const BP_N n = shifted - 0x1.8p52;
    BP_N r = BP_FMA(n, BP_ALL(-0x1.62e42feep-1), x);
    r = BP_FMA(n, BP_ALL(-0x1.a39ef35793c76p-33), r);
    const BP_N p = BP_NAME(exp_tail)(r, 1.0) + 1.0;
#ifdef BP_SCALE
    return BP_SCALE(p, n);
#else
    /* n + 2048 is positive: AVX2 shifts 64 bits to the right only without a sign. */
    const BP_U k = (BP_BITS(shifted) + 2048u) & 4095u, half = k >> 1;
    return p * BP_FROM_BITS((half - 1) << 52) * BP_FROM_BITS((k - half - 1) << 52);
#endif
}
#endif

/* sigmoid(x) = 1 / (1 + exp(−x)), by the sign of x: exp is only taken of −|x| and cannot overflow. */
static BP_INLINE BP_N BP_NAME(sigmoid)(BP_N x) {
    const BP_N e = BP_NAME(exp)(BP_FROM_BITS(BP_BITS(x) | BP_SIGN_BIT));
    return BP_SELECT(x < 0, e, BP_ALL(1)) / (1 + e);
}

/* tanh(x) = u / (1 − u) by the sign of x, u = (1 − exp(−2|x|)) / 2. With exp(−2|x|) = 2^n·exp(−2r) it is
   u = 2^n·((1 − exp(−2r)) / 2) + (1 − 2^n) / 2, which keeps the digits of a small x. From 10 (float32) and 20 (float64) on
   the result is 1. Error ≤ 3 ULP. */
static BP_INLINE BP_N BP_NAME(tanh)(BP_N x) {
#if BP_T_BYTES == 4
    const BP_N y = BP_LEAST(BP_ALL(10.0f), BP_FROM_BITS(BP_BITS(x) & ~BP_SIGN_BIT));
    const BP_N shifted = BP_FMA(y, BP_ALL(-0x1.715476p+1f), BP_ALL(0x1.8p23f));
    const BP_N n = shifted - 0x1.8p23f;
    BP_N r = BP_FMA(n, BP_ALL(0x1.63p-2f), y);
    r = BP_FMA(n, BP_ALL(-0x1.bd0106p-14f), r);
    const BP_N power = BP_FROM_BITS((BP_BITS(shifted) + 127u) << 23);
    const BP_N u = BP_FMA(power, BP_NAME(exp_tail)(r, -2.0f), BP_FMA(power, BP_ALL(-0.5f), BP_ALL(0.5f)));
#else
    const BP_N y = BP_LEAST(BP_ALL(20.0), BP_FROM_BITS(BP_BITS(x) & ~BP_SIGN_BIT));
    const BP_N shifted = BP_FMA(y, BP_ALL(-0x1.71547652b82fep+1), BP_ALL(0x1.8p52));
    const BP_N n = shifted - 0x1.8p52;
    BP_N r = BP_FMA(n, BP_ALL(0x1.62e42feep-2), y);
    r = BP_FMA(n, BP_ALL(0x1.a39ef35793c76p-34), r);
    const BP_N power = BP_FROM_BITS((BP_BITS(shifted) + 1023u) << 52);
    const BP_N u = BP_FMA(power, BP_NAME(exp_tail)(r, -2.0), BP_FMA(power, BP_ALL(-0.5), BP_ALL(0.5)));
#endif
    return BP_FROM_BITS(BP_BITS(u / (1 - u)) | (BP_BITS(x) & BP_SIGN_BIT));
}

#undef BP_ALL
#undef BP_SIGN_BIT

/* Of which rows.h makes loops: f(x), and f′(x)·dout. */
#define BP_FUNCTIONS(each) each(exp) each(sigmoid) each(tanh)
#define BP_DERIVATIVES(each)
