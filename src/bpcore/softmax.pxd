"""Softmax with cross-entropy, row by row: y = softmax(x), loss = −Σ t·log y, dx = dout·(y·Σt − t) / B.

a) log y is never formed from y: log y_k = (x_k − m) − log Σ_j exp(x_j − m), m = max_j x_j. Nothing overflows
   and nothing needs an epsilon.
b) The sum over a row runs in 16 virtual lanes (8 for float64), lane l taking the elements l, l + 16, …, then
   the lanes are added in halves. The order is the same whatever the processor's vectors are.
c) Losses of rows are written down and added in the order of the rows, in float64, so threads change no bit.
d) A target is an integer label or a row of weights. Terms with t = 0 are left out, for 0·∞ is not a number.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from bpcore.simd cimport exp, log


cdef inline floating softmax_row(
    const floating[:, ::1] x,      # IN   (B, K)
    floating[:, ::1] y,            # OUT  (B, K), row r
    Py_ssize_t r,
    floating* log_sum,             # OUT  log Σ_k exp(x_k − m)
) noexcept nogil:
    """Returns m = max_k x_k."""
    cdef int lanes = 16 if floating is float else 8
    cdef floating[16] partial
    cdef floating m = x[r, 0], total
    cdef Py_ssize_t k
    cdef int lane, half
    for k in range(1, x.shape[1]):
        m = x[r, k] if x[r, k] > m else m
    for lane in range(lanes):
        partial[lane] = 0
    # y = exp(x − m), and its sum
    for k in range(x.shape[1]):
        y[r, k] = exp(x[r, k] - m)
        partial[k % lanes] = partial[k % lanes] + y[r, k]
    half = lanes // 2
    while half > 0:
        for lane in range(half):
            partial[lane] = partial[lane] + partial[lane + half]
        half = half // 2
    log_sum[0] = log(partial[0])
    # y = exp(x − m) / Σ exp(x − m)
    total = 1 / partial[0]
    for k in range(x.shape[1]):
        y[r, k] = y[r, k] * total
    return m


cdef inline floating row_loss(
    const floating[:, ::1] x,      # IN   (B, K)
    const int64_t[::1] labels,     # IN   (B,), or None
    const floating[:, ::1] t,      # IN   (B, K) where there are no labels
    Py_ssize_t r,
    floating m,
    floating log_sum,
) noexcept nogil:
    cdef floating loss = 0
    cdef Py_ssize_t k
    # loss = −log y_label = log Σ exp(x − m) − (x_label − m)
    if labels is not None:
        return log_sum - (x[r, labels[r]] - m)
    # loss = −Σ_k t_k·log y_k over t_k ≠ 0
    for k in range(x.shape[1]):
        if t[r, k] != 0:
            loss = loss + t[r, k] * (log_sum - (x[r, k] - m))
    return loss


cdef inline void row_gradient(
    const floating[:, ::1] y,      # IN   (B, K)
    const int64_t[::1] labels,     # IN   (B,), or None
    const floating[:, ::1] t,      # IN   (B, K) where there are no labels
    floating[:, ::1] dx,           # OUT  (B, K), row r
    Py_ssize_t r,
    floating scale,                # dout / B
) noexcept nogil:
    cdef floating weight = 0
    cdef Py_ssize_t k
    # dx = (y − t)·scale, t the one-hot row of the label
    if labels is not None:
        for k in range(y.shape[1]):
            dx[r, k] = (y[r, k] - (1 if k == labels[r] else 0)) * scale
        return
    # dx = (y·Σt − t)·scale
    for k in range(y.shape[1]):
        weight = weight + t[r, k]
    for k in range(y.shape[1]):
        dx[r, k] = (y[r, k] * weight - t[r, k]) * scale


cdef inline double softmax_cross_entropy_row(
    const floating[:, ::1] x,
    const int64_t[::1] labels,
    const floating[:, ::1] t,
    floating[:, ::1] y,            # OUT  (B, K), row r
    floating[:, ::1] dx,           # OUT  (B, K), row r, or None: no gradient
    Py_ssize_t r,
    floating scale,
) noexcept nogil:
    cdef floating log_sum = 0
    cdef floating m = softmax_row(x, y, r, &log_sum)
    if dx is not None:
        row_gradient(y, labels, t, dx, r, scale)
    return row_loss(x, labels, t, r, m, log_sum)


cdef inline void softmax_row_alone(
    const floating[:, ::1] x, floating[:, ::1] y, Py_ssize_t r
) noexcept nogil:
    cdef floating log_sum = 0
    softmax_row(x, y, r, &log_sum)


cdef inline void softmax(
    const floating[:, ::1] x,      # IN   (B, K), K > 0
    floating[:, ::1] y,            # OUT  (B, K)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    for r in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        softmax_row_alone(x, y, r)


cdef inline double softmax_cross_entropy(
    const floating[:, ::1] x,      # IN   (B, K), B > 0, K > 0
    const int64_t[::1] labels,     # IN   (B,) each in [0, K), or None
    const floating[:, ::1] t,      # IN   (B, K) where there are no labels
    floating[:, ::1] y,            # OUT  (B, K)
    floating[:, ::1] dx,           # OUT  (B, K), or None: no gradient
    double[::1] losses,            # OUT  (B,)
    int threads,
) noexcept nogil:
    """Returns the mean of the rows' losses; dx is for dout = 1."""
    cdef floating scale = <floating> 1 / <floating> x.shape[0]
    cdef double total = 0
    cdef Py_ssize_t r
    for r in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        losses[r] = softmax_cross_entropy_row(x, labels, t, y, dx, r, scale)
    # loss = Σ_r losses[r] / B
    for r in range(x.shape[0]):
        total = total + losses[r]
    return total / x.shape[0]


cdef inline void softmax_cross_entropy_backward(
    const floating[:, ::1] y,      # IN   (B, K) what softmax_cross_entropy gave
    const int64_t[::1] labels,     # IN   (B,) each in [0, K), or None
    const floating[:, ::1] t,      # IN   (B, K) where there are no labels
    floating dout,
    floating[:, ::1] dx,           # OUT  (B, K)
    int threads,
) noexcept nogil:
    cdef floating scale = dout / <floating> y.shape[0]
    cdef Py_ssize_t r
    for r in prange(y.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        row_gradient(y, labels, t, dx, r, scale)
