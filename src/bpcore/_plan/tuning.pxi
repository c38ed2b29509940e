# How many threads the steps of a loop use, where nobody has named a number: it is measured.
#
# a) A second thread may cost more than it saves: the cores may be far apart, busy, or more than the work has parts.
#    None of this is known beforehand. Results do not depend on the number, so a loop tries several on its first steps.
# b) From all threads down by halves, each some times for a millisecond or more, of which the median counts: threads
#    must first wake. It stops where fewer take longer; one thread is always tried where a step is short.
# c) What else runs on the machine changes. The steps that follow are measured too: where they take longer than another
#    number did, that one is used from then on, and after some seconds all is tried again.

cdef enum:
    TRIALS = 3                        # of each number

cdef double TRIAL_SECONDS = 1.5e-3    # of steps, at least
cdef double SHORT_STEP = 1e-3         # seconds of a step, for which one thread is tried in any case
cdef double VALID_SECONDS = 10        # of training
cdef double WORSE = 1.05              # times as long, from which on another number is used


cdef class Tuning:
    """Which number of threads takes the least time for a step; a loop asks, and says how long its steps took.

    Parameters
    ----------
    most : int
        The largest number.

    Attributes
    ----------
    threads : int
        For the steps that come next.
    seconds : dict of int to float
        Of a step, for each number that was tried.
    is_trying : bool
        Whether it is not yet decided.
    """

    cdef readonly dict seconds
    cdef readonly int threads, most
    cdef readonly bint is_trying
    cdef list trials               # seconds of a step, of the number that is being tried
    cdef double last, since        # seconds of a step when it was last measured; of training since the last trial

    def __cinit__(self, int most):
        self.most, self.last = most, 0
        self.begin()

    cdef int begin(self) except -1:
        self.seconds, self.trials = {}, []
        self.threads, self.since, self.is_trying = self.most, 0, True
        return 0

    cpdef Py_ssize_t count(self, Py_ssize_t left) noexcept:
        """How many of the steps that are left to take at once."""
        if not self.is_trying:
            return left
        cdef double wanted = TRIAL_SECONDS / self.last if self.last > 0 else 1
        # Fewer would be run without the padded layout, and take longer than those that follow.
        return min(left, max(LEAST_STEPS, <Py_ssize_t> min(wanted, 1e9)) if wanted > 1 else 1)

    cpdef int record(self, Py_ssize_t steps, double seconds) except -1:
        """So many steps took so long on `threads` threads."""
        self.last = max(seconds / steps, 1e-9)
        self.since += seconds
        if not self.is_trying:
            self.watch()
        elif seconds > TRIAL_SECONDS / 2:    # else its length was a guess, or few steps were left
            self.trials.append(self.last)
            if len(self.trials) == TRIALS:
                self.seconds[self.threads] = sorted(self.trials)[TRIALS // 2]
                self.trials = []
                self.choose()
        return 0

    cdef int choose(self) except -1:
        """What to try next, or that it is decided."""
        cdef int best = min(self.seconds, key=self.seconds.__getitem__)
        if self.threads > 1 and (best == self.threads or self.seconds[best] < SHORT_STEP):
            self.threads = max(self.threads // 2, 1)
        else:
            self.threads, self.is_trying, self.since = best, False, 0
        return 0

    cdef int watch(self) except -1:
        """Whether the number that was chosen still is the best."""
        cdef double now = 0.75 * self.seconds[self.threads] + 0.25 * self.last
        self.seconds[self.threads] = now
        cdef int best = min(self.seconds, key=self.seconds.__getitem__)
        if now > WORSE * self.seconds[best]:
            self.threads = best
        if self.since > VALID_SECONDS:
            self.begin()
        return 0
