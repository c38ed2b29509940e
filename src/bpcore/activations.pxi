# The doors to activations.pxd.

@door("x:N -> out:N=x mask:N?")
def relu_forward(
    const floating[::1] x not None,
    floating[::1] out not None,
    unsigned char[::1] mask not None,
    threads=None,
):
    """mask = x <= 0, out = 0 where mask else x. `out` may be `x`."""
    agree(out.shape[0] == x.shape[0] and mask.shape[0] == x.shape[0])
    separate(meet_in_part(run(out), run(x)) or meet(mask_of(mask), run(x)) or meet(mask_of(mask), run(out)))
    cdef int n = team(threads, x.shape[0])
    with nogil:
        activations.relu_forward(x, out, mask, n)


@door("dout:N mask:N? -> dx:N=dout")
def relu_backward(
    const floating[::1] dout not None,
    const unsigned char[::1] mask not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = 0 where mask else dout. `dx` may be `dout`."""
    agree(mask.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    separate(meet_in_part(run(dx), run(dout)) or meet(run(dx), mask_of(mask)))
    cdef int n = team(threads, dout.shape[0])
    with nogil:
        activations.relu_backward(dout, mask, dx, n)


@door("x:N -> out:N=x")
def sigmoid_forward(x, out, threads=None):
    """out = 1 / (1 + exp(−x)), without overflow for any x. `out` may be `x`."""
    unary(x, out, threads, sigmoid_span[float], sigmoid_span[double])


@door("dout:N out:N -> dx:N=dout,out")
def sigmoid_backward(
    const floating[::1] dout not None,
    const floating[::1] out not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = dout·y·(1 − y), y = `out` as sigmoid_forward gave it. `dx` may be `dout` or `out`."""
    agree(out.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    separate(meet_in_part(run(dx), run(dout)) or meet_in_part(run(dx), run(out)))
    cdef int n = team(threads, dout.shape[0])
    with nogil:
        activations.sigmoid_backward(dout, out, dx, n)


@door("x:N -> out:N=x")
def tanh_forward(x, out, threads=None):
    """out = tanh(x), within 3 ULP. `out` may be `x`."""
    unary(x, out, threads, tanh_span[float], tanh_span[double])


@door("dout:N out:N -> dx:N=dout,out")
def tanh_backward(
    const floating[::1] dout not None,
    const floating[::1] out not None,
    floating[::1] dx not None,
    threads=None,
):
    """dx = dout·(1 − y²), y = `out` as tanh_forward gave it. `dx` may be `dout` or `out`."""
    agree(out.shape[0] == dout.shape[0] and dx.shape[0] == dout.shape[0])
    separate(meet_in_part(run(dx), run(dout)) or meet_in_part(run(dx), run(out)))
    cdef int n = team(threads, dout.shape[0])
    with nogil:
        activations.tanh_backward(dout, out, dx, n)
