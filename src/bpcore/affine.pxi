# The doors to affine.pxd and reductions.pxd.

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
    separate(meet(matrix(out), matrix(x)) or meet(matrix(out), matrix(W)) or meet(matrix(out), run(b)))
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
    separate(meet(matrix(dx), matrix(dout)) or meet(matrix(dx), matrix(W)))
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
    separate(
        meet(matrix(dW), matrix(x))
        or meet(matrix(dW), matrix(dout))
        or meet(run(db), matrix(x))
        or meet(run(db), matrix(dout))
        or meet(run(db), matrix(dW))
    )
    cdef int n = count(threads, <double> x.shape[0] * x.shape[1] * dout.shape[1])
    with nogil:
        affine.affine_backward_params(x, dout, dW, db, n)


@door("x:BO -> out:O")
def sum_rows(const floating[:, ::1] x not None, floating[::1] out not None, threads=None):
    """out = Σ x over the rows, in their order."""
    agree(out.shape[0] == x.shape[1])
    separate(meet(run(out), matrix(x)))
    count(threads, 0)
    if x.shape[1] == 0:
        return
    with nogil:
        reductions.sum_rows(NULL if x.shape[0] == 0 else &x[0, 0], x.shape[1], &out[0], x.shape[0], x.shape[1])
