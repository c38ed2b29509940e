"""The doors to the kernels: typed memoryviews in, sizes checked, the GIL released once, the loop called.

a) Inputs first, outputs last and allocated by the caller; every element of an output is written, no input is.
b) float32 and float64, one type a call. Matrices are two-dimensional; elementwise kernels take any contiguous
   array as one run (`a.reshape(-1)`).
c) `threads=None` means the process's default; small work stays on one thread.
d) What is wrong with a call is put into words by bpcore.doors.
"""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

cimport bpcore.activations as activations
cimport bpcore.affine as affine
cimport bpcore.elementwise as elementwise
cimport bpcore.reductions as reductions
cimport bpcore.softmax as rows
cimport bpcore.updates as updates
from bpcore.parallel cimport BP_OPENMP, WORTH_A_THREAD, omp_get_max_threads

from bpcore.doors import door
from bpcore.threads import resolve


cdef int count(object threads, double operations) except -1:
    """How many threads to use; asks only when the work is worth it or the caller said a number."""
    if threads is None and operations < WORTH_A_THREAD:
        return 1
    cdef int number = min(<Py_ssize_t> resolve(threads), <Py_ssize_t> omp_get_max_threads())
    return number if operations >= WORTH_A_THREAD else 1


cdef int agree(bint sizes) except -1:
    if not sizes:
        raise ValueError("sizes do not agree")
    return 0


def has_threads():
    """Whether OpenMP is compiled in."""
    return BP_OPENMP


# --- Affine ---------------------------------------------------------------------------------------------------

@door("x:BI W:IO b:O -> out:BO")
def affine_forward(
    const floating[:, ::1] x not None,
    const floating[:, ::1] W not None,
    const floating[::1] b not None,
    floating[:, ::1] out not None,
    threads=None,
):
    """out = x·W + b."""
    agree(x.shape[1] == W.shape[0] and b.shape[0] == W.shape[1])
    agree(out.shape[0] == x.shape[0] and out.shape[1] == W.shape[1])
    cdef int n = count(threads, <double> x.shape[0] * x.shape[1] * W.shape[1])
    with nogil:
        affine.affine_forward(x, W, b, out, n)


@door("dout:BO W:IO -> dx:BI")
def affine_backward_input(
    const floating[:, ::1] dout not None,
    const floating[:, ::1] W not None,
    floating[:, ::1] dx not None,
    threads=None,
):
    """dx = dout·Wᵀ."""
    agree(dout.shape[1] == W.shape[1] and dx.shape[0] == dout.shape[0] and dx.shape[1] == W.shape[0])
    cdef int n = count(threads, <double> dout.shape[0] * W.shape[0] * W.shape[1])
    with nogil:
        affine.affine_backward_input(dout, W, dx, n)


@door("x:BI dout:BO -> dW:IO db:O")
def affine_backward_params(
    const floating[:, ::1] x not None,
    const floating[:, ::1] dout not None,
    floating[:, ::1] dW not None,
    floating[::1] db not None,
    threads=None,
):
    """dW = xᵀ·dout, db = Σ dout over the batch."""
    agree(x.shape[0] == dout.shape[0] and dW.shape[0] == x.shape[1])
    agree(dW.shape[1] == dout.shape[1] and db.shape[0] == dout.shape[1])
    cdef int n = count(threads, <double> x.shape[0] * x.shape[1] * dout.shape[1])
    with nogil:
        affine.affine_backward_params(x, dout, dW, db, n)


@door("x:BO -> out:O")
def sum_rows(const floating[:, ::1] x not None, floating[::1] out not None, threads=None):
    """out = Σ x over the rows, in their order."""
    agree(out.shape[0] == x.shape[1])
    count(threads, 0)
    with nogil:
        reductions.sum_rows(x, out)


# --- Activations ----------------------------------------------------------------------------------------------

@door("x:N -> out:N mask:N?")
def relu_forward(
    const floating[::1] x not None,
    floating[::1] out not None,
    unsigned char[::1] mask not None,
    threads=None,
):
    """mask = x <= 0, out = 0 where mask else x. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0] and mask.shape[0] == x.shape[0])
    cdef int n = count(threads, x.shape[0])
    with nogil:
        activations.relu_forward(x, out, mask, n)


@door("dout:N mask:N? -> dx:N")
def relu_backward(
    const floating[::1] dout not None,
    const unsigned char[::1] mask not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = 0 where mask else dout. `dx` may be `dout`."""
    agree(mask.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    cdef int n = count(threads, dout.shape[0])
    with nogil:
        activations.relu_backward(dout, mask, dx, n)


@door("x:N -> out:N")
def sigmoid_forward(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = 1 / (1 + exp(−x)), without overflow for any x. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, x.shape[0])
    with nogil:
        activations.sigmoid_forward(x, out, n)


@door("dout:N out:N -> dx:N")
def sigmoid_backward(
    const floating[::1] dout not None,
    const floating[::1] out not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = dout·y·(1 − y), y = `out` as sigmoid_forward gave it. `dx` may be `dout`."""
    agree(out.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    cdef int n = count(threads, dout.shape[0])
    with nogil:
        activations.sigmoid_backward(dout, out, dx, n)


# --- Softmax with cross-entropy -------------------------------------------------------------------------------

@door("x:BK -> y:BK")
def softmax(const floating[:, ::1] x not None, floating[:, ::1] y not None, threads=None):
    """y = exp(x) / Σ exp(x) along each row. `y` may be `x`."""
    agree(y.shape[0] == x.shape[0] and y.shape[1] == x.shape[1])
    cdef int n = count(threads, <double> x.shape[0] * x.shape[1])
    if x.shape[0] == 0 or x.shape[1] == 0:
        return
    with nogil:
        rows.softmax(x, y, n)


cdef int not_empty(Py_ssize_t B, Py_ssize_t K) except -1:
    if B == 0 or K == 0:
        raise ValueError(f"{B} rows of {K} classes: an empty batch has no mean loss, no classes no softmax")
    return 0


cdef const int64_t[::1] labels_of(object t, Py_ssize_t B, Py_ssize_t K):
    """(B,) labels, every one of them checked; None if t has not one dimension."""
    if getattr(t, "ndim", 0) != 1:
        return None
    cdef const int64_t[::1] labels = t
    cdef Py_ssize_t r
    agree(labels.shape[0] == B)
    for r in range(B):
        if not 0 <= labels[r] < K:
            raise ValueError(f"t[{r}] is {labels[r]}, wanted a label from 0 to {K - 1}")
    return labels


cdef const floating[:, ::1] weights_of(object t, const floating[:, ::1] like):
    """(B, K) weights of the type and shape of `like`; None if t has one dimension."""
    if getattr(t, "ndim", 0) == 1:
        return None
    cdef const floating[:, ::1] weights = t
    agree(weights.shape[0] == like.shape[0] and weights.shape[1] == like.shape[1])
    return weights


cdef cross_entropy(const floating[:, ::1] x, t, floating[:, ::1] y, floating[:, ::1] dx, threads):
    """The loss, y, and dx unless it is None."""
    cdef Py_ssize_t B = x.shape[0], K = x.shape[1]
    agree(y.shape[0] == B and y.shape[1] == K)
    agree(dx is None or dx.shape[0] == B and dx.shape[1] == K)
    not_empty(B, K)
    cdef const int64_t[::1] labels = labels_of(t, B, K)
    cdef const floating[:, ::1] weights = weights_of(t, x)
    cdef int n = count(threads, <double> B * K)
    cdef double loss
    cdef double* losses = <double*> malloc(B * sizeof(double))
    if losses is NULL:
        raise MemoryError(f"no memory for the losses of {B} rows")
    with nogil:
        loss = rows.softmax_cross_entropy(
            &x[0, 0],
            NULL if labels is None else &labels[0],
            NULL if weights is None else &weights[0, 0],
            &y[0, 0],
            NULL if dx is None else &dx[0, 0],
            losses,
            B,
            K,
            n,
        )
    free(losses)
    return loss


@door("x:BK t:B|BK -> y:BK dx:BK")
def softmax_cross_entropy(
    const floating[:, ::1] x not None,
    t,
    floating[:, ::1] y not None,
    floating[:, ::1] dx not None,
    threads=None,
):
    """y = softmax(x), dx = (y·Σt − t) / B; returns the mean over the batch of −Σ t·log y.

    `t` is (B,) int64 labels or (B, K) weights of x's type.
    """
    return cross_entropy(x, t, y, dx, threads)


@door("x:BK t:B|BK -> y:BK")
def softmax_cross_entropy_forward(
    const floating[:, ::1] x not None,
    t,
    floating[:, ::1] y not None,
    threads=None,
):
    """y = softmax(x); returns the mean over the batch of −Σ t·log y, `t` as in softmax_cross_entropy."""
    return cross_entropy[floating](x, t, y, None, threads)


@door("y:BK t:B|BK -> dx:BK")
def softmax_cross_entropy_backward(
    const floating[:, ::1] y not None,
    t,
    double dout,
    floating[:, ::1] dx not None,
    threads=None,
):
    """dx = dout·(y·Σt − t) / B, y and t as softmax_cross_entropy had them."""
    cdef Py_ssize_t B = y.shape[0], K = y.shape[1]
    agree(dx.shape[0] == B and dx.shape[1] == K)
    not_empty(B, K)
    cdef const int64_t[::1] labels = labels_of(t, B, K)
    cdef const floating[:, ::1] weights = weights_of(t, y)
    cdef int n = count(threads, <double> B * K)
    with nogil:
        rows.softmax_cross_entropy_backward(
            &y[0, 0],
            NULL if labels is None else &labels[0],
            NULL if weights is None else &weights[0, 0],
            <floating> dout,
            &dx[0, 0],
            B,
            K,
            n,
        )


# --- Nodes ----------------------------------------------------------------------------------------------------

@door("x:BO~ y:BO~ -> out:BO")
def add(
    const floating[:, :] x not None,
    const floating[:, :] y not None,
    floating[:, ::1] out not None,
    threads=None,
):
    """out = x + y; the operands may have any strides, 0 for a broadcast axis."""
    agree(y.shape[0] == x.shape[0] and y.shape[1] == x.shape[1])
    agree(out.shape[0] == x.shape[0] and out.shape[1] == x.shape[1])
    cdef int n = count(threads, <double> x.shape[0] * x.shape[1])
    with nogil:
        elementwise.add(x, y, out, n)


@door("x:BO~ y:BO~ -> out:BO")
def multiply(
    const floating[:, :] x not None,
    const floating[:, :] y not None,
    floating[:, ::1] out not None,
    threads=None,
):
    """out = x·y; the operands may have any strides, 0 for a broadcast axis."""
    agree(y.shape[0] == x.shape[0] and y.shape[1] == x.shape[1])
    agree(out.shape[0] == x.shape[0] and out.shape[1] == x.shape[1])
    cdef int n = count(threads, <double> x.shape[0] * x.shape[1])
    with nogil:
        elementwise.multiply(x, y, out, n)


@door("x:N -> out:N")
def exp(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = exp(x), within 2 ULP. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, x.shape[0])
    with nogil:
        elementwise.exp(x, out, n)


@door("x:N -> out:N")
def log(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = log(x), within 3 ULP; −inf at 0, NaN below. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, x.shape[0])
    with nogil:
        elementwise.log(x, out, n)


@door("x:N -> out:N")
def reciprocal(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = 1 / x. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, x.shape[0])
    with nogil:
        elementwise.reciprocal(x, out, n)


@door("dout:N out:N -> dx:N")
def reciprocal_backward(
    const floating[::1] dout not None,
    const floating[::1] out not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = −dout·y², y = `out` as reciprocal gave it. `dx` may be `dout`."""
    agree(out.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    cdef int n = count(threads, dout.shape[0])
    with nogil:
        elementwise.reciprocal_backward(dout, out, dx, n)


# --- Updates --------------------------------------------------------------------------------------------------

@door("g:N -> w:N")
def sgd_update(floating[::1] w not None, const floating[::1] g not None, double lr, threads=None):
    """w -= lr·g in place, `lr` first rounded to the type of w."""
    agree(g.shape[0] == w.shape[0])
    cdef int n = count(threads, w.shape[0])
    with nogil:
        updates.sgd_update(w, g, <floating> lr, n)
