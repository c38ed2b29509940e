"""The training loop of section 0092: draw a mini-batch, step, again; by a team that stays together over all steps."""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.string cimport memcpy

from bpcore.gather cimport gather_rows, stored
from bpcore.network cimport Network, params_half, rows_half
from bpcore.parallel cimport share, wait_for_team
from bpcore.product cimport Ahead
from bpcore.reductions cimport mean_of
from bpcore.updates cimport Update


cdef struct Source:
    # The data, in whatever type it is stored, and how a batch of it is prepared.
    const void* x                  # (N, inputs)
    const int64_t* labels          # (N,), or NULL
    const void* targets            # (N, outputs) of the network's type, where there are no labels
    const void* mean               # (inputs,) of the network's type, or NULL
    const void* scale              # (inputs,) likewise


cdef struct Batch:
    # Where the team brings a mini-batch together.
    void* x                        # (B, inputs), `row` numbers from one row to the next
    Py_ssize_t row
    int64_t* labels                # (B,), or NULL
    void* targets                  # (B, outputs), or NULL
    const char** ahead             # (B,) where the rows of the next batch begin


cdef inline void train_share(
    const Network* net,
    const Source* source,
    const stored* x,               # source.x; its type says how the data is stored
    const int64_t* indices,        # IN   (steps, B) samples of each batch
    Py_ssize_t steps,
    Py_ssize_t B,
    const Batch* batch,
    Update update,
    double* losses,                # OUT  (steps,) the loss before each step
    floating _,
    int rank,
    int size,
) noexcept nogil:
    cdef Py_ssize_t first = share(B, rank, size, 1), stop = share(B, rank + 1, size, 1), step
    cdef floating* rows = <floating*> batch.x
    cdef Ahead ahead = Ahead(batch.ahead, 128 // sizeof(stored))
    for step in range(steps):
        gather_share(net, source, x, indices + step * B, first, stop, batch, _)
        if step + 1 < steps:
            look_ahead(x, indices + (step + 1) * B, first, stop, net.layers[0].inputs, batch.ahead)
        rows_half(
            net, <const floating*> rows, batch.row, batch.labels, <const floating*> batch.targets, B,
            &ahead if step + 1 < steps else NULL, rank, size,
        )
        wait_for_team(size)
        if rank == 0:
            losses[step] = mean_of(net.losses, B)
        params_half(net, <const floating*> rows, batch.row, B, &update, rank, size)
        update.step = update.step + 1
        wait_for_team(size)


cdef inline void look_ahead(
    const stored* x,
    const int64_t* indices,
    Py_ssize_t first,
    Py_ssize_t stop,
    Py_ssize_t I,
    const char** ahead,            # OUT  rows first to stop of (B,) addresses
) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(first, stop):
        ahead[r] = <const char*> (x + indices[r] * I)


cdef inline void gather_share(
    const Network* net,
    const Source* source,
    const stored* x,
    const int64_t* indices,        # IN   (B,)
    Py_ssize_t first,
    Py_ssize_t stop,
    const Batch* batch,
    floating _,
) noexcept nogil:
    """Rows first to stop of the batch, and their labels or targets."""
    cdef Py_ssize_t K = net.layers[net.depth - 1].outputs, r
    cdef floating* targets = <floating*> batch.targets
    gather_rows(
        x, indices + first, <const floating*> source.mean, <const floating*> source.scale,
        <floating*> batch.x + first * batch.row, batch.row, stop - first, net.layers[0].inputs,
    )
    for r in range(first, stop):
        if batch.labels is not NULL:
            batch.labels[r] = source.labels[indices[r]]
        else:
            memcpy(targets + r * K, <const floating*> source.targets + indices[r] * K, K * sizeof(floating))
