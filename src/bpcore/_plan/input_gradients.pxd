# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The gradient of a network's inputs: forward as in an evaluation, and back below the first layer.

a) Each thread has a copy of the layers with buffers for a block of rows, so several threads may use one network at
   once. Dropout does nothing.
b) What goes back are pairs of a row and a seed, the gradient of its outputs. For a Jacobian each row has as many seeds
   as outputs, 1 in one of them and 0 in the others; else it has one. Pairs of all rows of a block go back together: few
   rows then need not pack each weight once more for each output.
c) Pair p is of row p // seeds, as the Jacobian (rows, outputs, inputs) lies in memory: the last product writes to it.
"""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.string cimport memcpy, memset

from bpcore._gemm.operands cimport Rows, rows_of
from bpcore._layers.layer cimport Kept, kept_rows
from bpcore._network.workspace cimport scale_bytes
from bpcore._parallel.team cimport chunk_start
from bpcore.activations cimport IDENTITY, activate, activate_backward, needs_input
from bpcore.gather cimport Source, as_stored, gather_rows, row_of_source
from bpcore.layers cimport (
    DROPOUT, Layer, has_matrix, is_normalisation, keeps_rows, transform_backward_input, transform_forward,
)
from bpcore.losses cimport loss_rows, target_width
from bpcore.network cimport BLOCK, Network, stride_of, whole_lines


cdef struct Seeds:
    # The gradient of the outputs of N rows: `dout`, or that of the mean loss, or else all of a Jacobian.
    const void* dout          # (N, outputs) without gaps, or NULL
    const int64_t* labels     # (N,) each in [0, outputs), or NULL
    const void* targets       # (N, target_width) without gaps, or NULL
    Py_ssize_t B              # rows that the loss is the mean of
    Py_ssize_t each           # seeds of a row


cdef struct Block:
    # What a thread works with: the layers of `net` have buffers for a block of rows.
    Network net
    void* x                   # (BLOCK, inputs)
    double* losses
    void* pairs               # what goes back: it is read from one of the two and written to the other, in turns
    void* other_pairs


# --- Memory -----------------------------------------------------------------------------------------------------


cdef inline Py_ssize_t rows_bytes(const Layer* layer, Py_ssize_t rows) noexcept nogil:
    """Of one buffer of a layer."""
    return rows * stride_of(layer.outputs, layer.itemsize) * layer.itemsize


cdef inline Py_ssize_t pairs_bytes(const Network* net, Py_ssize_t pairs) noexcept nogil:
    """Of one buffer for what goes back, wide enough for each layer."""
    cdef Py_ssize_t most = 0
    cdef int n
    for n in range(net.depth):
        most = max(most, rows_bytes(&net.layers[n], pairs))
    return most


cdef inline Py_ssize_t input_gradient_scratch(const Network* net, Py_ssize_t N, Py_ssize_t each) noexcept nogil:
    """Bytes that one thread needs for at most N rows of so many seeds."""
    cdef const Layer* layer
    cdef Py_ssize_t rows = min(N, <Py_ssize_t> BLOCK), pairs = min(N * each, <Py_ssize_t> BLOCK)
    cdef Py_ssize_t bytes = whole_lines(net.depth * sizeof(Layer)) + whole_lines(rows * sizeof(double))
    cdef int n
    bytes = bytes + whole_lines(rows * net.layers[0].inputs * net.layers[0].itemsize) + 2 * pairs_bytes(net, pairs)
    for n in range(net.depth):
        layer = &net.layers[n]
        bytes = bytes + rows_bytes(layer, rows) * (1 + needs_input(layer.activation)) + scale_bytes(layer, rows)
        bytes = bytes + (rows_bytes(layer, rows) if keeps_rows(layer.transform) else 0)
    return bytes


cdef inline void place_block(
    Block* block, const Network* net, void* scratch, Py_ssize_t N, Py_ssize_t each
) noexcept nogil:
    """Divide `input_gradient_scratch` bytes, aligned to 64."""
    cdef char* memory = <char*> scratch
    cdef Py_ssize_t rows = min(N, <Py_ssize_t> BLOCK), pairs = min(N * each, <Py_ssize_t> BLOCK)
    cdef Layer* layer
    cdef int n
    # Activations run over the gaps between rows too.
    memset(scratch, 0, input_gradient_scratch(net, N, each))
    block.net = net[0]
    block.net.layers = <Layer*> memory
    memcpy(memory, net.layers, net.depth * sizeof(Layer))
    memory = memory + whole_lines(net.depth * sizeof(Layer))
    block.losses = <double*> memory
    memory = memory + whole_lines(rows * sizeof(double))
    block.x = memory
    memory = memory + whole_lines(rows * net.layers[0].inputs * net.layers[0].itemsize)
    block.pairs, block.other_pairs = memory, memory + pairs_bytes(net, pairs)
    memory = memory + 2 * pairs_bytes(net, pairs)
    for n in range(net.depth):
        layer = &block.net.layers[n]
        layer.stride, layer.panels = stride_of(layer.outputs, layer.itemsize), NULL
        layer.out = layer.pre = memory
        memory = memory + rows_bytes(layer, rows)
        if needs_input(layer.activation):
            layer.pre = memory
            memory = memory + rows_bytes(layer, rows)
        layer.kept = Kept(z=NULL, stride=layer.stride, scale=NULL, first=0, training=False)
        if keeps_rows(layer.transform):
            layer.kept.z = memory
            memory = memory + rows_bytes(layer, rows)
        if is_normalisation(layer.transform):
            layer.kept.scale = memory
            memory = memory + scale_bytes(layer, rows)


# --- Forward and back -------------------------------------------------------------------------------------------


cdef inline void block_forward(const Block* block, Rows enters, Py_ssize_t rows, floating _) noexcept nogil:
    """Fill the buffers of the layers."""
    cdef const Layer* layer
    cdef int n
    for n in range(block.net.depth):
        layer = &block.net.layers[n]
        transform_forward(layer, enters, <floating*> layer.pre, layer.stride, rows, layer.kept, NULL)
        if layer.activation != IDENTITY:
            activate(
                layer.activation, layer.numbers, <const floating*> layer.pre, <floating*> layer.out,
                rows * layer.stride,
            )
        enters = rows_of(<const floating*> layer.out, layer.stride)


cdef inline void seed_pairs(
    const Block* block, const Seeds* seeds, Py_ssize_t row, Py_ssize_t first, Py_ssize_t pairs, floating* to
) noexcept nogil:
    """The gradients of the outputs for pairs from `first` on, of a block that begins with row `row` of the data."""
    cdef const Layer* last = &block.net.layers[block.net.depth - 1]
    cdef Py_ssize_t K = last.outputs, p
    cdef const floating* dout = <const floating*> seeds.dout
    cdef const floating* targets = <const floating*> seeds.targets
    if seeds.labels is not NULL or targets is not NULL:
        loss_rows(
            &block.net.loss, <const floating*> last.out + first * last.stride,
            <const int64_t*> NULL if seeds.labels is NULL else seeds.labels + row + first,
            <const floating*> NULL if targets is NULL
            else targets + (row + first) * target_width(block.net.loss.kind, K), <const floating*> NULL, to,
            block.losses, last.stride, pairs, K, <floating> 1 / <floating> seeds.B,
        )
        return
    for p in range(pairs):
        if dout is not NULL:
            memcpy(to + p * last.stride, dout + (row + first + p) * K, K * sizeof(floating))
        else:
            memset(to + p * last.stride, 0, K * sizeof(floating))
            to[p * last.stride + (first + p) % K] = 1


cdef inline void pairs_backward_activation(
    const Layer* layer, floating* dpre, Py_ssize_t first, Py_ssize_t pairs, Py_ssize_t each
) noexcept nogil:
    """From the gradient of what leaves the layer to that of what enters its activation."""
    cdef const floating* pre = <const floating*> layer.pre
    cdef Py_ssize_t p
    if layer.activation == IDENTITY:
        return
    if each == 1:
        activate_backward(
            layer.activation, layer.numbers, pre + first * layer.stride, <const floating*> dpre, dpre,
            pairs * layer.stride,
        )
        return
    for p in range(pairs):
        activate_backward(
            layer.activation, layer.numbers, pre + (first + p) // each * layer.stride,
            <const floating*> dpre + p * layer.stride, dpre + p * layer.stride, layer.outputs,
        )


cdef inline void pairs_backward_input(
    const Layer* layer, floating* dpre, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t pairs,
    Py_ssize_t each,
) noexcept nogil:
    """The gradient of what enters the layer."""
    cdef Layer one = layer[0]
    cdef Py_ssize_t p
    one.dpre = dpre
    if has_matrix(layer.transform):
        transform_backward_input(&one, dx, stride, 0, pairs)
        return
    for p in range(pairs):
        one.dpre = dpre + p * layer.stride
        if layer.transform == DROPOUT:
            memcpy(dx + p * stride, one.dpre, layer.outputs * sizeof(floating))
        else:
            # Which reads what was kept of the pair's row.
            one.kept = kept_rows(layer, (first + p) // each)
            transform_backward_input(&one, dx + p * stride, stride, 0, 1)


cdef inline void pairs_backward(
    const Block* block, const Seeds* seeds, Py_ssize_t row, Py_ssize_t first, Py_ssize_t pairs, const floating* scale,
    floating* out,                 # OUT  (pairs, inputs)
) noexcept nogil:
    """Take some pairs of a block back to the inputs, as they are before the network scales them."""
    cdef const Layer* layer
    cdef floating* dpre = <floating*> block.pairs
    cdef floating* other = <floating*> block.other_pairs
    cdef floating* dx
    cdef Py_ssize_t I = block.net.layers[0].inputs, stride, p, i
    cdef int n
    seed_pairs(block, seeds, row, first, pairs, dpre)
    for n in range(block.net.depth - 1, -1, -1):
        layer = &block.net.layers[n]
        pairs_backward_activation(layer, dpre, first, pairs, seeds.each)
        dx = out if n == 0 else other
        stride = I if n == 0 else block.net.layers[n - 1].stride
        pairs_backward_input(layer, dpre, dx, stride, first, pairs, seeds.each)
        dpre, other = dx, dpre
    if scale is not NULL:
        for p in range(pairs):
            for i in range(I):
                out[p * I + i] = out[p * I + i] * scale[i]


cdef inline void input_gradient_chunk(
    const Network* net,
    const Source* source,
    const Seeds* seeds,
    void* scratch,                 # `input_gradient_scratch` bytes for this rank alone
    floating* out,                 # OUT  (N, seeds.each, inputs)
    Py_ssize_t N,
    int rank,
    int size,
) noexcept nogil:
    """The gradients of the rows of a rank."""
    cdef Py_ssize_t first = chunk_start(N, rank, size, 1), stop = chunk_start(N, rank + 1, size, 1), rows, p, pairs
    cdef Py_ssize_t I = net.layers[0].inputs
    cdef Block block
    cdef Rows x
    place_block(&block, net, scratch, N, seeds.each)
    while first < stop:
        rows = min(<Py_ssize_t> BLOCK, stop - first)
        if as_stored(source, <floating> 0):
            x = rows_of(<const floating*> row_of_source(source, first), I)
        else:
            gather_rows(source, NULL, first, <floating*> block.x, I, rows)
            x = rows_of(<const floating*> block.x, I)
        block_forward(&block, x, rows, <floating> 0)
        p = 0
        while p < rows * seeds.each:
            pairs = min(<Py_ssize_t> BLOCK, rows * seeds.each - p)
            pairs_backward(
                &block, seeds, first, p, pairs, <const floating*> source.scale, out + (first * seeds.each + p) * I
            )
            p = p + pairs
        first = first + rows
