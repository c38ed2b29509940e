# The doors to softmax.pxd and squared_error.pxd.

@door("x:BK -> y:BK=x")
def softmax(const floating[:, ::1] x not None, floating[:, ::1] y not None, threads=None):
    """y = exp(x) / Σ exp(x) along each row. `y` may be `x`."""
    agree(y.shape[0] == x.shape[0] and y.shape[1] == x.shape[1])
    separate(meet_in_part(matrix(y), matrix(x)))
    cdef int n = team(threads, x.shape[0] * x.shape[1])
    if x.shape[0] == 0 or x.shape[1] == 0:
        return
    with nogil:
        rows.softmax(x, y, n)


cdef int not_empty(Py_ssize_t B, Py_ssize_t K) except -1:
    if B == 0 or K == 0:
        raise ValueError(f"{B} rows of {K} classes: an empty batch has no mean loss, no classes no softmax")
    return 0


cdef const int64_t[::1] labels_of(object t, Py_ssize_t B):
    """(B,) labels, B > 0, not yet checked; None if t has not one dimension."""
    if getattr(t, "ndim", 0) != 1:
        return None
    cdef const int64_t[::1] labels = t
    agree(labels.shape[0] == B)
    separate(everything(span(&labels[0], B * <Py_ssize_t> sizeof(int64_t), sizeof(int64_t))))
    return labels


cdef int64_t* checked_copy(const int64_t[::1] labels, Py_ssize_t K) except? NULL:
    """The labels, which somebody else may change, checked in a copy, for the caller to free; NULL of None."""
    if labels is None:
        return NULL
    cdef Py_ssize_t B = labels.shape[0], r
    cdef int64_t* copied = <int64_t*> malloc(B * sizeof(int64_t))
    if copied is NULL:
        raise MemoryError(f"no memory for {B} labels")
    r = draw_labels(&labels[0], NULL, B, K, copied)
    if r < B:
        label = copied[r]
        free(copied)
        raise ValueError(f"t[{r}] is {label}, wanted a label from 0 to {K - 1}")
    return copied


cdef const floating[:, ::1] weights_of(object t, const floating[:, ::1] like):
    """(B, K) weights of the type and shape of `like`; None if t has one dimension."""
    if getattr(t, "ndim", 0) == 1:
        return None
    cdef const floating[:, ::1] weights = t
    agree(weights.shape[0] == like.shape[0] and weights.shape[1] == like.shape[1])
    return weights


cdef Span targets_of(const int64_t[::1] labels, Span weights) noexcept:
    if labels is None:
        return weights
    return span(&labels[0], labels.shape[0] * <Py_ssize_t> sizeof(int64_t), sizeof(int64_t))


cdef cross_entropy(const floating[:, ::1] x, t, floating[:, ::1] y, floating[:, ::1] dx, threads):
    """The loss, y, and dx unless it is None."""
    cdef Py_ssize_t B = x.shape[0], K = x.shape[1]
    agree(y.shape[0] == B and y.shape[1] == K)
    agree(dx is None or dx.shape[0] == B and dx.shape[1] == K)
    not_empty(B, K)
    cdef const int64_t[::1] labels = labels_of(t, B)
    cdef const floating[:, ::1] weights = weights_of(t, x)
    separate(
        meet(matrix(y), matrix(x))
        or meet(matrix(y), targets_of(labels, matrix(weights)))
        or meet(matrix(dx), matrix(x))
        or meet(matrix(dx), targets_of(labels, matrix(weights)))
        or meet(matrix(dx), matrix(y))
    )
    cdef int n = team(threads, B * K)
    cdef double loss
    cdef int64_t* checked = checked_copy(labels, K)
    cdef double* losses = <double*> malloc(B * sizeof(double))
    if losses is NULL:
        free(checked)
        raise MemoryError(f"no memory for the losses of {B} rows")
    with nogil:
        loss = rows.softmax_cross_entropy(
            &x[0, 0],
            checked,
            NULL if weights is None else &weights[0, 0],
            &y[0, 0],
            NULL if dx is None else &dx[0, 0],
            losses,
            B,
            K,
            n,
        )
    free(checked)
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


@door("y:BK t:B|BK -> dx:BK=y")
def softmax_cross_entropy_backward(
    const floating[:, ::1] y not None,
    t,
    double dout,
    floating[:, ::1] dx not None,
    threads=None,
):
    """dx = dout·(y·Σt − t) / B, y and t as softmax_cross_entropy had them. `dx` may be `y`."""
    cdef Py_ssize_t B = y.shape[0], K = y.shape[1]
    agree(dx.shape[0] == B and dx.shape[1] == K)
    not_empty(B, K)
    cdef const int64_t[::1] labels = labels_of(t, B)
    cdef const floating[:, ::1] weights = weights_of(t, y)
    separate(meet_in_part(matrix(dx), matrix(y)) or meet(matrix(dx), targets_of(labels, matrix(weights))))
    cdef int n = team(threads, B * K)
    cdef int64_t* checked = checked_copy(labels, K)
    with nogil:
        rows.softmax_cross_entropy_backward(
            &y[0, 0],
            checked,
            NULL if weights is None else &weights[0, 0],
            <floating> dout,
            &dx[0, 0],
            B,
            K,
            n,
        )
    free(checked)


# --- Squared error --------------------------------------------------------------------------------------------

cdef squares_of(
    const floating[:, ::1] x, const floating[:, ::1] t, floating dout, floating[:, ::1] dx, threads
):
    """The loss, and dx unless it is None."""
    cdef Py_ssize_t B = x.shape[0], K = x.shape[1]
    agree(t.shape[0] == B and t.shape[1] == K)
    agree(dx is None or dx.shape[0] == B and dx.shape[1] == K)
    not_empty(B, K)
    separate(meet_in_part(matrix(dx), matrix(x)) or meet_in_part(matrix(dx), matrix(t)))
    # Without dx, nothing meets them.
    separate(everything(matrix(x)) or everything(matrix(t)))
    cdef int n = team(threads, B * K)
    cdef double loss
    cdef double* losses = <double*> malloc(B * sizeof(double))
    if losses is NULL:
        raise MemoryError(f"no memory for the losses of {B} rows")
    with nogil:
        loss = squares.squared_error(
            &x[0, 0], &t[0, 0], dout, NULL if dx is None else &dx[0, 0], losses, B, K, n
        )
    free(losses)
    return loss


@door("x:BK t:BK -> dx:BK=x,t")
def squared_error(
    const floating[:, ::1] x not None,
    const floating[:, ::1] t not None,
    floating[:, ::1] dx not None,
    threads=None,
):
    """dx = (x − t) / B; returns the mean over the batch of Σ (x − t)² / 2. `dx` may be `x` or `t`."""
    return squares_of[floating](x, t, 1, dx, threads)


@door("x:BK t:BK")
def squared_error_forward(
    const floating[:, ::1] x not None, const floating[:, ::1] t not None, threads=None
):
    """The mean over the batch of Σ (x − t)² / 2."""
    return squares_of[floating](x, t, 1, None, threads)


@door("x:BK t:BK -> dx:BK=x,t")
def squared_error_backward(
    const floating[:, ::1] x not None,
    const floating[:, ::1] t not None,
    double dout,
    floating[:, ::1] dx not None,
    threads=None,
):
    """dx = dout·(x − t) / B. `dx` may be `x` or `t`."""
    squares_of[floating](x, t, <floating> dout, dx, threads)
