# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Huber's loss of outputs that are numbers, row by row: of d = x − t it is d²/2 up to |d| = delta, linear beyond.

loss = Σ_k c·(|d| − c/2) with c = min(|d|, delta), dx = dout·max(−delta, min(d, delta)) / B. The sum over a row runs in
virtual lanes, as in softmax.pxd; rows are added in their order, in float64. NaN stays NaN.
"""

from cython cimport floating

from bpcore.reductions cimport total_of_lanes


cdef inline floating huber_of(floating x, floating t, floating delta) noexcept nogil:
    cdef floating d = x - t
    cdef floating size = -d if d < 0 else d
    cdef floating c = delta if size > delta else size
    return c * (size - c / 2)


cdef inline floating row_huber(const floating* x, const floating* t, Py_ssize_t K, floating delta) noexcept nogil:
    """Σ_k of a row."""
    cdef int lanes = 16 if floating is float else 8
    cdef floating[16] partial
    cdef Py_ssize_t k = 0, whole = K - K % lanes
    cdef int lane
    for lane in range(16):
        partial[lane] = 0
    while k < whole:
        for lane in range(lanes):
            partial[lane] = partial[lane] + huber_of(x[k + lane], t[k + lane], delta)
        k = k + lanes
    for k in range(whole, K):
        partial[k - whole] = partial[k - whole] + huber_of(x[k], t[k], delta)
    return total_of_lanes(partial)


cdef inline void huber_rows(
    const floating* x,             # IN   (rows, K), `stride` numbers from one row to the next
    const floating* t,             # IN   (rows, K) without gaps
    floating* dx,                  # OUT  (rows, K) like x, may be x or t; or NULL: no gradient
    double* losses,                # OUT  (rows,)
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
    floating scale,                # dout / B
    double delta,                  # above 0; rounded to the type it is the least normal number at least
) noexcept nogil:
    cdef floating least = 1.1754943508222875e-38 if floating is float else 2.2250738585072014e-308
    cdef floating bound = max(<floating> delta, least), d
    cdef Py_ssize_t r, k
    for r in range(rows):
        losses[r] = row_huber(x + r * stride, t + r * K, K, bound)
        if dx is not NULL:
            # dx = max(−delta, min(x − t, delta))·scale
            for k in range(K):
                d = x[r * stride + k] - t[r * K + k]
                d = bound if d > bound else d
                dx[r * stride + k] = (-bound if d < -bound else d) * scale
