# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The training loop of section 0092: draw a mini-batch, take a step, repeat; one team of threads for all steps."""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore.evaluation cimport count_correct_of
from bpcore.gather cimport Source, as_stored, bytes_of, gather_rows, row_of_source
from bpcore.layers cimport Layer
from bpcore.network cimport Network, parameters_half, rows_half
from bpcore._network.averages cimport average_parameters, average_statistics, has_averages
from bpcore._gemm.operands cimport Address, Rows, rows_at, rows_of, sparse_rows_of
from bpcore._parallel.team cimport chunk_start, barrier
from bpcore._gemm.product cimport Prefetch
from bpcore.losses cimport target_width
from bpcore.reductions cimport loss_of
from bpcore.sparse cimport SparseRows
from bpcore.targets cimport Targets, are_made, gather_targets
from bpcore.updates cimport Update


cdef struct Batch:
    # Memory that the team gathers a mini-batch in. Rows that need no conversion are read in place.
    void* x                        # (B, inputs), `stride` numbers from one row to the next
    Py_ssize_t stride
    void* weights                  # (B, target_width) targets, or NULL: the batch has labels alone
    Address* rows                  # (2, B) addresses in the data of the rows of this batch, and of the next


cdef inline void train_chunk(
    const Network* net,
    const Source* source,
    const Targets* targets,
    const int64_t* indices,        # IN   (steps, B) samples of each batch
    Py_ssize_t steps,
    Py_ssize_t B,
    const Batch* batch,
    Update update,
    double* losses,                # OUT  (steps,) the loss before each step
    int64_t* correct,              # INOUT  plus the rows whose largest logit was at their label; or NULL
    floating _,
    int rank,
    int size,
) noexcept nogil:
    cdef Py_ssize_t first = chunk_start(B, rank, size, 1), stop = chunk_start(B, rank + 1, size, 1), step
    cdef bint in_place = as_stored(source, _)
    cdef Address* current_rows = batch.rows
    cdef Address* next_rows = batch.rows + B
    cdef Rows rows = rows_of(<const floating*> batch.x, batch.stride)
    cdef Prefetch prefetch
    cdef const Layer* last = &net.layers[net.depth - 1]
    cdef const int64_t* labels = NULL
    cdef const int64_t* counted = NULL
    cdef const floating* shares = NULL
    cdef SparseRows sparse
    cdef bint is_dense = source.sparse is NULL
    if is_dense:
        addresses_of_rows(source, indices, first, stop, current_rows)
    else:
        # In the place of addresses, of each row where it begins and where it ends.
        sparse = source.sparse[0]
        sparse.begin, sparse.end = batch.rows, batch.rows + B
        rows = sparse_rows_of(&sparse)
    for step in range(steps):
        if not is_dense:
            places_of_rows(source.sparse, indices + step * B, first, stop, <int64_t*> batch.rows, B)
        elif step + 1 < steps:
            # The other threads read `current_rows` until the step ends, and none reads `next_rows`.
            addresses_of_rows(source, indices + (step + 1) * B, first, stop, next_rows)
            prefetch = Prefetch(next_rows, 128 // bytes_of(source))
        if is_dense and in_place:
            rows = rows_at(current_rows)
        elif is_dense:
            gather_rows(
                source, indices + step * B + first, 0, <floating*> batch.x + first * batch.stride, batch.stride,
                stop - first,
            )
        if targets.labels is not NULL:
            labels = targets.labels + step * B
        if targets.counted is not NULL:
            counted = targets.counted + step * B
        if targets.shares is not NULL:
            shares = <const floating*> targets.shares + step * B
        if batch.weights is not NULL:
            gather_targets(
                targets, labels, indices + step * B, first, stop, target_width(net.loss.kind, last.outputs),
                <floating*> batch.weights,
            )
        rows_half(
            net, rows, <const int64_t*> NULL if are_made(targets) else labels, <const floating*> batch.weights, shares,
            B, &prefetch if is_dense and step + 1 < steps else NULL, rank, size,
        )
        barrier(size)
        if rank == 0:
            losses[step] = loss_of(net.losses, B, shares is not NULL)
            if correct is not NULL:
                correct[0] += count_correct_of(
                    net, <const floating*> last.out, last.stride, counted, <const floating*> batch.weights, B,
                )
            if has_averages(net):
                average_statistics(net, _)
        if update.rates is not NULL:
            update.lr = update.rates[step]
        parameters_half(net, rows, B, &update, rank, size, _)
        update.step = update.step + 1
        if rank == 0:
            # Nobody looks at it before the barrier below.
            count_steps(net)
        current_rows, next_rows = next_rows, current_rows
        barrier(size)
        if has_averages(net):
            average_parameters(net, _, rank, size)


cdef inline void count_steps(const Network* net) noexcept nogil:
    """Go to the next masks."""
    cdef int n
    for n in range(net.depth):
        net.layers[n].step = net.layers[n].step + 1


cdef inline void places_of_rows(
    const SparseRows* x, const int64_t* indices, Py_ssize_t first, Py_ssize_t stop, int64_t* places, Py_ssize_t B
) noexcept nogil:
    """Where rows `first` to `stop` of a batch begin, and B places further on where they end."""
    cdef Py_ssize_t r
    for r in range(first, stop):
        places[r] = (<const int64_t*> x.begin)[indices[r]]
        places[B + r] = (<const int64_t*> x.end)[indices[r]]


cdef inline void addresses_of_rows(
    const Source* source,
    const int64_t* indices,
    Py_ssize_t first,
    Py_ssize_t stop,
    Address* rows,             # OUT  addresses `first` to `stop` of (B,)
) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(first, stop):
        rows[r] = row_of_source(source, indices[r])
