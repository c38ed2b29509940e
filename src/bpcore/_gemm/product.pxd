# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The products of the affine layer, which product.h computes, under one name for both types.

There is one function a kind of product and not one for all of them: a module contains the code of those that it calls.
"""

from cython cimport floating

cimport bpcore._api    # which compares the headers with the .pxd files
from bpcore._gemm.operands cimport Address, Rows


cdef extern from "_simd/simd.h" nogil:
    const int BP_DOT_LEAST    # terms, from which on edge columns are dot products; part of the bits contract

    ctypedef struct Shape "bp_shape":
        # c is (rows, columns), a is (rows, terms), b is (terms, columns); the rest is said in operands.h.
        Py_ssize_t rows, columns, terms
        Py_ssize_t rs_b, cs_b, ldc
        Py_ssize_t ps_b
        void* edge
        Py_ssize_t edge_stride
        void* packed_a
        Py_ssize_t packed_a_bytes

    ctypedef struct CRows "bp_rows":
        const void* base
        Py_ssize_t stride
        Address* pointers
        Py_ssize_t first
        Py_ssize_t offset

    ctypedef struct CPrefetch "bp_prefetch":
        Address* rows
        Py_ssize_t step

    Py_ssize_t bp_packed_a_sizef(const Shape* s) noexcept
    void bp_product_forwardf(
        CRows a, const float* b, const float* bias, float* c, const Shape* s, CPrefetch prefetch
    ) noexcept
    void bp_product_shared_forwardf(
        CRows a, const float* b, const float* bias, float* c, const Shape* s, int threads
    ) noexcept
    void bp_product_inputf(
        CRows a, const float* b, const float* bias, float* c, const Shape* s, CPrefetch prefetch
    ) noexcept
    void bp_product_shared_inputf(
        CRows a, const float* b, const float* bias, float* c, const Shape* s, int threads
    ) noexcept
    void bp_product_parametersf(
        CRows a, const float* b, const float* bias, float* c, const Shape* s, CPrefetch prefetch
    ) noexcept
    void bp_product_shared_parametersf(
        CRows a, const float* b, const float* bias, float* c, const Shape* s, int threads
    ) noexcept
    bint bp_is_short_rowf(Py_ssize_t rows, Py_ssize_t terms, Py_ssize_t columns) noexcept
    void bp_row_productf(
        Py_ssize_t terms, Py_ssize_t columns, const float* x, const float* W, const float* b, float* out
    ) noexcept
    Py_ssize_t bp_packed_a_size(const Shape* s) noexcept
    void bp_product_forward(
        CRows a, const double* b, const double* bias, double* c, const Shape* s, CPrefetch prefetch
    ) noexcept
    void bp_product_shared_forward(
        CRows a, const double* b, const double* bias, double* c, const Shape* s, int threads
    ) noexcept
    void bp_product_input(
        CRows a, const double* b, const double* bias, double* c, const Shape* s, CPrefetch prefetch
    ) noexcept
    void bp_product_shared_input(
        CRows a, const double* b, const double* bias, double* c, const Shape* s, int threads
    ) noexcept
    void bp_product_parameters(
        CRows a, const double* b, const double* bias, double* c, const Shape* s, CPrefetch prefetch
    ) noexcept
    void bp_product_shared_parameters(
        CRows a, const double* b, const double* bias, double* c, const Shape* s, int threads
    ) noexcept
    bint bp_is_short_row(Py_ssize_t rows, Py_ssize_t terms, Py_ssize_t columns) noexcept
    void bp_row_product(
        Py_ssize_t terms, Py_ssize_t columns, const double* x, const double* W, const double* b, double* out
    ) noexcept

cdef struct Prefetch:
    # Data that is needed after the product: a tile that computes row r of c prefetches from rows[r] on.
    Address* rows      # one for each row of c
    Py_ssize_t step    # two cache lines every `step` terms


cdef inline Shape shape_of(
    Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t terms, Py_ssize_t rs_b, Py_ssize_t cs_b, Py_ssize_t ldc
) noexcept nogil:
    """The shape of a product whose matrices are neither packed nor padded."""
    return Shape(
        rows=rows, columns=columns, terms=terms, rs_b=rs_b, cs_b=cs_b, ldc=ldc, ps_b=0, edge=NULL,
        edge_stride=0, packed_a=NULL, packed_a_bytes=0,
    )


cdef inline CRows in_c(const Rows rows) noexcept nogil:
    return CRows(
        base=rows.base, stride=rows.stride, pointers=<Address*> rows.pointers, first=rows.first, offset=rows.offset
    )


cdef inline Py_ssize_t packed_a_size(const Shape* s, const floating* _) noexcept nogil:
    """Bytes that packing the transposed `a` of product_parameters takes, for one thread; 0 where it does not pay."""
    if floating is float:
        return bp_packed_a_sizef(s)
    else:
        return bp_packed_a_size(s)


cdef inline void product_forward(
    const Rows a, const floating* b, const floating* bias, floating* c, const Shape* s, const Prefetch* prefetch
) noexcept nogil:
    """c = bias + a·b, a row of `a` contiguous and b stored by rows; bias has as many numbers; prefetch may be NULL."""
    cdef CPrefetch next_rows = CPrefetch(rows=NULL, step=0)
    if prefetch is not NULL:
        next_rows.rows, next_rows.step = prefetch.rows, prefetch.step
    if floating is float:
        bp_product_forwardf(in_c(a), b, bias, c, s, next_rows)
    else:
        bp_product_forward(in_c(a), b, bias, c, s, next_rows)


cdef inline void product_input(const Rows a, const floating* b, floating* c, const Shape* s) noexcept nogil:
    """c = a·b, b stored by columns."""
    cdef CPrefetch nothing = CPrefetch(rows=NULL, step=0)
    if floating is float:
        bp_product_inputf(in_c(a), b, NULL, c, s, nothing)
    else:
        bp_product_input(in_c(a), b, NULL, c, s, nothing)


cdef inline void product_parameters(const Rows a, const floating* b, floating* c, const Shape* s) noexcept nogil:
    """c = a·b, the rows in memory of `a` its columns."""
    cdef CPrefetch nothing = CPrefetch(rows=NULL, step=0)
    if floating is float:
        bp_product_parametersf(in_c(a), b, NULL, c, s, nothing)
    else:
        bp_product_parameters(in_c(a), b, NULL, c, s, nothing)


cdef inline void shared_forward(
    const Rows a, const floating* b, const floating* bias, floating* c, const Shape* s, int threads
) noexcept nogil:
    """product_forward on several threads."""
    if floating is float:
        bp_product_shared_forwardf(in_c(a), b, bias, c, s, threads)
    else:
        bp_product_shared_forward(in_c(a), b, bias, c, s, threads)


cdef inline void shared_input(
    const Rows a, const floating* b, floating* c, const Shape* s, int threads
) noexcept nogil:
    """product_input on several threads."""
    if floating is float:
        bp_product_shared_inputf(in_c(a), b, NULL, c, s, threads)
    else:
        bp_product_shared_input(in_c(a), b, NULL, c, s, threads)


cdef inline void shared_parameters(
    const Rows a, const floating* b, floating* c, const Shape* s, int threads
) noexcept nogil:
    """product_parameters on several threads."""
    if floating is float:
        bp_product_shared_parametersf(in_c(a), b, NULL, c, s, threads)
    else:
        bp_product_shared_parameters(in_c(a), b, NULL, c, s, threads)


cdef inline bint is_short_row(Py_ssize_t B, Py_ssize_t I, Py_ssize_t O, const floating* _) noexcept nogil:
    """Whether it is one row, for which row_product takes less time than what chooses tiles, blocks and packing."""
    if floating is float:
        return bp_is_short_rowf(B, I, O)
    else:
        return bp_is_short_row(B, I, O)


cdef inline void row_product(
    Py_ssize_t terms, Py_ssize_t columns, const floating* x, const floating* W, const floating* b, floating* out
) noexcept nogil:
    """out = b + x·W for one row, each sum one chain; for fewer terms than BP_DOT_LEAST: no edge is dot products."""
    if floating is float:
        bp_row_productf(terms, columns, x, W, b, out)
    else:
        bp_row_product(terms, columns, x, W, b, out)
