# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What OpenMP allows, or one thread where it is not compiled in; and when a second thread is worth it.

A team is the threads of one parallel region. Each runs the same function with its rank, from 0, and the team's size,
and takes its part of the work; a barrier waits until all have come to it. One thread enters no region: a team of one
costs 0.7 µs.
"""

cimport bpcore._api    # which compares the headers with the .pxd files

cdef extern from "_parallel/team.h":
    bint BP_OPENMP
    int bp_max_threads() noexcept nogil
    int bp_team_size() noexcept nogil
    void bp_barrier() noexcept nogil
    int bp_place_team(int threads, bint may_give_way) noexcept nogil    # how many of them to use


cdef enum:
    SPAN = 2048    # elements that one task works on at once
    # Multiplications (about 8 µs of them; another operation counts as eight) below which a second thread costs more
    # than it saves. Two processors near each other meet in 0.4 µs, but a virtual machine's may be 5 µs apart.
    WORTH_A_THREAD = 1048576
    # The same where a call begins its own region. Where another process has the second processor, OpenMP's threads wait
    # for it by spinning, milliseconds a region: a short call would take a hundred times as long as on one thread.
    WORTH_A_REGION = 16777216
    # Multiplications (10 ms of them and more on one thread) with which a call does not leave processors to others.
    TOO_LONG_FOR_ONE = 1073741824
    # Multiplications of a thread between two looks at Ctrl-C: 35 ms at 15 thousand million a second.
    TURN = 536870912


cdef inline void barrier(int size) noexcept nogil:
    """Wait for the others, if there are any: a team of one may stand inside a region that is not ours."""
    if size > 1:
        bp_barrier()


cdef inline Py_ssize_t spans_of(Py_ssize_t n) noexcept nogil:
    """How many tasks n elements are: clang warns of what Cython makes of a prange with a step."""
    return (n + SPAN - 1) // SPAN


cdef inline int worth(int threads, double operations) noexcept nogil:
    """As many threads as work inside a region, or at a single kernel's door, is worth: all or one."""
    return threads if operations >= WORTH_A_THREAD else 1


cdef inline int worth_a_region(int threads, double operations) noexcept nogil:
    """As many threads as a whole call of a network is worth: all or one."""
    return threads if operations >= WORTH_A_REGION else 1


cdef inline Py_ssize_t chunk_start(Py_ssize_t n, int rank, int size, Py_ssize_t step) noexcept nogil:
    """Where the part of a rank begins if a team shares n things nearly equally, in whole steps."""
    return min((n + step - 1) // step * rank // size * step, n)
