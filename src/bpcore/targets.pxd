# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Targets of the rows of a batch as a loss takes them, and the share that each row has in the loss.

a) The share of a row is its weight divided by the sum of the divisors of the batch, taken in the order of the rows in
   float64 and rounded once; where that sum is 0, all shares are. `backprop.layers.weighting` says what weights and
   divisors are.
b) Label smoothing and class weights turn a row t of weights, or the one-hot row of a label, into slope·t + rest·Σt,
   computed in float64 and rounded once; targets that are scaled are slope·t + rest. The twins are in that module too.
"""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.string cimport memcpy


cdef struct Targets:
    const int64_t* labels          # (steps, B) of the rows of each batch, in a checked copy; or NULL
    const int64_t* counted         # (steps, B) the class of each row, to count by, −1 for none; or NULL: by targets
    const void* weights            # (N, target_width) of the network's type, where there are no labels
    const void* shares             # (steps, B) of the network's type, or NULL: 1 / B of all
    const double* slope            # (outputs,) or NULL: targets stay as they are
    const double* rest             # (outputs,)
    bint are_numbers               # whether what is made of t is slope·t + rest


cdef inline Targets no_targets() noexcept nogil:
    return Targets(labels=NULL, counted=NULL, weights=NULL, shares=NULL, slope=NULL, rest=NULL, are_numbers=False)


cdef inline bint are_made(const Targets* targets) noexcept nogil:
    """Whether a batch has targets that are made of what is given."""
    return targets.slope is not NULL


cdef inline void gather_targets(
    const Targets* targets,
    const int64_t* labels,         # IN   (B,) or NULL
    const int64_t* indices,        # IN   (B,) of the rows in the data, or NULL: its first rows
    Py_ssize_t first,
    Py_ssize_t stop,
    Py_ssize_t K,
    floating* out,                 # OUT  rows `first` to `stop` of (B, K)
) noexcept nogil:
    cdef const floating* t = NULL
    cdef Py_ssize_t r
    for r in range(first, stop):
        if labels is NULL:
            t = <const floating*> targets.weights + (r if indices is NULL else indices[r]) * K
        if not are_made(targets):
            memcpy(out + r * K, t, K * sizeof(floating))
        elif labels is NULL:
            make_row(targets, t, out + r * K, K)
        else:
            make_row_of_label(targets, labels[r], out + r * K, K)


cdef inline void make_row(const Targets* targets, const floating* t, floating* out, Py_ssize_t K) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t k
    for k in range(K):
        total = total + t[k]
    if targets.are_numbers:
        total = 1
    for k in range(K):
        out[k] = <floating> (targets.slope[k] * t[k] + targets.rest[k] * total)


cdef inline void make_row_of_label(
    const Targets* targets, int64_t label, floating* out, Py_ssize_t K
) noexcept nogil:
    """A label that is none leaves numbers that nobody looks at: its row has no share."""
    cdef Py_ssize_t k
    for k in range(K):
        out[k] = <floating> targets.rest[k]
    if 0 <= label < K:
        out[label] = <floating> (targets.slope[label] + targets.rest[label])


cdef inline void share_out(
    const double* rows,            # IN   (N,) the weight of each row
    const double* divisors,        # IN   (N,)
    const int64_t* indices,        # IN   (B,), or NULL: the first B rows
    Py_ssize_t B,
    floating* shares,              # OUT  (B,)
) noexcept nogil:
    cdef double total = 0
    cdef Py_ssize_t r
    for r in range(B):
        total = total + divisors[r if indices is NULL else indices[r]]
    for r in range(B):
        shares[r] = <floating> (rows[r if indices is NULL else indices[r]] / total) if total > 0 else 0


cdef inline Py_ssize_t gather_shared_labels(
    const int64_t* labels,
    const int64_t* indices,        # IN   (count,), or NULL: the first `count` labels
    const floating* shares,        # IN   (count,)
    Py_ssize_t count,
    Py_ssize_t K,
    int64_t* out,                  # OUT  (count,)
) noexcept nogil:
    """Copy labels to memory that no other thread writes, and check the copies: those of rows with a share.

    Returns how many come before the first that is not within [0, K).
    """
    cdef Py_ssize_t r
    for r in range(count):
        out[r] = labels[r if indices is NULL else indices[r]]
        if not 0 <= out[r] < K:
            if shares[r] != 0:
                return r
            out[r] = -1
    return count
