/* OpenMP, or one thread where it is not compiled in; and the placement of a team's threads before its region.

   A system that wakes a thread on the processor of the one that woke it leaves a team's threads on one processor: one
   works while the other waits, spinning, until its time slice of milliseconds is over. So the threads of a team that has
   slept are placed: each whose processor is taken moves to a free one of those it may use.

   Where it takes long until all of them run, other threads use the processors, such as those of NumPy's BLAS, which spin
   for 0.1 s after each product. A call that may use fewer threads then works on one, and so do the calls that follow for
   up to that long: they do not compete with the others and do not wait for them. */

#ifdef _OPENMP
#include <omp.h>
#define BP_OPENMP 1
static inline int bp_max_threads(void) { return omp_get_max_threads(); }
static inline int bp_team_size(void) { return omp_get_num_threads(); }
static inline void bp_barrier(void) { _Pragma("omp barrier") }
#else
#define BP_OPENMP 0
static inline int bp_max_threads(void) { return 1; }
static inline int bp_team_size(void) { return 1; }
static inline void bp_barrier(void) {}
#endif

#if defined(_OPENMP) && defined(__linux__)
#include <sched.h>
#endif
/* Processors are only named where _GNU_SOURCE is defined, as Python.h and C++ do. */
#if defined(_OPENMP) && defined(CPU_SET)
/* Of each thread that begins regions, in each module: when it last placed a team, of how many threads, and until when it
   works alone. */
static __thread double bp_placed_at = -1, bp_alone_until = -1;
static __thread int bp_placed_threads;

/* A narrower affinity moves the thread; then its affinity is restored. */
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

/* Returns how many of the threads to use. */
static __attribute__((cold, noinline, unused)) int bp_place_team(int threads, int may_use_fewer) {
    double now = omp_get_wtime(), since = now - bp_placed_at, waited;
    int arrived = 1, known = threads <= bp_placed_threads;
    cpu_set_t taken;
    if (may_use_fewer && now < bp_alone_until)
        return 1;
    bp_placed_at = now;
    /* By default threads spin for milliseconds after a region before they sleep, each where it was. */
    if (since < 2e-4 && known)
        return threads;
    bp_placed_threads = threads;
    CPU_ZERO(&taken);
    CPU_SET(sched_getcpu(), &taken);
    _Pragma("omp parallel num_threads(threads)")
    if (omp_get_thread_num() > 0) {
        _Pragma("omp critical(bp_place_team)")
        bp_move_from(&taken);
        __atomic_add_fetch(&arrived, 1, __ATOMIC_RELEASE);
    } else
        while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < omp_get_num_threads())
            sched_yield();
    waited = omp_get_wtime() - now;
    /* Waking takes 0.1 to 0.3 ms and some microseconds a thread, a slice of the system's 1.4 ms and more; a thread that
       is new takes as long as that. */
    if (!may_use_fewer || !known || waited < 1e-3 + 3e-5 * threads)
        return threads;
    bp_alone_until = now + (waited < 1. / 300 ? 30 * waited : 0.1);
    return 1;
}
#else
static inline int bp_place_team(int threads, int may_use_fewer) { (void) may_use_fewer; return threads; }
#endif
