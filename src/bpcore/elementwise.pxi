# The doors to elementwise.pxd: nodes of a computational graph.

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
    cdef int n = count(threads, 8.0 * x.shape[0] * x.shape[1])
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
    cdef int n = count(threads, 8.0 * x.shape[0] * x.shape[1])
    with nogil:
        elementwise.multiply(x, y, out, n)


@door("x:N -> out:N")
def exp(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = exp(x), within 2 ULP. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, 8.0 * x.shape[0])
    with nogil:
        elementwise.exp(x, out, n)


@door("x:N -> out:N")
def log(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = log(x), within 3 ULP; −inf at 0, NaN below. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, 8.0 * x.shape[0])
    with nogil:
        elementwise.log(x, out, n)


@door("x:N -> out:N")
def reciprocal(const floating[::1] x not None, floating[::1] out not None, threads=None):
    """out = 1 / x. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0])
    cdef int n = count(threads, 8.0 * x.shape[0])
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
    cdef int n = count(threads, 8.0 * dout.shape[0])
    with nogil:
        elementwise.reciprocal_backward(dout, out, dx, n)
