# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The kernels over typed memoryviews: the functions of the other files, which take pointers, strides and sizes.

Sizes are not checked. For empty arrays nothing is written.
"""

from cython cimport floating

cimport bpcore._losses.softmax as losses_of_rows
cimport bpcore.activations as activations
cimport bpcore.affine as affine
cimport bpcore.elementwise as elementwise
cimport bpcore.reductions as reductions
from bpcore.activations cimport Activation


cdef inline void affine_forward(
    const floating[:, ::1] x,    # IN   (B, I)
    const floating[:, ::1] W,    # IN   (I, O)
    const floating[::1] b,       # IN   (O,)
    floating[:, ::1] out,        # OUT  (B, O)
    int threads,
) noexcept nogil:
    """out = x·W + b."""
    cdef Py_ssize_t B = x.shape[0], I = W.shape[0], O = W.shape[1]
    if B > 0 and O > 0:
        affine.affine_forward(data(x), I, data(W), &b[0], &out[0, 0], O, B, I, O, threads)


cdef inline void affine_backward_input(
    const floating[:, ::1] dout,    # IN   (B, O)
    const floating[:, ::1] W,       # IN   (I, O)
    floating[:, ::1] dx,            # OUT  (B, I)
    int threads,
) noexcept nogil:
    """dx = dout·Wᵀ."""
    cdef Py_ssize_t B = dout.shape[0], I = W.shape[0], O = W.shape[1]
    if B > 0 and I > 0:
        affine.affine_backward_input(data(dout), O, data(W), &dx[0, 0], I, B, I, O, threads)


cdef inline void affine_backward_params(
    const floating[:, ::1] x,       # IN   (B, I)
    const floating[:, ::1] dout,    # IN   (B, O)
    floating[:, ::1] dW,            # OUT  (I, O)
    floating[::1] db,               # OUT  (O,)
    int threads,
) noexcept nogil:
    """dW = xᵀ·dout, db = Σ dout over the batch."""
    cdef Py_ssize_t B = x.shape[0], I = x.shape[1], O = dout.shape[1]
    if O > 0:
        affine.affine_backward_params(
            data(x), I, data(dout), O, <floating*> NULL if I == 0 else &dW[0, 0], &db[0], B, I, O, threads
        )


cdef inline void sum_rows(
    const floating[:, ::1] x,    # IN   (B, O)
    floating[::1] out,           # OUT  (O,)
) noexcept nogil:
    """out = Σ x over the rows, in their order."""
    if x.shape[1] > 0:
        reductions.sum_rows(data(x), x.shape[1], &out[0], x.shape[0], x.shape[1])


cdef inline void relu_forward(
    const floating[::1] x,        # IN   (N,)
    floating[::1] out,            # OUT  (N,); may be x
    unsigned char[::1] mask,      # OUT  (N,) 1 where x <= 0
    int threads,
) noexcept nogil:
    """mask = x <= 0, out = 0 where mask else x."""
    if x.shape[0] > 0:
        activations.relu_forward(&x[0], &out[0], &mask[0], x.shape[0], threads)


cdef inline void relu_backward(
    const floating[::1] dout,          # IN   (N,)
    const unsigned char[::1] mask,     # IN   (N,)
    floating[::1] dx,                  # OUT  (N,); may be dout
    int threads,
) noexcept nogil:
    """dx = 0 where mask else dout."""
    if dout.shape[0] > 0:
        activations.relu_backward(&dout[0], &mask[0], &dx[0], dout.shape[0], threads)


cdef inline void activation_forward(
    Activation activation,
    const double* numbers,        # IN   those that it takes, or NULL
    const floating[::1] x,        # IN   (N,)
    floating[::1] out,            # OUT  (N,); may be x
    int threads,
) noexcept nogil:
    """out = activation(x)."""
    if x.shape[0] > 0:
        activations.activation_forward(activation, numbers, &x[0], &out[0], x.shape[0], threads)


cdef inline void activation_backward(
    Activation activation,
    const double* numbers,        # IN   those that it takes, or NULL
    const floating[::1] out,      # IN   (N,) the output of the activation
    const floating[::1] dout,     # IN   (N,) the gradient of that
    floating[::1] dx,             # OUT  (N,); may be dout or out
    int threads,
) noexcept nogil:
    """dx = dout·activation′."""
    if dout.shape[0] > 0:
        activations.activation_backward(activation, numbers, &out[0], &dout[0], &dx[0], dout.shape[0], threads)


cdef inline void softmax(
    const floating[:, ::1] x,      # IN   (B, K)
    floating[:, ::1] y,            # OUT  (B, K); may be x
    int threads,
) noexcept nogil:
    """y = exp(x) / Σ exp(x) along each row."""
    if x.shape[0] > 0 and x.shape[1] > 0:
        losses_of_rows.softmax(&x[0, 0], &y[0, 0], x.shape[0], x.shape[1], threads)


cdef inline void add(
    const floating[:, :] x,       # IN   (B, O), any strides
    const floating[:, :] y,       # IN   (B, O), any strides
    floating[:, ::1] out,         # OUT  (B, O); may be x or y
    int threads,
) noexcept nogil:
    """out = x + y."""
    cdef Py_ssize_t size = sizeof(floating)
    if out.shape[0] > 0 and out.shape[1] > 0:
        elementwise.add(
            &x[0, 0], x.strides[0] // size, x.strides[1] // size, &y[0, 0], y.strides[0] // size, y.strides[1] // size,
            &out[0, 0], out.shape[0], out.shape[1], threads,
        )


cdef inline void multiply(
    const floating[:, :] x,       # IN   (B, O), any strides
    const floating[:, :] y,       # IN   (B, O), any strides
    floating[:, ::1] out,         # OUT  (B, O); may be x or y
    int threads,
) noexcept nogil:
    """out = x·y."""
    cdef Py_ssize_t size = sizeof(floating)
    if out.shape[0] > 0 and out.shape[1] > 0:
        elementwise.multiply(
            &x[0, 0], x.strides[0] // size, x.strides[1] // size, &y[0, 0], y.strides[0] // size, y.strides[1] // size,
            &out[0, 0], out.shape[0], out.shape[1], threads,
        )


cdef inline const floating* data(const floating[:, ::1] matrix) noexcept nogil:
    """The address of a matrix's first element; NULL if it has none."""
    if matrix.shape[0] == 0 or matrix.shape[1] == 0:
        return NULL
    return &matrix[0, 0]
