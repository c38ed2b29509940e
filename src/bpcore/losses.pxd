# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The losses of a network: of each row its loss, and the gradient of what the last layer gives out.

`loss_rows` tells losses apart, nothing else does. One of numbers has its loop in _simd/losses.h, and a name and a
constructor here. `target_width` says how many targets a row of outputs has.
"""

from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t

from bpcore._losses.softmax cimport softmax_cross_entropy_rows
from bpcore._parallel.team cimport chunk_start
from bpcore._simd.simd cimport log
from bpcore.reductions cimport loss_of

cdef extern from "_simd/simd.h" nogil:
    enum LossKind "bp_loss":
        SOFTMAX_CROSS_ENTROPY "BP_SOFTMAX_CROSS_ENTROPY"
        SQUARED_ERROR "BP_SQUARED_ERROR"
        HUBER "BP_HUBER"
        ABSOLUTE_ERROR "BP_ABSOLUTE_ERROR"
        LOG_COSH "BP_LOG_COSH"
        QUANTILE "BP_QUANTILE"
        BINARY_CROSS_ENTROPY "BP_BINARY_CROSS_ENTROPY"
        POISSON "BP_POISSON"
        GAUSSIAN_NLL "BP_GAUSSIAN_NLL"
        LOSSES "BP_COUNT_OF_LOSSES"

    # The name ends in f for float32.
    void bp_loss_rowsf(
        int loss, const float* x, const float* t, const float* shares, float* dx, double* losses, Py_ssize_t stride,
        Py_ssize_t rows, Py_ssize_t T, float scale, float a, float b
    ) noexcept
    void bp_loss_rows(
        int loss, const double* x, const double* t, const double* shares, double* dx, double* losses,
        Py_ssize_t stride, Py_ssize_t rows, Py_ssize_t T, double scale, double a, double b
    ) noexcept


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


cdef inline Loss absolute_error_loss() noexcept nogil:
    """Σ |x − t|, of numbers; its gradient where they are equal is 0."""
    return Loss(kind=ABSOLUTE_ERROR, option=0)


cdef inline Loss log_cosh_loss() noexcept nogil:
    """Σ log(cosh(x − t)), of numbers."""
    return Loss(kind=LOG_COSH, option=0)


cdef inline Loss quantile_loss(double quantile) noexcept nogil:
    """Σ quantile·(t − x) where x is below t, (1 − quantile)·(x − t) beyond, of numbers; quantile is between 0 and 1."""
    return Loss(kind=QUANTILE, option=quantile)


cdef inline Loss binary_cross_entropy_loss() noexcept nogil:
    """−Σ t·log σ(x) + (1 − t)·log(1 − σ(x)), σ the sigmoid; of numbers from 0 to 1."""
    return Loss(kind=BINARY_CROSS_ENTROPY, option=0)


cdef inline Loss poisson_loss() noexcept nogil:
    """Σ exp(x) − t·x, x being log of a rate; of numbers of at least 0."""
    return Loss(kind=POISSON, option=0)


cdef inline Loss gaussian_nll_loss(double min_variance) noexcept nogil:
    """½·Σ log v + (m − t)² / v, v = exp(s) + min_variance, of numbers; the outputs are all m, then all s."""
    return Loss(kind=GAUSSIAN_NLL, option=min_variance)


cdef inline const char* loss_name(int kind) noexcept nogil:
    """What Python calls it."""
    return (
        "softmax" if kind == SOFTMAX_CROSS_ENTROPY else "squared_error" if kind == SQUARED_ERROR
        else "huber" if kind == HUBER else "absolute_error" if kind == ABSOLUTE_ERROR
        else "log_cosh" if kind == LOG_COSH else "quantile" if kind == QUANTILE
        else "binary_cross_entropy" if kind == BINARY_CROSS_ENTROPY else "poisson" if kind == POISSON
        else "gaussian_nll" if kind == GAUSSIAN_NLL else ""
    )


cdef inline const char* loss_option(int kind) noexcept nogil:
    """The number that it takes, as the signature of an entry has it; nothing where it takes none."""
    return (
        "delta(0,inf)" if kind == HUBER else "quantile(0,1)" if kind == QUANTILE
        else "min_variance(0,inf)" if kind == GAUSSIAN_NLL else ""
    )


cdef inline Py_ssize_t target_width(int kind, Py_ssize_t outputs) noexcept nogil:
    """How many targets a row has that are numbers."""
    return outputs // 2 if kind == GAUSSIAN_NLL else outputs


cdef inline bint takes_labels(LossKind kind) noexcept nogil:
    """Whether targets are classes: labels, or a weight for each class."""
    return kind == SOFTMAX_CROSS_ENTROPY


cdef inline bint has_classes(LossKind kind, Py_ssize_t outputs) noexcept nogil:
    """Whether rows are classified, correctly or not: one output by its sign, if that is what the loss is of."""
    return takes_labels(kind) or kind == BINARY_CROSS_ENTROPY and outputs == 1


cdef inline bint takes_target(LossKind kind, double t) noexcept nogil:
    """Whether a number is a target of a loss of numbers."""
    return 0 <= t <= 1 if kind == BINARY_CROSS_ENTROPY else t >= 0 if kind == POISSON else True


cdef inline void loss_rows(
    const Loss* loss,
    const floating* x,             # IN   (rows, K), `stride` numbers from one row to the next
    const int64_t* labels,         # IN   (rows,) each in [0, K), or NULL
    const floating* targets,       # IN   (rows, target_width) without gaps, where there are no labels
    const floating* shares,        # IN   (rows,) the share of each row in the loss, or NULL: 1 / B of all;
                                   #      of a row of share 0 neither the label nor the target is looked at
    floating* dx,                  # OUT  (rows, K) like x; of a loss of numbers it may be NULL: no gradient
    double* losses,                # OUT  (rows,) each times its share, if there are shares
    Py_ssize_t stride,
    Py_ssize_t rows,
    Py_ssize_t K,
    floating scale,                # dout / B, or dout where there are shares
) noexcept nogil:
    cdef double least = 1.1754943508222875e-38 if floating is float else 2.2250738585072014e-308
    # delta, and a quantile and the rest to 1: rounded to the type, they are the least normal number at least.
    cdef floating a = <floating> max(loss.option, least), b = <floating> max(1 - loss.option, least)
    cdef Py_ssize_t T = target_width(loss.kind, K)
    if loss.kind == GAUSSIAN_NLL:
        b = log(a)
    if loss.kind == SOFTMAX_CROSS_ENTROPY:
        # The probabilities are written where the gradient then takes their place.
        softmax_cross_entropy_rows(x, labels, targets, shares, dx, dx, losses, stride, rows, K, scale)
    elif floating is float:
        bp_loss_rowsf(loss.kind, x, targets, shares, dx, losses, stride, rows, T, scale, a, b)
    else:
        bp_loss_rows(loss.kind, x, targets, shares, dx, losses, stride, rows, T, scale, a, b)


cdef inline double mean_loss(
    const Loss* loss,              # one of numbers
    const floating* x,             # IN   (B, K), B > 0, K > 0
    const floating* t,             # IN   (B, target_width)
    const floating* shares,        # IN   (B,) or NULL, as above
    floating* dx,                  # OUT  (B, K), or NULL: no gradient; may be x, or t where that is as wide
    double* losses,                # OUT  (B,)
    Py_ssize_t B,
    Py_ssize_t K,
    floating dout,
    int threads,
) noexcept nogil:
    """Returns the mean of the rows' losses, or their sum by shares; dx is its gradient times dout."""
    cdef floating scale = dout if shares is not NULL else dout / <floating> B
    cdef Py_ssize_t first
    cdef int rank
    if threads <= 1:
        loss_rows(loss, x, NULL, t, shares, dx, losses, K, B, K, scale)
        return loss_of(losses, B, shares is not NULL)
    for rank in prange(threads, num_threads=threads, schedule="static"):
        first = chunk_start(B, rank, threads, 16)
        loss_rows(
            loss, x + first * K, NULL, t + first * target_width(loss.kind, K),
            <const floating*> NULL if shares is NULL else shares + first,
            <floating*> NULL if dx is NULL else dx + first * K, losses + first, K,
            chunk_start(B, rank + 1, threads, 16) - first, K, scale,
        )
    return loss_of(losses, B, shares is not NULL)
