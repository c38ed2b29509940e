# Evaluation: scores of rows, and how many of these are right.

cdef class Evaluation(JobRunner):
    """Outputs and counts of any number of rows, in memory of each call's own."""

    def predict(self, x):
        """What the last layer gives out for every row of x, in a new array.

        None if x cannot be read as it is, or the network is no longer made of what the plan was made of.
        """
        if not self.fits():
            return None
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
        self.require_unchanged(NPY_ARRAY_CARRAY_RO)
        _pinned = [held(x), held(out)]
        open_rows(x, &job.data, self.inputs)
        try:
            self.run_predict(&job, out, threads)
        finally:
            PyBuffer_Release(&job.data)

    cdef inline int run_predict(self, Job* job, out, threads) except -1:
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
        self.require_unchanged(NPY_ARRAY_CARRAY_RO)
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

    cdef inline Py_ssize_t evaluate(self, Job* job, threads) except -1:
        """Run an evaluation on memory of its own; returns the sum of what the ranks counted."""
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs, N = job.data.shape[0], first = 0, count = 0
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
