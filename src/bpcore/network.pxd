# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A dense network as a C struct: its forward pass, gradient and training step, without Python in between.

a) The struct holds layers and a loss. Parameters belong to the caller; the workspace is one run of memory that `place`
   divides among the layers.
b) Every number is computed by the same functions, in the same order, as by the layers of backprop, so that nobody can
   tell from the bits which of the two ran. The first layer has no dx: nobody reads it.
c) A step has two halves. First rows: forward, loss and back through the layers, for which a row needs no other, unless
   a layer takes whole batches. Then
   parameters: a gradient sums over all rows, and where a rule is given the parameter moves at once, while its
   gradient is in cache. A team shares the rows of the first half, or also the columns of wide layers (columns.pxd), and
   the parameters of the second, and waits in between: all gradients that need a parameter are computed before it
   changes.
"""

from cython cimport floating
from cython.parallel cimport parallel, threadid
from libc.stdint cimport int64_t

from bpcore._checks.checks cimport BP_CHECKS, bp_require
from bpcore._gemm.operands cimport Rows, rows_from, rows_of
from bpcore._gemm.panels cimport into_panels
from bpcore._gemm.product cimport Prefetch
from bpcore._network.columns cimport rows_half_by_columns
from bpcore._network.limits cimport limit_weights, move_within_norm
from bpcore._network.workspace cimport (
    BACK, FORTH_AND_BACK, FORWARD, PARAMETERS, WHOLE, Network, first_trained, layer_below, network, place, stride_of,
    takes_whole_batches, whole_lines, workspace_size,
)
from bpcore._parallel.team cimport barrier, bp_place_team, bp_team_size, chunk_start, threads_for_region
from bpcore.activations cimport IDENTITY, activate, activate_backward
from bpcore._layers.layer cimport kept_rows
from bpcore._layers.batch_norm cimport batch_norm_backward
from bpcore.layers cimport (
    Layer, Parameter, check_layer, needs_whole_batch, operations_of, transform_backward_input,
    transform_backward_parameters, transform_forward,
)
from bpcore.losses cimport loss_rows, takes_labels, target_width
from bpcore.reductions cimport loss_of
from bpcore.updates cimport RULES, Update, states_of

cdef enum:
    BLOCK = 240    # rows that go through all layers at once: full tiles, and activations that stay in cache


# --- Work -------------------------------------------------------------------------------------------------------


cdef inline double operations(const Network* net, Py_ssize_t B) noexcept nogil:
    """Multiplications of a forward pass."""
    cdef double total = 0
    cdef int n
    for n in range(net.depth):
        total = total + B * operations_of(&net.layers[n])
    return total


cdef inline double work_of_step(const Network* net, Py_ssize_t B) noexcept nogil:
    """Multiplications of a step, as far as sharing them pays: it has three times those of a forward pass, but the team
    meets twice, and the parameters that one has moved go to the other."""
    return 0.75 * operations(net, B)


# --- Checks -----------------------------------------------------------------------------------------------------


cdef inline void check_network(const Network* net, int itemsize) noexcept nogil:
    """What BPCORE_CHECKS looks at of a network that is to run on its workspace."""
    cdef int n
    bp_require(net.depth > 0 and net.layers is not NULL, "the network has no layers")
    bp_require(net.losses is not NULL, "the network has no workspace: call place(...) before a step")
    for n in range(net.depth):
        check_layer(&net.layers[n], itemsize)
        bp_require(
            n == 0 or net.layers[n].inputs == net.layers[n - 1].outputs,
            "a layer has other inputs than outputs come in",
        )


cdef inline void check_rows(
    const Network* net, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t B, int itemsize
) noexcept nogil:
    """Of a pass of some rows of a batch."""
    check_network(net, itemsize)
    bp_require(1 <= B <= net.capacity, "the batch has no rows or more than the workspace is for")
    bp_require(0 <= first and 0 <= rows <= B - first, "the rows are not within the batch, or the workspace")


cdef inline void check_update(const Network* net, const Update* update) noexcept nogil:
    """Of the rule that moves the parameters."""
    cdef const Layer* layer
    cdef int n
    bp_require(0 <= <int> update.rule < RULES and update.step > 0, "no rule of updates.pxd, or step below 1")
    for n in range(net.depth):
        layer = &net.layers[n]
        bp_require(
            keeps(update, &layer.weight) and keeps(update, &layer.bias),
            "the rule keeps more of a parameter than its state1, state2 and state3 have room for",
        )


cdef inline bint keeps(const Update* update, const Parameter* parameter) noexcept nogil:
    """Whether a parameter has memory for what the rule keeps of it."""
    cdef int states = 0 if parameter.size == 0 else states_of(update.rule)
    return (
        (parameter.state1 is not NULL or states < 1) and (parameter.state2 is not NULL or states < 2)
        and (parameter.state3 is not NULL or states < 3)
    )


cdef inline void check_targets(
    const Network* net, const int64_t* labels, const void* targets, const floating* shares, Py_ssize_t B
) noexcept nogil:
    """Of what the loss compares the outputs with."""
    cdef Py_ssize_t r
    bp_require((labels is NULL) != (targets is NULL), "wanted either labels or targets")
    bp_require(labels is NULL or takes_labels(net.loss.kind), "the loss takes numbers, not labels")
    for r in range(0 if labels is NULL else B):
        bp_require(
            0 <= labels[r] < net.layers[net.depth - 1].outputs or shares is not NULL and shares[r] == 0,
            "a label is not within 0 to outputs - 1",
        )


# --- A step -----------------------------------------------------------------------------------------------------


cdef inline void rows_half(
    const Network* net,
    const Rows x,                  # IN   (B, inputs)
    const int64_t* labels,         # IN   (B,) each in [0, outputs), or NULL
    const floating* targets,       # IN   (B, target_width) without gaps, where there are no labels
    const floating* shares,        # IN   (B,) the share of each row in the loss, or NULL: 1 / B
    Py_ssize_t B,
    const Prefetch* prefetch,      # what is needed after this half, an address for each row; or NULL
    int rank,
    int size,
) noexcept nogil:
    """Forward, losses, and the gradients of what enters each layer: the rows of a rank."""
    cdef const Layer* last = &net.layers[net.depth - 1]
    cdef Py_ssize_t first = chunk_start(B, rank, size, 1), stop = chunk_start(B, rank + 1, size, 1), rows
    # Blocks of nearly equal height: each packs the weights once more where they do not lie well.
    cdef Py_ssize_t blocks = max((stop - first + BLOCK // 2) // BLOCK, 1)
    cdef Prefetch next_rows
    cdef bint in_one = takes_whole_batches(net)
    if (net.column_parts > 1 or in_one) and size > 1:
        if BP_CHECKS:
            check_rows(net, 0, B, B, sizeof(floating))
        rows_half_by_columns(net, x, labels, targets, shares, B, rank, size)
        return
    if in_one:
        blocks = 1
    while first < stop:
        rows = (stop - first + blocks - 1) // blocks
        blocks = blocks - 1
        if prefetch is not NULL:
            next_rows = Prefetch(prefetch.rows + first, prefetch.step)
        if net.stage != BACK:
            rows_forward(net, x, first, rows, <const Prefetch*> NULL if prefetch is NULL else &next_rows, <floating> 0)
        if net.stage == WHOLE or net.stage == FORTH_AND_BACK:
            loss_rows(
                &net.loss, <const floating*> last.out + first * last.stride,
                <const int64_t*> NULL if labels is NULL else labels + first,
                <const floating*> NULL if targets is NULL
                else targets + first * target_width(net.loss.kind, last.outputs),
                <const floating*> NULL if shares is NULL else shares + first,
                <floating*> last.dpre + first * last.stride, net.losses + first, last.stride, rows, last.outputs,
                <floating> 1 if shares is not NULL else <floating> 1 / <floating> B,
            )
        if net.stage != FORWARD:
            rows_backward(net, first, rows, B, <floating> 0)
        first = first + rows


cdef inline void rows_forward(
    const Network* net, const Rows x, Py_ssize_t first, Py_ssize_t rows, const Prefetch* prefetch, floating _
) noexcept nogil:
    cdef Rows enters = rows_from(x, first, 0)
    cdef const Layer* layer
    cdef floating* pre
    cdef floating* out
    cdef int n
    if BP_CHECKS:
        check_rows(net, first, rows, net.capacity, sizeof(floating))
        bp_require(first == 0 or not takes_whole_batches(net), "rows_forward: a layer takes whole batches, from row 0")
    for n in range(net.depth):
        layer = &net.layers[n]
        pre, out = <floating*> layer.pre + first * layer.stride, <floating*> layer.out + first * layer.stride
        transform_forward(
            layer, enters, pre, layer.stride, rows, kept_rows(layer, first), prefetch if n == 0 else NULL
        )
        # One run over all rows, since the gaps between them are the network's own.
        if layer.activation != IDENTITY:
            activate(layer.activation, layer.numbers, <const floating*> pre, out, rows * layer.stride)
        enters = rows_of(<const floating*> out, layer.stride)


cdef inline void rows_backward(
    const Network* net, Py_ssize_t first, Py_ssize_t rows, Py_ssize_t B, floating _
) noexcept nogil:
    """From the gradient of what leaves the last layer to those of what enters each."""
    cdef const Layer* layer
    cdef const Layer* lower
    cdef floating* dpre
    cdef int n, last = first_trained(net)
    if BP_CHECKS:
        check_rows(net, first, rows, B, sizeof(floating))
        bp_require(rows == B or not takes_whole_batches(net), "rows_backward: a layer takes whole batches, of B rows")
    for n in range(net.depth - 1, last - 1, -1):
        layer = &net.layers[n]
        dpre = <floating*> layer.dpre + first * layer.stride
        if layer.activation != IDENTITY:
            activate_backward(
                layer.activation, layer.numbers, <const floating*> layer.pre + first * layer.stride,
                <const floating*> dpre, dpre, rows * layer.stride,
            )
        if layer.panels is not NULL:
            into_panels(
                <const floating*> dpre, layer.stride, <floating*> layer.panels, first, rows, B, layer.outputs
            )
        lower = layer_below(net, n)
        if lower is not NULL:
            transform_backward_input(layer, <floating*> lower.dpre + first * lower.stride, lower.stride, first, rows)
        elif needs_whole_batch(layer.transform):
            # The gradients of its parameters alone.
            batch_norm_backward(layer, <floating*> NULL, 0, rows, 0, layer.outputs)


cdef inline void parameters_half(
    const Network* net, const Rows x, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """The gradients of the parameters or, with a rule, their update: the parameters of a rank."""
    cdef Rows enters = x
    cdef const Update* at_once = update
    cdef int n
    if update is not NULL and update.clip_norm > 0:
        # No parameter moves before all gradients are there.
        at_once = NULL
    if BP_CHECKS:
        check_rows(net, 0, B, B, sizeof(floating))
        if update is not NULL:
            check_update(net, update)
    for n in range(net.depth):
        # One call, since compilers make a copy of this long function for each.
        transform_backward_parameters(&net.layers[n], enters, B, at_once, rank, size, _)
        enters = rows_of(<const floating*> net.layers[n].out, net.layers[n].stride)
    if update is not NULL and update.clip_norm > 0:
        move_within_norm(net, update, rank, size, _)
    if update is not NULL and update.max_norm > 0:
        limit_weights(net, update.max_norm, rank, size, _)


cdef inline void step_chunk(
    const Network* net,
    const Rows x,
    const int64_t* labels,
    const floating* targets,
    const floating* shares,
    Py_ssize_t B,
    const Update* update,
    int rank,
    int size,
) noexcept nogil:
    """The part of a rank of a step, or of the stage of it that the network is at."""
    if net.stage != PARAMETERS:
        rows_half(net, x, labels, targets, shares, B, NULL, rank, size)
    barrier(size)
    if net.stage == WHOLE or net.stage == PARAMETERS:
        parameters_half(net, x, B, update, rank, size, <floating> 0)


cdef inline double network_step(
    const Network* net,
    const Rows x,                  # IN   (B, inputs)
    const int64_t* labels,         # IN   (B,) each in [0, outputs), or NULL
    const floating* targets,       # IN   (B, target_width) without gaps, where there are no labels
    const floating* shares,        # IN   (B,) the share of each row in the loss, or NULL: 1 / B; of a row of share 0
                                   #      neither the label nor the target is looked at
    Py_ssize_t B,                  # at least 1
    const Update* update,          # the rule that moves the parameters, or NULL: their gradients are filled instead
    int threads,
) noexcept nogil:
    """One step of training, or one gradient; returns the loss of the batch before it."""
    if BP_CHECKS:
        check_rows(net, 0, B, B, sizeof(floating))
        check_targets(net, labels, targets, shares, B)
    if threads_for_region(threads, work_of_step(net, B)) == 1:
        step_chunk(net, x, labels, targets, shares, B, update, 0, 1)
    else:
        bp_place_team(threads, False)
        with parallel(num_threads=threads):
            step_chunk(net, x, labels, targets, shares, B, update, threadid(), bp_team_size())
    return loss_of(net.losses, B, shares is not NULL)
