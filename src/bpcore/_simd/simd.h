/* Scalar functions in C, and the headers of vector functions: static inline, without state, without libm.

a) Every function is one fixed sequence of IEEE operations without a branch, so that a compiler may vectorize a
   loop over it at any width and the bits stay the same.
b) A fused multiply-add happens where bp_fma stands and nowhere else: compile with -ffp-contract=off.
   Without an FMA unit (level v2) bp_fma rounds twice, which is why that level is exempt from the bits contract.
c) Selections are written so that NaN propagates: every comparison with NaN is false.
d) The coefficients come from tools/polynomials.py. */

#ifndef BPCORE_SIMD_H
#define BPCORE_SIMD_H

/* What each of these flags allows is what the sums, the roundings of exp and log, and NaN must not have: exp(1) was 2. A
   compiler says nothing of -ffp-contract=fast, which changes the bits: compile with -ffp-contract=off. */
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__) ||                              \
    defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error "bpcore's kernels give wrong numbers with -ffast-math and its parts: compile without it."
#endif

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../_api/version.h"

/* clang has no macro for its other parts, but a pragma that switches them off. */
#if defined(__clang__) && (defined(__x86_64__) || defined(__aarch64__))
#pragma float_control(push)
#pragma float_control(precise, on)
#pragma clang fp contract(off)
#endif

#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define BP_FMA_IS_FUSED 1
static inline float bp_fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline double bp_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
#define BP_FMA_IS_FUSED 0
static inline float bp_fmaf(float a, float b, float c) { return a * b + c; }
static inline double bp_fma(double a, double b, double c) { return a * b + c; }
#endif

static inline uint32_t bp_bitsf(float x) { uint32_t u; memcpy(&u, &x, sizeof u); return u; }
static inline float bp_from_bitsf(uint32_t u) { float x; memcpy(&x, &u, sizeof x); return x; }
static inline uint64_t bp_bits(double x) { uint64_t u; memcpy(&u, &x, sizeof u); return u; }
static inline double bp_from_bits(uint64_t u) { double x; memcpy(&x, &u, sizeof x); return x; }

#define BP_INLINE inline __attribute__((always_inline))
#define BP_LEAST(a, b) ((a) < (b) ? (a) : (b))
#define BP_MOST(a, b) ((a) > (b) ? (a) : (b))
#define BP_SELECT(condition, a, b) ((condition) ? (a) : (b))
#define BP_T float
#define BP_T_BYTES 4
#define BP_N float
#define BP_U uint32_t
#define BP_I int32_t
#define BP_NAME(name) bp_##name##f
#define BP_BITS(x) bp_bitsf(x)
#define BP_FROM_BITS(u) bp_from_bitsf(u)
#define BP_FMA(a, b, c) bp_fmaf(a, b, c)
#include "functions.h"
#undef BP_T
#undef BP_T_BYTES
#undef BP_N
#undef BP_U
#undef BP_I
#undef BP_NAME
#undef BP_BITS
#undef BP_FROM_BITS
#undef BP_FMA
#define BP_T double
#define BP_T_BYTES 8
#define BP_N double
#define BP_U uint64_t
#define BP_I int64_t
#define BP_NAME(name) bp_##name
#define BP_BITS(x) bp_bits(x)
#define BP_FROM_BITS(u) bp_from_bits(u)
#define BP_FMA(a, b, c) bp_fma(a, b, c)
#include "functions.h"
#undef BP_T
#undef BP_T_BYTES
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

/* log(x) = k·ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f) and z = s²
   log(1 + f) = f − (f²/2 − s·(f²/2 + z·q(z))), which keeps f itself unrounded. Error ≤ 3 ULP. */
static inline float bp_logf(float x) {
    const int tiny = x < 0x1p-126f;
    const float scaled = tiny ? x * 0x1p25f : x;
    /* Taking sqrt(1/2) from the bits before the shift puts the mantissa in [sqrt(1/2), sqrt(2)). */
    const uint32_t bits = bp_bitsf(scaled) - 0x3f3504f3u;
    const float k = (float)((int32_t)bits >> 23) - (tiny ? 25.0f : 0.0f);
    const float f = bp_from_bitsf((bits & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    const float s = f / (2.0f + f);
    const float z = s * s;
    float q = 0x1.2ee61p-2f;
    q = bp_fmaf(q, z, 0x1.997c3p-2f);
    q = bp_fmaf(q, z, 0x1.55555cp-1f);
    const float h = 0.5f * f * f;
    const float low = bp_fmaf(k, -0x1.bd0106p-13f, s * bp_fmaf(z, q, h));
    float y = bp_fmaf(k, 0x1.63p-1f, f - (h - low));
    y = x == INFINITY ? x : y;
    y = x == 0.0f ? -INFINITY : y;
    return x < 0.0f ? NAN : (x != x ? x : y);
}

static inline double bp_log(double x) {
    const int tiny = x < 0x1p-1022;
    const double scaled = tiny ? x * 0x1p54 : x;
    const uint64_t bits = bp_bits(scaled) - 0x3fe6a09e667f3bcdu;
    /* The 12 bits of sign and exponent fit in 32, where the shift and the conversion are single instructions. */
    const double k = (double)((int32_t)(uint32_t)(bits >> 32) >> 20) - (tiny ? 54.0 : 0.0);
    const double f = bp_from_bits((bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1.0;
    const double s = f / (2.0 + f);
    const double z = s * s;
    double q = 0x1.2b584aae78a57p-3;
    q = bp_fma(q, z, 0x1.39fe606542ddep-3);
    q = bp_fma(q, z, 0x1.7462b4ab2ef6bp-3);
    q = bp_fma(q, z, 0x1.c71c62e5800a1p-3);
    q = bp_fma(q, z, 0x1.2492492df148dp-2);
    q = bp_fma(q, z, 0x1.99999999952e2p-2);
    q = bp_fma(q, z, 0x1.5555555555558p-1);
    const double h = 0.5 * f * f;
    const double low = bp_fma(k, 0x1.a39ef35793c76p-33, s * bp_fma(z, q, h));
    double y = bp_fma(k, 0x1.62e42feep-1, f - (h - low));
    y = x == (double)INFINITY ? x : y;
    y = x == 0.0 ? -(double)INFINITY : y;
    return x < 0.0 ? (double)NAN : (x != x ? x : y);
}

#include "vectors.h"
#include "random.h"
#include "../_parallel/scratch.h"
#include "../_gemm/operands.h"

/* Of the type BP_T: a vector, its lanes, the virtual lanes of a sum, the vectors that hold those, the lanes of 128 bits. */
#define BP_V BP_(vector)
#define BP_VL (BP_VECTOR_BYTES / BP_T_BYTES)
#define BP_LANES (64 / BP_T_BYTES)
#define BP_LANE_VECTORS (BP_LANES / BP_VL)
#define BP_VL128 (16 / BP_T_BYTES)

#define BP_T float
#define BP_T_BYTES 4
#define BP_(name) bp_##name##f
#include "../_gemm/tiles.h"
#include "../_gemm/packing.h"
#include "../_gemm/few_rows.h"
#include "../_gemm/edges.h"
#include "../_gemm/blocks.h"
#include "../_gemm/sparse.h"
#include "rows.h"
#include "activations.h"
#include "losses.h"
#undef BP_T
#undef BP_T_BYTES
#undef BP_
#define BP_T double
#define BP_T_BYTES 8
#define BP_(name) bp_##name
#include "../_gemm/tiles.h"
#include "../_gemm/packing.h"
#include "../_gemm/few_rows.h"
#include "../_gemm/edges.h"
#include "../_gemm/blocks.h"
#include "../_gemm/sparse.h"
#include "rows.h"
#include "activations.h"
#include "losses.h"
#undef BP_T
#undef BP_T_BYTES
#undef BP_
#undef BP_V
#undef BP_VL
#undef BP_LANES
#undef BP_LANE_VECTORS
#undef BP_VL128

#if defined(__clang__) && (defined(__x86_64__) || defined(__aarch64__))
#pragma float_control(pop)
#endif

#endif
