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
    const floating* x,       # IN   K logits
    floating* y,             # OUT  K probabilities; may be x
    Py_ssize_t K,
    floating* log_sum,       # OUT  log Σ_k exp(x_k − m)
) noexcept nogil:
    """Returns m = max_k x_k."""
    cdef int lanes = 16 if floating is float else 8
    cdef floating[16] most, partial
    cdef floating m, scale
    cdef Py_ssize_t k, whole = K - K % lanes
    cdef int lane, half
    # Whole blocks of lanes first, in loops of a fixed length; then what is left of the row.
    for lane in range(lanes):
        most[lane] = x[0]
        partial[lane] = 0
    k = 0
    while k < whole:
        for lane in range(lanes):
            most[lane] = x[k + lane] if x[k + lane] > most[lane] else most[lane]
        k = k + lanes
    m = most[0]
    if whole > 0:
        for lane in range(1, lanes):
            m = most[lane] if most[lane] > m else m
    for k in range(whole, K):
        m = x[k] if x[k] > m else m
    # y = exp(x − m)
    for k in range(K):
        y[k] = exp(x[k] - m)
    k = 0
    while k < whole:
        for lane in range(lanes):
            partial[lane] = partial[lane] + y[k + lane]
        k = k + lanes
    for k in range(whole, K):
        partial[k - whole] = partial[k - whole] + y[k]
    half = lanes // 2
    while half > 0:
        for lane in range(half):
            partial[lane] = partial[lane] + partial[lane + half]
        half = half // 2
    log_sum[0] = log(partial[0])
    # y = exp(x − m) / Σ exp(x − m)
    scale = 1 / partial[0]
    for k in range(K):
        y[k] = y[k] * scale
    return m


cdef inline floating row_loss(
    const floating* x,             # IN   K logits
    const int64_t* label,          # IN   the row's label, or NULL
    const floating* t,             # IN   K weights where there is no label
    Py_ssize_t K,
    floating m,
    floating log_sum,
) noexcept nogil:
    cdef floating loss = 0
    cdef Py_ssize_t k
    # loss = −log y_label = log Σ exp(x − m) − (x_label − m)
    if label is not NULL:
        return log_sum - (x[label[0]] - m)
    # loss = −Σ_k t_k·log y_k over t_k ≠ 0
    for k in range(K):
        if t[k] != 0:
            loss = loss + t[k] * (log_sum - (x[k] - m))
    return loss


cdef inline void row_gradient(
    const floating* y,             # IN   K probabilities
    const int64_t* label,          # IN   the row's label, or NULL
    const floating* t,             # IN   K weights where there is no label
    floating* dx,                  # OUT  K
    Py_ssize_t K,
    floating scale,                # dout / B
) noexcept nogil:
    cdef floating weight = 0
    cdef Py_ssize_t k
    # dx = (y − t)·scale, t the one-hot row of the label
    if label is not NULL:
        for k in range(K):
            dx[k] = (y[k] - (1 if k == label[0] else 0)) * scale
        return
    # dx = (y·Σt − t)·scale
    for k in range(K):
        weight = weight + t[k]
    for k in range(K):
        dx[k] = (y[k] * weight - t[k]) * scale


cdef inline double softmax_cross_entropy_row(
    const floating* x,
    const int64_t* label,
    const floating* t,
    floating* y,                   # OUT  K probabilities
    floating* dx,                  # OUT  K, or NULL: no gradient
    Py_ssize_t K,
    floating scale,
) noexcept nogil:
    cdef floating log_sum = 0
    cdef floating m = softmax_row(x, y, K, &log_sum)
    if dx is not NULL:
        row_gradient(y, label, t, dx, K, scale)
    return row_loss(x, label, t, K, m, log_sum)


cdef inline void softmax_row_alone(const floating* x, floating* y, Py_ssize_t K) noexcept nogil:
    cdef floating log_sum = 0
    softmax_row(x, y, K, &log_sum)


cdef inline void softmax(
    const floating[:, ::1] x,      # IN   (B, K), K > 0
    floating[:, ::1] y,            # OUT  (B, K)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r
    for r in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        softmax_row_alone(&x[r, 0], &y[r, 0], x.shape[1])


cdef inline double softmax_cross_entropy(
    const floating* x,             # IN   (B, K), B > 0, K > 0
    const int64_t* labels,         # IN   (B,) each in [0, K), or NULL
    const floating* targets,       # IN   (B, K) where there are no labels
    floating* y,                   # OUT  (B, K)
    floating* dx,                  # OUT  (B, K), or NULL: no gradient
    double* losses,                # OUT  (B,)
    Py_ssize_t B,
    Py_ssize_t K,
    int threads,
) noexcept nogil:
    """Returns the mean of the rows' losses; dx is for dout = 1."""
    cdef floating scale = <floating> 1 / <floating> B
    cdef double total = 0
    cdef Py_ssize_t r
    for r in prange(B, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        losses[r] = softmax_cross_entropy_row(
            x + r * K,
            NULL if labels is NULL else labels + r,
            NULL if targets is NULL else targets + r * K,
            y + r * K,
            NULL if dx is NULL else dx + r * K,
            K,
            scale,
        )
    # loss = Σ_r losses[r] / B
    for r in range(B):
        total = total + losses[r]
    return total / B


cdef inline void softmax_cross_entropy_backward(
    const floating* y,             # IN   (B, K) what softmax_cross_entropy gave
    const int64_t* labels,         # IN   (B,) each in [0, K), or NULL
    const floating* targets,       # IN   (B, K) where there are no labels
    floating dout,
    floating* dx,                  # OUT  (B, K)
    Py_ssize_t B,
    Py_ssize_t K,
    int threads,
) noexcept nogil:
    cdef floating scale = dout / <floating> B
    cdef Py_ssize_t r
    for r in prange(B, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        row_gradient(
            y + r * K,
            NULL if labels is NULL else labels + r,
            NULL if targets is NULL else targets + r * K,
            dx + r * K,
            K,
            scale,
        )
