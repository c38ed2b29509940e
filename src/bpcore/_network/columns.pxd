# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The first half of a step layer by layer: where threads share the columns of wide layers, and not only the rows of the
batch, and where a layer needs all of these (batch normalisation).

a) A thread that has few rows still packs all of a weight for them: with 16 threads and 256 rows that takes as long as
   the multiplications. Of a grid of threads those in one column pack the same part of the weight, those in one row have
   the same rows of the batch.
b) A thread then needs what others have computed, so all wait for each other behind each layer.
c) What is not wide, and what takes whole rows (a normalisation, the loss), is shared by rows within a row of the grid.
d) Threads that do not fill a row of the grid have no rows, and only wait.
e) Batch normalisation has no rows to share in training, but columns, whatever the grid.
f) A part of the columns is a product of its own with the same bits (product.h).
"""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore._gemm.operands cimport Rows, rows_from, rows_of
from bpcore._gemm.panels cimport BP_PANEL_STRIDE_BYTES, into_panels
from bpcore._layers.batch_norm cimport batch_norm_backward, batch_norm_forward
from bpcore._layers.dense cimport dense_backward_input_columns, dense_forward_columns
from bpcore._layers.layer cimport kept_rows
from bpcore._network.workspace cimport BACK, FORWARD, Network, first_trained, layer_below
from bpcore._parallel.team cimport barrier, chunk_start
from bpcore.activations cimport IDENTITY, activate, activate_backward
from bpcore.layers cimport DENSE, Layer, needs_whole_batch, transform_backward_input, transform_forward
from bpcore.losses cimport loss_rows, target_width


cdef struct Place:
    # Of a thread in the grid.
    Py_ssize_t first, stop    # rows of its row of the grid, of which it takes some columns;
    Py_ssize_t own, own_stop  # and those of them that it takes whole
    int column, columns
    Py_ssize_t B
    int rank, size


cdef struct Rectangle:
    # Of a matrix of a batch: rows, and columns.
    Py_ssize_t first, stop, left, right


cdef inline bint is_wide(Py_ssize_t n, int itemsize) noexcept nogil:
    return n * itemsize >= BP_PANEL_STRIDE_BYTES


cdef inline bint has_wide_layers(const Network* net) noexcept nogil:
    """Whether there is anything whose columns can be shared."""
    cdef const Layer* layer
    cdef int n
    for n in range(net.depth):
        layer = &net.layers[n]
        if layer.transform == DENSE:
            if is_wide(layer.outputs, layer.itemsize) or n > 0 and is_wide(layer.inputs, layer.itemsize):
                return True
    return False


cdef inline Place place_of(Py_ssize_t B, int rank, int size, int columns) noexcept nogil:
    cdef int rows = size // columns, row = rank // columns, column = rank % columns
    cdef Py_ssize_t first = chunk_start(B, min(row, rows), rows, 1)
    cdef Py_ssize_t stop = chunk_start(B, min(row + 1, rows), rows, 1)
    return Place(
        first=first, stop=stop, own=first + chunk_start(stop - first, column, columns, 1),
        own_stop=first + chunk_start(stop - first, column + 1, columns, 1), column=column, columns=columns, B=B,
        rank=rank, size=size,
    )


cdef inline Rectangle part_of(const Place* place, const Layer* layer, Py_ssize_t width) noexcept nogil:
    """What a thread computes of a matrix of so many columns that the layer makes, forward or backward."""
    cdef Py_ssize_t lanes = 64 // layer.itemsize, whole = width // lanes * lanes
    if needs_whole_batch(layer.transform):
        return Rectangle(
            first=0, stop=place.B, left=chunk_start(width, place.rank, place.size, lanes),
            right=chunk_start(width, place.rank + 1, place.size, lanes),
        )
    if layer.transform != DENSE or layer.is_padded or not is_wide(width, layer.itemsize):
        return Rectangle(first=place.own, stop=place.own_stop, left=0, right=width)
    # Columns behind the last whole line belong to the last part: they may be an edge (edges.h).
    return Rectangle(
        first=place.first, stop=place.stop, left=chunk_start(whole, place.column, place.columns, lanes),
        right=width if place.column + 1 == place.columns
        else chunk_start(whole, place.column + 1, place.columns, lanes),
    )


cdef inline void rows_half_by_columns(
    const Network* net, const Rows x, const int64_t* labels, const floating* targets, const floating* shares,
    Py_ssize_t B, int rank, int size,
) noexcept nogil:
    """rows_half in `net.column_parts` parts of columns (1: by rows); what comes in may just have been written by other
    threads."""
    cdef Place place = place_of(B, rank, size, min(net.column_parts, size))
    cdef const Layer* layer
    cdef const Layer* lower
    cdef Rows enters = x
    cdef Rectangle part
    cdef int n, last = first_trained(net)
    for n in range(0 if net.stage == BACK else net.depth):
        layer = &net.layers[n]
        barrier(size)
        part = part_of(&place, layer, layer.outputs)
        forward_part(layer, enters, &part, <floating> 0)
        enters = rows_of(<const floating*> layer.out, layer.stride)
    barrier(size)
    layer = &net.layers[net.depth - 1]
    if net.stage == FORWARD:
        return
    if net.stage != BACK:
        loss_rows(
            &net.loss, <const floating*> layer.out + place.own * layer.stride,
            <const int64_t*> NULL if labels is NULL else labels + place.own,
            <const floating*> NULL if targets is NULL
            else targets + place.own * target_width(net.loss.kind, layer.outputs),
            <const floating*> NULL if shares is NULL else shares + place.own,
            <floating*> layer.dpre + place.own * layer.stride, net.losses + place.own, layer.stride,
            place.own_stop - place.own, layer.outputs,
            <floating> 1 if shares is not NULL else <floating> 1 / <floating> B,
        )
    part = Rectangle(first=place.own, stop=place.own_stop, left=0, right=layer.outputs)
    for n in range(net.depth - 1, last - 1, -1):
        layer = &net.layers[n]
        # The thread has written this part of dpre itself.
        backward_activation(layer, &part, <floating> 0)
        barrier(size)
        if layer.panels is not NULL:
            into_panels(
                <const floating*> layer.dpre + place.own * layer.stride, layer.stride, <floating*> layer.panels,
                place.own, place.own_stop - place.own, B, layer.outputs,
            )
        lower = layer_below(net, n)
        if lower is not NULL:
            part = part_of(&place, layer, layer.inputs)
            backward_part(layer, lower, &part, <floating> 0)
        elif needs_whole_batch(layer.transform):
            part = part_of(&place, layer, layer.outputs)
            batch_norm_backward(layer, <floating*> NULL, 0, B, part.left, part.right)


cdef inline void forward_part(const Layer* layer, const Rows enters, const Rectangle* part, floating _) noexcept nogil:
    """What leaves the layer: a part."""
    cdef Rows x = rows_from(enters, part.first, 0)
    cdef floating* pre = <floating*> layer.pre + part.first * layer.stride
    cdef floating* out = <floating*> layer.out + part.first * layer.stride
    cdef Py_ssize_t rows = part.stop - part.first, width = part.right - part.left, r
    if rows == 0 or width == 0:
        return
    if needs_whole_batch(layer.transform):
        batch_norm_forward(layer, x, pre, layer.stride, rows, part.left, part.right)
    elif width == layer.outputs:
        transform_forward(layer, x, pre, layer.stride, rows, kept_rows(layer, part.first), NULL)
    else:
        dense_forward_columns(layer, x, pre, layer.stride, rows, part.left, part.right, NULL)
    if layer.activation != IDENTITY:
        pre, out = pre + part.left, out + part.left
        for r in range(rows):
            activate(
                layer.activation, layer.numbers, <const floating*> pre + r * layer.stride, out + r * layer.stride,
                width,
            )


cdef inline void backward_activation(const Layer* layer, const Rectangle* part, floating _) noexcept nogil:
    """From the gradient of what leaves the layer to that of what enters its activation: a part."""
    cdef Py_ssize_t r
    cdef floating* dpre
    if layer.activation != IDENTITY:
        for r in range(part.first, part.stop):
            dpre = <floating*> layer.dpre + r * layer.stride + part.left
            activate_backward(
                layer.activation, layer.numbers, <const floating*> layer.pre + r * layer.stride + part.left,
                <const floating*> dpre, dpre, part.right - part.left,
            )


cdef inline void backward_part(
    const Layer* layer, const Layer* below, const Rectangle* part, floating _
) noexcept nogil:
    """The gradient of what enters the layer: a part."""
    cdef floating* dx = <floating*> below.dpre + part.first * below.stride
    cdef Py_ssize_t rows = part.stop - part.first
    if rows == 0 or part.left == part.right:
        return
    if needs_whole_batch(layer.transform):
        batch_norm_backward(layer, dx, below.stride, rows, part.left, part.right)
    elif part.right - part.left == layer.inputs:
        transform_backward_input(layer, dx, below.stride, part.first, rows)
    else:
        dense_backward_input_columns(layer, dx, below.stride, part.first, rows, part.left, part.right)
