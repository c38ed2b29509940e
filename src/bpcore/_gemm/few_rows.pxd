# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Products of few rows or few terms, by few_rows.h: numbers that are used once or a few times are read as they lie.

Every sum has the order that tiles and dot products give it.
"""

from cython cimport floating


cdef extern from "_simd/simd.h" nogil:
    const bint BP_IN_PLACE    # whether these functions are there
    const int BP_FEW_ROWS
    const int BP_ALONG_ROWS
    void bp_few_rows_off(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t cs_b, float* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_rows_of(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t cs_b, double* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_termsf(
        Py_ssize_t M, Py_ssize_t N, int K, const void** rows, const float* b, Py_ssize_t rs_b, float* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_terms(
        Py_ssize_t M, Py_ssize_t N, int K, const void** rows, const double* b, Py_ssize_t rs_b, double* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_rows_alongf(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t rs_b, float* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_rows_along(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t rs_b, double* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_row_off(Py_ssize_t K, Py_ssize_t N, const float* x, const float* W, const float* b, float* out) noexcept
    void bp_row_of(Py_ssize_t K, Py_ssize_t N, const double* x, const double* W, const double* b, double* out) noexcept
    void bp_few_edge_columnsf(int n, Py_ssize_t K, const float* x, const float* b, Py_ssize_t rs_b, float* c) noexcept
    void bp_few_edge_columns(int n, Py_ssize_t K, const double* x, const double* b, Py_ssize_t rs_b, double* c) noexcept


cdef inline void row_product(
    Py_ssize_t K, Py_ssize_t N, const floating* x, const floating* W, const floating* b, floating* out
) noexcept nogil:
    """out = b + x·W for one row, each sum one chain along k; for fewer terms than an edge of dot products needs."""
    if floating is float:
        bp_row_off(K, N, x, W, b, out)
    else:
        bp_row_of(K, N, x, W, b, out)


cdef inline void few_rows(
    int m,
    Py_ssize_t N,
    Py_ssize_t K,
    const void** rows,
    const floating* b,
    Py_ssize_t cs_b,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """c[r, j] = Σ_k rows[r][k]·b[j·cs_b + k] for m ≤ BP_FEW_ROWS, N ≥ a vector's lanes, 16 bytes of terms."""
    if floating is float:
        bp_few_rows_off(m, N, K, rows, b, cs_b, c, ldc)
    else:
        bp_few_rows_of(m, N, K, rows, b, cs_b, c, ldc)


cdef inline void few_edge_columns(
    int n, Py_ssize_t K, const floating* x, const floating* b, Py_ssize_t rs_b, floating* c
) noexcept nogil:
    """c[j] += Σ_k x[k]·b[k·rs_b + j] in virtual lanes, as `dots` does, for n ≤ LANES/2 columns.

    As many columns before them as fill a vector are read and not used.
    """
    if floating is float:
        bp_few_edge_columnsf(n, K, x, b, rs_b, c)
    else:
        bp_few_edge_columns(n, K, x, b, rs_b, c)


cdef inline void few_terms(
    Py_ssize_t M,
    Py_ssize_t N,
    int K,
    const void** rows,
    const floating* b,
    Py_ssize_t rs_b,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """c[r, j] = Σ_k rows[k][r]·b[k·rs_b + j] of at least one term."""
    if floating is float:
        bp_few_termsf(M, N, K, rows, b, rs_b, c, ldc)
    else:
        bp_few_terms(M, N, K, rows, b, rs_b, c, ldc)


cdef inline void few_rows_along(
    int m,
    Py_ssize_t N,
    Py_ssize_t K,
    const void** rows,
    const floating* b,
    Py_ssize_t rs_b,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """c[r, j] += Σ_k rows[r][k]·b[k·rs_b + j] for 1 to BP_ALONG_ROWS rows."""
    if floating is float:
        bp_few_rows_alongf(m, N, K, rows, b, rs_b, c, ldc)
    else:
        bp_few_rows_along(m, N, K, rows, b, rs_b, c, ldc)
