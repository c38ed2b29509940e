# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The functions of simd.h and the headers that it includes, under one name for both types."""

from cython cimport floating

cimport bpcore._api    # which compares the headers with the .pxd files


cdef extern from "_simd/simd.h" nogil:
    float bp_fmaf(float a, float b, float c) noexcept
    double bp_fma(double a, double b, double c) noexcept
    float bp_expf(float x) noexcept
    double bp_exp(double x) noexcept
    float bp_logf(float x) noexcept
    double bp_log(double x) noexcept
    float bp_sigmoidf(float x) noexcept
    double bp_sigmoid(double x) noexcept
    float bp_tanhf(float x) noexcept
    double bp_tanh(double x) noexcept
    const int BP_VECTOR_BYTES
    const int BP_TILE_ROWS
    const int BP_TILE_VECTORS
    const int BP_TRANS_TILE_VECTORS
    float bp_row_maxf(Py_ssize_t K, const float* x) noexcept
    double bp_row_max(Py_ssize_t K, const double* x) noexcept
    void bp_exp_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    float bp_exp_rowf(Py_ssize_t K, const float* x, float m, float* y) noexcept
    void bp_exp_lanesf(Py_ssize_t K, float* e, float* m) noexcept
    float bp_multiply_addsf(Py_ssize_t rounds) noexcept
    void bp_exp_span(Py_ssize_t n, const double* x, double* out) noexcept
    double bp_exp_row(Py_ssize_t K, const double* x, double m, double* y) noexcept
    void bp_exp_lanes(Py_ssize_t K, double* e, double* m) noexcept
    double bp_multiply_adds(Py_ssize_t rounds) noexcept
    void bp_store_fence() noexcept
    void bp_pack_rowsf(
        int n, int last, Py_ssize_t K, const float* b, Py_ssize_t rs_b, float* panel,
        Py_ssize_t panel_stride
    ) noexcept
    void bp_pack_rows(
        int n, int last, Py_ssize_t K, const double* b, Py_ssize_t rs_b, double* panel,
        Py_ssize_t panel_stride
    ) noexcept
    void bp_pack_columnsf(
        Py_ssize_t N, Py_ssize_t width, Py_ssize_t K, const float* b, Py_ssize_t cs_b, float* panel,
        Py_ssize_t panel_stride
    ) noexcept
    void bp_pack_columns(
        Py_ssize_t N, Py_ssize_t width, Py_ssize_t K, const double* b, Py_ssize_t cs_b, double* panel,
        Py_ssize_t panel_stride
    ) noexcept


cdef inline floating fma(floating a, floating b, floating c) noexcept nogil:
    """a·b + c, rounded once where the processor can."""
    if floating is float:
        return bp_fmaf(a, b, c)
    else:
        return bp_fma(a, b, c)


cdef inline floating exp(floating x) noexcept nogil:
    if floating is float:
        return bp_expf(x)
    else:
        return bp_exp(x)


cdef inline floating log(floating x) noexcept nogil:
    if floating is float:
        return bp_logf(x)
    else:
        return bp_log(x)


cdef inline floating sigmoid(floating x) noexcept nogil:
    if floating is float:
        return bp_sigmoidf(x)
    else:
        return bp_sigmoid(x)


cdef inline floating tanh(floating x) noexcept nogil:
    if floating is float:
        return bp_tanhf(x)
    else:
        return bp_tanh(x)


cdef inline floating row_max(Py_ssize_t K, const floating* x) noexcept nogil:
    """max_k x[k] of at least one number; NaN only if x[0] is."""
    if floating is float:
        return bp_row_maxf(K, x)
    else:
        return bp_row_max(K, x)


cdef inline void exp_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = exp(x); out may be x."""
    if floating is float:
        bp_exp_spanf(n, x, out)
    else:
        bp_exp_span(n, x, out)


cdef inline floating exp_row(Py_ssize_t K, const floating* x, floating m, floating* y) noexcept nogil:
    """y = exp(x − m), y may be x; returns Σ y, summed in virtual lanes."""
    if floating is float:
        return bp_exp_rowf(K, x, m, y)
    else:
        return bp_exp_row(K, x, m, y)


cdef inline void exp_lanes(Py_ssize_t K, floating* e, floating* m) noexcept nogil:
    """e = exp(e − m), m = max_k e of each of LANES rows; e is (K, LANES)."""
    if floating is float:
        bp_exp_lanesf(K, e, m)
    else:
        bp_exp_lanes(K, e, m)


cdef inline void pack_rows(
    int n, int last, Py_ssize_t K, const floating* b, Py_ssize_t rs_b, floating* panel, Py_ssize_t panel_stride
) noexcept nogil:
    """panel[k, :] = b[k, :] for K rows of n vectors, the last of `last` lanes in b and padded with 0."""
    if floating is float:
        bp_pack_rowsf(n, last, K, b, rs_b, panel, panel_stride)
    else:
        bp_pack_rows(n, last, K, b, rs_b, panel, panel_stride)


cdef inline void pack_columns(
    Py_ssize_t N, Py_ssize_t width, Py_ssize_t K, const floating* b, Py_ssize_t cs_b, floating* panel,
    Py_ssize_t panel_stride,
) noexcept nogil:
    """panel[k, j] = b[j, k] for K numbers of N columns, 0 from N to width; rows of the panel are panel_stride apart."""
    if floating is float:
        bp_pack_columnsf(N, width, K, b, cs_b, panel, panel_stride)
    else:
        bp_pack_columns(N, width, K, b, cs_b, panel, panel_stride)
