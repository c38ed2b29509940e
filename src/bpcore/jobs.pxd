# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What a plan does: a job, of which each thread of a team does its part.

A long job works with the first layer's parameters spread (spread.pxd). It then has a network of its own, made by
`spread_first`, while the caller's stays as it is, so that others may go on to evaluate that one; training brings the
parameters back.
"""

from cython cimport floating
from libc.stdint cimport int64_t, uintptr_t
from libc.string cimport memcpy

from bpcore.evaluation cimport right_share, scores_share, scratch_size
from bpcore.gather cimport Source, as_stored, gather_rows
from bpcore.network cimport Dense, Network, padded, step_share
from bpcore.operands cimport Rows, rows_of
from bpcore.parallel cimport share, wait_for_team
from bpcore.spread cimport move_rows, spread_size, wants_spread
from bpcore.training cimport Batch, Targets, train_share
from bpcore.updates cimport Update, moments_of

cdef enum Task:
    SCORES
    RIGHT
    STEP
    TRAIN


cdef struct Job:
    Task task
    const Network* net
    const Dense* given            # the first layer as the caller has it, where `net` has it spread; else NULL
    Py_buffer data                # x
    Source source                 # the same from the first row of the job on, and how its numbers are scaled
    Py_ssize_t N                  # SCORES and RIGHT: how many rows
    char* memory                  # SCORES and RIGHT: `each` bytes for every rank
    Py_ssize_t each
    void* out                     # SCORES
    const int64_t* labels         # RIGHT
    const Batch* batch            # STEP and TRAIN
    Targets targets
    Py_ssize_t B
    Update update
    const int64_t* indices        # TRAIN: (steps, B)
    Py_ssize_t steps
    double* losses                # TRAIN: (steps,)
    int64_t* correct              # TRAIN: how many rows were right, or NULL


cdef inline bint is_possible(const Network* net, Py_ssize_t B) noexcept nogil:
    """Whether the bytes for batches of B rows, counted generously, are a number that Py_ssize_t has."""
    cdef double numbers = <double> B * net.layers[0].inputs
    cdef int n
    for n in range(net.depth):
        # Two rows and a panel, padded, and the gradient, spread.
        numbers = numbers + (4. * B + 2. * net.layers[n].inputs) * (net.layers[n].outputs + 256.)
    return numbers < 5e17    # each of 8 bytes and some


cdef inline Py_ssize_t spread_bytes(const Network* net, Py_ssize_t itemsize) noexcept nogil:
    """Bytes that `spread_first` needs."""
    cdef const Dense* first = net.layers
    return padded(net.depth * sizeof(Dense)) + 3 * padded(spread_size(first.inputs, first.outputs, itemsize) * itemsize)


cdef inline bint common(const Dense* layer, const void* array, Py_ssize_t numbers, Py_ssize_t itemsize) noexcept nogil:
    """Whether an array shares memory with a layer's W."""
    cdef uintptr_t W = <uintptr_t> layer.W, first = <uintptr_t> array
    return first < W + layer.inputs * layer.outputs * itemsize and W < first + numbers * itemsize


cdef inline bint spread_first(const Network* net, Network* to, char* memory, Py_ssize_t itemsize) noexcept nogil:
    """Describe `net` once more with its first layer spread; False, and nothing described, if that is of no use.

    Or if another array of parameters has memory in common with its W: that would not see it move.
    """
    cdef const Dense* given = net.layers
    cdef const Dense* layer
    cdef int n
    cdef Dense* first = <Dense*> memory
    cdef Py_ssize_t bytes = padded(spread_size(given.inputs, given.outputs, itemsize) * itemsize)
    if not wants_spread(given.inputs, given.outputs, given.W, itemsize):
        return False
    for n in range(net.depth):
        layer = &net.layers[n]
        if n > 0 and common(given, layer.W, layer.inputs * layer.outputs, itemsize):
            return False
        if common(given, layer.b, layer.outputs, itemsize):
            return False
    to[0] = net[0]
    to.layers = first
    memcpy(first, given, net.depth * sizeof(Dense))
    memory = memory + padded(net.depth * sizeof(Dense))
    first.spread, first.W = True, memory
    first.W_first = <char*> NULL if given.W_first is NULL else memory + bytes
    first.W_second = <char*> NULL if given.W_second is NULL else memory + 2 * bytes
    return True


cdef inline void move_first(
    const Dense* given, const Dense* spread, bint back, int moments, floating _, int rank, int size
) noexcept nogil:
    """Bring a rank's rows of W and its moments from where the caller has them to where they are spread, or back."""
    cdef Py_ssize_t I = given.inputs, O = given.outputs
    cdef Py_ssize_t first = share(I, rank, size, 16), stop = share(I, rank + 1, size, 16)
    cdef int n
    for n in range(1 + moments):
        move_rows(
            given.W if n == 0 else given.W_first if n == 1 else given.W_second,
            spread.W if n == 0 else spread.W_first if n == 1 else spread.W_second,
            I, O, first, stop, back, _,
        )


cdef inline void part_of_job(const Job* job, floating _, int rank, int size) noexcept nogil:
    cdef Py_ssize_t N = job.N
    # What another rule has kept may be gone by now.
    cdef int moments = moments_of(job.update.rule) if job.task == TRAIN else 0
    cdef char* scratch = <char*> NULL if job.memory is NULL else job.memory + rank * job.each + 64
    if job.given is not NULL:
        move_first(job.given, job.net.layers, False, moments, _, rank, size)
        wait_for_team(size)
    if job.task == SCORES:
        scores_share(job.net, &job.source, scratch, <floating*> job.out, N, rank, size)
    elif job.task == RIGHT:
        (<Py_ssize_t*> (scratch - 64))[0] = right_share(
            job.net, &job.source, scratch, <floating*> (scratch + scratch_size(job.net, N, sizeof(floating))),
            job.labels, N, rank, size,
        )
    elif job.task == TRAIN:
        train_share(
            job.net, &job.source, &job.targets, job.indices, job.steps, job.B, job.batch, job.update, job.losses,
            job.correct, _, rank, size,
        )
        if job.given is not NULL:
            move_first(job.given, job.net.layers, True, moments, _, rank, size)
    else:
        part_of_step(job, _, rank, size)


cdef inline void advance(Job* job, Py_ssize_t bytes) noexcept nogil:
    """Go behind the rows of an evaluation that was run, whose scores have this many bytes each."""
    job.given = NULL    # it is spread by now
    if job.task == SCORES:
        job.out = <char*> job.out + job.N * bytes
    else:
        job.labels = job.labels + job.N


cdef inline void part_of_step(const Job* job, floating _, int rank, int size) noexcept nogil:
    cdef Py_ssize_t row = job.batch.row, first, stop
    cdef floating* batch = <floating*> job.batch.x
    cdef Rows enters = rows_of(<const floating*> job.source.x, job.source.inputs)
    if not as_stored(&job.source, _):
        # A rank prepares the rows that it then takes through the layers.
        first, stop = job.B * rank // size, job.B * (rank + 1) // size
        gather_rows(&job.source, NULL, first, batch + first * row, row, stop - first)
        enters = rows_of(<const floating*> batch, row)
    step_share(
        job.net, enters, job.targets.labels, <const floating*> job.targets.weights, job.B, &job.update, rank, size,
    )
