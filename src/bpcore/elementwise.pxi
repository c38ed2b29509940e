# The doors to elementwise.pxd: nodes of a computational graph.

from libc.stdint cimport uintptr_t

cdef bint meets_strided(
    Span out, const char* first, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t row, Py_ssize_t column, Py_ssize_t size
) noexcept:
    """Whether (rows, columns) numbers of `size` bytes, `row` and `column` bytes apart, overlap `out` and are not it."""
    cdef Py_ssize_t r, o, down = row * (rows - 1), along = column * (columns - 1)
    # An operand that is not aligned meets everything.
    if (<uintptr_t> first | <uintptr_t> row | <uintptr_t> column) % <uintptr_t> size != 0:
        return True
    if not meet(out, Span(first + min(down, 0) + min(along, 0), first + max(down, 0) + max(along, 0) + size)):
        return False
    # Of one row or column the stride says nothing.
    cdef bint same = not everything(out) and first == out.first
    if same and (columns == 1 or column == size) and (rows == 1 or row == columns * size):
        return False
    for r in range(rows):
        for o in range(columns):
            if meet(out, span(first + r * row + o * column, size, size)):
                return True
    return False


cdef bint meets_operand(Span out, const floating[:, :] x) noexcept:
    if out.first == out.end:
        return False
    return meets_strided(
        out, <const char*> &x[0, 0], x.shape[0], x.shape[1], x.strides[0], x.strides[1], sizeof(floating)
    )


@door("x:BO~ y:BO~ -> out:BO=x,y")
def add(
    const floating[:, :] x not None,
    const floating[:, :] y not None,
    floating[:, ::1] out not None,
    threads=None,
):
    """out = x + y; the operands may have any strides, 0 for a broadcast axis. `out` may be either."""
    agree(y.shape[0] == x.shape[0] and y.shape[1] == x.shape[1])
    agree(out.shape[0] == x.shape[0] and out.shape[1] == x.shape[1])
    separate(meets_operand(matrix(out), x) or meets_operand(matrix(out), y))
    cdef int n = team(threads, x.shape[0] * x.shape[1])
    with nogil:
        elementwise.add(x, y, out, n)


@door("x:BO~ y:BO~ -> out:BO=x,y")
def multiply(
    const floating[:, :] x not None,
    const floating[:, :] y not None,
    floating[:, ::1] out not None,
    threads=None,
):
    """out = x·y; the operands may have any strides, 0 for a broadcast axis. `out` may be either."""
    agree(y.shape[0] == x.shape[0] and y.shape[1] == x.shape[1])
    agree(out.shape[0] == x.shape[0] and out.shape[1] == x.shape[1])
    separate(meets_operand(matrix(out), x) or meets_operand(matrix(out), y))
    cdef int n = team(threads, x.shape[0] * x.shape[1])
    with nogil:
        elementwise.multiply(x, y, out, n)


@door("x:N -> out:N=x")
def exp(x, out, threads=None):
    """out = exp(x), within 2 ULP. `out` may be `x`."""
    unary(x, out, threads, exp_span[float], exp_span[double])


@door("x:N -> out:N=x")
def log(x, out, threads=None):
    """out = log(x), within 3 ULP; −inf at 0, NaN below. `out` may be `x`."""
    unary(x, out, threads, elementwise.log_span[float], elementwise.log_span[double])


@door("x:N -> out:N=x")
def reciprocal(x, out, threads=None):
    """out = 1 / x. `out` may be `x`."""
    unary(x, out, threads, elementwise.reciprocal_span[float], elementwise.reciprocal_span[double])


@door("dout:N out:N -> dx:N=dout,out")
def reciprocal_backward(
    const floating[::1] dout not None,
    const floating[::1] out not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = −dout·y², y = `out` as reciprocal gave it. `dx` may be `dout` or `out`."""
    agree(out.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    separate(meet_in_part(run(dx), run(dout)) or meet_in_part(run(dx), run(out)))
    cdef int n = team(threads, dout.shape[0])
    with nogil:
        elementwise.reciprocal_backward(dout, out, dx, n)
