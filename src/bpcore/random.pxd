# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011).

A word depends on a seed, a step, a row and where in the row it is, and on nothing that was drawn before: neither the
threads that share the rows nor the order in which they come change it. The key is the seed's two halves; the counter is
(block, row, the step's two halves). Of GROUP words the 16·w + l-th is word w of the block l of the group, so that
vectors of any width compute whole blocks.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef enum:
    BLOCKS = 16           # computed at once
    GROUP = 4 * BLOCKS    # words of these


cdef inline void random_words(
    uint64_t seed,
    int64_t step,
    uint32_t row,
    uint32_t group,
    uint32_t* words,       # OUT  (GROUP,)
) noexcept nogil:
    """The words of a group."""
    cdef uint32_t[BLOCKS] a
    cdef uint32_t[BLOCKS] b
    cdef uint32_t[BLOCKS] c
    cdef uint32_t[BLOCKS] d
    cdef uint32_t key = <uint32_t> seed, other_key = <uint32_t> (seed >> 32)
    cdef uint64_t one, other
    cdef int _turn, n
    for n in range(BLOCKS):
        a[n] = group * <uint32_t> BLOCKS + <uint32_t> n
        b[n] = row
        c[n] = <uint32_t> <uint64_t> step
        d[n] = <uint32_t> (<uint64_t> step >> 32)
    for _turn in range(10):
        for n in range(BLOCKS):
            one = <uint64_t> a[n] * <uint64_t> 0xD2511F53
            other = <uint64_t> c[n] * <uint64_t> 0xCD9E8D57
            a[n] = <uint32_t> (other >> 32) ^ b[n] ^ key
            b[n] = <uint32_t> other
            c[n] = <uint32_t> (one >> 32) ^ d[n] ^ other_key
            d[n] = <uint32_t> one
        key = key + <uint32_t> 0x9E3779B9
        other_key = other_key + <uint32_t> 0xBB67AE85
    for n in range(BLOCKS):
        words[n], words[BLOCKS + n], words[2 * BLOCKS + n], words[3 * BLOCKS + n] = a[n], b[n], c[n], d[n]
