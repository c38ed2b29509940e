"""The affine layer: out = x·W + b and its gradients.

a) Letters are sizes: B batch, I in, O out. `x` is (B, I), `W` (I, O), `b` (O,), `out` and `dout` (B, O).
b) Every element of a result is one sum, taken in sequence along the summed axis with one fused multiply-add a
   term. That order depends on the shape alone: neither threads, nor the vector width, nor the rows beside a row
   change a bit.
c) Threads own rows of the result, so none of them adds to what another one wrote.
d) Outputs are written whole; sizes of zero need no special case.
"""

from cython cimport floating
from cython.parallel cimport prange

from bpcore.reductions cimport sum_rows
from bpcore.simd cimport fma


cdef inline void affine_forward(
    const floating[:, ::1] x,    # IN   (B, I)
    const floating[:, ::1] W,    # IN   (I, O)
    const floating[::1] b,       # IN   (O,)
    floating[:, ::1] out,        # OUT  (B, O)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r, i, o
    # out[r, o] = b[o] + Σ_i x[r, i]·W[i, o]
    for r in prange(x.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        for o in range(W.shape[1]):
            out[r, o] = b[o]
        for i in range(W.shape[0]):
            for o in range(W.shape[1]):
                out[r, o] = fma(x[r, i], W[i, o], out[r, o])


cdef inline void affine_backward_input(
    const floating[:, ::1] dout,    # IN   (B, O)
    const floating[:, ::1] W,       # IN   (I, O)
    floating[:, ::1] dx,            # OUT  (B, I)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t first
    # Sixteen columns of dx at a time, so that neighbours can be summed side by side while each keeps its order.
    for first in prange(
        0, W.shape[0], 16, num_threads=threads, use_threads_if=threads > 1, schedule="static"
    ):
        affine_backward_input_columns(dout, W, dx, first, min(first + 16, W.shape[0]))


cdef inline void affine_backward_input_columns(
    const floating[:, ::1] dout,    # IN   (B, O)
    const floating[:, ::1] W,       # IN   (I, O)
    floating[:, ::1] dx,            # OUT  (B, I), columns first to stop
    Py_ssize_t first,
    Py_ssize_t stop,
) noexcept nogil:
    cdef floating[16 * 64] Wt       # 64 columns of the sixteen rows of W, transposed
    cdef Py_ssize_t r, i, o, start, count
    for r in range(dout.shape[0]):
        for i in range(first, stop):
            dx[r, i] = 0
    for start in range(0, W.shape[1], 64):
        count = min(<Py_ssize_t> 64, W.shape[1] - start)
        for i in range(first, stop):
            for o in range(count):
                Wt[o * 16 + i - first] = W[i, start + o]
        # dx[r, i] = Σ_o dout[r, o]·W[i, o]
        for r in range(dout.shape[0]):
            for o in range(count):
                for i in range(first, stop):
                    dx[r, i] = fma(dout[r, start + o], Wt[o * 16 + i - first], dx[r, i])


cdef inline void affine_backward_params(
    const floating[:, ::1] x,       # IN   (B, I)
    const floating[:, ::1] dout,    # IN   (B, O)
    floating[:, ::1] dW,            # OUT  (I, O)
    floating[::1] db,               # OUT  (O,)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t r, i, o
    # dW[i, o] = Σ_r x[r, i]·dout[r, o]
    for i in prange(x.shape[1], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        for o in range(dout.shape[1]):
            dW[i, o] = 0
        for r in range(x.shape[0]):
            for o in range(dout.shape[1]):
                dW[i, o] = fma(x[r, i], dout[r, o], dW[i, o])
    # db[o] = Σ_r dout[r, o]
    sum_rows(dout, db)
