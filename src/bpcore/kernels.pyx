"""The doors to the kernels: typed memoryviews in, sizes checked, the GIL released once, the loop called.

a) Inputs first, outputs last and allocated by the caller; every element of an output is written, no input is. An
   output overlaps nothing else, unless the door says that it may be an input itself.
b) float32 and float64, one type a call. Matrices are two-dimensional; elementwise kernels take any contiguous
   array as one run (`a.reshape(-1)`).
c) `threads=None` means the process's default; small work stays on one thread.
d) What is wrong with a call is put into words by bpcore.doors.
e) The doors to a .pxd file stand in the .pxi file of its name.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer,
)
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
from bpcore.buffers cimport draw_labels, shaped
from bpcore.overlaps cimport Span, everything, matrix, meet, meet_in_part, run, span
from bpcore.parallel cimport BP_OPENMP, SPAN, TOO_LONG_FOR_ONE, WORTH_A_THREAD, bp_settle, bp_max_threads
from bpcore.simd cimport (
    BP_TILE_ROWS, BP_TILE_VECTORS, BP_VECTOR_BYTES, bp_multiply_adds, bp_multiply_addsf, exp_span, sigmoid_span,
    tanh_span,
)

from bpcore.doors import door
from bpcore.threads import named, resolve, whole_number

cdef enum:
    MOST_ROUNDS = 1000000000    # seconds of multiply_adds, which nothing interrupts


cdef int count(object threads, double operations) except -1:
    """How many threads to use; asks only when the work is worth it or the caller said a number."""
    if threads is None and operations < WORTH_A_THREAD:
        return 1
    threads = named(threads)
    cdef int number = min(resolve(threads), bp_max_threads())    # as Python's numbers, which are of any size
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


def multiply_adds(dtype, rounds, threads=1):
    """Do nothing but fused multiply-adds in registers, on each of `threads` threads; returns how many operations.

    What the processor can do at most: the floor under everything that is measured. A multiply-add counts as two.
    `dtype` is "float32" or "float64", `rounds` 1 to 10^9, and `threads` at most what OpenMP allows.
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"multiply_adds: dtype is {dtype!r}, wanted 'float32' or 'float64'")
    if whole_number("multiply_adds: rounds", rounds) > MOST_ROUNDS:
        raise ValueError(f"multiply_adds: rounds is {rounds}, wanted at most {MOST_ROUNDS}")
    if whole_number("multiply_adds: threads", threads) > bp_max_threads():
        raise ValueError(f"multiply_adds: threads is {threads}, wanted at most {bp_max_threads()}, as OpenMP allows")
    cdef Py_ssize_t lanes = BP_VECTOR_BYTES // (4 if dtype == "float32" else 8), each = rounds
    cdef bint single = dtype == "float32"
    cdef double total = 0
    cdef int number = threads, _rank
    with nogil:
        for _rank in prange(number, num_threads=number, schedule="static"):
            total += bp_multiply_addsf(each) if single else bp_multiply_adds(each)
    if total != total:
        raise ArithmeticError("multiply_adds: the sums are no numbers")
    return 2 * number * each * BP_TILE_ROWS * BP_TILE_VECTORS * lanes


cdef int separate(bint overlap) except -1:
    if overlap:
        raise ValueError("an output overlaps another array")
    return 0


ctypedef void (*SingleSpan)(Py_ssize_t, const float*, float*) noexcept nogil
ctypedef void (*DoubleSpan)(Py_ssize_t, const double*, double*) noexcept nogil


cdef int unary(x, out, threads, SingleSpan of_single, DoubleSpan of_double) except -1:
    """out = f(x) for vectors, f given by its loop over each type; `out` may be `x`.

    Through the buffers themselves: typed memoryviews of a fused type cost more than the loop over a thousand numbers.
    """
    cdef Py_buffer source, target
    PyObject_GetBuffer(x, &source, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
    try:
        PyObject_GetBuffer(out, &target, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | PyBUF_WRITABLE)
        try:
            unary_of_buffers(&source, &target, threads, of_single, of_double)
        finally:
            PyBuffer_Release(&target)
    finally:
        PyBuffer_Release(&source)
    return 0


cdef int unary_of_buffers(
    const Py_buffer* x, const Py_buffer* out, threads, SingleSpan of_single, DoubleSpan of_double
) except -1:
    cdef char letter = x.format[0]
    cdef Py_ssize_t n = x.shape[0] if x.ndim == 1 else 0, i
    agree(letter in (c"f", c"d") and x.format[1] == 0 and x.ndim == 1 and shaped(out, letter, 1, n, n))
    separate(n > 0 and meet_in_part(span(out.buf, out.len, out.itemsize), span(x.buf, x.len, x.itemsize)))
    cdef int number = team(threads, n)
    with nogil:
        if number == 1 and letter == c"f":
            of_single(n, <const float*> x.buf, <float*> out.buf)
        elif number == 1:
            of_double(n, <const double*> x.buf, <double*> out.buf)
        else:
            for i in prange(0, n, SPAN, num_threads=number, schedule="static"):
                if letter == c"f":
                    of_single(min(<Py_ssize_t> SPAN, n - i), <const float*> x.buf + i, <float*> out.buf + i)
                else:
                    of_double(min(<Py_ssize_t> SPAN, n - i), <const double*> x.buf + i, <double*> out.buf + i)
    return 0


cdef Span mask_of(const unsigned char[::1] mask) noexcept:
    return span(NULL if mask.shape[0] == 0 else &mask[0], mask.shape[0], 1)


include "affine.pxi"
include "activations.pxi"
include "losses.pxi"
include "elementwise.pxi"
include "updates.pxi"
