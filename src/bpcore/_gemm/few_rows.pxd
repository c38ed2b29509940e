# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Products of few rows or a small k, by few_rows.h: the operands are read in place, since packing does not pay.

Every sum has the order that tiles and dot products give it.
"""

from cython cimport floating


cdef extern from "_simd/simd.h" nogil:
    const bint BP_FEW_ROWS_COMPILED    # whether these functions are compiled
    const int BP_FEW_ROWS
    const int BP_AXPY_ROWS
    void bp_few_rowsf(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t cs_b, float* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_rows(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t cs_b, double* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_small_kf(
        Py_ssize_t M, Py_ssize_t N, int K, const void** rows, const float* b, Py_ssize_t rs_b, float* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_small_k(
        Py_ssize_t M, Py_ssize_t N, int K, const void** rows, const double* b, Py_ssize_t rs_b, double* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_rows_axpyf(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t rs_b, float* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_few_rows_axpy(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t rs_b, double* c,
        Py_ssize_t ldc
    ) noexcept
    void bp_row_productf(
        Py_ssize_t K, Py_ssize_t N, const float* x, const float* W, const float* b, float* out
    ) noexcept
    void bp_row_product(
        Py_ssize_t K, Py_ssize_t N, const double* x, const double* W, const double* b, double* out
    ) noexcept
    void bp_few_edge_columnsf(int n, Py_ssize_t K, const float* x, const float* b, Py_ssize_t rs_b, float* c) noexcept
    void bp_few_edge_columns(int n, Py_ssize_t K, const double* x, const double* b, Py_ssize_t rs_b, double* c) noexcept


cdef inline void row_product(
    Py_ssize_t K, Py_ssize_t N, const floating* x, const floating* W, const floating* b, floating* out
) noexcept nogil:
    """out = b + x·W for one row, each sum one chain along k; for K < DOT_LEAST, where no edge is dot products."""
    if floating is float:
        bp_row_productf(K, N, x, W, b, out)
    else:
        bp_row_product(K, N, x, W, b, out)


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
        bp_few_rowsf(m, N, K, rows, b, cs_b, c, ldc)
    else:
        bp_few_rows(m, N, K, rows, b, cs_b, c, ldc)


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


cdef inline void small_k(
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
        bp_small_kf(M, N, K, rows, b, rs_b, c, ldc)
    else:
        bp_small_k(M, N, K, rows, b, rs_b, c, ldc)


cdef inline void few_rows_axpy(
    int m,
    Py_ssize_t N,
    Py_ssize_t K,
    const void** rows,
    const floating* b,
    Py_ssize_t rs_b,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """c[r, j] += Σ_k rows[r][k]·b[k·rs_b + j] for 1 to BP_AXPY_ROWS rows."""
    if floating is float:
        bp_few_rows_axpyf(m, N, K, rows, b, rs_b, c, ldc)
    else:
        bp_few_rows_axpy(m, N, K, rows, b, rs_b, c, ldc)
