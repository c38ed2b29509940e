# Evaluation: scores of rows, and how many of these are right.

cdef class Evaluation(JobRunner):
    """Outputs and counts of any number of rows, in memory of each call's own."""

    def predict(self, x, out=None):
        """What the last layer gives out for every row of x, in a new array or in `out`.

        None if x cannot be read or `out` written as it is, or the network is no longer made of what the plan was made
        of.
        """
        if not self.fits():
            return None
        cdef Job job = self.job_of(PREDICT)
        if not readable(x, &job.data, self.net.layers[0].inputs):
            return None
        cdef Py_ssize_t* shape = [job.data.rows, self.net.layers[self.net.depth - 1].outputs]
        cdef View written
        _pinned = held(x) if job.data.rows >= LEAST_ROWS else None
        try:
            if out is None:
                out = PyArray_SimpleNew(2, shape, NPY_FLOAT if self.letter == c"f" else NPY_DOUBLE)
                read_struct(out, &written, NPY_ARRAY_CARRAY)
            elif (
                not read_struct(out, &written, NPY_ARRAY_CARRAY)
                or not shaped(&written, self.letter, 2, shape[0], shape[1]) or self.is_read(&job, &written)
            ):
                return None
            if shape[0] > 0:
                _pinned_too = held(out) if job.data.rows >= LEAST_ROWS else None
                job.out = written.data
                self.evaluate(&job, None)
        finally:
            close(&job.data)
        return out

    def predict_into(self, x not None, out not None, threads=None):
        """Write what the last layer gives out for every row of x to `out`."""
        cdef Job job = self.job_of(PREDICT)
        cdef View written
        self.require_unchanged(NPY_ARRAY_CARRAY_RO)
        _pinned = [held(x), held(out)]
        open_rows(x, &job.data, self.inputs)
        try:
            if job.data.rows > 0:
                written.data = job.out = address(out, self.letter, 2, job.data.rows, self.outputs, True)
                written.bytes = job.data.rows * self.net.layers[self.net.depth - 1].outputs * self.itemsize
                if self.is_read(&job, &written):
                    raise ValueError("Plan: out shares memory with x or a parameter, wanted an array of its own")
                self.evaluate(&job, threads)
        finally:
            close(&job.data)

    cdef inline bint is_read(self, const Job* job, const View* written) noexcept:
        """Whether an output shares memory with what an evaluation reads."""
        cdef Span out = span(written.data, written.bytes)
        return intersect(out, span(job.data.data, job.data.bytes)) or overlap(self.guards, self.parameters, out)

    def count_correct(self, x not None, labels, threads=None):
        """How many rows of x have their highest score at their label; a NaN among the scores comes first."""
        cdef Job job = self.job_of(COUNT_CORRECT)
        cdef Py_ssize_t count = 0
        self.require_unchanged(NPY_ARRAY_CARRAY_RO)
        _pinned = [held(x), held(labels)]
        job.labels = <const int64_t*> array_data(labels, "labels", c"q", 1, False)
        open_rows(x, &job.data, self.inputs)
        try:
            if len(labels) != job.data.rows:
                raise ValueError(f"Plan: {len(labels)} labels for {job.data.rows} rows")
            if job.data.rows > 0:
                count = self.evaluate(&job, threads)
        finally:
            close(&job.data)
        return count

    cdef inline Py_ssize_t evaluate(self, Job* job, threads) except -1:
        """Run an evaluation on memory of its own; returns the sum of what the ranks counted."""
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs, N = job.data.rows, first = 0, count = 0
        cdef double work = operations_of(&self.net, N)
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
