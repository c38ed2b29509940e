# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Squared error for regression, row by row: loss = Σ_k (x_k − t_k)² / 2, dx = dout·(x − t) / B.

The sum over a row runs in virtual lanes, as in softmax.pxd; rows are added in their order, in float64.
"""

from cython cimport floating

from bpcore.reductions cimport total_of_lanes


cdef inline floating row_squares(const floating* x, const floating* t, Py_ssize_t K) noexcept nogil:
    """Σ_k (x_k − t_k)²."""
    cdef int lanes = 16 if floating is float else 8
    cdef floating[16] partial
    cdef floating difference
    cdef Py_ssize_t k = 0, full = K - K % lanes
    cdef int lane
    for lane in range(16):
        partial[lane] = 0
    while k < full:
        for lane in range(lanes):
            difference = x[k + lane] - t[k + lane]
            partial[lane] = partial[lane] + difference * difference
        k = k + lanes
    for k in range(full, K):
        difference = x[k] - t[k]
        partial[k - full] = partial[k - full] + difference * difference
    return total_of_lanes(partial)


cdef inline void squared_error_rows(
    const floating* x,             # IN   (rows, K), `stride` numbers from one row to the next
    const floating* t,             # IN   (rows, K) contiguous
    floating* dx,                  # OUT  (rows, K) like x; or NULL: no gradient
    double* losses,                # OUT  (rows,)
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
    floating scale,                # dout / B
) noexcept nogil:
    cdef Py_ssize_t r, k
    for r in range(rows):
        losses[r] = row_squares(x + r * stride, t + r * K, K) / 2
        if dx is not NULL:
            # dx = (x − t)·scale
            for k in range(K):
                dx[r * stride + k] = (x[r * stride + k] - t[r * K + k]) * scale
