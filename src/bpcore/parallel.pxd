"""What OpenMP allows, or one thread where it is not compiled in; and when a second thread is worth it."""

cdef extern from *:
    """
    #ifdef _OPENMP
    #include <omp.h>
    #define BP_OPENMP 1
    #else
    #define BP_OPENMP 0
    #define omp_get_max_threads() 1
    #endif
    """
    bint BP_OPENMP
    int omp_get_max_threads() noexcept nogil


cdef enum:
    WORTH_A_THREAD = 131072    # operations below which a parallel region, about 1 µs, costs more than it saves
