# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Sums whose order the shape alone decides."""

from cython cimport floating


cdef enum:
    COLUMNS = 64    # summed at once, so that their sums stay in registers
    LANES = 8       # virtual lanes of sums in float64


cdef inline void sum_rows(
    const floating* x,           # IN   (B, O), `stride` numbers from one row to the next
    Py_ssize_t stride,
    floating* out,               # OUT  (O,)
    Py_ssize_t B,
    Py_ssize_t O,
) noexcept nogil:
    cdef floating[COLUMNS] sums
    cdef Py_ssize_t first = 0, width, r, o
    # out[o] = Σ_r x[r, o], in the order of the rows
    while first < O:
        width = min(<Py_ssize_t> COLUMNS, O - first)
        for o in range(COLUMNS):
            sums[o] = 0
        for r in range(B):
            if width == COLUMNS:
                for o in range(COLUMNS):
                    sums[o] = sums[o] + x[r * stride + first + o]
            else:
                for o in range(width):
                    sums[o] = sums[o] + x[r * stride + first + o]
        for o in range(width):
            out[first + o] = sums[o]
        first = first + COLUMNS


cdef inline double total_of_lanes(double* partial) noexcept nogil:
    """The sum of LANES numbers, reduced pairwise in place."""
    cdef int half = LANES // 2, lane
    while half > 0:
        for lane in range(half):
            partial[lane] = partial[lane] + partial[lane + half]
        half = half // 2
    return partial[0]


cdef inline double row_sum(const floating* x, Py_ssize_t n) noexcept nogil:
    """Σ x."""
    cdef double[LANES] partial
    cdef Py_ssize_t k = 0, whole = n - n % LANES
    cdef int lane
    for lane in range(LANES):
        partial[lane] = 0
    while k < whole:
        for lane in range(LANES):
            partial[lane] = partial[lane] + x[k + lane]
        k = k + LANES
    for k in range(whole, n):
        partial[k - whole] = partial[k - whole] + x[k]
    return total_of_lanes(&partial[0])


cdef inline double row_squares(const floating* x, double mean, Py_ssize_t n) noexcept nogil:
    """Σ (x − mean)²."""
    cdef double[LANES] partial
    cdef double d
    cdef Py_ssize_t k = 0, whole = n - n % LANES
    cdef int lane
    for lane in range(LANES):
        partial[lane] = 0
    while k < whole:
        for lane in range(LANES):
            d = x[k + lane] - mean
            partial[lane] = partial[lane] + d * d
        k = k + LANES
    for k in range(whole, n):
        d = x[k] - mean
        partial[k - whole] = partial[k - whole] + d * d
    return total_of_lanes(&partial[0])


cdef inline double row_dot(const floating* x, const floating* y, Py_ssize_t n) noexcept nogil:
    """Σ x·y, each product rounded to the type."""
    cdef double[LANES] partial
    cdef Py_ssize_t k = 0, whole = n - n % LANES
    cdef int lane
    for lane in range(LANES):
        partial[lane] = 0
    while k < whole:
        for lane in range(LANES):
            partial[lane] = partial[lane] + x[k + lane] * y[k + lane]
        k = k + LANES
    for k in range(whole, n):
        partial[k - whole] = partial[k - whole] + x[k] * y[k]
    return total_of_lanes(&partial[0])


cdef inline double loss_of(const double* losses, Py_ssize_t B, bint by_shares) noexcept nogil:
    """Σ_r losses[r], in the order of the rows; divided by B, unless each was multiplied by a share."""
    cdef double total = 0
    cdef Py_ssize_t r
    for r in range(B):
        total = total + losses[r]
    return total if by_shares else total / B
