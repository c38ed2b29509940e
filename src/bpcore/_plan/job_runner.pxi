# A job of a plan on its threads: how many these are, and what they share.

cdef int busy = 0    # threads that calls of this module are using


cdef class JobRunner(NetworkAddresses):
    """Runs jobs: each thread of a team does its part, as jobs.pxd says."""

    cdef inline int team(self, threads, int most, double work, int limit=0) except -1:
        """How many threads to use, settled; asks only when the work is worth more than one."""
        if most == 1 and threads is None:
            return 1
        threads = named(threads)
        return self.team_of(resolve(threads), threads is not None, most, work, limit)

    cdef inline int team_of(self, int asked, bint is_named, int most, double work, int limit) noexcept:
        """The same of a number that is known. Nothing of Python runs here, so no handler of a signal does.

        Calls that run at the same time, from several threads of Python, share what there is. `limit` is 0 or what was
        measured to be best.
        """
        cdef int allowed = bp_max_threads(), number = min(asked, allowed)
        cdef bint may_give_way = not is_named and work < FEWER_THREADS_MAX_OPERATIONS
        number = max(1, min(number, (allowed if is_named else number) - busy)) if most > 1 else 1
        if limit > 0:
            number = min(number, limit)
        if number > 1:
            with nogil:
                number = bp_place_team(number, may_give_way)
        return number

    cdef inline Job job_of(self, Task task) except *:
        """A job that nothing is known of yet; whoever runs it has looked at the parameters."""
        cdef Job job
        job.task, job.net, job.given, job.memory, job.N = task, &self.net, NULL, NULL, 0
        job.batch, job.stays, job.copies, job.out, job.dout = NULL, False, False, NULL, NULL
        job.sparse = NULL
        return job

    cdef inline void run(self, Job* job, int threads, Py_ssize_t first) noexcept:
        """Run a job on the data from row `first` on."""
        global busy
        job.source = self.source
        job.source.typecode, job.source.sparse = job.data.typecode, job.sparse
        job.source.x = <char*> job.data.data + first * job.data.columns * itemsize_of(job.data.typecode)
        busy += threads
        with nogil:
            if threads <= 1:
                self.part(job, 0, 1)
            else:
                with parallel(num_threads=threads):
                    self.part(job, threadid(), bp_team_size())
        busy -= threads

    cdef inline void part(self, const Job* job, int rank, int size) noexcept nogil:
        if self.letter == c"f":
            part_of_job(job, <float> 0, rank, size)
        else:
            part_of_job(job, <double> 0, rank, size)
