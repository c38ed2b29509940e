# Private: the version of the declarations. Written by tools/api_version.py.

cdef extern from *:
    """
    #include "_api/version.h"
    #if BPCORE_DECLARATIONS != 0x4BABD2B
    #error "bpcore's .pxd files and C headers are of two versions: compile with -I of the bpcore that Cython has read."
    #endif
    """
    const int BPCORE_API_VERSION
