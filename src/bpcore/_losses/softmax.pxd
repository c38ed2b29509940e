# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Softmax with cross-entropy, row by row: y = softmax(x), loss = −Σ t·log y, dx = dout·(y·Σt − t) / B.

a) log y is never formed from y: log y_k = (x_k − m) − log Σ_j exp(x_j − m), m = max_j x_j. Nothing overflows
   and nothing needs an epsilon.
b) The sum over a row runs in 16 virtual lanes (8 for float64), lane l taking the elements l, l + 16, …, then
   the lanes are reduced pairwise. The order is the same whatever the processor's vectors are.
c) For few classes, LANES rows are computed at a time, with a row in each lane of the processor's vectors: the same
   operations in the same order, without the partial vectors and the latency of one short row.
d) Losses of rows are stored and added in the order of the rows, in float64, so threads change no bit.
e) A target is an integer label or a row of weights. Terms with t = 0 are left out, for 0·∞ is not a number.
f) Rows may have a share each in place of 1 / B. One of share 0 is left out: it has neither loss nor gradient, whatever
   its scores and its target are.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from bpcore._parallel.team cimport chunk_start
from bpcore.reductions cimport loss_of
from bpcore._simd.simd cimport exp_lanes, exp_row, row_max, log, pack_columns

cdef enum:
    MAX_LANE_CLASSES = 64    # classes up to which LANES rows are computed at a time


cdef inline floating softmax_row(
    const floating* x,       # IN   K logits
    floating* e,             # OUT  K exponentials, which times the factor are probabilities; may be x
    Py_ssize_t K,
    floating* log_sum,       # OUT  log Σ_k exp(x_k − m)
    floating* factor,        # OUT  1 / Σ_k exp(x_k − m)
) noexcept nogil:
    """Returns m = max_k x_k."""
    cdef floating m = row_max(K, x)
    cdef floating total = exp_row(K, x, m, e)
    log_sum[0] = log(total)
    factor[0] = 1 / total
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
    floating* dx,                  # OUT  K; may be y
    Py_ssize_t K,
    floating scale,                # dout / B
) noexcept nogil:
    cdef floating weight = 0, correct
    cdef Py_ssize_t k
    # dx = (y − t)·scale, t the one-hot row of the label
    if label is not NULL:
        correct = y[label[0]]
        for k in range(K):
            dx[k] = y[k] * scale
        dx[label[0]] = (correct - 1) * scale
        return
    # dx = (y·Σt − t)·scale
    for k in range(K):
        weight = weight + t[k]
    for k in range(K):
        dx[k] = (y[k] * weight - t[k]) * scale


cdef inline void finish_row(
    floating* y,                   # IN   K exponentials; OUT  probabilities
    floating factor,
    floating* dx,                  # OUT  K, y·scale; may be y, or NULL
    Py_ssize_t K,
    floating scale,
) noexcept nogil:
    cdef Py_ssize_t k
    if dx is NULL:
        for k in range(K):
            y[k] = y[k] * factor
    elif dx is y:
        for k in range(K):
            y[k] = y[k] * factor * scale
    else:
        for k in range(K):
            y[k] = y[k] * factor
            dx[k] = y[k] * scale


cdef inline void exponentials_of_lanes(
    const floating* x,             # IN   (rows, K) with `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t rows,               # 1 to LANES
    Py_ssize_t K,                  # 1 to MAX_LANE_CLASSES
    floating* e,                   # OUT  (K, LANES) the result of softmax_row, for `rows` rows at once
    floating* m,                   # OUT  (LANES,)
    floating* log_sum,             # OUT  (LANES,)
    floating* factor,              # OUT  (LANES,)
) noexcept nogil:
    cdef floating[16][16] partial
    cdef int lanes = 16 if floating is float else 8
    cdef int lane, half
    cdef Py_ssize_t k
    pack_columns(rows, lanes, K, x, stride, e, lanes)
    exp_lanes(K, e, m)
    for k in range(lanes):
        for lane in range(lanes):
            partial[k][lane] = e[k * lanes + lane] if k < K else 0
    for k in range(lanes, K):
        for lane in range(lanes):
            partial[k % lanes][lane] = partial[k % lanes][lane] + e[k * lanes + lane]
    half = lanes // 2
    while half > 0:
        for k in range(half):
            for lane in range(lanes):
                partial[k][lane] = partial[k][lane] + partial[k + half][lane]
        half = half // 2
    for lane in range(lanes):
        log_sum[lane] = log(partial[0][lane])
        factor[lane] = 1 / partial[0][lane]


cdef inline void lanes_into_rows(
    const floating* e,             # IN   (K, LANES)
    const floating* factor,        # IN   (LANES,)
    const floating* scales,        # IN   (LANES,)
    floating* out,                 # OUT  (rows, K), `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
) noexcept nogil:
    """out = e·factor·scale."""
    cdef floating[MAX_LANE_CLASSES * 16] products
    cdef int lanes = 16 if floating is float else 8, lane
    cdef Py_ssize_t k
    for k in range(K):
        for lane in range(lanes):
            products[k * lanes + lane] = e[k * lanes + lane] * factor[lane] * scales[lane]
    pack_columns(K, K, rows, &products[0], lanes, out, stride)


cdef inline void softmax_rows(
    const floating* x,             # IN   (rows, K) with `stride` numbers from one row to the next
    floating* y,                   # OUT  (rows, K) likewise; may be x
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
) noexcept nogil:
    cdef floating[MAX_LANE_CLASSES * 16] e
    cdef floating[16] m, log_sum, factor, ones
    cdef Py_ssize_t r = 0
    cdef Py_ssize_t lanes = 16 if floating is float else 8
    scales_of_rows(<const floating*> NULL, <floating> 1, lanes, &ones[0])
    while r < rows:
        if K <= MAX_LANE_CLASSES and rows - r > 1:
            exponentials_of_lanes(
                x + r * stride, stride, min(lanes, rows - r), K, &e[0], &m[0], &log_sum[0], &factor[0]
            )
            lanes_into_rows(&e[0], &factor[0], &ones[0], y + r * stride, stride, min(lanes, rows - r), K)
            r = r + lanes
        else:
            softmax_row(x + r * stride, y + r * stride, K, &log_sum[0], &factor[0])
            finish_row(y + r * stride, factor[0], <floating*> NULL, K, <floating> 1)
            r = r + 1


cdef inline void scales_of_rows(
    const floating* shares, floating scale, Py_ssize_t n, floating* scales    # OUT  (LANES,)
) noexcept nogil:
    """What the gradients of n rows are multiplied by."""
    cdef int lanes = 16 if floating is float else 8, i
    for i in range(lanes):
        scales[i] = scale
    if shares is not NULL:
        for i in range(n):
            scales[i] = shares[i] * scale


cdef inline void leave_out(floating* dx, Py_ssize_t K, double* loss) noexcept nogil:
    """A row that has no share: `dx` is its gradient, or NULL."""
    cdef Py_ssize_t k
    loss[0] = 0
    for k in range(K if dx is not NULL else 0):
        dx[k] = 0


cdef inline void softmax_cross_entropy_rows(
    const floating* x,             # IN   (rows, K) logits, `stride` numbers from one row to the next
    const int64_t* labels,         # IN   (rows,) each in [0, K), or NULL
    const floating* targets,       # IN   (rows, K) contiguous, where there are no labels
    const floating* shares,        # IN   (rows,) the share of each row, or NULL: 1
    floating* y,                   # OUT  (rows, K) like x
    floating* dx,                  # OUT  (rows, K) like x, may be y; or NULL: no gradient
    double* losses,                # OUT  (rows,) each times its share
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
    floating scale,                # dout / B, or dout where rows have shares
) noexcept nogil:
    cdef floating[MAX_LANE_CLASSES * 16] e
    cdef floating[16] m, log_sum, factor, scales, ones
    cdef const int64_t* label = NULL
    cdef const floating* t = NULL
    cdef floating* y_row
    cdef floating* dx_row = NULL
    cdef floating correct
    cdef Py_ssize_t r = 0, n, i
    cdef Py_ssize_t lanes = 16 if floating is float else 8
    scales_of_rows(<const floating*> NULL, <floating> 1, lanes, &ones[0])
    while r < rows:
        # With labels the gradient is y·scale except for one number of a row; with weights it is computed from y.
        y_row = y + r * stride
        if dx is not NULL:
            dx_row = dx + r * stride
        if K <= MAX_LANE_CLASSES and rows - r > 1:
            n = min(lanes, rows - r)
            scales_of_rows(<const floating*> NULL if shares is NULL else shares + r, scale, n, &scales[0])
            exponentials_of_lanes(x + r * stride, stride, n, K, &e[0], &m[0], &log_sum[0], &factor[0])
            if dx is not y or labels is NULL:
                lanes_into_rows(&e[0], &factor[0], &ones[0], y_row, stride, n, K)
            if dx is not NULL and labels is not NULL:
                lanes_into_rows(&e[0], &factor[0], &scales[0], dx_row, stride, n, K)
        else:
            n = 1
            scales[0] = scale if shares is NULL else shares[r] * scale
            m[0] = softmax_row(x + r * stride, y_row, K, &log_sum[0], &factor[0])
            if labels is not NULL and (shares is NULL or shares[r] != 0):
                e[0] = y_row[labels[r]]
            finish_row(y_row, factor[0], dx_row if labels is not NULL else <floating*> NULL, K, scales[0])
        for i in range(n):
            if shares is not NULL and shares[r + i] == 0:
                leave_out(<floating*> NULL if dx is NULL else dx_row + i * stride, K, losses + r + i)
                continue
            if labels is NULL:
                t = targets + (r + i) * K
            else:
                label = labels + r + i
            losses[r + i] = row_loss(x + (r + i) * stride, label, t, K, m[i], log_sum[i])
            if shares is not NULL:
                losses[r + i] = losses[r + i] * shares[r + i]
            if dx is not NULL and label is NULL:
                row_gradient(y_row + i * stride, label, t, dx_row + i * stride, K, scales[i])
            elif dx is not NULL:
                correct = e[0 if n == 1 else label[0] * lanes + i] * factor[i]
                dx_row[i * stride + label[0]] = (correct - 1) * scales[i]
        r = r + n


cdef inline void softmax(
    const floating* x,             # IN   (B, K), K > 0
    floating* y,                   # OUT  (B, K); may be x
    Py_ssize_t B,
    Py_ssize_t K,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t first
    cdef int rank
    if threads <= 1:
        softmax_rows(x, y, K, B, K)
        return
    for rank in prange(threads, num_threads=threads, schedule="static"):
        first = chunk_start(B, rank, threads, 16)
        softmax_rows(x + first * K, y + first * K, K, chunk_start(B, rank + 1, threads, 16) - first, K)


cdef inline double softmax_cross_entropy(
    const floating* x,             # IN   (B, K), B > 0, K > 0
    const int64_t* labels,         # IN   (B,) each in [0, K), or NULL
    const floating* targets,       # IN   (B, K) where there are no labels
    const floating* shares,        # IN   (B,) the share of each row in the loss, or NULL: 1 / B
    floating* y,                   # OUT  (B, K)
    floating* dx,                  # OUT  (B, K), or NULL: no gradient
    double* losses,                # OUT  (B,)
    Py_ssize_t B,
    Py_ssize_t K,
    int threads,
) noexcept nogil:
    """Returns the mean of the rows' losses, or their sum by shares; dx is for dout = 1."""
    cdef floating scale = <floating> 1 if shares is not NULL else <floating> 1 / <floating> B
    cdef Py_ssize_t first
    cdef int rank
    if threads <= 1:
        softmax_cross_entropy_rows(x, labels, targets, shares, y, dx, losses, K, B, K, scale)
        return loss_of(losses, B, shares is not NULL)
    for rank in prange(threads, num_threads=threads, schedule="static"):
        first = chunk_start(B, rank, threads, 16)
        softmax_cross_entropy_rows(
            x + first * K,
            <const int64_t*> NULL if labels is NULL else labels + first,
            <const floating*> NULL if targets is NULL else targets + first * K,
            <const floating*> NULL if shares is NULL else shares + first,
            y + first * K,
            <floating*> NULL if dx is NULL else dx + first * K,
            losses + first,
            K,
            chunk_start(B, rank + 1, threads, 16) - first,
            K,
            scale,
        )
    return loss_of(losses, B, shares is not NULL)


cdef inline void softmax_cross_entropy_backward(
    const floating* y,             # IN   (B, K) the probabilities
    const int64_t* labels,         # IN   (B,) each in [0, K), or NULL
    const floating* targets,       # IN   (B, K) where there are no labels
    const floating* shares,        # IN   (B,) or NULL, as they were forward
    floating dout,
    floating* dx,                  # OUT  (B, K)
    Py_ssize_t B,
    Py_ssize_t K,
    int threads,
) noexcept nogil:
    cdef floating scale = dout if shares is not NULL else dout / <floating> B
    cdef Py_ssize_t r
    if threads <= 1:
        for r in range(B):
            gradient_of(y, labels, targets, shares, dx, K, scale, r)
    else:
        for r in prange(B, num_threads=threads, schedule="static"):
            gradient_of(y, labels, targets, shares, dx, K, scale, r)


cdef inline void gradient_of(
    const floating* y, const int64_t* labels, const floating* targets, const floating* shares, floating* dx,
    Py_ssize_t K, floating scale, Py_ssize_t r,
) noexcept nogil:
    """The gradient of row r."""
    cdef double none
    if shares is not NULL:
        if shares[r] == 0:
            leave_out(dx + r * K, K, &none)
            return
        scale = shares[r] * scale
    row_gradient(
        y + r * K, <const int64_t*> NULL if labels is NULL else labels + r,
        <const floating*> NULL if targets is NULL else targets + r * K, dx + r * K, K, scale,
    )
