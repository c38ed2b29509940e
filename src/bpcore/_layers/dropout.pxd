# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Inverted dropout (Srivastava et al. 2014): in training out = x·mask, each number of mask 0 with the probability
`rate`, else 1 / (1 − rate); otherwise out = x.

a) A number is dropped where its word of random.pxd is below rate·2^32, rounded: the rate is kept to 2^-33.
b) What is infinite and dropped is NaN, as a product with 0 is: it is not hidden.
"""

from cython cimport floating
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy

from bpcore._gemm.operands cimport Rows, row_address
from bpcore._layers.layer cimport Kept, Layer, kept_rows
from bpcore.random cimport GROUP, random_words


cdef inline uint64_t dropped_below(double rate) noexcept nogil:
    """How many of the 2^32 words stand for a number that is dropped."""
    return <uint64_t> (rate * 4294967296.0 + 0.5)


cdef inline void dropout_row(
    const Layer* layer, Py_ssize_t row, const floating* x, floating* out, floating* mask
) noexcept nogil:
    """A row of the batch; mask may be NULL."""
    cdef uint32_t[GROUP] words
    cdef floating[GROUP] made
    # At most 2^32 − 1: a rate that would be rounded to 1 drops all but one of 2^32 numbers.
    cdef uint32_t below = <uint32_t> min(dropped_below(layer.option), <uint64_t> 4294967295)
    cdef floating scale = <floating> (1 / (1 - layer.option))
    cdef Py_ssize_t first = 0, n = layer.outputs
    while first < n:
        random_words(layer.seed, layer.step, <uint32_t> row, <uint32_t> (first // GROUP), &words[0])
        if n - first >= GROUP:
            masked_numbers(&words[0], below, scale, x + first, out + first, &made[0], GROUP)
        else:
            masked_numbers(&words[0], below, scale, x + first, out + first, &made[0], n - first)
        if mask is not NULL:
            memcpy(mask + first, &made[0], min(<Py_ssize_t> GROUP, n - first) * sizeof(floating))
        first = first + GROUP


cdef inline void masked_numbers(
    const uint32_t* words, uint32_t below, floating scale, const floating* x, floating* out, floating* mask,
    Py_ssize_t n,
) noexcept nogil:
    cdef Py_ssize_t k
    for k in range(n):
        mask[k] = 0 if words[k] < below else scale
    for k in range(n):
        out[k] = x[k] * mask[k]


cdef inline void dropout_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, Kept kept
) noexcept nogil:
    """out = x·mask of the rows of a batch in training, else x."""
    cdef const floating* row
    cdef Py_ssize_t r
    for r in range(rows):
        row = row_address(x, r, <const floating*> out)
        if kept.training:
            dropout_row(
                layer, kept.first + r, row, out + r * stride,
                <floating*> NULL if kept.z is NULL else <floating*> kept.z + r * kept.stride,
            )
        else:
            memcpy(out + r * stride, row, layer.outputs * sizeof(floating))


cdef inline void dropout_backward_input(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows
) noexcept nogil:
    """dx = dpre·mask; dx may be layer.dpre."""
    cdef Kept kept = kept_rows(layer, first)
    cdef const floating* dout
    cdef const floating* mask
    cdef Py_ssize_t r, k
    for r in range(rows):
        dout = <const floating*> layer.dpre + (first + r) * layer.stride
        mask = <const floating*> kept.z + r * kept.stride
        for k in range(layer.outputs):
            dx[r * stride + k] = dout[k] * mask[k]
