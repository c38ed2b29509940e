# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What a plan does: a job, of which each thread of a team does its part."""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore._entries.buffers cimport View
from bpcore._gemm.operands cimport Rows, rows_of
from bpcore._network.workspace cimport BACK, FORTH_AND_BACK, FORWARD, WHOLE
from bpcore._parallel.team cimport barrier
from bpcore._plan.input_gradients cimport Seeds, input_gradient_chunk
from bpcore._plan.padded_network cimport copy_first_weight
from bpcore._plan.stages cimport (
    activate_inputs, activate_inputs_backward, give_outputs, take_gradient_of_outputs,
)
from bpcore.evaluation cimport count_correct_chunk, predict_chunk, scratch_size
from bpcore.gather cimport Source, as_stored, gather_rows
from bpcore.layers cimport Layer
from bpcore.network cimport Network, step_chunk
from bpcore.sparse cimport SparseRows
from bpcore.targets cimport Targets, are_made, gather_targets, no_targets
from bpcore.training cimport Batch, train_chunk
from bpcore.updates cimport Update, states_of

cdef enum Task:
    PREDICT
    COUNT_CORRECT
    INPUT_GRADIENT
    STEP
    TRAIN


cdef struct Job:
    Task task
    const Network* net
    const Layer* given            # the first layer as the caller has it, where `net` has it padded; else NULL
    View data                     # x
    Source source                 # the same from the first row of the job on, and how its numbers are scaled
    const SparseRows* sparse      # TRAIN: a matrix in the place of x, or NULL
    Py_ssize_t N                  # PREDICT, COUNT_CORRECT, INPUT_GRADIENT: how many rows
    char* memory                  # the same: `each` bytes for every rank
    Py_ssize_t each
    void* out                     # PREDICT and INPUT_GRADIENT; STEP, where it is run in stages: (B, outputs)
    const void* dout              # STEP at the stage BACK: (B, outputs)
    bint copies                   # STEP: whether x is copied even if the network could read it in place
    Seeds seeds                   # INPUT_GRADIENT
    const int64_t* labels         # COUNT_CORRECT
    const Batch* batch            # STEP and TRAIN
    Targets targets
    Py_ssize_t B
    Update update
    bint stays                    # STEP: the gradients are filled, and no parameter moves
    const int64_t* indices        # TRAIN: (steps, B)
    Py_ssize_t steps
    double* losses                # TRAIN: (steps,)
    int64_t* correct              # TRAIN: how many rows were classified correctly, or NULL


cdef inline bint is_possible(const Network* net, Py_ssize_t B) noexcept nogil:
    """Whether the bytes for batches of B rows, counted generously, are a number that Py_ssize_t has."""
    cdef double numbers = <double> B * net.layers[0].inputs
    cdef int n
    for n in range(net.depth):
        # Rows of what the layer computes and a panel, and the gradients, padded.
        numbers = numbers + (6. * B + 2. * net.layers[n].inputs) * (net.layers[n].outputs + 256.)
    return numbers < 5e17    # each of 8 bytes and some


cdef inline void part_of_job(const Job* job, floating _, int rank, int size) noexcept nogil:
    cdef Py_ssize_t N = job.N
    # What another rule has kept may be gone by now.
    cdef int states = states_of(job.update.rule) if job.task == TRAIN else 0
    cdef char* scratch = <char*> NULL if job.memory is NULL else job.memory + rank * job.each + 64
    if job.given is not NULL:
        copy_first_weight(job.given, job.net.layers, False, states, _, rank, size)
        barrier(size)
    if job.task == PREDICT:
        predict_chunk(job.net, &job.source, scratch, <floating*> job.out, N, rank, size)
    elif job.task == COUNT_CORRECT:
        (<Py_ssize_t*> (scratch - 64))[0] = count_correct_chunk(
            job.net, &job.source, scratch, <floating*> (scratch + scratch_size(job.net, N, sizeof(floating))),
            job.labels, N, rank, size,
        )
    elif job.task == INPUT_GRADIENT:
        input_gradient_chunk(job.net, &job.source, &job.seeds, scratch, <floating*> job.out, N, rank, size)
    elif job.task == TRAIN:
        train_chunk(
            job.net, &job.source, &job.targets, job.indices, job.steps, job.B, job.batch, job.update, job.losses,
            job.correct, _, rank, size,
        )
        if job.given is not NULL:
            copy_first_weight(job.given, job.net.layers, True, states, _, rank, size)
    else:
        part_of_step(job, _, rank, size)


cdef inline void advance(Job* job, Py_ssize_t bytes) noexcept nogil:
    """Go behind the rows of an evaluation that was run, whose outputs have this many bytes each."""
    job.given = NULL    # it is padded by now
    if job.task == PREDICT:
        job.out = <char*> job.out + job.N * bytes
    else:
        job.labels = job.labels + job.N


cdef inline void part_of_step(const Job* job, floating _, int rank, int size) noexcept nogil:
    cdef Py_ssize_t stride = job.batch.stride, first, stop
    cdef floating* batch = <floating*> job.batch.x
    cdef Rows enters = rows_of(<const floating*> job.source.x, job.source.inputs)
    cdef const floating* targets = <const floating*> job.targets.weights
    # A rank prepares the rows that it then takes through the layers.
    first, stop = job.B * rank // size, job.B * (rank + 1) // size
    if job.copies or not as_stored(&job.source, _):
        if job.net.stage <= FORTH_AND_BACK:
            gather_rows(&job.source, NULL, first, batch + first * stride, stride, stop - first)
            activate_inputs(job.net, batch, stride, first, stop)
        enters = rows_of(<const floating*> batch, stride)
    if job.net.stage == BACK:
        take_gradient_of_outputs(job.net, <const floating*> job.dout, first, stop)
        barrier(size)
    if are_made(&job.targets) and (job.net.stage == WHOLE or job.net.stage == FORTH_AND_BACK):
        gather_targets(
            &job.targets, job.targets.labels, NULL, first, stop, job.net.layers[job.net.depth - 1].outputs,
            <floating*> job.batch.weights,
        )
        targets = <const floating*> job.batch.weights
    step_chunk(
        job.net, enters, <const int64_t*> NULL if are_made(&job.targets) else job.targets.labels, targets,
        <const floating*> job.targets.shares, job.B, <const Update*> NULL if job.stays else &job.update, rank, size,
    )
    if job.net.stage == FORWARD or job.net.stage == FORTH_AND_BACK:
        give_outputs(job.net, <floating*> job.out, first, stop)
    if job.net.stage == BACK or job.net.stage == FORTH_AND_BACK:
        activate_inputs_backward(job.net, <const floating*> batch, stride, first, stop)
