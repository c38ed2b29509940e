"""A plan: a network's shapes, pointers to its parameters, and a workspace, so that a call is one piece of C.

a) The plan keeps references to the parameter arrays and their addresses. Whoever made it gives it `witnesses`, what
   the network was made of, and asks `fits` before every call; the plan only checks types, layout and shapes.
b) The workspace grows to the largest batch that was seen and is then used again.
c) Evaluation works on memory of its own, in turns (Ctrl-C is looked at between them), so several threads of Python may
   use one plan for it, also while another trains, with weights partly old and partly new. Training writes to workspace
   and parameters; a second training call at once raises, and what its optimizer keeps only comes with the call.
d) Nothing is trusted after its check: labels and indices are checked in copies of the plan's own, the parameters, and
   what an optimizer keeps of them, are looked at before every call.
e) `predict` and `step`, which have to be quick for small networks, return None for arrays that must first be
   converted or are wrong, and leave that to the caller.
f) What runs is a job, of which each thread does its part; the types of network are told apart in one place.
"""

from cpython.buffer cimport PyBuffer_Release
from cpython.dict cimport PyDict_GetItem
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject
from cython.parallel cimport parallel, threadid
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from bpcore._entries.buffers cimport (
    address, check_indices, contiguous, gather_labels, typecode_of, open_rows, readable, shaped,
)
from bpcore._entries.overlaps cimport Span, intersect, span
from bpcore._gemm.operands cimport Address, aligned
from bpcore._gemm.padded cimport LEAST_ROWS, LEAST_STEPS
from bpcore._parallel.team cimport (
    FEWER_THREADS_MAX_OPERATIONS, bp_max_threads, bp_place_team, bp_team_size, threads_for_kernel, threads_for_region,
)
from bpcore._plan.guards cimport (
    NPY_ARRAY_CARRAY, NPY_ARRAY_CARRAY_RO, Guard, PyArray_DATA, PyArray_DESCR, PyArray_DIMS, PyArray_NDIM,
    PyArrayObject, overlap, unchanged,
)
from bpcore._plan.jobs cimport COUNT_CORRECT, PREDICT, STEP, TRAIN, Job, Task, advance, is_possible, part_of_job
from bpcore._plan.padded_network cimport pad_first_layer, padding_bytes
from bpcore.activations cimport ACTIVATIONS as COUNT_OF_ACTIVATIONS, Activation, activation_name
from bpcore.evaluation cimport rows_per_check, scratch_size
from bpcore.gather cimport Source
from bpcore.layers cimport (
    TRANSFORMS as COUNT_OF_TRANSFORMS, Layer, Parameter, has_matrix, layer_of, transform_name,
    transform_option,
)
from bpcore.losses cimport LOSSES as COUNT_OF_LOSSES, Loss, LossKind, loss_name, loss_option, takes_labels
from bpcore.network cimport (
    BLOCK, Network, network, operations, place, stride_of, whole_lines, work_of_step, workspace_size,
)
from bpcore.reductions cimport mean_of
from bpcore.training cimport Batch, Targets
from bpcore.updates cimport (
    RULES as COUNT_OF_RULES, SETTINGS as COUNT_OF_SETTINGS, Rule, Update as Settings, no_update, rule_name,
    rule_signature, setting_name, states_of,
)

from weakref import ref

from numpy import empty, ndarray

from bpcore.errors import parse
from bpcore.threads import named, resolve

# What Python calls each, and its number.
ACTIVATIONS = {activation_name(n).decode(): n for n in range(COUNT_OF_ACTIVATIONS)}
LOSSES = {loss_name(n).decode(): n for n in range(COUNT_OF_LOSSES)}
SETTINGS = {setting_name(n).decode(): n for n in range(COUNT_OF_SETTINGS)}
# The settings that each rule reads, in the order in which its kernel takes them, and the interval of each.
RULES = {
    rule_name(n).decode(): {
        spec.name: spec.interval for spec, *_ in parse(rule_signature(n).decode()) if spec.name in SETTINGS
    }
    for n in range(COUNT_OF_RULES)
}
TRANSFORMS = {transform_name(n).decode(): n for n in range(COUNT_OF_TRANSFORMS)}
# The number that each loss and each transform takes; "" where it takes none.
LOSS_OPTIONS = {loss_name(n).decode(): loss_option(n).decode() for n in range(COUNT_OF_LOSSES)}
TRANSFORM_OPTIONS = {transform_name(n).decode(): transform_option(n).decode() for n in range(COUNT_OF_TRANSFORMS)}

cdef int busy = 0    # threads that calls of this module are using


include "update.pxi"
include "addresses.pxi"


cdef class Plan(NetworkAddresses):
    """A dense network, ready to run.

    Parameters
    ----------
    dtype : "float32" or "float64"
    layers : list of (transform, activation, weight, bias, option)
        Keys of TRANSFORMS and ACTIVATIONS, the parameters, C-contiguous and writable, of the type `dtype`, and a
        number.
    loss : (loss, option)
        A key of LOSSES and a number.
    mean, scale : 1-d arrays of the length of the inputs, the mean float64, the scale of the type `dtype`; or None
        The network computes with (x − mean)·scale, as gather.pxd says.
    made_of : list of (dict, key, object)
        The plan is valid while each dict holds that very object under its key.
    """

    cdef Network loop               # the same, its first layer padded
    cdef Targets targets
    cdef Batch batch
    cdef readonly bint training
    cdef Py_ssize_t capacity
    cdef void* memory
    cdef void* behind               # the batch: its labels or targets
    cdef char* padding              # memory for the first layer's weight while a loop trains it

    def __dealloc__(self):
        free(self.memory)

    # --- Evaluation -----------------------------------------------------------------------------------------

    def predict(self, x):
        """What the last layer gives out for every row of x, in a new array; None if x cannot be read as it is."""
        cdef Job job = self.job_of(PREDICT)
        if not readable(x, &job.data, self.net.layers[0].inputs):
            return None
        _pinned = held(x) if job.data.shape[0] >= LEAST_ROWS else None
        try:
            out = empty((job.data.shape[0], self.net.layers[self.net.depth - 1].outputs), self.dtype)
            self.run_predict(&job, out, None)
        finally:
            PyBuffer_Release(&job.data)
        return out

    def predict_into(self, x not None, out not None, threads=None):
        """Write what the last layer gives out for every row of x to `out`."""
        cdef Job job = self.job_of(PREDICT)
        _pinned = [held(x), held(out)]
        open_rows(x, &job.data, self.inputs)
        try:
            self.run_predict(&job, out, threads)
        finally:
            PyBuffer_Release(&job.data)

    cdef int run_predict(self, Job* job, out, threads) except -1:
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs
        cdef Span written
        if job.data.shape[0] > 0:
            job.out = address(out, self.letter, 2, job.data.shape[0], K, True)
            written = span(job.out, job.data.shape[0] * K * self.itemsize)
            if intersect(written, span(job.data.buf, job.data.len)) or overlap(self.guards, self.parameters, written):
                raise ValueError("Plan: out shares memory with x or a parameter, wanted an array of its own")
            self.evaluate(job, threads)
        return 0

    def count_correct(self, x not None, labels, threads=None):
        """How many rows of x have their highest score at their label; a NaN among the scores comes first."""
        cdef Job job = self.job_of(COUNT_CORRECT)
        cdef Py_ssize_t count = 0
        _pinned = [held(x), held(labels)]
        job.labels = <const int64_t*> array_data(labels, "labels", c"q", 1, False)
        open_rows(x, &job.data, self.inputs)
        try:
            if len(labels) != job.data.shape[0]:
                raise ValueError(f"Plan: {len(labels)} labels for {job.data.shape[0]} rows")
            if job.data.shape[0] > 0:
                count = self.evaluate(&job, threads)
        finally:
            PyBuffer_Release(&job.data)
        return count

    cdef Py_ssize_t evaluate(self, Job* job, threads) except -1:
        """Run an evaluation on memory of its own; returns the sum of what the ranks counted."""
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs, N = job.data.shape[0], first = 0, count = 0
        cdef double work = operations(&self.net, N)
        cdef int n = self.team(threads, threads_for_region(2, work), work), rank
        cdef Py_ssize_t rows = rows_per_check(&self.net, n)
        # A count, the blocks of activations, a block of scores.
        job.each = 64 + scratch_size(&self.net, N, self.itemsize)
        if job.task == COUNT_CORRECT:
            job.each = job.each + whole_lines(BLOCK * K * self.itemsize)
        cdef bint long = N >= LEAST_ROWS
        cdef Network padded
        cdef void* memory = malloc(n * job.each + (padding_bytes(&self.net) if long else 0) + 64)
        if memory is NULL:
            raise MemoryError("no memory for the activations of a block")
        job.memory = <char*> aligned(memory)
        if long and pad_first_layer(&self.net, &padded, job.memory + n * job.each):
            job.net, job.given = &padded, self.net.layers
        try:
            while first < N:
                job.N = min(rows, N - first)
                for rank in range(n):
                    (<Py_ssize_t*> (job.memory + rank * job.each))[0] = 0
                self.run(job, n, first)
                for rank in range(n):
                    count = count + (<Py_ssize_t*> (job.memory + rank * job.each))[0]
                first = first + job.N
                advance(job, K * self.itemsize)
                PyErr_CheckSignals()
                self.require_unchanged(NPY_ARRAY_CARRAY_RO)
        finally:
            free(memory)
        return count

    # --- Training -------------------------------------------------------------------------------------------

    def train(
        self, x not None, t not None, indices, Update update not None, losses, threads=None, list state=None
    ):
        """Take a step for every row of `indices`, which names the samples of its batch.

        `t` is (N,) int64 labels or (N, K) numbers of the network's type, `update` has the number of the first step,
        `state` is what the rule keeps, as in `bind`, and `losses` takes the loss before each step. Returns how many
        samples of all the batches had their highest score at their label or highest weight (0 without classes).
        """
        cdef Job job = self.job_of(TRAIN)
        cdef int64_t correct = 0
        cdef int64_t* drawn = NULL
        cdef double work
        _written = held(losses)
        job.losses = <double*> array_data(losses, "losses", c"d", 1, True)
        array_data(indices, "indices", c"q", 2, False)
        if len(losses) != len(indices):
            raise ValueError(f"Plan: {len(losses)} losses for {len(indices)} steps")
        job.update = update.settings
        self.start_training()
        try:
            self.bind(job.update.rule, state)
            _pinned = [held(x), held(t)]
            open_rows(x, &job.data, self.inputs)
            try:
                if not self.take_targets(t, job.data.shape[0]):
                    raise ValueError(
                        f"Plan: the targets are {t.dtype} {t.shape}, wanted {job.data.shape[0]} int64 labels from 0 "
                        f"to {self.outputs - 1} or {self.dtype} ({job.data.shape[0]}, {self.outputs})"
                    )
                if self.is_changed(job.data.buf, job.data.len):
                    raise ValueError("Plan: x shares memory with a parameter, which training changes")
                if indices.shape[0] == 0:
                    return 0
                job.steps, job.B = indices.shape[0], indices.shape[1]
                drawn = self.draw(&job, indices)
                job.correct = &correct if takes_labels(self.net.loss.kind) else NULL
                self.reserve(job.B)
                if job.steps >= LEAST_STEPS and pad_first_layer(&self.net, &self.loop, self.padding):
                    job.net, job.given = &self.loop, self.net.layers
                work = work_of_step(&self.net, job.B)
                self.run(&job, self.team(threads, threads_for_kernel(2, work), job.steps * work), 0)
            finally:
                free(drawn)
                PyBuffer_Release(&job.data)
        finally:
            self.training = False
        return correct

    cdef int64_t* draw(self, Job* job, indices) except NULL:
        """Copy the indices of all batches, and behind them their labels, and check the copies."""
        cdef Py_ssize_t count = job.steps * job.B, right
        cdef int64_t* drawn = <int64_t*> malloc(2 * count * sizeof(int64_t) + 1)
        if drawn is NULL:
            raise MemoryError(f"no memory for the labels of {job.steps} batches")
        try:
            if count > 0:
                memcpy(drawn, array_data(indices, "indices", c"q", 2, False), count * sizeof(int64_t))
            check_indices(drawn, job.steps, job.B, job.data.shape[0])
            if self.targets.labels is not NULL:
                right = gather_labels(self.targets.labels, drawn, count, self.outputs, drawn + count)
                if right < count:
                    raise ValueError(
                        f"Plan: t[{drawn[right]}] is {drawn[count + right]}, wanted a label from 0 to "
                        f"{self.outputs - 1}"
                    )
                self.targets.labels = drawn + count
        except BaseException:
            free(drawn)
            raise
        job.indices = drawn
        return drawn

    def step(self, x, t, Update update not None, threads=None, list state=None):
        """One step on a whole batch: the loss before it, or None if an array cannot be read as it is."""
        cdef Job job = self.job_of(STEP)
        cdef double work
        job.update = update.settings
        self.start_training()
        try:
            self.bind(job.update.rule, state)
            if not readable(x, &job.data, self.net.layers[0].inputs):
                return None
            try:
                job.B = job.data.shape[0]
                if job.B == 0 or self.is_changed(job.data.buf, job.data.len) or not self.take_targets(t, job.B):
                    return None
                self.reserve(job.B)
                if self.targets.labels is not NULL:
                    if gather_labels(self.targets.labels, NULL, job.B, self.outputs, <int64_t*> self.behind) < job.B:
                        return None
                    self.targets.labels = <int64_t*> self.behind
                work = work_of_step(&self.net, job.B)
                self.run(&job, self.team(threads, threads_for_region(2, work), work), 0)
            finally:
                PyBuffer_Release(&job.data)
        finally:
            self.training = False
        return mean_of(self.net.losses, job.B)

    cdef bint is_changed(self, const void* array, Py_ssize_t bytes) noexcept:
        """Whether a step writes to an array: it is, or overlaps, a parameter or what the optimizer keeps of one."""
        return overlap(self.guards, self.guarded, span(array, bytes))

    cdef int start_training(self) except -1:
        if self.training:
            raise RuntimeError("this network is being trained by another thread")
        self.training = True
        return 0

    cdef bint take_targets(self, t, Py_ssize_t N) except -1:
        """Point to the labels or targets of N samples; False if they are not of the right type and shape."""
        cdef Py_buffer view
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs
        cdef bint right
        self.targets.labels, self.targets.weights = NULL, NULL
        if not contiguous(t, &view):
            return False
        if view.ndim == 1 and takes_labels(self.net.loss.kind):
            right = view.shape[0] == N and view.itemsize == 8 and view.format[0] in (c"l", c"q")
            self.targets.labels = <const int64_t*> view.buf
        else:
            right = shaped(&view, self.letter, 2, N, K)
            self.targets.weights = view.buf
        PyBuffer_Release(&view)
        return right

    cdef int reserve(self, Py_ssize_t B) except -1:
        """Make the workspace large enough for batches of B rows, and point into it."""
        cdef Py_ssize_t stride = stride_of(self.net.layers[0].inputs, self.itemsize), size, behind
        if B > self.capacity:
            if not is_possible(&self.net, B):
                raise MemoryError(f"no memory for batches of {B} rows")
            size = workspace_size(&self.net, B)
            free(self.memory)
            self.capacity = 0
            behind = whole_lines(B * max(8, self.outputs * self.itemsize))
            self.memory = malloc(
                size + B * stride * self.itemsize + behind + whole_lines(2 * B * sizeof(void*))
                + padding_bytes(&self.net) + 64
            )
            if self.memory is NULL:
                raise MemoryError(f"no memory for batches of {B} rows")
            self.capacity = B
            place(&self.net, aligned(self.memory), B)
            self.batch.stride = stride
            self.batch.x = <char*> aligned(self.memory) + size
            self.behind = <char*> self.batch.x + B * stride * self.itemsize
            self.batch.rows = <Address*> (<char*> self.behind + behind)
            self.padding = <char*> self.batch.rows + whole_lines(2 * B * sizeof(void*))
        self.batch.weights = NULL if self.targets.weights is NULL else self.behind
        return 0

    # --- Jobs -----------------------------------------------------------------------------------------------

    cdef int team(self, threads, int most, double work) except -1:
        """How many threads to use, settled; asks only when the work is worth more than one.

        Calls that run at the same time, from several threads of Python, share what there is.
        """
        if most == 1 and threads is None:
            return 1
        threads = named(threads)
        cdef int allowed = bp_max_threads(), number = min(resolve(threads), bp_max_threads())
        cdef bint may_give_way = threads is None and work < FEWER_THREADS_MAX_OPERATIONS
        number = max(1, min(number, (number if threads is None else allowed) - busy)) if most > 1 else 1
        if number > 1:
            with nogil:
                number = bp_place_team(number, may_give_way)
        return number

    cdef Job job_of(self, Task task) except *:
        cdef Job job
        self.require_unchanged(NPY_ARRAY_CARRAY if task == STEP or task == TRAIN else NPY_ARRAY_CARRAY_RO)
        job.task, job.net, job.given, job.memory, job.N = task, &self.net, NULL, NULL, 0
        return job

    cdef void run(self, Job* job, int threads, Py_ssize_t first) noexcept:
        """Run a job on the data from row `first` on."""
        global busy
        job.source, job.targets, job.batch = self.source, self.targets, &self.batch
        job.source.typecode = typecode_of(&job.data)
        job.source.x = <char*> job.data.buf + first * job.data.strides[0]
        busy += threads
        with nogil:
            if threads <= 1:
                self.part(job, 0, 1)
            else:
                with parallel(num_threads=threads):
                    self.part(job, threadid(), bp_team_size())
        busy -= threads

    cdef void part(self, const Job* job, int rank, int size) noexcept nogil:
        if self.letter == c"f":
            part_of_job(job, <float> 0, rank, size)
        else:
            part_of_job(job, <double> 0, rank, size)
