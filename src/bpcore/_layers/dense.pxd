# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The dense layer: x·W + b, with W (inputs, outputs) in the caller's memory or padded (padded.pxd)."""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore._gemm.operands cimport Rows, misalignment, row_address, rows_from, rows_of
from bpcore._gemm.padded cimport PaddedLayout, padded_layout
from bpcore._gemm.panels cimport panel_width
from bpcore._gemm.product cimport (
    Prefetch, Shape, is_short_row, packed_a_size, product_forward, product_input, product_parameters, row_product,
    shape_of,
)
from bpcore._layers.layer cimport Layer, update_part
from bpcore._parallel.team cimport chunk_start
from bpcore.reductions cimport sum_rows
from bpcore.sparse cimport (
    SparseRows, bp_sparse_forward, bp_sparse_forwardf, bp_sparse_parameters_part, bp_sparse_parameters_partf,
)
from bpcore.updates cimport Update

cdef extern from "_parallel/scratch.h" nogil:
    const int BP_PACKED_A_BYTES
    unsigned char* bp_packed_a_memory() noexcept

cdef enum:
    GRADIENT_BYTES = 32768    # of a gradient that is summed before its parameters move
    SPARSE_GRADIENT_BYTES = 262144    # the same of sparse rows, of each of which the columns have to be found


cdef inline void dense_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, const Prefetch* prefetch
) noexcept nogil:
    """out = x·W + b."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs
    cdef const floating* W = <const floating*> layer.weight.value
    cdef const floating* b = <const floating*> layer.bias.value
    cdef SparseRows stored
    if x.sparse is not NULL:
        stored = (<const SparseRows*> x.sparse)[0]
        stored.begin = <const int64_t*> stored.begin + x.first
        stored.end = <const int64_t*> stored.end + x.first
        if floating is float:
            bp_sparse_forwardf(&stored, W, b, out, stride, rows, I, O, 1)
        else:
            bp_sparse_forward(&stored, W, b, out, stride, rows, I, O, 1)
    elif prefetch is NULL and not layer.is_padded and is_short_row(rows, I, O, b):
        # What chooses tiles, blocks and packing takes longer than so short a sum.
        row_product(I, O, row_address(x, 0, b), W, b, out)
    else:
        dense_forward_columns(layer, x, out, stride, rows, 0, O, prefetch)


cdef inline void dense_forward_columns(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t first,
    Py_ssize_t stop, const Prefetch* prefetch,
) noexcept nogil:
    """The columns of out from `first`, a multiple of BP_LANES, to `stop`, another or the end; of a padded W all."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs
    cdef Shape s = shape_of(rows, stop - first, I, O, 1, stride)
    cdef PaddedLayout layout
    if layer.is_padded:
        layout = padded_layout(layer.inputs, O, sizeof(floating))
        s.rs_b, s.edge, s.edge_stride = layout.stride, <floating*> layer.weight.value + layout.edge, layout.edge_stride
    product_forward(
        x, <const floating*> layer.weight.value + first, <const floating*> layer.bias.value + first, out + first, &s,
        prefetch,
    )


cdef inline void dense_backward_input(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows
) noexcept nogil:
    """dx = dpre·Wᵀ."""
    dense_backward_input_columns(layer, dx, stride, first, rows, 0, layer.inputs)


cdef inline void dense_backward_input_columns(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t left,
    Py_ssize_t right,
) noexcept nogil:
    """The columns of dx from `left`, a multiple of BP_LANES, to `right`, another or the end."""
    cdef Py_ssize_t O = layer.outputs
    cdef Rows dpre = rows_of(<const floating*> layer.dpre + first * layer.stride, layer.stride)
    cdef Shape s = shape_of(rows, right - left, O, 1, O, stride)
    product_input(dpre, <const floating*> layer.weight.value + left * O, dx + left, &s)


cdef inline void dense_backward_parameters(
    const Layer* layer, const Rows x, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """dW = xᵀ·dpre and db = Σ dpre, or what moves W and b against them."""
    cdef Py_ssize_t O = layer.outputs
    cdef const floating* dpre = <const floating*> layer.dpre
    if x.sparse is not NULL:
        sparse_backward_weight(layer, <const SparseRows*> x.sparse, B, update, rank, size, _)
    else:
        dense_backward_weight(layer, x, B, update, rank, size, _)
    if rank == size - 1:
        sum_rows(dpre, layer.stride, <floating*> layer.bias.gradient, B, O)
        if update is not NULL:
            update_part(update, &layer.bias, 0, <const floating*> layer.bias.gradient, O)


cdef inline void sparse_backward_weight(
    const Layer* layer, const SparseRows* x, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """dW, or what moves W against it, of sparse rows."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs, stop = chunk_start(I, rank + 1, size, 16)
    cdef Py_ssize_t i = chunk_start(I, rank, size, 16), height = stop - i
    cdef floating* dW = <floating*> layer.weight.gradient
    if update is not NULL:
        height = max(SPARSE_GRADIENT_BYTES // (O * <Py_ssize_t> sizeof(floating)), 16)
    while i < stop:
        height = min(height, stop - i)
        if floating is float:
            bp_sparse_parameters_partf(x, <const float*> layer.dpre, layer.stride, dW, B, i, i + height, I, O)
        else:
            bp_sparse_parameters_part(x, <const double*> layer.dpre, layer.stride, dW, B, i, i + height, I, O)
        if update is not NULL:
            update_part(update, &layer.weight, i * O, <const floating*> dW + i * O, height * O)
        i = i + height


cdef inline void dense_backward_weight(
    const Layer* layer, const Rows x, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """dW, or what moves W against it."""
    cdef Py_ssize_t O = layer.outputs, j, first, peel = 0
    cdef PaddedLayout layout = PaddedLayout(columns=O, stride=O, edge=0, edge_stride=0)    # as without gaps
    cdef Py_ssize_t stop = chunk_start(layer.inputs, rank + 1, size, 16)
    cdef Py_ssize_t i = chunk_start(layer.inputs, rank, size, 16)
    # Whole vectors of rows, many of them, and few enough that their gradient stays in cache until it is used.
    cdef Py_ssize_t height = max(GRADIENT_BYTES // (O * <Py_ssize_t> sizeof(floating)) // 48, 1) * 48
    cdef const floating* dpre = <const floating*> layer.dpre
    cdef floating* dW
    cdef Shape s = shape_of(0, O, B, layer.stride, 1, O)
    if update is NULL:
        height = stop - i
    if layer.panels is not NULL:
        s.rs_b, s.ps_b = panel_width(dpre), B * panel_width(dpre)
    if layer.is_padded:
        layout = padded_layout(layer.inputs, O, sizeof(floating))
        s.ldc, s.edge, s.edge_stride = (
            layout.stride, <floating*> layer.weight.gradient + layout.edge + i, layout.edge_stride
        )
        if i + height < stop:
            # The columns of the edge are sums of vectors of x: all but the first part have theirs on cache lines.
            peel = misalignment(row_address(x, 0, dpre))
    s.rows = min(height, stop - i)
    if packed_a_size(&s, dpre) > 0:
        s.packed_a, s.packed_a_bytes = bp_packed_a_memory(), BP_PACKED_A_BYTES
    dW = <floating*> layer.weight.gradient + i * layout.stride
    while i < stop:
        s.rows = min(height - peel, stop - i)
        peel = 0
        product_parameters(
            rows_from(x, 0, i), dpre if s.ps_b == 0 else <const floating*> layer.panels, dW, &s
        )
        if update is not NULL:
            # The rows, and each column of the edge.
            for j in range(1 + O - layout.columns):
                first = i * layout.stride if j == 0 else layout.edge + (j - 1) * s.edge_stride + i
                update_part(
                    update, &layer.weight, first,
                    <const floating*> dW if j == 0 else <const floating*> s.edge + (j - 1) * s.edge_stride,
                    s.rows * layout.stride if j == 0 else s.rows,
                )
        i = i + s.rows
