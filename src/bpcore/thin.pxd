# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Products of few rows or few terms, by thin.h: their numbers are used once or a few times and are read as they lie.

Every sum has the order that tiles and dot products give it.
"""

from cython cimport floating


cdef extern from "simd.h" nogil:
    const bint BP_IN_PLACE    # whether these functions are there
    const int BP_FEW_ROWS
    const int BP_ALONG_ROWS
    void bp_few_rows_off(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t b_column, float* c,
        Py_ssize_t c_row
    ) noexcept
    void bp_few_rows_of(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t b_column, double* c,
        Py_ssize_t c_row
    ) noexcept
    void bp_few_termsf(
        Py_ssize_t M, Py_ssize_t N, int K, const void** rows, const float* b, Py_ssize_t b_row, float* c,
        Py_ssize_t c_row
    ) noexcept
    void bp_few_terms(
        Py_ssize_t M, Py_ssize_t N, int K, const void** rows, const double* b, Py_ssize_t b_row, double* c,
        Py_ssize_t c_row
    ) noexcept
    void bp_few_rows_alongf(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t b_row, float* c,
        Py_ssize_t c_row
    ) noexcept
    void bp_few_rows_along(
        int m, Py_ssize_t N, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t b_row, double* c,
        Py_ssize_t c_row
    ) noexcept
    void bp_few_tailsf(int n, Py_ssize_t K, const float* x, const float* b, Py_ssize_t b_row, float* c) noexcept
    void bp_few_tails(int n, Py_ssize_t K, const double* x, const double* b, Py_ssize_t b_row, double* c) noexcept


cdef inline void few_rows(
    int m,
    Py_ssize_t N,
    Py_ssize_t K,
    const void** rows,
    const floating* b,
    Py_ssize_t b_column,
    floating* c,
    Py_ssize_t c_row,
) noexcept nogil:
    """c[r, j] = Σ_k rows[r][k]·b[j·b_column + k] for m ≤ BP_FEW_ROWS, N ≥ a vector's lanes, 16 bytes of terms."""
    if floating is float:
        bp_few_rows_off(m, N, K, rows, b, b_column, c, c_row)
    else:
        bp_few_rows_of(m, N, K, rows, b, b_column, c, c_row)


cdef inline void few_tails(
    int n, Py_ssize_t K, const floating* x, const floating* b, Py_ssize_t b_row, floating* c
) noexcept nogil:
    """c[j] += Σ_k x[k]·b[k·b_row + j] in virtual lanes, as `dots` does, for n ≤ LANES/2 columns.

    As many columns before them as fill a vector are read and not used.
    """
    if floating is float:
        bp_few_tailsf(n, K, x, b, b_row, c)
    else:
        bp_few_tails(n, K, x, b, b_row, c)


cdef inline void few_terms(
    Py_ssize_t M,
    Py_ssize_t N,
    int K,
    const void** rows,
    const floating* b,
    Py_ssize_t b_row,
    floating* c,
    Py_ssize_t c_row,
) noexcept nogil:
    """c[r, j] = Σ_k rows[k][r]·b[k·b_row + j] of at least one term."""
    if floating is float:
        bp_few_termsf(M, N, K, rows, b, b_row, c, c_row)
    else:
        bp_few_terms(M, N, K, rows, b, b_row, c, c_row)


cdef inline void few_rows_along(
    int m,
    Py_ssize_t N,
    Py_ssize_t K,
    const void** rows,
    const floating* b,
    Py_ssize_t b_row,
    floating* c,
    Py_ssize_t c_row,
) noexcept nogil:
    """c[r, j] += Σ_k rows[r][k]·b[k·b_row + j] for 1 to BP_ALONG_ROWS rows."""
    if floating is float:
        bp_few_rows_alongf(m, N, K, rows, b, b_row, c, c_row)
    else:
        bp_few_rows_along(m, N, K, rows, b, b_row, c, c_row)
