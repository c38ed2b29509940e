# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What -DBPCORE_CHECKS compiles in: `if BP_CHECKS:` guards checks, and a `bp_require` that fails aborts the process."""

cdef extern from "_checks/checks.h" nogil:
    const bint BP_CHECKS
    void bp_require(bint condition, const char* what) noexcept
