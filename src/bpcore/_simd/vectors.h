/* The vectors of a level, and the sizes of its register tiles. simd.h includes this once.

   A vector is as wide as the level's registers, a tile fills them (32 registers, or 16). The vectors are GNU vector
   types, but for what those cannot say or gcc 12 does not make one instruction of: the fused multiply-add (written lane
   by lane with __builtin_fma, most of a tile's are split into scalar ones, at a tenth of the speed); maximum and minimum;
   partial loads and stores of the first `count` lanes (0 to all), by masks where the level has them; bytes as integers of
   a number's width; non-temporal stores; permuted lanes. A level may lack any of the last three. */

#if defined(BPCORE_LIKE_NEON)
/* The vectors and tiles of NEON with x86-64's instructions: for tests of the bits contract (.ci/like_neon). */
#include <immintrin.h>
#define BP_VECTOR_BYTES 16
#define BP_TILE_ROWS 9
#define BP_DOT_ROWS 2
#define BP_DOT_COLUMNS 2
#define BP_HAS_MASKS 0
#define BP_MASKS_ARE_FREE 0
#define bp_vector_fmaf(a, b, c) ((bp_vectorf)_mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c)))
#define bp_vector_fma(a, b, c) ((bp_vector)_mm_fmadd_pd((__m128d)(a), (__m128d)(b), (__m128d)(c)))
#elif defined(__AVX512F__)
/* gcc's own functions of AVX-512 begin with a variable that is not set, of which g++ 12 warns. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif
#define BP_VECTOR_BYTES 64
#define BP_TILE_ROWS 9
#define BP_DOT_ROWS 4
#define BP_DOT_COLUMNS 4
#define BP_HAS_MASKS 1
/* A masked load costs what an unmasked one does, so tiles read the last columns of a matrix without packing. */
#define BP_MASKS_ARE_FREE 1
#define bp_vector_fmaf(a, b, c) ((bp_vectorf)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define bp_vector_fma(a, b, c) ((bp_vector)_mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c)))
/* a > b ? a : b and a < b ? a : b, so b where one of them is NaN */
#define bp_vector_maxf(a, b) ((bp_vectorf)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define bp_vector_max(a, b) ((bp_vector)_mm512_max_pd((__m512d)(a), (__m512d)(b)))
#define bp_vector_minf(a, b) ((bp_vectorf)_mm512_min_ps((__m512)(a), (__m512)(b)))
#define bp_vector_min(a, b) ((bp_vector)_mm512_min_pd((__m512d)(a), (__m512d)(b)))
/* Bytes, as integers of the number's width; and bytes 0 or 1 of integers 0 or −1. */
#define bp_vector_of_bytesf(p) ((bp_vector_integersf)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define bp_vector_of_bytes(p) ((bp_vector_integers)_mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(p))))
#define bp_vector_to_bytesf(p, v)                                                          \
    _mm_storeu_si128((__m128i *)(p), _mm_and_si128(_mm512_cvtepi32_epi8((__m512i)(v)), _mm_set1_epi8(1)))
#define bp_vector_to_bytes(p, v)                                                           \
    _mm_storel_epi64((__m128i *)(p), _mm_and_si128(_mm512_cvtepi64_epi8((__m512i)(v)), _mm_set1_epi8(1)))
/* Non-temporal stores, to an address that is a multiple of the vector's bytes. */
#define bp_vector_streamf(p, v) _mm512_stream_ps(p, (__m512)(v))
#define bp_vector_stream(p, v) _mm512_stream_pd(p, (__m512d)(v))
/* a·2^b, rounded once */
#define bp_vector_scalef(a, b) ((bp_vectorf)_mm512_scalef_ps((__m512)(a), (__m512)(b)))
#define bp_vector_scale(a, b) ((bp_vector)_mm512_scalef_pd((__m512d)(a), (__m512d)(b)))
/* For dot products whose first terms are peeled: lanes rotated by n, and a·b + c in the first n lanes, c in the others. */
#define BP_HAS_ROTATE 1
#define bp_vector_rotatef(v, n)                                                            \
    ((bp_vectorf)_mm512_permutexvar_ps(_mm512_add_epi32(_mm512_set1_epi32(n), bp_iotaf), (__m512)(v)))
#define bp_vector_rotate(v, n)                                                             \
    ((bp_vector)_mm512_permutexvar_pd(_mm512_add_epi64(_mm512_set1_epi64(n), bp_iota), (__m512d)(v)))
#define bp_iotaf _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define bp_iota _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7)
#define bp_vector_fma_partialf(n, a, b, c)                                                 \
    ((bp_vectorf)_mm512_mask3_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c), (__mmask16)((1u << (n)) - 1)))
#define bp_vector_fma_partial(n, a, b, c)                                                  \
    ((bp_vector)_mm512_mask3_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c), (__mmask8)((1u << (n)) - 1)))
/* Tiles of a transposed `a` have registers for this many accumulators of edge columns; for these, eight numbers in each
   group of eight lanes, and one number broadcast to each group. */
#define BP_EDGE_VECTORS 2
#define bp_vector_broadcast_eightf(p) ((bp_vectorf)_mm512_broadcast_f32x8(_mm256_loadu_ps(p)))
#define bp_vector_broadcast_eight(p) ((bp_vector)_mm512_loadu_pd(p))
#define bp_vector_broadcast_pairf(p, q)                                                    \
    ((bp_vectorf)_mm512_mask_broadcastss_ps(_mm512_set1_ps(*(p)), 0xff00, _mm_load_ss(q)))
#define bp_vector_broadcast_pair(p, q) ((void)(q), (bp_vector)_mm512_set1_pd(*(p)))
#define bp_load_partialf(p, count) ((bp_vectorf)_mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), p))
#define bp_load_partial(p, count) ((bp_vector)_mm512_maskz_loadu_pd((__mmask8)((1u << (count)) - 1), p))
#define bp_store_partialf(p, count, v) _mm512_mask_storeu_ps(p, (__mmask16)((1u << (count)) - 1), (__m512)(v))
#define bp_store_partial(p, count, v) _mm512_mask_storeu_pd(p, (__mmask8)((1u << (count)) - 1), (__m512d)(v))
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define BP_VECTOR_BYTES 32
#define BP_TILE_ROWS 6
#define BP_TILE_VECTORS 2
#define BP_TRANS_TILE_ROWS 4
#define BP_TRANS_TILE_VECTORS 3
#define BP_DOT_ROWS 2
#define BP_DOT_COLUMNS 2
#define BP_HAS_MASKS 1
#define BP_MASKS_ARE_FREE 0
#define bp_vector_fmaf(a, b, c) ((bp_vectorf)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define bp_vector_fma(a, b, c) ((bp_vector)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#define bp_vector_maxf(a, b) ((bp_vectorf)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define bp_vector_max(a, b) ((bp_vector)_mm256_max_pd((__m256d)(a), (__m256d)(b)))
#define bp_vector_minf(a, b) ((bp_vectorf)_mm256_min_ps((__m256)(a), (__m256)(b)))
#define bp_vector_min(a, b) ((bp_vector)_mm256_min_pd((__m256d)(a), (__m256d)(b)))
#define bp_vector_of_bytesf(p) ((bp_vector_integersf)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p))))
#define bp_vector_of_bytes(p) ((bp_vector_integers)_mm256_cvtepu8_epi64(_mm_loadu_si32(p)))
#define bp_low_half(v) _mm256_castsi256_si128((__m256i)(v))
#define bp_high_half(v) _mm256_extracti128_si256((__m256i)(v), 1)
#define bp_even(a, b) _mm_castps_si128(_mm_shuffle_ps(_mm_castsi128_ps(a), _mm_castsi128_ps(b), 0x88))
#define bp_ones_of(v) _mm_and_si128(_mm_packs_epi16(v, _mm_setzero_si128()), _mm_set1_epi8(1))
#define bp_vector_to_bytesf(p, v)                                                          \
    _mm_storel_epi64((__m128i *)(p), bp_ones_of(_mm_packs_epi32(bp_low_half(v), bp_high_half(v))))
#define bp_vector_to_bytes(p, v)                                                           \
    _mm_storeu_si32(p, bp_ones_of(_mm_packs_epi32(bp_even(bp_low_half(v), bp_high_half(v)), _mm_setzero_si128())))
#define bp_vector_streamf(p, v) _mm256_stream_ps(p, (__m256)(v))
#define bp_vector_stream(p, v) _mm256_stream_pd(p, (__m256d)(v))
#define bp_maskf(count) _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define bp_mask(count) _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))
#define bp_load_partialf(p, count) ((bp_vectorf)_mm256_maskload_ps(p, bp_maskf(count)))
#define bp_load_partial(p, count) ((bp_vector)_mm256_maskload_pd(p, bp_mask(count)))
#define bp_store_partialf(p, count, v) _mm256_maskstore_ps(p, bp_maskf(count), (__m256)(v))
#define bp_store_partial(p, count, v) _mm256_maskstore_pd(p, bp_mask(count), (__m256d)(v))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define BP_VECTOR_BYTES 16
#define BP_TILE_ROWS 9
#define BP_DOT_ROWS 2
#define BP_DOT_COLUMNS 2
#define BP_HAS_MASKS 0
#define BP_MASKS_ARE_FREE 0
#define bp_vector_fmaf(a, b, c) ((bp_vectorf)vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b)))
#define bp_vector_fma(a, b, c) ((bp_vector)vfmaq_f64((float64x2_t)(c), (float64x2_t)(a), (float64x2_t)(b)))
#else
#define BP_VECTOR_BYTES 16
#define BP_TILE_ROWS 4
#define BP_DOT_ROWS 2
#define BP_DOT_COLUMNS 2
#define BP_HAS_MASKS 0
#define BP_MASKS_ARE_FREE 0
#define bp_vector_fmaf(a, b, c) ((a) * (b) + (c))
#define bp_vector_fma(a, b, c) ((a) * (b) + (c))
#define BP_VECTOR_FMA_IS_FUSED 0
#endif
#if !defined(BP_VECTOR_FMA_IS_FUSED)
#define BP_VECTOR_FMA_IS_FUSED 1
#endif
/* A vector of 128-bit parts from several addresses. Loaded from memory: a shuffle between registers would compete with
   the shuffles that follow. */
#if BP_VECTOR_BYTES == 64
#define bp_vector_of_partsf(p0, p1, p2, p3)                                                \
    ((bp_vectorf)_mm512_mask_broadcast_f32x4(                                              \
        _mm512_mask_broadcast_f32x4(                                                       \
            _mm512_mask_broadcast_f32x4(_mm512_castps128_ps512(_mm_loadu_ps(p0)), 0x00f0, _mm_loadu_ps(p1)), 0x0f00, \
            _mm_loadu_ps(p2)),                                                             \
        0xf000, _mm_loadu_ps(p3)))
#define bp_vector_of_parts(p0, p1, p2, p3)                                                 \
    ((bp_vector)_mm512_mask_broadcast_f64x2(                                               \
        _mm512_mask_broadcast_f64x2(                                                       \
            _mm512_mask_broadcast_f64x2(_mm512_castpd128_pd512(_mm_loadu_pd(p0)), 0x0c, _mm_loadu_pd(p1)), 0x30, \
            _mm_loadu_pd(p2)),                                                             \
        0xc0, _mm_loadu_pd(p3)))
/* The same of 256 bits, which takes fewer instructions. */
#define bp_narrow_of_partsf(p0, p1)                                                        \
    ((bp_narrowf)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p0)), _mm_loadu_ps(p1), 1))
#define bp_narrow_of_parts(p0, p1)                                                         \
    ((bp_narrow)_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p0)), _mm_loadu_pd(p1), 1))
#define bp_narrow_fmaf(a, b, c) ((bp_narrowf)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define bp_narrow_fma(a, b, c) ((bp_narrow)_mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c)))
#elif BP_VECTOR_BYTES == 32
#define bp_vector_of_partsf(p0, p1)                                                        \
    ((bp_vectorf)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p0)), _mm_loadu_ps(p1), 1))
#define bp_vector_of_parts(p0, p1)                                                         \
    ((bp_vector)_mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(p0)), _mm_loadu_pd(p1), 1))
#endif
/* BP_TILE_ROWS × BP_TILE_VECTORS vectors are the largest register tile (BLIS: mr × nr), and that of a transposed `a`. With 16
   registers of 32 bytes, 6 × 2 reads a whole cache line of `b` for each term where 4 × 3 reads one and a half, which takes a
   tenth longer; but of a transposed `a`, whose rows are in another page each, 6 numbers often lie in two lines, 4 in one. */
#if !defined(BP_TILE_VECTORS)
#define BP_TILE_VECTORS 3
#endif
#if !defined(BP_TRANS_TILE_ROWS)
#define BP_TRANS_TILE_ROWS BP_TILE_ROWS
#define BP_TRANS_TILE_VECTORS BP_TILE_VECTORS
#endif
/* Rows of a tile that has edge columns too. */
#define BP_EDGE_MR 8
#if !defined(BP_EDGE_VECTORS)
#define BP_EDGE_VECTORS 0
#define BP_HAS_ROTATE 0
#endif
#define BP_MR(kind) ((kind) == BP_PARAMETERS ? BP_TRANS_TILE_ROWS : BP_TILE_ROWS)
#define BP_NR(kind) ((kind) == BP_PARAMETERS ? BP_TRANS_TILE_VECTORS : BP_TILE_VECTORS)
/* Which operand of a micro-kernel is broadcast and which is read in vectors; see tiles.h. */
#define BP_A_NO_TRANS 0
#define BP_A_TRANS 1
#define BP_SWAP_AB 2
/* With the operands swapped, the tile's vectors by its rows: 16 registers, or 32. */
#define BP_SWAPPED_ROWS 8
#define BP_SWAPPED_FEW_ROWS 4
#define BP_SWAPPED_WIDE (BP_TILE_ROWS == 9 ? 6 : 3)
#define BP_SWAPPED_NARROW (BP_TILE_ROWS == 9 ? 3 : 1)
#define BP_MAX_TILE_ROWS (BP_TILE_ROWS > BP_SWAPPED_ROWS ? BP_TILE_ROWS : BP_SWAPPED_ROWS)
/* A multiply-add has a latency of four cycles: tiles of few rows are wider, to have enough independent sums. */
#define BP_WIDE_TILE_ROWS 2
#define BP_WIDE_TILE_VECTORS 6
#define BP_LOW_TILE_ROWS 4
#define BP_LOW_TILE_VECTORS 3
/* Whether few_rows.h is compiled: not at level v2, where a small module matters more. */
#if defined(__x86_64__) && BP_VECTOR_BYTES == 16 && !defined(BPCORE_LIKE_NEON)
#define BP_FEW_ROWS_COMPILED 0
#else
#define BP_FEW_ROWS_COMPILED 1
#endif
/* Rows of a product with a transposed `b`, whose sums stay in registers while blocks of b are transposed. */
#define BP_FEW_ROWS (BP_VECTOR_BYTES == 64 ? 8 : 3)
/* Rows of a product by fused axpys, whose sums stay in memory while `b` is read in its order. */
#define BP_AXPY_ROWS 3
/* Axpys that are fused for two or three rows; half as many for four. Their scalars stay in registers. */
#define BP_FUSED_TERMS (BP_TILE_ROWS == 9 ? 8 : 4)
/* A module that uses one family of kernels leaves the tiles of another unused. */
#define BP_UNUSED __attribute__((unused))
/* A kernel is not inlined, not even where one function calls it: it needs all registers. */
#define BP_KERNEL __attribute__((unused, noinline))
/* gcc would otherwise keep each sum of the pointer and an offset in a register of its own, and run out of them. */
#define BP_KEEP_IN_REGISTER(pointer) __asm__("" : "+r"(pointer))
#define BP_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define BP_UNROLL BP_PRAGMA(clang loop unroll(full))
#define BP_UNROLL_TILE BP_UNROLL
#define BP_NO_UNROLL BP_PRAGMA(clang loop unroll(disable))
#else
#define BP_UNROLL BP_PRAGMA(GCC unroll 16)
#define BP_UNROLL_TILE BP_PRAGMA(GCC unroll 27)
#define BP_NO_UNROLL BP_PRAGMA(GCC unroll 1)
#endif

#define BP_BLEND(a, b, mask) ((__typeof__(b))(((mask) & (__typeof__(mask))(a)) | (~(mask) & (__typeof__(mask))(b))))

#if defined(bp_vector_stream)
/* Orders non-temporal stores before the stores that follow. */
#define bp_store_fence() _mm_sfence()
#else
#define bp_store_fence() ((void)0)
#endif
