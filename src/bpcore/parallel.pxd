"""What OpenMP allows, or one thread where it is not compiled in; and when a second thread is worth it.

A team is the threads of one parallel region. Each runs the same function with its rank, from 0, and the team's size,
and takes its part of the work; a barrier waits until all have come to it. One thread enters no region: a team of one
costs 0.7 µs.

Before its region a team that has rested is settled. Systems that wake a thread on the processor of the one that woke it
leave a team together there: one works while the other waits, spinning, until its slice of milliseconds is over; so each
that finds its processor taken moves to a free one of those it may use. And where it took long to get all of them
running, others use their processors, such as the threads of NumPy's BLAS, which spin for 0.1 s after each product: then
one thread does the work for that long, and takes nothing from them.
"""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define BP_OPENMP 1
    static inline void bp_barrier(void) { _Pragma("omp barrier") }
    #else
    #define BP_OPENMP 0
    #define omp_get_max_threads() 1
    #define omp_get_num_threads() 1
    static inline void bp_barrier(void) {}
    #endif

    #if defined(_OPENMP) && defined(__linux__)
    #include <sched.h>

    static __thread double bp_last = -1, bp_taken_until = -1;
    static __thread int bp_known;

    /* Its affinity is as before when a thread has moved: a narrower one, for a moment, is what moves it. */
    static inline __attribute__((cold)) void bp_move_from(cpu_set_t* taken) {
        cpu_set_t mine, both, rest;
        if (CPU_ISSET(sched_getcpu(), taken) && !sched_getaffinity(0, sizeof mine, &mine)) {
            CPU_AND(&both, &mine, taken);
            CPU_XOR(&rest, &mine, &both);
            if (CPU_COUNT(&rest) > 0 && !sched_setaffinity(0, sizeof rest, &rest))
                sched_setaffinity(0, sizeof mine, &mine);
        }
        CPU_SET(sched_getcpu(), taken);
    }

    static __attribute__((cold, noinline, unused)) int bp_settle(int threads) {
        double now = omp_get_wtime(), since = now - bp_last;
        int arrived = 1, known = threads <= bp_known;
        cpu_set_t taken;
        if (now < bp_taken_until)
            return 1;
        bp_last = now;
        /* Threads of a team spin for milliseconds after it before they sleep, each where it was. */
        if (since < 2e-4 && known)
            return threads;
        bp_known = threads;
        CPU_ZERO(&taken);
        CPU_SET(sched_getcpu(), &taken);
        _Pragma("omp parallel num_threads(threads)")
        if (omp_get_thread_num() > 0) {
            _Pragma("omp critical(bp_settle)")
            bp_move_from(&taken);
            __atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
        } else
            while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < omp_get_num_threads())
                sched_yield();
        if (!known || omp_get_wtime() - now < 5e-4)
            return threads;
        bp_taken_until = now + 0.1;
        return 1;
    }
    #else
    static inline int bp_settle(int threads) { return threads; }
    #endif
    """
    bint BP_OPENMP
    int omp_get_max_threads() noexcept nogil
    int omp_get_num_threads() noexcept nogil
    void bp_barrier() noexcept nogil
    int bp_settle(int threads) noexcept nogil    # how many of them to use now


cdef enum:
    SPAN = 2048    # elements that one task works on at once
    # Multiplications (about 8 µs of them; another operation counts as eight) below which a second thread costs more
    # than it saves. Two processors near each other meet in 0.4 µs, but a virtual machine's may be 5 µs apart.
    WORTH_A_THREAD = 1048576
    # The same where a call begins its own region. Where another process has the second processor, OpenMP's threads wait
    # for it by spinning, milliseconds a region: a short call would take a hundred times as long as on one thread.
    WORTH_A_REGION = 16777216


cdef inline void wait_for_team(int size) noexcept nogil:
    """Wait for the others, if there are any: a team of one may stand inside a region that is not ours."""
    if size > 1:
        bp_barrier()


cdef inline int worth(int threads, double operations) noexcept nogil:
    """As many threads as work inside a region, or at a single kernel's door, is worth: all or one."""
    return threads if operations >= WORTH_A_THREAD else 1


cdef inline int worth_a_region(int threads, double operations) noexcept nogil:
    """As many threads as a whole call of a network is worth: all or one."""
    return threads if operations >= WORTH_A_REGION else 1


cdef inline Py_ssize_t share(Py_ssize_t n, int rank, int size, Py_ssize_t step) noexcept nogil:
    """Where the part of a rank begins if a team shares n things nearly equally, in whole steps."""
    return min((n + step - 1) // step * rank // size * step, n)
