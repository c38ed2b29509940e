# Gradients of inputs: of the loss, of what is given for the outputs, or of each output.

cdef class InputGradients(Targeting):
    """What goes back to the inputs of any number of rows, in memory of each call's own."""

    @property
    def reaches_inputs(self):
        """Whether gradients of inputs can be asked for: not behind running statistics, which a block does not have."""
        return not takes_whole_batches(&self.net)

    def input_gradient_into(self, x not None, out not None, dout=None, t=None, threads=None):
        """Write the gradients of the inputs to `out`, (N, inputs): those of Σ dout·outputs, or of the mean loss for t.

        Without both, all derivatives of the outputs go to `out`, (N·outputs, inputs): the Jacobian.
        """
        cdef Job job = self.job_of(INPUT_GRADIENT)
        cdef Targets targets = no_targets()
        cdef View written
        cdef Py_ssize_t K = self.outputs, N, right
        cdef int64_t* labels = NULL
        if takes_whole_batches(&self.net):
            raise ValueError("Plan: a layer has running statistics, through which no plan goes back to the inputs")
        self.require_unchanged(NPY_ARRAY_CARRAY_RO)
        _pinned = [held(array) for array in (x, out, dout, t)]
        job.seeds = Seeds(dout=NULL, labels=NULL, targets=NULL, B=1, each=K if dout is None and t is None else 1)
        open_rows(x, &job.data, self.inputs)
        try:
            N = job.data.rows
            if N == 0:
                return
            job.seeds.B = N
            if dout is not None:
                job.seeds.dout = address(dout, self.letter, 2, N, K, False)
            elif t is not None:
                if self.weighs or self.table is not NULL:
                    raise ValueError("Plan: the loss gives rows weights or makes their targets, wanted dout")
                if not self.targets_of(t, N, &targets):
                    raise ValueError(
                        f"Plan: the targets are {t.dtype} {t.shape}, wanted {N} int64 labels from 0 to {K - 1} or "
                        f"{self.dtype} ({N}, {self.target_width()})"
                    )
                job.seeds.targets = targets.weights
            written.data = job.out = address(out, self.letter, 2, N * job.seeds.each, self.inputs, True)
            written.bytes = N * job.seeds.each * self.net.layers[0].inputs * self.itemsize
            if (
                self.is_read(&job, &written) or self.is_written(&written, job.seeds.dout, N * K)
                or self.is_written(&written, job.seeds.targets, N * self.target_width())
            ):
                raise ValueError("Plan: out shares memory with what is read, wanted an array of its own")
            if targets.labels is not NULL:
                labels = <int64_t*> malloc(N * sizeof(int64_t))
                if labels is NULL:
                    raise MemoryError(f"no memory for the labels of {N} rows")
                right = gather_labels(targets.labels, NULL, N, K, labels)
                if right < N:
                    raise ValueError(f"Plan: t[{right}] is {labels[right]}, wanted a label from 0 to {K - 1}")
                job.seeds.labels = labels
            self.go_back(&job, threads)
        finally:
            free(labels)
            close(&job.data)

    cdef inline bint is_written(self, const View* written, const void* data, Py_ssize_t numbers) noexcept:
        """Whether an output shares memory with numbers of the network's type."""
        return data is not NULL and intersect(span(written.data, written.bytes), span(data, numbers * self.itemsize))

    cdef int go_back(self, Job* job, threads) except -1:
        """Run the job on memory of its own, in turns between which Ctrl-C is looked at."""
        cdef Py_ssize_t N = job.data.rows, first = 0, K = self.net.layers[self.net.depth - 1].outputs
        cdef Py_ssize_t passes = 1 + job.seeds.each
        cdef double work = passes * operations_of(&self.net, N)
        cdef int n = self.team(threads, threads_for_region(2, work), work)
        cdef Py_ssize_t rows = max(rows_per_check(&self.net, n) // passes, 1)
        cdef void* memory
        job.each = 64 + input_gradient_scratch(&self.net, N, job.seeds.each)
        memory = malloc(n * job.each + 64)
        if memory is NULL:
            raise MemoryError("no memory for the activations of a block")
        job.memory = <char*> aligned(memory)
        try:
            while first < N:
                job.N = min(rows, N - first)
                self.run(job, n, first)
                first = first + job.N
                job.out = <char*> job.out + job.N * job.seeds.each * self.net.layers[0].inputs * self.itemsize
                if job.seeds.dout is not NULL:
                    job.seeds.dout = <const char*> job.seeds.dout + job.N * K * self.itemsize
                if job.seeds.targets is not NULL:
                    job.seeds.targets = <const char*> job.seeds.targets + job.N * self.target_width() * self.itemsize
                if job.seeds.labels is not NULL:
                    job.seeds.labels = job.seeds.labels + job.N
                PyErr_CheckSignals()
                self.require_unchanged(NPY_ARRAY_CARRAY_RO)
        finally:
            free(memory)
        return 0
