# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The losses of a network: of each row its loss, and the gradient of what the last layer gives out.

`loss_rows` tells losses apart, nothing else does. A new one has its loops in a file of its own in _losses, a
constructor here, and a line in `loss_rows`.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from bpcore._losses.huber cimport huber_rows
from bpcore._losses.softmax cimport softmax_cross_entropy_rows
from bpcore._losses.squared_error cimport squared_error_rows
from bpcore._parallel.team cimport chunk_start
from bpcore.reductions cimport mean_of

cdef enum LossKind:
    SOFTMAX_CROSS_ENTROPY = 0
    SQUARED_ERROR = 1
    HUBER = 2
    LOSSES = 3    # how many there are


cdef struct Loss:
    # Made by the functions below.
    LossKind kind
    double option    # a number that the loss takes, 0 where it takes none


cdef inline Loss cross_entropy_loss() noexcept nogil:
    """−Σ t·log softmax(x), of labels or weights."""
    return Loss(kind=SOFTMAX_CROSS_ENTROPY, option=0)


cdef inline Loss squared_error_loss() noexcept nogil:
    """Σ (x − t)² / 2, of numbers."""
    return Loss(kind=SQUARED_ERROR, option=0)


cdef inline Loss huber_loss(double delta) noexcept nogil:
    """(x − t)² / 2 up to |x − t| = delta, delta·(|x − t| − delta / 2) beyond, summed; of numbers."""
    return Loss(kind=HUBER, option=delta)


cdef inline const char* loss_name(int kind) noexcept nogil:
    """What Python calls it."""
    return (
        "softmax" if kind == SOFTMAX_CROSS_ENTROPY else "squared_error" if kind == SQUARED_ERROR
        else "huber" if kind == HUBER else ""
    )


cdef inline const char* loss_option(int kind) noexcept nogil:
    """The name of the number that it takes; nothing where it takes none."""
    return "delta" if kind == HUBER else ""


cdef inline bint takes_labels(LossKind kind) noexcept nogil:
    """Whether targets are classes: labels, or a weight for each class."""
    return kind == SOFTMAX_CROSS_ENTROPY


cdef inline void loss_rows(
    const Loss* loss,
    const floating* x,             # IN   (rows, K), `stride` numbers from one row to the next
    const int64_t* labels,         # IN   (rows,) each in [0, K), or NULL
    const floating* targets,       # IN   (rows, K) without gaps, where there are no labels
    floating* dx,                  # OUT  (rows, K) like x; of a loss of numbers it may be NULL: no gradient
    double* losses,                # OUT  (rows,)
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
    floating scale,                # dout / B
) noexcept nogil:
    if loss.kind == SQUARED_ERROR:
        squared_error_rows(x, targets, dx, losses, stride, rows, K, scale)
    elif loss.kind == HUBER:
        huber_rows(x, targets, dx, losses, stride, rows, K, scale, loss.option)
    else:
        # The probabilities are written where the gradient then takes their place.
        softmax_cross_entropy_rows(x, labels, targets, dx, dx, losses, stride, rows, K, scale)


cdef inline double mean_loss(
    const Loss* loss,              # one of numbers
    const floating* x,             # IN   (B, K), B > 0, K > 0
    const floating* t,             # IN   (B, K)
    floating* dx,                  # OUT  (B, K), or NULL: no gradient; may be x or t
    double* losses,                # OUT  (B,)
    Py_ssize_t B,
    Py_ssize_t K,
    floating dout,
    int threads,
) noexcept nogil:
    """Returns the mean of the rows' losses; dx is its gradient times dout."""
    cdef Py_ssize_t first
    cdef int rank
    if threads <= 1:
        loss_rows(loss, x, NULL, t, dx, losses, K, B, K, dout / <floating> B)
        return mean_of(losses, B)
    for rank in prange(threads, num_threads=threads, schedule="static"):
        first = chunk_start(B, rank, threads, 16)
        loss_rows(
            loss, x + first * K, NULL, t + first * K, <floating*> NULL if dx is NULL else dx + first * K,
            losses + first, K, chunk_start(B, rank + 1, threads, 16) - first, K, dout / <floating> B,
        )
    return mean_of(losses, B)
