# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The affine layer: out = x·W + b and its gradients.

a) Letters are sizes: B batch, I in, O out. `x` is (B, I), `W` (I, O), `b` (O,), `out` and `dout` (B, O).
b) Every element of a result is one sum, whose order the shape alone decides: neither threads, nor the vector width,
   nor the rows beside a row change a bit. Which order that is stands in product.pxd.
c) Outputs are written whole; a product over no terms is its start.
"""

from cython cimport floating
from libc.stdlib cimport free, malloc

from bpcore.operands cimport Shape, aligned, rows_of, shape_of
from bpcore.product cimport copies_size, product_shared
from bpcore.reductions cimport sum_rows

cdef inline void affine_forward(
    const floating[:, ::1] x,    # IN   (B, I)
    const floating[:, ::1] W,    # IN   (I, O)
    const floating[::1] b,       # IN   (O,)
    floating[:, ::1] out,        # OUT  (B, O)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t B = x.shape[0], I = W.shape[0], O = W.shape[1]
    if B == 0 or O == 0:
        return
    # out[r, o] = b[o] + Σ_i x[r, i]·W[i, o]
    cdef Shape s = shape_of(B, O, I, False, O, 1, O)
    product_shared(rows_of(first(x), I), first(W), &b[0], &out[0, 0], s, threads)


cdef inline void affine_backward_input(
    const floating[:, ::1] dout,    # IN   (B, O)
    const floating[:, ::1] W,       # IN   (I, O)
    floating[:, ::1] dx,            # OUT  (B, I)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t B = dout.shape[0], I = W.shape[0], O = W.shape[1]
    if B == 0 or I == 0:
        return
    # dx[r, i] = Σ_o dout[r, o]·W[i, o]
    cdef Shape s = shape_of(B, I, O, False, 1, O, I)
    product_shared(rows_of(first(dout), O), first(W), NULL, &dx[0, 0], s, threads)


cdef inline void affine_backward_params(
    const floating[:, ::1] x,       # IN   (B, I)
    const floating[:, ::1] dout,    # IN   (B, O)
    floating[:, ::1] dW,            # OUT  (I, O)
    floating[::1] db,               # OUT  (O,)
    int threads,
) noexcept nogil:
    cdef Py_ssize_t B = x.shape[0], I = x.shape[1], O = dout.shape[1]
    # db[o] = Σ_r dout[r, o]
    sum_rows(first(dout), O, first_of(db), B, O)
    if I == 0 or O == 0:
        return
    # dW[i, o] = Σ_r x[r, i]·dout[r, o]
    cdef Shape s = shape_of(I, O, B, True, O, 1, O)
    cdef void* memory = NULL
    s.copies_bytes = copies_size(s, first(x))
    if s.copies_bytes > 0:
        memory = malloc(s.copies_bytes * threads + 64)
    if memory is not NULL:
        s.copies = aligned(memory)
    product_shared(rows_of(first(x), I), first(dout), NULL, &dW[0, 0], s, threads)
    free(memory)


cdef inline const floating* first(const floating[:, ::1] matrix) noexcept nogil:
    """The address of a matrix's first element; NULL if it has none."""
    if matrix.shape[0] == 0 or matrix.shape[1] == 0:
        return NULL
    return &matrix[0, 0]


cdef inline floating* first_of(floating[::1] vector) noexcept nogil:
    """The address of a vector's first element; NULL if it has none."""
    return <floating*> NULL if vector.shape[0] == 0 else &vector[0]
