"""The doors to the kernels: typed memoryviews in, sizes checked, the GIL released once, the loop called.

a) Inputs first, outputs last and allocated by the caller; every element of an output is written, no input is. An
   output overlaps nothing else, unless the door says that it may be an input itself.
b) float32 and float64, one type a call. Matrices are two-dimensional; elementwise kernels take any contiguous
   array as one run (`a.reshape(-1)`).
c) `threads=None` means the process's default; small work stays on one thread.
d) What is wrong with a call is put into words by bpcore.doors.
e) The doors to a .pxd file stand in the .pxi file of its name.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

cimport bpcore.activations as activations
cimport bpcore.affine as affine
cimport bpcore.elementwise as elementwise
cimport bpcore.reductions as reductions
cimport bpcore.softmax as rows
cimport bpcore.squared_error as squares
from bpcore.overlaps cimport Span, everything, matrix, meet, meet_in_part, run, span
from bpcore.parallel cimport BP_OPENMP, TOO_LONG_FOR_ONE, WORTH_A_THREAD, bp_settle, bp_max_threads
from bpcore.simd cimport BP_TILE_ROWS, BP_TILE_VECTORS, BP_VECTOR_BYTES, bp_multiply_adds, bp_multiply_addsf

from bpcore.doors import door
from bpcore.threads import named, resolve


cdef int count(object threads, double operations) except -1:
    """How many threads to use; asks only when the work is worth it or the caller said a number."""
    if threads is None and operations < WORTH_A_THREAD:
        return 1
    threads = named(threads)
    cdef int number = min(<Py_ssize_t> resolve(threads), <Py_ssize_t> bp_max_threads())
    if number == 1 or operations < WORTH_A_THREAD:
        return 1
    cdef bint may_give_way = threads is None and operations < TOO_LONG_FOR_ONE
    with nogil:
        number = bp_settle(number, may_give_way)
    return number


cdef int team(object threads, Py_ssize_t elements) except -1:
    """The same for so many elements; what is done to one costs as much as eight multiplications."""
    return count(threads, 8.0 * elements)


cdef int agree(bint sizes) except -1:
    if not sizes:
        raise ValueError("sizes do not agree")
    return 0


def has_threads():
    """Whether OpenMP is compiled in."""
    return BP_OPENMP


def multiply_adds(str dtype, Py_ssize_t rounds, int threads=1):
    """Do nothing but fused multiply-adds in registers, on each of `threads` threads; returns how many operations.

    What the processor can do at most: the floor under everything that is measured. A multiply-add counts as two.
    """
    cdef Py_ssize_t lanes = BP_VECTOR_BYTES // (4 if dtype == "float32" else 8)
    cdef bint single = dtype == "float32"
    cdef double total = 0
    cdef int _rank
    with nogil:
        for _rank in prange(threads, num_threads=threads, schedule="static"):
            total += bp_multiply_addsf(rounds) if single else bp_multiply_adds(rounds)
    if total != total:
        raise ArithmeticError("multiply_adds: the sums are no numbers")
    return 2 * threads * rounds * BP_TILE_ROWS * BP_TILE_VECTORS * lanes


cdef int separate(bint overlap) except -1:
    if overlap:
        raise ValueError("an output overlaps another array")
    return 0


cdef Span mask_of(const unsigned char[::1] mask) noexcept:
    return span(NULL if mask.shape[0] == 0 else &mask[0], mask.shape[0], 1)


include "affine.pxi"
include "activations.pxi"
include "losses.pxi"
include "elementwise.pxi"
include "updates.pxi"
