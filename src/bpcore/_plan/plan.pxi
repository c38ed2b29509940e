# A plan: a network's shapes, pointers to its parameters, and a workspace, so that a call is one piece of C.
#
# a) The plan keeps references to the parameter arrays and their addresses. Whoever makes it says what the network is
#    made of, and asks `is_valid` before a call; the plan then only checks types, layout and shapes.
# b) The workspace grows to the largest batch that was seen and is then used again.
# c) Evaluation works on memory of its own, in turns (Ctrl-C is looked at between them), so several threads of Python
#    may use one plan for it, also while another trains, with weights partly old and partly new. Training writes to
#    workspace and parameters; a second training call at once raises, and what its optimizer keeps only comes with the
#    call.
# d) Nothing is trusted after its check: labels and indices are checked in copies of the plan's own, the parameters, and
#    what an optimizer keeps of them, are looked at before every call.
# e) `predict` and `step`, which have to be quick for small networks, ask `is_valid` themselves. They return None where
#    the plan no longer fits, and for arrays that must first be converted or are wrong, and leave that to the caller.
# f) What runs is a job, of which each thread does its part; the types of network are told apart in one place.
# g) Methods of C are inline, which makes them final: a call needs no table of methods.

cdef str NO_ROW_WEIGHTS = "Plan: the loss gives rows weights of their own, which are not here"


cdef class Plan(Averaging):
    """A dense network, ready to run.

    Parameters
    ----------
    dtype : "float32" or "float64"
    layers : list of (transform, activation, weight, bias, option, *numbers)
        Keys of TRANSFORMS and ACTIVATIONS, the parameters, C-contiguous and writable, of the type `dtype`, the number
        of the transform, and those of the activation, if it takes any. A dropout has in the places of its parameters
        how many units it has, and a dict with its "seed", and under "step" how many masks were drawn, which training
        counts. The number of a batch normalisation is a tuple: eps, momentum, the running mean and variance, arrays as
        the parameters, which training moves. A softmax has in the places of its parameters its units, and None.
    loss : (loss, option) or (loss, option, table, weighs)
        A key of LOSSES, a number, slope and rest of targets that are made (targets.pxd), a float64 array that nobody
        changes or None, and whether rows with labels have weights of their own: `step` then does nothing without.
    mean, scale : 1-d arrays of the length of the inputs, the mean float64, the scale of the type `dtype`; or None
        The network computes with (x − mean)·scale, as gather.pxd says.
    made_of : list of (dict, key, object)
        The plan is valid while each dict holds that very object under its key.
    caches : list of (dict, key), optional
        What a pass leaves, which `step` sets to None; an attribute too.
    entrance : (activation, *numbers), optional
        The activation in front of the first layer of a `Segment` that goes back to layers below it.
    """

    cdef Network loop               # the same, its first layer padded
    cdef Batch batch
    cdef readonly bint training
    cdef Py_ssize_t capacity
    cdef void* memory
    cdef void* behind               # the batch: its labels,
    cdef void* shares               # the shares of its rows, and its targets
    cdef char* padding              # memory for the first layer's weight while a loop trains it
    cdef readonly dict tunings      # by the number of rows of a batch

    def __cinit__(self):
        self.tunings = {}

    def __dealloc__(self):
        free(self.memory)

    def train(
        self, x not None, t not None, indices, Update update not None, losses, threads=None, list state=None,
        int column_parts=0, tuple row_weights=None, NetworkAddresses average=None, double share=0, rates=None,
    ):
        """Take a step for every row of `indices`, which names the samples of its batch.

        x is (N, inputs), or a `SparseMatrix` of numbers of the network's type, which are neither shifted nor scaled.
        `t` is (N,) int64 labels or (N, target_width) numbers of the network's type, `update` has the number of the
        first step, `state` is what the rule keeps, as in `bind`, and `losses` takes the loss before each step.
        `column_parts` is in how many parts threads share the columns of wide layers; by 0 it is measured. `row_weights`
        are the weights of all rows and their divisors, (N,) float64 each. After each step the parameters of the plan
        `average`, for which `averages` has to be true, move by `share` towards those of this one, as `blend` does it.
        `rates`, if it is given, has the learning rate of each step, (steps,) float64, in the place of the update's.
        Returns how many samples of all the batches had their highest score at their label or highest weight (0 without
        classes).
        """
        cdef Job job = self.job_of(TRAIN)
        cdef int64_t correct = 0
        cdef int64_t* drawn = NULL
        cdef void* shares = NULL
        self.require_unchanged(NPY_ARRAY_CARRAY)
        _written = held(losses)
        job.losses = <double*> array_data(losses, "losses", c"d", 1, True)
        array_data(indices, "indices", c"q", 2, False)
        if len(losses) != len(indices):
            raise ValueError(f"Plan: {len(losses)} losses for {len(indices)} steps")
        job.update = update.settings
        _read = held(rates) if rates is not None else None
        job.update.rates = rates_of(rates, len(indices))
        self.start_training()
        try:
            self.begin_average(average, share)
            self.bind(job.update.rule, state)
            _pinned = [held(x), held(t)]
            if isinstance(x, SparseMatrix):
                (<SparseMatrix> x).open(&job, self.inputs, self.letter)
            else:
                open_rows(x, &job.data, self.inputs)
            try:
                if not self.targets_of(t, job.data.rows, &self.targets):
                    raise ValueError(
                        f"Plan: the targets are {t.dtype} {t.shape}, wanted {job.data.rows} int64 labels from 0 "
                        f"to {self.outputs - 1} or {self.dtype} ({job.data.rows}, {self.target_width()})"
                    )
                if self.wants_weights(row_weights):
                    raise ValueError(NO_ROW_WEIGHTS)
                if job.sparse is NULL and self.is_changed(job.data.data, job.data.bytes):
                    raise ValueError("Plan: x shares memory with a parameter, which training changes")
                if indices.shape[0] == 0:
                    return 0
                job.steps, job.B = indices.shape[0], indices.shape[1]
                if row_weights is not None:
                    self.targets.shares = shares = malloc(job.steps * job.B * self.itemsize + 1)
                    if shares is NULL:
                        raise MemoryError(f"no memory for the shares of {job.steps} batches")
                drawn = self.draw(&job, indices, row_weights)
                self.begin_masks()
                job.correct = &correct if has_classes(self.net.loss.kind, self.outputs) else NULL
                self.reserve(job.B)
                self.run_steps(&job, threads, column_parts)
                self.end_masks(indices.shape[0])
            finally:
                free(drawn)
                free(shares)
                close(&job.data)
        finally:
            self.end_average()
            self.training = False
        return correct

    cdef int run_steps(self, Job* job, threads, int column_parts) except -1:
        """Run the steps of a loop as is said or, in pieces, as turns out to be best."""
        cdef Py_ssize_t left = job.steps
        cdef double work = work_of_step(&self.net, job.B), before
        cdef int most = threads_for_kernel(2, work), asked = 1, used, n
        cdef bint is_said = False
        cdef Tuning tuning
        if job.sparse is not NULL:
            # What is measured would be that of so many rows of an array; columns of a sparse product are not shared.
            column_parts = 1
        tuning = self.tuning_of(job.B, threads) if most > 1 and column_parts == 0 else None
        # From the first piece on nothing of Python runs: the handler of a signal would find steps that nobody counted.
        if most > 1 or threads is not None:
            threads = named(threads)
            asked, is_said = resolve(threads), threads is not None
        while left > 0:
            job.steps = left if tuning is None else tuning.count(left)
            self.net.column_parts = max(column_parts, 1) if tuning is None else tuning.column_parts
            job.net, job.given = &self.net, NULL
            if (
                job.steps >= LEAST_STEPS and job.sparse is NULL and not has_limits(&job.update)
                and pad_first_layer(&self.net, &self.loop, self.padding)
            ):
                job.net, job.given = &self.loop, self.net.layers
            before = perf_counter()
            used = self.team_of(asked, is_said, most, left * work, 0 if tuning is None else tuning.threads)
            self.run_batches(job, used)
            # Other calls may use the processors, and leave fewer.
            if tuning is not None and used == tuning.threads:
                tuning.record(job.steps, perf_counter() - before)
            left = left - job.steps
            if job.net is not &self.net:
                # What a copy of the layers has counted.
                for n in range(self.net.depth):
                    self.net.layers[n].step = self.loop.layers[n].step
            job.indices = job.indices + job.steps * job.B
            job.losses = job.losses + job.steps
            job.update.step = job.update.step + job.steps
            if job.update.rates is not NULL:
                job.update.rates = job.update.rates + job.steps
            if self.targets.labels is not NULL:
                self.targets.labels = self.targets.labels + job.steps * job.B
            if self.targets.counted is not NULL:
                self.targets.counted = self.targets.counted + job.steps * job.B
            if self.targets.shares is not NULL:
                self.targets.shares = <const char*> self.targets.shares + job.steps * job.B * self.itemsize
        return 0

    cdef Tuning tuning_of(self, Py_ssize_t B, threads):
        """What is known of batches of B rows; None where there is one way alone."""
        cdef int most = min(<int> resolve(named(threads)), bp_max_threads())
        cdef bint is_exact = is_named(threads), is_wide = has_wide_layers(&self.net)
        cdef Tuning tuning = self.tunings.get(B)
        if most == 1 or is_exact and not is_wide:
            return None
        if tuning is None or tuning.most != most or tuning.is_exact != is_exact:
            tuning = self.tunings[B] = Tuning(most, is_exact, is_wide)
        return tuning

    cdef inline int64_t* draw(self, Job* job, indices, tuple row_weights) except NULL:
        """Copy the indices of all batches, and behind them their labels, and check the copies; fill their shares."""
        cdef Py_ssize_t count = job.steps * job.B, right
        cdef int64_t* drawn = <int64_t*> malloc(2 * count * sizeof(int64_t) + 1)
        if drawn is NULL:
            raise MemoryError(f"no memory for the labels of {job.steps} batches")
        try:
            if count > 0:
                memcpy(drawn, array_data(indices, "indices", c"q", 2, False), count * sizeof(int64_t))
            check_indices(drawn, job.steps, job.B, job.data.rows)
            if row_weights is not None:
                self.share(row_weights, job.data.rows, drawn, job.steps, job.B)
            if self.targets.labels is NULL and self.table is not NULL:
                self.name_classes(drawn, count, drawn + count)
                self.targets.counted = drawn + count
            elif self.targets.labels is not NULL:
                right = self.copy_labels(drawn, count, drawn + count)
                if right < count:
                    raise ValueError(
                        f"Plan: t[{drawn[right]}] is {drawn[count + right]}, wanted a label from 0 to "
                        f"{self.outputs - 1}"
                    )
                self.targets.labels = self.targets.counted = drawn + count
        except BaseException:
            free(drawn)
            raise
        job.indices = drawn
        return drawn

    def step(
        self, x, t, Update update not None, threads=None, list state=None, dict counter=None, int column_parts=0,
        tuple row_weights=None,
    ):
        """One step on a whole batch: the loss before it. `counter["steps"]` becomes the number of the step.

        None if an array cannot be read as it is, or the network is no longer made of what the plan was made of.
        """
        if not self.fits():
            return None
        cdef Job job = self.job_of(STEP)
        cdef Tuning tuning
        cdef double work
        cdef int most, limit = 0
        job.update = update.settings
        self.start_training()
        try:
            self.bind(job.update.rule, state)
            if not readable(x, &job.data, self.net.layers[0].inputs):
                return None
            try:
                job.B = job.data.rows
                if job.B == 0 or self.is_changed(job.data.data, job.data.bytes):
                    return None
                if not self.targets_of(t, job.B, &self.targets):
                    return None
                if not self.takes_numbers(job.B) or self.wants_weights(row_weights):
                    return None
                self.reserve(job.B)
                self.begin_masks()
                if not self.place_targets(job.B, row_weights):
                    return None
                work = work_of_step(&self.net, job.B)
                most = threads_for_region(2, work)
                self.net.column_parts = max(column_parts, 1)
                if most > 1 and column_parts == 0 and self.tunings:
                    tuning = self.tunings.get(job.B)
                    if tuning is not None and tuning.best is not None and tuning.is_exact == is_named(threads):
                        limit, self.net.column_parts = tuning.best
                self.run_batches(&job, self.team(threads, most, work, limit))
            finally:
                close(&job.data)
        finally:
            self.training = False
        self.drop_caches()
        loss = loss_of(self.net.losses, job.B, row_weights is not None)
        # The handler of a signal runs behind this call: it finds a step that was taken, and counted, or neither.
        self.end_masks(1)
        if counter is not None:
            counter["steps"] = job.update.step
        return loss

    def loss_and_gradient(self, x not None, t not None, gradient not None, threads=None, tuple row_weights=None):
        """The mean loss of all rows in training. `gradient`, (P,), takes that of the P parameters, in their order.

        Masks are those of the next step, which is not counted.
        """
        cdef Job job = self.job_of(STEP)
        cdef double work
        cdef Py_ssize_t size = 0
        cdef int n
        cdef char* to
        self.require_unchanged(NPY_ARRAY_CARRAY)
        _pinned = [held(x), held(t), held(gradient)]
        for n in range(self.net.depth):
            size = size + self.net.layers[n].weight.size + self.net.layers[n].bias.size
        to = <char*> address(gradient, self.letter, 1, size, size, True)
        job.stays = True
        self.start_training()
        try:
            open_rows(x, &job.data, self.inputs)
            try:
                job.B = job.data.rows
                if job.B == 0 or not self.targets_of(t, job.B, &self.targets):
                    raise ValueError(f"Plan: t is {t.dtype} {t.shape}, wanted targets of {job.B} rows, at least 1")
                if self.wants_weights(row_weights):
                    raise ValueError(NO_ROW_WEIGHTS)
                self.reserve(job.B)
                self.begin_masks()
                if not self.place_targets(job.B, row_weights):
                    raise ValueError(f"Plan: wanted labels from 0 to {self.outputs - 1}")
                work = work_of_step(&self.net, job.B)
                self.net.column_parts = 1
                self.run_batches(&job, self.team(threads, threads_for_region(2, work), work))
            finally:
                close(&job.data)
            for n in range(self.net.depth):
                to = self.take_gradient(&self.net.layers[n].weight, to)
                to = self.take_gradient(&self.net.layers[n].bias, to)
            return loss_of(self.net.losses, job.B, row_weights is not None)
        finally:
            self.training = False

    cdef inline bint place_targets(self, Py_ssize_t B, tuple row_weights) except -1:
        """Fill the shares of a batch that is all there is, and copy its labels; False where one is wrong."""
        if row_weights is not None:
            self.targets.shares = self.shares
            self.share(row_weights, B, NULL, 1, B)
        if self.targets.labels is not NULL:
            if self.copy_labels(NULL, B, <int64_t*> self.behind) < B:
                return False
            self.targets.labels = <int64_t*> self.behind
        return True

    cdef inline char* take_gradient(self, const Parameter* parameter, char* to) noexcept:
        """Copy a parameter's gradient; where the next one goes."""
        memcpy(to, parameter.gradient, parameter.size * self.itemsize)
        return to + parameter.size * self.itemsize

    cdef inline bint is_changed(self, const void* array, Py_ssize_t bytes) noexcept:
        """Whether a step writes to an array: it is, or overlaps, a parameter or what the optimizer keeps of one."""
        return overlap(self.guards, self.guarded, span(array, bytes))

    cdef inline int start_training(self) except -1:
        if self.training:
            raise RuntimeError("this network is being trained by another thread")
        self.training = True
        return 0

    cdef inline int reserve(self, Py_ssize_t B) except -1:
        """Make the workspace large enough for batches of B rows, and point into it."""
        cdef Py_ssize_t stride = stride_of(self.net.layers[0].inputs, self.itemsize), size, behind
        if B > self.capacity:
            if not is_possible(&self.net, B):
                raise MemoryError(f"no memory for batches of {B} rows")
            size = workspace_size(&self.net, B)
            free(self.memory)
            self.capacity = 0
            behind = 2 * whole_lines(B * 8) + whole_lines(B * self.outputs * self.itemsize)
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
            self.shares = <char*> self.behind + whole_lines(B * 8)
            self.batch.rows = <Address*> (<char*> self.behind + behind)
            self.padding = <char*> self.batch.rows + whole_lines(2 * B * sizeof(void*))
        self.batch.weights = NULL
        if self.targets.labels is NULL or self.table is not NULL:
            self.batch.weights = <char*> self.behind + 2 * whole_lines(self.capacity * 8)
        return 0

    cdef inline void run_batches(self, Job* job, int threads) noexcept:
        """Run a job on batches in the workspace."""
        job.targets, job.batch = self.targets, &self.batch
        self.run(job, threads, 0)
