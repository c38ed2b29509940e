/* Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011), which random.pxd describes. simd.h
   includes this once, behind vectors.h. */

#define BP_RANDOM_BLOCKS 16
#define BP_WORDS (BP_VECTOR_BYTES / 4)

typedef uint32_t bp_words __attribute__((vector_size(BP_VECTOR_BYTES), aligned(4), may_alias));

/* The upper and lower halves of a·m, lane by lane. The multiplication of every other lane is an instruction, of which
   compilers make two or three. */
static BP_INLINE void bp_multiply_words(const bp_words a, const uint32_t m, bp_words *high, bp_words *low) {
#if defined(__AVX512F__) && BP_VECTOR_BYTES == 64
    const __m512i x = (__m512i)a, y = _mm512_set1_epi32((int)m);
    const __m512i even = _mm512_mul_epu32(x, y), odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), y);
    *low = (bp_words)_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
    *high = (bp_words)_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd);
#elif defined(__AVX2__) && BP_VECTOR_BYTES == 32
    const __m256i x = (__m256i)a, y = _mm256_set1_epi32((int)m);
    const __m256i even = _mm256_mul_epu32(x, y), odd = _mm256_mul_epu32(_mm256_srli_epi64(x, 32), y);
    *low = (bp_words)_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
    *high = (bp_words)_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
#elif defined(__aarch64__)
    const uint32x4_t x = (uint32x4_t)a, y = vdupq_n_u32(m);
    const uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(x), vget_low_u32(y)));
    const uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(x, y));
    *low = (bp_words)vuzp1q_u32(first, second);
    *high = (bp_words)vuzp2q_u32(first, second);
#else
    for (int lane = 0; lane < BP_WORDS; lane++) {
        const uint64_t product = (uint64_t)a[lane] * m;
        (*high)[lane] = (uint32_t)(product >> 32);
        (*low)[lane] = (uint32_t)product;
    }
#endif
}

static BP_UNUSED void bp_random_words(uint64_t seed, int64_t step, uint32_t row, uint32_t group, uint32_t *words) {
    const uint64_t counted = (uint64_t)step;
    for (int first = 0; first < BP_RANDOM_BLOCKS; first += BP_WORDS) {
        uint32_t key = (uint32_t)seed, other_key = (uint32_t)(seed >> 32);
        bp_words a, b = row + (bp_words){0}, c = (uint32_t)counted + (bp_words){0};
        bp_words d = (uint32_t)(counted >> 32) + (bp_words){0};
        for (int lane = 0; lane < BP_WORDS; lane++) a[lane] = group * BP_RANDOM_BLOCKS + (uint32_t)(first + lane);
        for (int round = 0; round < 10; round++) {
            bp_words high, low, other_high, other_low;
            bp_multiply_words(a, 0xD2511F53u, &high, &low);
            bp_multiply_words(c, 0xCD9E8D57u, &other_high, &other_low);
            a = other_high ^ b ^ key;
            b = other_low;
            c = high ^ d ^ other_key;
            d = low;
            key += 0x9E3779B9u;
            other_key += 0xBB67AE85u;
        }
        memcpy(words + first, &a, sizeof a);
        memcpy(words + BP_RANDOM_BLOCKS + first, &b, sizeof b);
        memcpy(words + 2 * BP_RANDOM_BLOCKS + first, &c, sizeof c);
        memcpy(words + 3 * BP_RANDOM_BLOCKS + first, &d, sizeof d);
    }
}
