# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""OpenMP, or one thread where it is not compiled in; and for how much work several threads are used.

A team is the threads of one parallel region. Each runs the same function with its rank, from 0, and the team's size,
and does its part of the work; a barrier waits for all of them. One thread enters no region: a team of one costs 0.7 µs.
"""

cimport bpcore._api    # which compares the headers with the .pxd files

cdef extern from "_parallel/team.h":
    bint BP_OPENMP
    int bp_max_threads() noexcept nogil
    int bp_team_size() noexcept nogil
    void bp_barrier() noexcept nogil
    int bp_place_team(int threads, bint may_use_fewer) noexcept nogil    # how many of them to use


cdef enum:
    SPAN = 2048    # elements of one task
    # Multiplications (about 8 µs of them; another operation counts as eight) below which a second thread costs more
    # than it saves. A barrier of two neighbouring processors takes 0.4 µs, but a virtual machine's may take 5 µs.
    THREAD_MIN_OPERATIONS = 1048576
    # The same where a call begins its own region. Where another process runs on the second processor, OpenMP's threads
    # spin for milliseconds a region: a short call would take a hundred times as long as on one thread.
    REGION_MIN_OPERATIONS = 16777216
    # Multiplications (10 ms of them and more on one thread) from which on a call does not wait for busy processors by
    # working on one thread (team.h).
    FEWER_THREADS_MAX_OPERATIONS = 1073741824
    # Multiplications of a thread between two checks for Ctrl-C: 35 ms at 15 thousand million a second.
    OPERATIONS_PER_CHECK = 536870912


cdef inline void barrier(int size) noexcept nogil:
    """Wait for the other threads, if there are any: a team of one may run inside a region that is not ours."""
    if size > 1:
        bp_barrier()


cdef inline Py_ssize_t spans_of(Py_ssize_t n) noexcept nogil:
    """How many tasks n elements are. clang warns of the C that Cython makes of a prange with a step."""
    return (n + SPAN - 1) // SPAN


cdef inline int threads_for_kernel(int threads, double operations) noexcept nogil:
    """How many threads to use for work inside a region, or for a single kernel: all or one."""
    return threads if operations >= THREAD_MIN_OPERATIONS else 1


cdef inline int threads_for_region(int threads, double operations) noexcept nogil:
    """How many threads to use for a call of a network, which begins a region: all or one."""
    return threads if operations >= REGION_MIN_OPERATIONS else 1


cdef inline Py_ssize_t chunk_start(Py_ssize_t n, int rank, int size, Py_ssize_t step) noexcept nogil:
    """Where the chunk of a rank begins if a team shares n items nearly equally, in multiples of `step`."""
    return min((n + step - 1) // step * rank // size * step, n)
