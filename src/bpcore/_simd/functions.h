/* Functions of one number, for numbers or for vectors of them; simd.h and rows.h include this once for each.

   Of the including file: BP_N, the type; BP_U and BP_I, the unsigned and signed integers of its width; BP_NAME(name);
   BP_BITS(x) and BP_FROM_BITS(u); BP_FMA, and BP_FMA_IS_FUSED, whether it rounds once; BP_LEAST(a, b) and BP_MOST(a, b), which are b where one of them is NaN;
   BP_SELECT(condition, a, b); and BP_SCALE(p, n) = p·2^n rounded once, if the processor has it. */

#define BP_ALL(number) ((number) - (BP_N){0})
#if BP_T_BYTES == 4
#define BP_SIGN_BIT 0x80000000u
#define BP_EXP_MOST 89.0f
#define BP_EXP_LEAST -104.0f
#else
#define BP_SIGN_BIT 0x8000000000000000u
#define BP_EXP_MOST 710.0
#define BP_EXP_LEAST -746.0
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

/* p·2^n, where n is in the low bits of `shifted`, as exp_within has it: as two factors, where it is not one instruction, so
   that results below the normal range round once. */
static BP_INLINE BP_N BP_NAME(scaled)(BP_N p, BP_N shifted, BP_N n) {
    (void)shifted, (void)n;
#ifdef BP_SCALE
    return BP_SCALE(p, n);
#else
    const BP_I k = (BP_I)(BP_BITS(shifted) - 0x4b400000u), half = k >> 1;
    return p * BP_FROM_BITS((BP_U)(half + 127) << 23) * BP_FROM_BITS((BP_U)(k - half + 127) << 23);
#endif
}

/* exp(x) = 2^n · exp(r), n = rint(x / ln 2), r = x − n·ln 2 in two parts (Cody and Waite). Adding 1.5·2^23 (1.5·2^52)
   rounds to an integer and leaves it in the low bits. Error ≤ 2 ULP from x = −150 to 89 (−1400 to 710), where an exponent's
   bits do. */
static BP_INLINE BP_N BP_NAME(exp_within)(BP_N x) {
    const BP_N shifted = BP_FMA(x, BP_ALL(0x1.715476p+0f), BP_ALL(0x1.8p23f)), n = shifted - 0x1.8p23f;
    const BP_N r = BP_FMA(n, BP_ALL(0x1.bd0106p-13f), BP_FMA(n, BP_ALL(-0x1.63p-1f), x));
    return BP_NAME(scaled)(BP_NAME(exp_tail)(r, 1.0f) + 1.0f, shifted, n);
}

/* exp(−(x + low) / 2), where `low` is what x was rounded by: the same with −2r in the place of r. */
static BP_INLINE BP_N BP_NAME(exp_minus_half)(BP_N x, BP_N low) {
    const BP_N shifted = BP_FMA(x, BP_ALL(-0x1.715476p-1f), BP_ALL(0x1.8p23f)), n = shifted - 0x1.8p23f;
    const BP_N r = BP_FMA(n, BP_ALL(-0x1.bd0106p-12f), BP_FMA(n, BP_ALL(0x1.63p+0f), x)) + low;
    return BP_NAME(scaled)(BP_FMA(BP_ALL(-0.5f), BP_NAME(exp_tail)(r, -0.5f), BP_ALL(1.0f)), shifted, n);
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

static BP_INLINE BP_N BP_NAME(scaled)(BP_N p, BP_N shifted, BP_N n) {
    (void)shifted, (void)n;
#ifdef BP_SCALE
    return BP_SCALE(p, n);
#else
    /* n + 2048 is positive: AVX2 shifts 64 bits to the right only without a sign. */
    const BP_U k = (BP_BITS(shifted) + 2048u) & 4095u, half = k >> 1;
    return p * BP_FROM_BITS((half - 1) << 52) * BP_FROM_BITS((k - half - 1) << 52);
#endif
}

static BP_INLINE BP_N BP_NAME(exp_within)(BP_N x) {
    const BP_N shifted = BP_FMA(x, BP_ALL(0x1.71547652b82fep+0), BP_ALL(0x1.8p52)), n = shifted - 0x1.8p52;
    const BP_N r = BP_FMA(n, BP_ALL(-0x1.a39ef35793c76p-33), BP_FMA(n, BP_ALL(-0x1.62e42feep-1), x));
    return BP_NAME(scaled)(BP_NAME(exp_tail)(r, 1.0) + 1.0, shifted, n);
}

static BP_INLINE BP_N BP_NAME(exp_minus_half)(BP_N x, BP_N low) {
    const BP_N shifted = BP_FMA(x, BP_ALL(-0x1.71547652b82fep-1), BP_ALL(0x1.8p52)), n = shifted - 0x1.8p52;
    const BP_N r = BP_FMA(n, BP_ALL(0x1.a39ef35793c76p-32), BP_FMA(n, BP_ALL(0x1.62e42feep+0), x)) + low;
    return BP_NAME(scaled)(BP_FMA(BP_ALL(-0.5), BP_NAME(exp_tail)(r, -0.5), BP_ALL(1.0)), shifted, n);
}
#endif

/* Beyond the clamps the result is exactly 0 or infinity. */
static BP_INLINE BP_N BP_NAME(exp)(BP_N x) {
    x = BP_LEAST(BP_ALL(BP_EXP_MOST), x);
    x = BP_MOST(BP_ALL(BP_EXP_LEAST), x);
    return BP_NAME(exp_within)(x);
}

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

/* x with the lower half of its digits 0, so that the product of two such numbers is exact. */
static BP_INLINE BP_N BP_NAME(upper_half)(BP_N x) {
#if BP_T_BYTES == 4
    return BP_FROM_BITS(BP_BITS(x) & 0xfffff000u);
#else
    return BP_FROM_BITS(BP_BITS(x) & 0xfffffffff8000000u);
#endif
}

/* a·b − p, what p, the rounded product or a number near it, is off by: exact where it is fused, else nearly (Dekker). */
static BP_INLINE BP_N BP_NAME(off_by)(BP_N a, BP_N b, BP_N p) {
#if BP_FMA_IS_FUSED
    return BP_FMA(a, b, -p);
#else
    const BP_N high_a = BP_NAME(upper_half)(a), low_a = a - high_a, high_b = BP_NAME(upper_half)(b), low_b = b - high_b;
    return high_a * high_b - p + high_a * low_b + low_a * high_b + low_a * low_b;
#endif
}

/* Φ(−t) = exp(−t²/2)·r(t) of t = |x|, Φ the normal distribution function, with r(t) = q(s)·w, w = 1 / (t + 4) and
   s = 1/8 − w. The square is exact in two parts, or Φ(−t) of a large t would have few digits; w·(1 + off) is what w would be
   if t + 4 and the division were not rounded. From 15 (float32) and 39 (float64) on t·Φ(−t) is 0. Writes times·r(t) as
   a number and what it was rounded by; returns exp(−t²/2). */
static BP_INLINE BP_N BP_NAME(normal_tail)(BP_N t, BP_N times, BP_N *r, BP_N *rest_of_r) {
    const BP_N square = t * t, d = t + 4, w = 1 / d;
    const BP_N off = BP_FMA(-w, t - (d - 4), BP_NAME(off_by)(-w, d, BP_ALL((BP_T) -1)));
    const BP_N s = BP_FMA(-w, off, BP_ALL((BP_T) 0.125) - w);
#if BP_T_BYTES == 4
    BP_N q = BP_FMA(BP_ALL(-0x1.0750a6p+14f), s, BP_ALL(0x1.8c5abcp+11f));
    q = BP_FMA(q, s, BP_ALL(0x1.9abfa6p+11f));
    q = BP_FMA(q, s, BP_ALL(-0x1.cd803ep+9f));
    q = BP_FMA(q, s, BP_ALL(-0x1.ed2f4ep+7f));
    q = BP_FMA(q, s, BP_ALL(0x1.eed8f4p+7f));
    q = BP_FMA(q, s, BP_ALL(-0x1.7dffeep+6f));
    q = BP_FMA(q, s, BP_ALL(0x1.8c6d9p+4f));
    q = BP_FMA(q, s, BP_ALL(-0x1.373e38p+2f));
    const BP_N first = BP_ALL(0x1.82b4bcp-1f);
#else
    BP_N q = BP_FMA(BP_ALL(-0x1.8f4178ebec56p+38), s, BP_ALL(-0x1.5aa27c5b7d63cp+37));
    q = BP_FMA(q, s, BP_ALL(0x1.07a55f5929c3ap+34));
    q = BP_FMA(q, s, BP_ALL(0x1.510ff60a84cbp+34));
    q = BP_FMA(q, s, BP_ALL(0x1.c85321fba99d2p+30));
    q = BP_FMA(q, s, BP_ALL(-0x1.6ed38c82f7cd9p+30));
    q = BP_FMA(q, s, BP_ALL(-0x1.4cc8dd42dff5fp+28));
    q = BP_FMA(q, s, BP_ALL(0x1.23d90f695d206p+26));
    q = BP_FMA(q, s, BP_ALL(0x1.1238a8ad41541p+25));
    q = BP_FMA(q, s, BP_ALL(-0x1.5210d6172ef2fp+21));
    q = BP_FMA(q, s, BP_ALL(-0x1.8d4bcda0e042bp+21));
    q = BP_FMA(q, s, BP_ALL(0x1.80c1dea0222ap+15));
    q = BP_FMA(q, s, BP_ALL(0x1.26d0a37c22e03p+18));
    q = BP_FMA(q, s, BP_ALL(-0x1.001f43193794ap+11));
    q = BP_FMA(q, s, BP_ALL(-0x1.e4a4260ad8c4ep+14));
    q = BP_FMA(q, s, BP_ALL(0x1.17a4aebfc01c7p+11));
    q = BP_FMA(q, s, BP_ALL(0x1.ab825fc3a459bp+11));
    q = BP_FMA(q, s, BP_ALL(-0x1.c81719d610b82p+9));
    q = BP_FMA(q, s, BP_ALL(-0x1.ee2761048b5e7p+7));
    q = BP_FMA(q, s, BP_ALL(0x1.eec4cc3e4db85p+7));
    q = BP_FMA(q, s, BP_ALL(-0x1.7dff2bff68368p+6));
    q = BP_FMA(q, s, BP_ALL(0x1.8c6dbf2cfc2afp+4));
    q = BP_FMA(q, s, BP_ALL(-0x1.373e3a893c28ap+2));
    const BP_N first = BP_ALL(0x1.82b4bb8c94dcep-1);
#endif
    const BP_N a = times * w;
#if BP_FMA_IS_FUSED
    q = BP_FMA(q, s, first);
    *r = q * a;
    *rest_of_r = BP_FMA(q, a * off, BP_NAME(off_by)(q, a, *r));
#else
    /* Products are rounded too: what a and the last step of Horner's were rounded by is carried as well. */
    const BP_N p = q * s, sum = p + first, part = sum - p;
    const BP_N rest_of_q = BP_NAME(off_by)(q, s, p) + ((p - (sum - part)) + (first - part));
    *r = sum * a;
    *rest_of_r = sum * (a * off + BP_NAME(off_by)(times, w, a)) + rest_of_q * a + BP_NAME(off_by)(sum, a, *r);
#endif
    return BP_NAME(exp_minus_half)(square, BP_NAME(off_by)(t, t, square));
}

/* |x|, at most what the tails need; NaN stays. */
static BP_INLINE BP_N BP_NAME(tail_size)(BP_N x) {
    return BP_LEAST(BP_ALL((BP_T) (BP_T_BYTES == 4 ? 15 : 39)), BP_FROM_BITS(BP_BITS(x) & ~BP_SIGN_BIT));
}

/* gelu(x) = x·Φ(x) = max(x, 0) − t·Φ(−t), t = |x|. Error ≤ 4 ULP down to where the result is subnormal. */
static BP_INLINE BP_N BP_NAME(gelu)(BP_N x) {
    BP_N r, rest;
    const BP_N t = BP_NAME(tail_size)(x), e = BP_NAME(normal_tail)(t, t, &r, &rest);
    return BP_FMA(-r, e, BP_FMA(-rest, e, BP_MOST(BP_ALL((BP_T) 0), x)));
}

/* gelu′(x) = Φ(x) + x·φ(x), φ(x) = exp(−x²/2) / √(2π): of −t it is exp(−t²/2)·(r − t/√(2π)), of t the rest to 1. */
static BP_INLINE BP_N BP_NAME(gelu_derivative)(BP_N x) {
    BP_N r, rest;
    const BP_N t = BP_NAME(tail_size)(x), e = BP_NAME(normal_tail)(t, BP_ALL((BP_T) 1), &r, &rest);
    const BP_N below = e * (BP_FMA(t, BP_ALL((BP_T) -0x1.9884533d43651p-2), r) + rest);
    return BP_SELECT(x < 0, below, 1 - below);
}

/* Hendrycks and Gimpel's other form: x·(1 + tanh(u)) / 2 = x·sigmoid(2u), u = √(2/π)·(x + 0.044715·x³); and its derivative,
   by the sign of x as above. */
static BP_INLINE BP_N BP_NAME(gelu_tanh)(BP_N x) {
    const BP_N t = BP_NAME(tail_size)(x), cubic = BP_FMA(t * t, BP_ALL((BP_T) 0.044715), BP_ALL((BP_T) 1));
    const BP_N e = BP_NAME(exp)(t * cubic * BP_ALL((BP_T) -0x1.9884533d43651p+0));
    return BP_MOST(BP_ALL((BP_T) 0), x) - t * e / (1 + e);
}

static BP_INLINE BP_N BP_NAME(gelu_tanh_derivative)(BP_N x) {
    const BP_N t = BP_NAME(tail_size)(x), cubic = BP_FMA(t * t, BP_ALL((BP_T) 0.044715), BP_ALL((BP_T) 1));
    const BP_N slope = BP_FMA(t * t, BP_ALL((BP_T) 0.134145), BP_ALL((BP_T) 1)) * BP_ALL((BP_T) 0x1.9884533d43651p+0);
    const BP_N e = BP_NAME(exp)(t * cubic * BP_ALL((BP_T) -0x1.9884533d43651p+0)), tail = e / (1 + e);
    const BP_N below = tail * (1 - t * slope / (1 + e));
    return BP_SELECT(x < 0, below, 1 - below);
}

/* |x|, at most 1000: beyond that exp(−|x|) is 0, and a product with it stays finite. NaN stays. */
static BP_INLINE BP_N BP_NAME(size)(BP_N x) {
    return BP_LEAST(BP_ALL((BP_T) 1000), BP_FROM_BITS(BP_BITS(x) & ~BP_SIGN_BIT));
}

/* silu(x) = x·sigmoid(x) = max(x, 0) − t·e / (1 + e), e = exp(−t); silu′(x) = s·(1 + x·(1 − s)), s = sigmoid(x), which of x and
   −x add up to 1. */
static BP_INLINE BP_N BP_NAME(silu)(BP_N x) {
    const BP_N t = BP_NAME(size)(x), e = BP_NAME(exp)(-t);
    return BP_MOST(BP_ALL((BP_T) 0), x) - t * e / (1 + e);
}

static BP_INLINE BP_N BP_NAME(silu_derivative)(BP_N x) {
    const BP_N t = BP_NAME(size)(x), e = BP_NAME(exp)(-t), below = e / (1 + e) * (1 - t / (1 + e));
    return BP_SELECT(x < 0, below, 1 - below);
}

/* mish(x) = x·T, T = tanh(log(1 + exp(x))) = (E² + 2E) / (E² + 2E + 2), E = exp(x); of x > 0 both are divided by E², and the
   result is x − x·(1 − T). mish′(x) = T + x·T′, T′ = 4E·(1 + E) / (E² + 2E + 2)². */
static BP_INLINE BP_N BP_NAME(mish)(BP_N x) {
    const BP_N t = BP_NAME(size)(x), e = BP_NAME(exp)(-t), square = e * e;
    const BP_N n = BP_SELECT(x < 0, e * (e + 2), 2 * square), d = BP_SELECT(x < 0, n + 2, n + (1 + 2 * e));
    return BP_MOST(BP_ALL((BP_T) 0), x) - t * (n / d);
}

static BP_INLINE BP_N BP_NAME(mish_derivative)(BP_N x) {
    const BP_N t = BP_NAME(size)(x), e = BP_NAME(exp)(-t), square = e * e;
    const BP_N n = BP_SELECT(x < 0, e * (e + 2), 1 + 2 * e), d = BP_SELECT(x < 0, n + 2, n + 2 * square);
    const BP_N slope = t * (BP_SELECT(x < 0, -4 * e, 4 * square) * (1 + e) / (d * d));
    return n / d + slope;
}

/* exp(x) − 1 for x ≤ 0: 2^n·(exp(r) − 1) + (2^n − 1), which keeps the digits of a small x. From −20 (float32) and −40 (float64) on
   it is −1. Error ≤ 3 ULP. */
static BP_INLINE BP_N BP_NAME(expm1_below)(BP_N x) {
#if BP_T_BYTES == 4
    const BP_N y = BP_MOST(BP_ALL(-20.0f), BP_LEAST(BP_ALL(0.0f), x));
    const BP_N shifted = BP_FMA(y, BP_ALL(0x1.715476p+0f), BP_ALL(0x1.8p23f));
    const BP_N n = shifted - 0x1.8p23f;
    BP_N r = BP_FMA(n, BP_ALL(-0x1.63p-1f), y);
    r = BP_FMA(n, BP_ALL(0x1.bd0106p-13f), r);
    const BP_N power = BP_FROM_BITS((BP_BITS(shifted) + 127u) << 23);
    return BP_FMA(power, BP_NAME(exp_tail)(r, 1.0f), power - 1);
#else
    const BP_N y = BP_MOST(BP_ALL(-40.0), BP_LEAST(BP_ALL(0.0), x));
    const BP_N shifted = BP_FMA(y, BP_ALL(0x1.71547652b82fep+0), BP_ALL(0x1.8p52));
    const BP_N n = shifted - 0x1.8p52;
    BP_N r = BP_FMA(n, BP_ALL(-0x1.62e42feep-1), y);
    r = BP_FMA(n, BP_ALL(-0x1.a39ef35793c76p-33), r);
    const BP_N power = BP_FROM_BITS((BP_BITS(shifted) + 1023u) << 52);
    return BP_FMA(power, BP_NAME(exp_tail)(r, 1.0), power - 1);
#endif
}

/* a·x from 0 on, b·(exp(x) − 1) below: ELU, and SELU. */
static BP_INLINE BP_N BP_NAME(elu)(BP_N x, BP_N a, BP_N b) {
    return BP_SELECT(x < 0, b * BP_NAME(expm1_below)(x), a * x);
}

/* log(1 + e) of 0 ≤ e ≤ 1, as bp_log: with s = e / (2 + e) and z = s², e − (e²/2 − s·(e²/2 + z·q(z))). */
static BP_INLINE BP_N BP_NAME(log1p)(BP_N e) {
    const BP_N s = e / (2 + e), z = s * s, h = BP_ALL((BP_T) 0.5) * e * e;
#if BP_T_BYTES == 4
    BP_N q = BP_FMA(BP_ALL(0x1.dba26p-3f), z, BP_ALL(0x1.bc8cf8p-3f));
    q = BP_FMA(q, z, BP_ALL(0x1.24c926p-2f));
    q = BP_FMA(q, z, BP_ALL(0x1.9998d4p-2f));
    q = BP_FMA(q, z, BP_ALL(0x1.555556p-1f));
#else
    BP_N q = BP_FMA(BP_ALL(0x1.4b0a26c5f2aefp-3), z, BP_ALL(0x1.687a6e7c95176p-4));
    q = BP_FMA(q, z, BP_ALL(0x1.eb905e8575054p-4));
    q = BP_FMA(q, z, BP_ALL(0x1.10ac75dc602b1p-3));
    q = BP_FMA(q, z, BP_ALL(0x1.3b18b294bebf9p-3));
    q = BP_FMA(q, z, BP_ALL(0x1.745cf0b0e03bdp-3));
    q = BP_FMA(q, z, BP_ALL(0x1.c71c727143318p-3));
    q = BP_FMA(q, z, BP_ALL(0x1.24924923d44c6p-2));
    q = BP_FMA(q, z, BP_ALL(0x1.999999999a3ddp-2));
    q = BP_FMA(q, z, BP_ALL(0x1.5555555555555p-1));
#endif
    return e - (h - s * BP_FMA(z, q, h));
}

/* softplus(x) = log(1 + exp(a·x)) / a = max(x, 0) + b·log(1 + exp(−|a·x|)), b = 1 / a. */
static BP_INLINE BP_N BP_NAME(softplus)(BP_N x, BP_N a, BP_N b) {
    const BP_N e = BP_NAME(exp)(BP_FROM_BITS(BP_BITS(a * x) | BP_SIGN_BIT));
    return BP_MOST(BP_ALL((BP_T) 0), x) + b * BP_NAME(log1p)(e);
}

/* x·max(0, min(x + 3, 6)) / 6, which of −∞ is 0; and its derivative, 0 up to −3, 1 from 3 on, else x/3 + 1/2. */
static BP_INLINE BP_N BP_NAME(hardswish)(BP_N x) {
    const BP_N y = BP_SELECT(x < -3, BP_ALL((BP_T) -3), x);
    return BP_SELECT(x >= 3, x, y * (y + 3) / 6);
}

static BP_INLINE BP_N BP_NAME(hardswish_derivative)(BP_N x) {
    BP_N slope = BP_SELECT(x <= -3, BP_ALL((BP_T) 0), x / 3 + BP_ALL((BP_T) 0.5));
    return BP_SELECT(x >= 3, BP_ALL((BP_T) 1), slope);
}

/* log(cosh(d)): with h = exp(−|d|) it is log(1 + (1 − h)² / (2h)), which keeps the digits of a small d, up to 1; beyond that
   |d| + log(1 + h²) − log 2. */
static BP_INLINE BP_N BP_NAME(log_cosh)(BP_N d) {
    const BP_N t = BP_FROM_BITS(BP_BITS(d) & ~BP_SIGN_BIT), m = BP_NAME(expm1_below)(-t), h = 1 + m;
    const BP_N near = BP_NAME(log1p)(BP_LEAST(BP_ALL((BP_T) 1), m * m / (2 * h)));
    return BP_SELECT(t < 1, near, t + (BP_NAME(log1p)(h * h) - BP_ALL((BP_T) 0x1.62e42fefa39efp-1)));
}

#undef BP_ALL
#undef BP_SIGN_BIT
#undef BP_EXP_MOST
#undef BP_EXP_LEAST
