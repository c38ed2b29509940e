# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The scalar leaves of simd.h, one name for both types."""

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
    const int BP_EIGHT
    const int BP_MORE_VECTORS
    const int BP_THIN_ROWS
    const int BP_THIN_VECTORS
    const int BP_STRIP_FEW
    const int BP_STRIP_WIDE
    const int BP_STRIP_NARROW
    const int BP_DOT_ROWS
    const int BP_DOT_COLUMNS
    const bint BP_MASKS_ARE_FREE
    float bp_highestf(Py_ssize_t K, const float* x) noexcept
    double bp_highest(Py_ssize_t K, const double* x) noexcept
    void bp_exp_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_sigmoid_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_tanh_spanf(Py_ssize_t n, const float* x, float* out) noexcept
    void bp_relu_spanf(Py_ssize_t n, const float* x, float* out, unsigned char* mask, bint stream) noexcept
    void bp_relu_backward_spanf(
        Py_ssize_t n, const float* dout, const unsigned char* mask, float* dx, bint stream
    ) noexcept
    float bp_exp_rowf(Py_ssize_t K, const float* x, float m, float* y) noexcept
    void bp_exp_lanesf(Py_ssize_t K, float* e, float* m) noexcept
    float bp_multiply_addsf(Py_ssize_t rounds) noexcept
    void bp_exp_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_sigmoid_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_tanh_span(Py_ssize_t n, const double* x, double* out) noexcept
    void bp_relu_span(Py_ssize_t n, const double* x, double* out, unsigned char* mask, bint stream) noexcept
    void bp_relu_backward_span(
        Py_ssize_t n, const double* dout, const unsigned char* mask, double* dx, bint stream
    ) noexcept
    double bp_exp_row(Py_ssize_t K, const double* x, double m, double* y) noexcept
    void bp_exp_lanes(Py_ssize_t K, double* e, double* m) noexcept
    double bp_multiply_adds(Py_ssize_t rounds) noexcept
    void bp_streamed() noexcept
    void bp_tile_alongf(
        int m, int n, int last, Py_ssize_t K, const void** rows, Py_ssize_t skip, const float* whole, Py_ssize_t stride,
        const float* from_, Py_ssize_t from_stride, float* c, Py_ssize_t ldc,
        const void** ahead, Py_ssize_t ahead_line, Py_ssize_t ahead_step
    ) noexcept
    void bp_tile_acrossf(
        int m, int n, int last, Py_ssize_t K, const void** rows, Py_ssize_t skip, const float* whole, Py_ssize_t stride,
        const float* from_, Py_ssize_t from_stride, float* c, Py_ssize_t ldc
    ) noexcept
    void bp_tile_and_edgef(
        int n, int edges, Py_ssize_t K, const void** rows, Py_ssize_t skip, const float* whole, Py_ssize_t stride,
        const float* from_, Py_ssize_t from_stride, float* c, Py_ssize_t ldc
    ) noexcept
    void bp_stripf(
        int m, int n, int last, Py_ssize_t K, const void** rows, Py_ssize_t skip, const float* whole, Py_ssize_t stride,
        float* c, Py_ssize_t ldc
    ) noexcept
    void bp_tile_along(
        int m, int n, int last, Py_ssize_t K, const void** rows, Py_ssize_t skip, const double* whole,
        Py_ssize_t stride,
        const double* from_, Py_ssize_t from_stride, double* c, Py_ssize_t ldc,
        const void** ahead, Py_ssize_t ahead_line, Py_ssize_t ahead_step
    ) noexcept
    void bp_tile_across(
        int m, int n, int last, Py_ssize_t K, const void** rows, Py_ssize_t skip, const double* whole,
        Py_ssize_t stride,
        const double* from_, Py_ssize_t from_stride, double* c, Py_ssize_t ldc
    ) noexcept
    void bp_tile_and_edge(
        int n, int edges, Py_ssize_t K, const void** rows, Py_ssize_t skip, const double* whole, Py_ssize_t stride,
        const double* from_, Py_ssize_t from_stride, double* c, Py_ssize_t ldc
    ) noexcept
    void bp_strip(
        int m, int n, int last, Py_ssize_t K, const void** rows, Py_ssize_t skip, const double* whole,
        Py_ssize_t stride,
        double* c, Py_ssize_t ldc
    ) noexcept
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
    void bp_dots_off(
        int m, int n, Py_ssize_t K, const void** rows, const float* b, Py_ssize_t rs_b, float* c, Py_ssize_t ldc
    ) noexcept
    void bp_dots_of(
        int m, int n, Py_ssize_t K, const void** rows, const double* b, Py_ssize_t rs_b, double* c, Py_ssize_t ldc
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


cdef inline floating highest(Py_ssize_t K, const floating* x) noexcept nogil:
    """max_k x[k] of at least one number; NaN only if x[0] is."""
    if floating is float:
        return bp_highestf(K, x)
    else:
        return bp_highest(K, x)


cdef inline void exp_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = exp(x); out may be x."""
    if floating is float:
        bp_exp_spanf(n, x, out)
    else:
        bp_exp_span(n, x, out)


cdef inline void sigmoid_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = 1 / (1 + exp(−x)); out may be x."""
    if floating is float:
        bp_sigmoid_spanf(n, x, out)
    else:
        bp_sigmoid_span(n, x, out)


cdef inline void tanh_span(Py_ssize_t n, const floating* x, floating* out) noexcept nogil:
    """out = tanh(x); out may be x."""
    if floating is float:
        bp_tanh_spanf(n, x, out)
    else:
        bp_tanh_span(n, x, out)


cdef inline void relu_span(
    Py_ssize_t n, const floating* x, floating* out, unsigned char* mask, bint stream
) noexcept nogil:
    """mask = x <= 0, which NaN is not, and out = 0 where mask else x, past the caches if it is to stream."""
    if floating is float:
        bp_relu_spanf(n, x, out, mask, stream)
    else:
        bp_relu_span(n, x, out, mask, stream)


cdef inline void relu_backward_span(
    Py_ssize_t n, const floating* dout, const unsigned char* mask, floating* dx, bint stream
) noexcept nogil:
    """dx = 0 where mask else dout, past the caches if it is to stream."""
    if floating is float:
        bp_relu_backward_spanf(n, dout, mask, dx, stream)
    else:
        bp_relu_backward_span(n, dout, mask, dx, stream)


cdef inline floating exp_row(Py_ssize_t K, const floating* x, floating m, floating* y) noexcept nogil:
    """y = exp(x − m), y may be x; returns Σ y, taken in virtual lanes."""
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


cdef inline void tile(
    bint transposed,
    int m,
    int n,
    int last,
    Py_ssize_t K,
    const void** rows,
    Py_ssize_t skip,
    const floating* b,
    Py_ssize_t rs_b,
    const floating* start,
    Py_ssize_t start_stride,
    floating* c,
    Py_ssize_t ldc,
    const void** ahead,
    Py_ssize_t ahead_line,
    Py_ssize_t ahead_step,
) noexcept nogil:
    """c[r, j] = start[r, j] + Σ_k a[r, k]·b[k, j] for m rows and n vectors of columns.

    a[r, k] is rows[r][skip + k] or, transposed, rows[k][skip + r]. If not transposed, two lines from each address in
    `ahead` are fetched every `ahead_step` terms, from byte `ahead_line` on; it may be NULL.
    """
    if floating is float:
        if transposed:
            bp_tile_acrossf(m, n, last, K, rows, skip, b, rs_b, start, start_stride, c, ldc)
        else:
            bp_tile_alongf(
                m, n, last, K, rows, skip, b, rs_b, start, start_stride, c, ldc, ahead, ahead_line, ahead_step
            )
    else:
        if transposed:
            bp_tile_across(m, n, last, K, rows, skip, b, rs_b, start, start_stride, c, ldc)
        else:
            bp_tile_along(
                m, n, last, K, rows, skip, b, rs_b, start, start_stride, c, ldc, ahead, ahead_line, ahead_step
            )


cdef inline void tile_and_edge(
    int n,
    int edges,
    Py_ssize_t K,
    const void** rows,
    Py_ssize_t skip,
    const floating* b,
    Py_ssize_t rs_b,
    const floating* start,
    Py_ssize_t start_stride,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """What `tile` does with a transposed `a` for BP_EIGHT rows, n whole vectors and `tails` columns behind them.

    Only where BP_MORE_VECTORS is not 0; that many vectors have 8 lanes for each of the columns.
    """
    if floating is float:
        bp_tile_and_edgef(n, edges, K, rows, skip, b, rs_b, start, start_stride, c, ldc)
    else:
        bp_tile_and_edge(n, edges, K, rows, skip, b, rs_b, start, start_stride, c, ldc)


cdef inline void strip(
    int m,
    int n,
    int last,
    Py_ssize_t K,
    const void** rows,
    Py_ssize_t skip,
    const floating* b,
    Py_ssize_t rs_b,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """c[i, r] += Σ_k b[k, i]·rows[k][skip + r] for m ≤ 8 columns of b and n vectors of rows of a product.

    n is BP_STRIP_NARROW or 1, or BP_STRIP_WIDE of at most BP_STRIP_FEW columns; only of one vector can `last` be less
    than all lanes.
    """
    if floating is float:
        bp_stripf(m, n, last, K, rows, skip, b, rs_b, c, ldc)
    else:
        bp_strip(m, n, last, K, rows, skip, b, rs_b, c, ldc)


cdef inline void pack_rows(
    int n, int last, Py_ssize_t K, const floating* b, Py_ssize_t rs_b, floating* panel, Py_ssize_t panel_stride
) noexcept nogil:
    """panel[k, :] = b[k, :] for K rows of n vectors, the last of `last` lanes in b and filled up with 0."""
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


cdef inline void dots(
    int m,
    int n,
    Py_ssize_t K,
    const void** rows,
    const floating* b,
    Py_ssize_t rs_b,
    floating* c,
    Py_ssize_t ldc,
) noexcept nogil:
    """c[r, j] += Σ_k rows[r][k]·b[j, k] in virtual lanes, for m ≤ BP_DOT_ROWS rows and n ≤ BP_DOT_COLUMNS."""
    if floating is float:
        bp_dots_off(m, n, K, rows, b, rs_b, c, ldc)
    else:
        bp_dots_of(m, n, K, rows, b, rs_b, c, ldc)
