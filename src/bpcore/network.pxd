# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A dense network as a C struct: its forward pass, gradient and training step, without Python in between.

a) The struct holds sizes and pointers. Parameters belong to the caller; the workspace is one piece of memory that
   `place` divides among the layers. Pointers are void: the type is that of the arrays a function is called with.
b) A layer's `out` is what leaves its activation, for the last layer the scores. `dout` is the gradient of what
   enters it. Activations are applied in place, since their derivatives need only what comes out.
c) Every number is computed by the same functions, in the same order, as by the layers of backprop, so that
   nobody can tell from the bits which of the two ran. The first layer has no dx: nobody reads it.
d) A step has two halves. First rows: forward, loss and back through the layers, for which a row needs no other. Then
   parameters: a gradient sums over all rows, and where a rule is given the parameter moves at once, while its
   gradient is in cache. A team shares the rows of the first half and the parameters of the second, and waits in
   between: all gradients that need a parameter are computed before it changes.
"""

from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.stdint cimport int64_t
from libc.string cimport memset

from bpcore.activations cimport Activation, activate, activate_backward, activate_rows
from bpcore.operands cimport Rows, Shape, begin, off_line, row_address, rows_of, shape_of
from bpcore.panels cimport into_panels, panel_width, panels_size, wants_panels
from bpcore.parallel cimport bp_settle, bp_team_size, share, wait_for_team, worth_a_region
from bpcore.product cimport Ahead, copies_size, product
from bpcore.reductions cimport mean_of, sum_rows
from bpcore.softmax cimport softmax_cross_entropy_rows
from bpcore.spread cimport Spread, spread_of, spread_size
from bpcore.squared_error cimport squared_error_rows
from bpcore.updates cimport Update, update_span

cdef extern from "scratch.h" nogil:
    const int BP_COPIES_BYTES
    unsigned char* bp_copies_memory() noexcept

cdef enum:
    BLOCK = 240             # rows that go through all layers at once: full tiles, and activations that stay in cache
    GRADIENT_BYTES = 32768  # of a gradient that is summed before its parameters move

cdef enum Head:
    SOFTMAX_CROSS_ENTROPY = 0
    SQUARED_ERROR = 1


cdef struct Dense:
    # Made by `dense`, which sets every field; `place` then says where the workspace's lie.
    Py_ssize_t inputs
    Py_ssize_t outputs
    Activation activation
    void* W                     # (inputs, outputs)
    void* b                     # (outputs,)
    Py_ssize_t row              # numbers from one row of out and dout to the next; the gaps are the network's own
    void* out                   # (B, outputs)
    void* dout                  # (B, outputs)
    void* dW                    # (inputs, outputs)
    void* db                    # (outputs,)
    void* panels                # dout once more, in panels, where its rows are far apart; else NULL
    bint spread                 # whether W, dW, W_first and W_second lie as spread.pxd says, and else without gaps
    void* W_first               # what the rule of an update keeps of W and b; NULL where it keeps nothing
    void* W_second
    void* b_first
    void* b_second


cdef struct Network:
    # Made by `network`.
    int depth
    Head head
    Dense* layers
    double* losses              # (B,)


cdef inline Dense dense(
    Py_ssize_t inputs, Py_ssize_t outputs, Activation activation, floating* W, floating* b
) noexcept nogil:
    """A layer over the caller's W (inputs, outputs) and b (outputs,), without a workspace or what a rule keeps.

    `place` gives it the one, before `network_step`; W_first and so on are set by the caller, for rules that need them.
    """
    return Dense(
        inputs=inputs, outputs=outputs, activation=activation, W=W, b=b, row=0, out=NULL, dout=NULL, dW=NULL, db=NULL,
        panels=NULL, spread=False, W_first=NULL, W_second=NULL, b_first=NULL, b_second=NULL,
    )


cdef inline Network network(Dense* layers, int depth, Head head) noexcept nogil:
    """A network of the caller's layers, without a workspace."""
    return Network(depth=depth, head=head, layers=layers, losses=NULL)


cdef inline Py_ssize_t padded(Py_ssize_t bytes) noexcept nogil:
    return (bytes + 63) & ~(<Py_ssize_t> 63)


cdef inline Py_ssize_t row_of(Py_ssize_t n, Py_ssize_t itemsize) noexcept nogil:
    """Numbers from one row of n to the next: rows begin on cache lines, and not all on the same set of them."""
    cdef Py_ssize_t bytes = padded(n * itemsize)
    return (bytes + 64 if bytes % 1024 == 0 else bytes) // itemsize


cdef inline Py_ssize_t panels_bytes(const Dense* layer, Py_ssize_t B, Py_ssize_t itemsize) noexcept nogil:
    """Bytes of the panels of dout, 0 where it has none."""
    cdef const float* single = NULL
    cdef const double* double_ = NULL
    if itemsize == sizeof(float):
        return padded(panels_size(single, B, layer.outputs) * itemsize) if wants_panels(single, layer.outputs) else 0
    return padded(panels_size(double_, B, layer.outputs) * itemsize) if wants_panels(double_, layer.outputs) else 0


cdef inline Py_ssize_t gradient_bytes(const Dense* layer, int n, Py_ssize_t itemsize) noexcept nogil:
    """Bytes of dW, spread or not: only the first layer's may be."""
    cdef Py_ssize_t numbers = layer.inputs * layer.outputs
    if n == 0:
        numbers = max(numbers, spread_size(layer.inputs, layer.outputs, itemsize))
    return padded(numbers * itemsize)


cdef inline Py_ssize_t workspace_size(const Network* net, Py_ssize_t B, Py_ssize_t itemsize) noexcept nogil:
    """Bytes that `place` divides, for batches of up to B rows."""
    cdef Py_ssize_t bytes = padded(B * sizeof(double))
    cdef int n
    for n in range(net.depth):
        bytes = bytes + 2 * B * row_of(net.layers[n].outputs, itemsize) * itemsize
        bytes = bytes + gradient_bytes(&net.layers[n], n, itemsize)
        bytes = bytes + padded(net.layers[n].outputs * itemsize)
        bytes = bytes + panels_bytes(&net.layers[n], B, itemsize)
    return bytes


cdef inline void place(Network* net, char* memory, Py_ssize_t B, Py_ssize_t itemsize) noexcept nogil:
    """Divide `workspace_size` bytes, aligned to 64, among the layers."""
    cdef Dense* layer
    cdef int n
    # Activations run over the gaps between rows too, and updates over those of a spread gradient: they hold numbers.
    memset(memory, 0, workspace_size(net, B, itemsize))
    net.losses = <double*> memory
    memory = memory + padded(B * sizeof(double))
    for n in range(net.depth):
        layer = &net.layers[n]
        layer.row = row_of(layer.outputs, itemsize)
        layer.out = memory
        memory = memory + B * layer.row * itemsize
        layer.dout = memory
        memory = memory + B * layer.row * itemsize
        layer.dW = memory
        memory = memory + gradient_bytes(layer, n, itemsize)
        layer.db = memory
        memory = memory + padded(layer.outputs * itemsize)
        layer.panels = memory if panels_bytes(layer, B, itemsize) > 0 else NULL
        memory = memory + panels_bytes(layer, B, itemsize)


cdef inline double operations(const Network* net, Py_ssize_t B) noexcept nogil:
    """Multiplications of a forward pass."""
    cdef double total = 0
    cdef int n
    for n in range(net.depth):
        total = total + <double> B * net.layers[n].inputs * net.layers[n].outputs
    return total


cdef inline double work_of_step(const Network* net, Py_ssize_t B) noexcept nogil:
    """Multiplications of a step, as far as sharing them pays: it has three times those of a forward pass, but the team
    meets twice, and the parameters that one has moved go to the other."""
    return 0.75 * operations(net, B)


cdef inline void dense_forward(
    const Dense* layer,
    const Rows x,                  # IN   (rows, inputs)
    floating* out,                 # OUT  (rows, outputs), `out_row` numbers from one row to the next
    Py_ssize_t out_row,            # at least `outputs`; what lies between the rows is left as it is
    Py_ssize_t rows,
    const Ahead* ahead,            # or NULL
) noexcept nogil:
    """out = activation(x·W + b)."""
    dense_product(layer, x, out, out_row, rows, ahead)
    activate_rows(layer.activation, out, out_row, rows, layer.outputs)


cdef inline void dense_product(
    const Dense* layer, const Rows x, floating* out, Py_ssize_t out_row, Py_ssize_t rows, const Ahead* ahead
) noexcept nogil:
    """out = x·W + b."""
    cdef Py_ssize_t O = layer.outputs
    cdef Shape s = shape_of(rows, O, layer.inputs, False, O, 1, out_row)
    cdef Spread spread
    if layer.spread:
        spread = spread_of(layer.inputs, O, sizeof(floating))
        s.b_row, s.tail, s.tail_row = spread.row, <floating*> layer.W + spread.tail, spread.tail_row
    product(x, <const floating*> layer.W, <const floating*> layer.b, out, s, ahead)


cdef inline void dense_backward_input(
    const Dense* layer, const Dense* below, Py_ssize_t first, Py_ssize_t rows, floating _
) noexcept nogil:
    """The gradient of what enters the layer below: its dout = (dout·Wᵀ)·activation′, for some of the rows."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs
    cdef floating* dx = <floating*> below.dout + first * below.row
    cdef Rows dout = rows_of(<const floating*> layer.dout + first * layer.row, layer.row)
    cdef Shape s = shape_of(rows, I, O, False, 1, O, below.row)
    product(dout, <const floating*> layer.W, NULL, dx, s, NULL)
    activate_backward(below.activation, <const floating*> below.out + first * below.row, dx, rows * below.row)


cdef inline void dense_backward_params(
    const Dense* layer,
    const Rows x,                  # IN   (B, inputs)
    Py_ssize_t B,
    const Update* update,          # the rule that moves the parameters, or NULL: only their gradients are wanted
    int rank,
    int size,
    floating _,
) noexcept nogil:
    """dW = xᵀ·dout and db = Σ dout, or what moves W and b against them; the part of a rank."""
    cdef Py_ssize_t O = layer.outputs, j, first, lead = 0
    cdef Spread spread = Spread(O, O, 0, 0)    # as without gaps
    cdef Py_ssize_t stop = share(layer.inputs, rank + 1, size, 16), i = share(layer.inputs, rank, size, 16)
    # Whole vectors of rows, many of them, and few enough that their gradient stays in cache until it is used.
    cdef Py_ssize_t height = max(GRADIENT_BYTES // (O * <Py_ssize_t> sizeof(floating)) // 48, 1) * 48
    cdef const floating* dout = <const floating*> layer.dout
    cdef floating* dW
    cdef Shape s = shape_of(0, O, B, True, layer.row, 1, O)
    if update is NULL:
        height = stop - i
    if layer.panels is not NULL:
        s.b_row, s.panel = panel_width(dout), B * panel_width(dout)
    if layer.spread:
        spread = spread_of(layer.inputs, O, sizeof(floating))
        s.c_row, s.tail, s.tail_row = spread.row, <floating*> layer.dW + spread.tail + i, spread.tail_row
        if i + height < stop:
            # The columns apart are sums of vectors of x: all but the first part have theirs on cache lines.
            lead = off_line(row_address(x, 0, dout))
    s.M = min(height, stop - i)
    if copies_size(s, dout) > 0:
        s.copies, s.copies_bytes = bp_copies_memory(), BP_COPIES_BYTES
    dW = <floating*> layer.dW + i * spread.row
    while i < stop:
        s.M = min(height - lead, stop - i)
        lead = 0
        product(begin(x, 0, i), dout if s.panel == 0 else <const floating*> layer.panels, NULL, dW, s, NULL)
        if update is not NULL:
            # The rows, and each column that lies apart.
            for j in range(1 + O - spread.columns):
                first = i * spread.row if j == 0 else spread.tail + (j - 1) * s.tail_row + i
                update_span(
                    update, <floating*> layer.W + first,
                    <const floating*> dW if j == 0 else <const floating*> s.tail + (j - 1) * s.tail_row,
                    at(<floating*> layer.W_first, first), at(<floating*> layer.W_second, first),
                    s.M * spread.row if j == 0 else s.M,
                )
        i = i + s.M
    if rank == size - 1:
        sum_rows(dout, layer.row, <floating*> layer.db, B, O)
        if update is not NULL:
            update_span(
                update, <floating*> layer.b, <const floating*> layer.db, <floating*> layer.b_first,
                <floating*> layer.b_second, O,
            )


cdef inline floating* at(floating* array, Py_ssize_t i) noexcept nogil:
    return <floating*> NULL if array is NULL else array + i


cdef inline void rows_half(
    const Network* net,
    const Rows x,                  # IN   (B, inputs)
    const int64_t* labels,         # IN   (B,) each in [0, outputs), or NULL
    const floating* targets,       # IN   (B, outputs) without gaps, where there are no labels
    Py_ssize_t B,
    const Ahead* ahead,            # what is needed after this half, an address for each row; or NULL
    int rank,
    int size,
) noexcept nogil:
    """Forward, losses, and the gradients of what enters each layer: the rows of a rank."""
    cdef const Dense* last = &net.layers[net.depth - 1]
    cdef Py_ssize_t first = share(B, rank, size, 1), stop = share(B, rank + 1, size, 1), rows
    # Blocks of nearly equal height: each packs the weights once more where they do not lie well.
    cdef Py_ssize_t blocks = max((stop - first + BLOCK // 2) // BLOCK, 1)
    cdef Ahead next_rows
    while first < stop:
        rows = (stop - first + blocks - 1) // blocks
        blocks = blocks - 1
        if ahead is not NULL:
            next_rows = Ahead(ahead.rows + first, ahead.step)
        rows_forward(net, x, first, rows, <const Ahead*> NULL if ahead is NULL else &next_rows, <floating> 0)
        loss_of_rows(
            net.head, <const floating*> last.out + first * last.row,
            <const int64_t*> NULL if labels is NULL else labels + first,
            <const floating*> NULL if targets is NULL else targets + first * last.outputs,
            <floating*> last.dout + first * last.row, net.losses + first, last.row, rows, last.outputs,
            <floating> 1 / <floating> B,
        )
        rows_backward(net, first, rows, B, <floating> 0)
        first = first + rows


cdef inline void rows_forward(
    const Network* net, const Rows x, Py_ssize_t first, Py_ssize_t rows, const Ahead* ahead, floating _
) noexcept nogil:
    cdef Rows enters = begin(x, first, 0)
    cdef const Dense* layer
    cdef floating* out
    cdef int n
    for n in range(net.depth):
        layer = &net.layers[n]
        out = <floating*> layer.out + first * layer.row
        dense_product(layer, enters, out, layer.row, rows, ahead if n == 0 else NULL)
        # One run over all rows, since the gaps between them are the network's own.
        activate(layer.activation, out, rows * layer.row)
        enters = rows_of(<const floating*> out, layer.row)


cdef inline void rows_backward(
    const Network* net, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t B, floating _
) noexcept nogil:
    cdef const Dense* layer
    cdef int n
    for n in range(net.depth - 1, -1, -1):
        layer = &net.layers[n]
        if layer.panels is not NULL:
            into_panels(
                <const floating*> layer.dout + first * layer.row, layer.row, <floating*> layer.panels, first, rows, B,
                layer.outputs,
            )
        if n > 0:
            dense_backward_input(layer, &net.layers[n - 1], first, rows, _)


cdef inline void loss_of_rows(
    Head head,
    const floating* scores,
    const int64_t* labels,
    const floating* targets,
    floating* dout,
    double* losses,
    Py_ssize_t row,
    Py_ssize_t rows,
    Py_ssize_t K,
    floating scale,
) noexcept nogil:
    if head == SQUARED_ERROR:
        squared_error_rows(scores, targets, dout, losses, row, rows, K, scale)
    else:
        # The probabilities are written where the gradient then takes their place.
        softmax_cross_entropy_rows(scores, labels, targets, dout, dout, losses, row, rows, K, scale)


cdef inline void params_half(
    const Network* net, const Rows x, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """The gradients of the parameters or, with a rule, their update: the parameters of a rank."""
    cdef Rows enters = x
    cdef int n
    for n in range(net.depth):
        # One call, since compilers make a copy of this long function for each.
        dense_backward_params(&net.layers[n], enters, B, update, rank, size, _)
        enters = rows_of(<const floating*> net.layers[n].out, net.layers[n].row)


cdef inline void step_share(
    const Network* net,
    const Rows x,
    const int64_t* labels,
    const floating* targets,
    Py_ssize_t B,
    const Update* update,
    int rank,
    int size,
) noexcept nogil:
    rows_half(net, x, labels, targets, B, NULL, rank, size)
    wait_for_team(size)
    params_half(net, x, B, update, rank, size, <floating> 0)


cdef inline double network_step(
    const Network* net,
    const Rows x,                  # IN   (B, inputs)
    const int64_t* labels,         # IN   (B,) each in [0, outputs), or NULL
    const floating* targets,       # IN   (B, outputs) without gaps, where there are no labels
    Py_ssize_t B,                  # at least 1
    const Update* update,          # the rule that moves the parameters, or NULL: dW and db are filled instead
    int threads,
) noexcept nogil:
    """One step of training, or one gradient; returns the mean loss of the batch before it."""
    if worth_a_region(threads, work_of_step(net, B)) == 1:
        step_share(net, x, labels, targets, B, update, 0, 1)
    else:
        bp_settle(threads, False)
        with parallel(num_threads=threads):
            step_share(net, x, labels, targets, B, update, threadid(), bp_team_size())
    return mean_of(net.losses, B)
