/* exp and sigmoid, for numbers or for vectors of them; simd.h and rows.h include this once for each.

   Of the including file: N, the type; U and I, the unsigned and signed integers of its width; NAME(name); BITS(x) and
   FROM_BITS(u); FMA; LEAST(a, b) and MOST(a, b), which are b where one of them is NaN; SELECT(condition, a, b); and
   SCALE(p, n) = p·2^n rounded once, if the processor has it. */

#define ALL(number) ((number) - (N){0})
#if T_BYTES == 4
#define SIGN_BIT 0x80000000u
#else
#define SIGN_BIT 0x8000000000000000u
#endif

#if T_BYTES == 4
/* exp(r) − 1 = r + r²·q(r) on |r| ≤ ln 2 / 2. */
static BP_INLINE N NAME(exp_tail)(N r) {
    N q = FMA(r, ALL(0x1.6d10fcp-10f), ALL(0x1.120b62p-7f));
    q = FMA(q, r, ALL(0x1.55551ap-5f));
    q = FMA(q, r, ALL(0x1.5554dep-3f));
    q = FMA(q, r, ALL(0x1p-1f));
    return FMA(r * r, q, r);
}

/* exp(x) = 2^n · exp(r), n = rint(x / ln 2), r = x − n·ln 2 in two parts (Cody and Waite). Adding 1.5·2^23 (1.5·2^52)
   rounds to an integer and leaves it in the low bits. 2^n is applied so that results below the normal range round once:
   as two factors, where it is not one instruction. Beyond the clamps the result is exactly 0 or infinity.
   Error ≤ 2 ULP. */
static BP_INLINE N NAME(exp)(N x) {
    x = LEAST(ALL(89.0f), x);
    x = MOST(ALL(-104.0f), x);
    const N shifted = FMA(x, ALL(0x1.715476p+0f), ALL(0x1.8p23f));
    const N n = shifted - 0x1.8p23f;
    N r = FMA(n, ALL(-0x1.63p-1f), x);
    r = FMA(n, ALL(0x1.bd0106p-13f), r);
    const N p = NAME(exp_tail)(r) + 1.0f;
#ifdef SCALE
    return SCALE(p, n);
#else
    const I k = (I)(BITS(shifted) - 0x4b400000u), half = k >> 1;
    return p * FROM_BITS((U)(half + 127) << 23) * FROM_BITS((U)(k - half + 127) << 23);
#endif
}
#else
static BP_INLINE N NAME(exp_tail)(N r) {
    N q = FMA(r, ALL(0x1.af389ecfc4b9cp-26), ALL(0x1.28917c89a43a7p-22));
    q = FMA(q, r, ALL(0x1.71de0db2f6b19p-19));
    q = FMA(q, r, ALL(0x1.a019b9149a41cp-16));
    q = FMA(q, r, ALL(0x1.a01a01a7c2efep-13));
    q = FMA(q, r, ALL(0x1.6c16c17889ef1p-10));
    q = FMA(q, r, ALL(0x1.11111111109b5p-7));
    q = FMA(q, r, ALL(0x1.5555555553d68p-5));
    q = FMA(q, r, ALL(0x1.5555555555556p-3));
    q = FMA(q, r, ALL(0x1.0000000000001p-1));
    return FMA(r * r, q, r);
}

static BP_INLINE N NAME(exp)(N x) {
    x = LEAST(ALL(710.0), x);
    x = MOST(ALL(-746.0), x);
    const N shifted = FMA(x, ALL(0x1.71547652b82fep+0), ALL(0x1.8p52));
    const N n = shifted - 0x1.8p52;
    N r = FMA(n, ALL(-0x1.62e42feep-1), x);
    r = FMA(n, ALL(-0x1.a39ef35793c76p-33), r);
    const N p = NAME(exp_tail)(r) + 1.0;
#ifdef SCALE
    return SCALE(p, n);
#else
    /* n + 2048 is positive: AVX2 shifts 64 bits to the right only without a sign. */
    const U k = (BITS(shifted) + 2048u) & 4095u, half = k >> 1;
    return p * FROM_BITS((half - 1) << 52) * FROM_BITS((k - half - 1) << 52);
#endif
}
#endif

/* sigmoid(x) = 1 / (1 + exp(−x)), by the sign of x: exp is only taken of −|x| and cannot overflow. */
static BP_INLINE N NAME(sigmoid)(N x) {
    const N e = NAME(exp)(FROM_BITS(BITS(x) | SIGN_BIT));
    return SELECT(x < 0, e, ALL(1)) / (1 + e);
}

#undef ALL
#undef SIGN_BIT
