# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Softmax and its logarithm as layers: y = exp(x) / Σ exp(x) and y = x − log Σ exp(x), along each row.

a) Forward is _losses/softmax.pxd's: the largest number of a row is subtracted first, sums are taken in virtual lanes,
   and log-softmax is (x − m) − log Σ exp(x − m), so that no probability that rounds to 0 has the logarithm −∞.
b) Backward needs y alone: dx = y·(dout − Σ dout·y), of log-softmax dx = dout − exp(y)·Σ dout. The sums are those of
   row_norms.pxd, in float64, in which dx is computed too and rounded once: dout − Σ dout·y may cancel.
c) A row with NaN, with +∞ or of −∞ alone gives NaN, as the formulas do.
"""

from cython cimport floating
from libc.string cimport memcpy

from bpcore._gemm.operands cimport Rows, row_address, rows_of
from bpcore._layers.layer cimport Kept, Layer, kept_rows
from bpcore._losses.softmax cimport MAX_LANE_CLASSES, exponentials_of_lanes, softmax_row, softmax_rows
from bpcore._simd.simd cimport exp_span
from bpcore.reductions cimport row_dot, row_sum

cdef enum:
    EXPONENTIALS = 64    # that are computed at a time


cdef inline void copy_rows(const Rows x, floating* to, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(rows):
        memcpy(to + r * stride, row_address(x, r, <const floating*> to), n * sizeof(floating))


cdef inline void log_softmax_rows(
    const Rows x,                  # IN   (rows, K), K > 0
    floating* y,                   # OUT  (rows, K), `stride` numbers from one row to the next; not x
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
) noexcept nogil:
    cdef floating[MAX_LANE_CLASSES * 16] e
    cdef floating[16] m, log_sum, factor
    cdef const floating* row
    cdef floating* y_row
    cdef Py_ssize_t r, first = 0, n, k
    cdef Py_ssize_t lanes = 16 if floating is float else 8
    copy_rows(x, y, stride, rows, K)
    while first < rows:
        n = min(lanes, rows - first)
        if K <= MAX_LANE_CLASSES and n > 1:
            exponentials_of_lanes(
                <const floating*> y + first * stride, stride, n, K, &e[0], &m[0], &log_sum[0], &factor[0]
            )
        else:
            # Whose exponentials take the place of the row for a while.
            n = 1
            m[0] = softmax_row(
                row_address(x, first, <const floating*> y), y + first * stride, K, &log_sum[0], &factor[0]
            )
        for r in range(n):
            row, y_row = row_address(x, first + r, <const floating*> y), y + (first + r) * stride
            for k in range(K):
                y_row[k] = (row[k] - m[r]) - log_sum[r]
        first = first + n


cdef inline void softmax_row_backward(
    const floating* y, const floating* dout, floating* dx, Py_ssize_t K
) noexcept nogil:
    """dx = y·(dout − Σ dout·y); dx may be y or dout."""
    cdef double total = row_dot(dout, y, K)
    cdef Py_ssize_t k
    for k in range(K):
        dx[k] = <floating> (y[k] * (dout[k] - total))


cdef inline void log_softmax_row_backward(
    const floating* y, const floating* dout, floating* dx, Py_ssize_t K
) noexcept nogil:
    """dx = dout − exp(y)·Σ dout; dx may be y or dout."""
    cdef floating[EXPONENTIALS] e
    cdef double total = row_sum(dout, K)
    cdef Py_ssize_t first = 0, n, k
    while first < K:
        n = min(K - first, <Py_ssize_t> EXPONENTIALS)
        exp_span(n, y + first, &e[0])
        for k in range(n):
            dx[first + k] = <floating> (dout[first + k] - e[k] * total)
        first = first + n


cdef inline void softmax_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, Kept kept, bint is_log
) noexcept nogil:
    """out = softmax of the rows, or its logarithm."""
    if is_log:
        log_softmax_rows(x, out, stride, rows, layer.outputs)
    else:
        copy_rows(x, out, stride, rows, layer.outputs)
        softmax_rows(<const floating*> out, out, stride, rows, layer.outputs)
    if kept.z is not NULL:
        # An activation behind it takes the place of what it gives out.
        copy_rows(rows_of(<const floating*> out, stride), <floating*> kept.z, kept.stride, rows, layer.outputs)


cdef inline void softmax_backward_input(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows, bint is_log
) noexcept nogil:
    """The gradient of what enters; dx may be layer.dpre."""
    cdef Kept kept = kept_rows(layer, first)
    cdef const floating* dout
    cdef const floating* y
    cdef Py_ssize_t r
    for r in range(rows):
        dout = <const floating*> layer.dpre + (first + r) * layer.stride
        y = <const floating*> kept.z + r * kept.stride
        if is_log:
            log_softmax_row_backward(y, dout, dx + r * stride, layer.outputs)
        else:
            softmax_row_backward(y, dout, dx + r * stride, layer.outputs)
