# On how many threads a loop takes its steps, where nobody has named a number, and whether these share the columns of
# wide layers: it is measured.
#
# a) A second thread may cost more than it saves: the cores may be far apart, busy, or more than the work has parts.
#    None of this is known beforehand. Results do not depend on it, so a loop tries several ways on its first steps.
# b) From all threads down by halves, each way some times for a millisecond or more: threads must first wake. It stops
#    where fewer threads take longer; one thread is always tried where a step is short.
# c) What else runs on the machine changes. The steps that follow are measured too: where they take longer than another
#    way did, that one is used from then on, and after some seconds all is tried again.

cdef double TRIAL_SECONDS = 1.5e-3    # of steps, at least
cdef double SHORT_STEP = 1e-3         # seconds of a step, for which one thread is tried in any case
cdef double LONG_STEP = 1e-2          # seconds of a step, which is measured twice, and the shorter time counts
cdef double VALID_SECONDS = 10        # of training
cdef double WORSE = 1.05              # times as long, from which on another way is used


cdef class Tuning:
    """Which way takes the least time for a step; a loop asks, and says how long its steps took.

    Parameters
    ----------
    most : int
        The largest number of threads.
    is_exact : bool
        Whether it is also the only one.
    is_wide : bool
        Whether there are columns to share.

    Attributes
    ----------
    threads, column_parts : int
        For the steps that come next.
    is_trying : bool
        Whether it is being tried what is best.
    seconds : dict of (int, int) to float
        Of a step, for each pair of these that was tried when it was last decided; empty before that.
    best : (int, int) or None
        The pair of the least seconds.
    """

    cdef readonly dict seconds
    cdef readonly int threads, column_parts, most
    cdef readonly bint is_trying, is_exact, is_wide
    cdef dict tried                # `seconds` of what is going on
    cdef list trials               # seconds of a step, of the way that is being tried
    cdef list parts                # those that are still to be tried with as many threads
    cdef Py_ssize_t steps          # that were taken since something was measured,
    cdef double spent              # and the seconds that they took
    cdef double last, since        # seconds of a step of the last call; of training since it was decided

    def __cinit__(self, int most, bint is_exact=False, bint is_wide=False):
        self.most, self.is_exact, self.is_wide, self.last = most, is_exact, is_wide, 0
        self.seconds = {}
        self.begin()

    @property
    def best(self):
        return min(self.seconds, key=self.seconds.__getitem__) if self.seconds else None

    cdef int begin(self) except -1:
        self.tried, self.is_trying = {}, True
        self.take(self.most)
        return 0

    cdef int take(self, int threads) except -1:
        """Try so many threads next: first by rows, then in as many parts of columns, then in a grid of both."""
        cdef int root = 2
        self.parts = [1]
        self.threads = threads
        if self.is_wide and threads > 1:
            self.parts.append(threads)
            while 2 * root * root <= threads:
                root *= 2
            if root < threads and threads % root == 0:
                self.parts.append(root)
        self.take_parts()
        return 0

    cdef int take_parts(self) except -1:
        self.column_parts, self.trials = self.parts.pop(0), []
        self.steps, self.spent = 0, 0
        return 0

    cpdef Py_ssize_t count(self, Py_ssize_t left) noexcept:
        """How many of the steps that are left to take at once."""
        if not self.is_trying:
            return left
        cdef double wanted = TRIAL_SECONDS / self.last if self.last > 0 else 1
        # Fewer would be run without the padded layout, and take longer than those that follow.
        return min(left, max(LEAST_STEPS, <Py_ssize_t> min(wanted, 1e9)) if wanted > 1 else 1)

    cpdef int record(self, Py_ssize_t steps, double seconds) except -1:
        """So many steps took so long, done as `threads` and `column_parts` say."""
        cdef double step
        self.last = max(seconds / steps, 1e-9)
        self.steps += steps
        self.spent += seconds
        self.since += seconds
        if self.spent < TRIAL_SECONDS / 2:    # too short to tell
            return 0
        step = self.spent / self.steps
        self.steps, self.spent = 0, 0
        if not self.is_trying:
            self.watch(step)
            return 0
        self.trials.append(step)
        if len(self.trials) >= (2 if min(self.trials) > LONG_STEP else 3):
            self.tried[self.threads, self.column_parts] = sorted(self.trials)[(len(self.trials) - 1) // 2]
            self.choose()
        return 0

    cdef int choose(self) except -1:
        """What to try next, or that it is decided."""
        cdef tuple best = min(self.tried, key=self.tried.__getitem__)
        if self.parts:
            self.take_parts()
        elif self.threads > 1 and not self.is_exact and (
            best[0] == self.threads or self.tried[best] < SHORT_STEP
        ):
            self.take(max(self.threads // 2, 1))
        else:
            self.seconds, self.is_trying, self.since = self.tried, False, 0
            self.threads, self.column_parts = best
        return 0

    cdef int watch(self, double step) except -1:
        """Whether the way that was chosen still is the best."""
        cdef tuple way = (self.threads, self.column_parts), best
        self.seconds[way] = 0.75 * self.seconds[way] + 0.25 * step
        best = self.best
        if self.seconds[way] > WORSE * self.seconds[best]:
            self.threads, self.column_parts = best
        if self.since > VALID_SECONDS:
            self.begin()
        return 0
