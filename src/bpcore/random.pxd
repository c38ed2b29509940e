# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Random bits from a counter: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011).

A word depends on a seed, a step, a row and where in the row it is, and on nothing that was drawn before: neither the
threads that share the rows nor the order in which they come change it. The key is the seed's two halves; the counter is
(block, row, the step's two halves). Of GROUP words the 16·w + l-th is word w of the block l of the group, so that
vectors of any width compute whole blocks.
"""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cimport bpcore._api    # which compares the headers with the .pxd files

cdef enum:
    GROUP = 64    # words of 16 blocks, which are computed at once


cdef extern from "_simd/simd.h" nogil:
    void random_words "bp_random_words"(
        uint64_t seed, int64_t step, uint32_t row, uint32_t group, uint32_t* words
    ) noexcept
