"""Sums whose order the shape alone decides."""

from cython cimport floating


cdef inline void sum_rows(
    const floating[:, ::1] x,    # IN   (B, O)
    floating[::1] out,           # OUT  (O,)
) noexcept nogil:
    cdef Py_ssize_t r, o
    # out[o] = Σ_r x[r, o], in the order of the rows
    for o in range(x.shape[1]):
        out[o] = 0
    for r in range(x.shape[0]):
        for o in range(x.shape[1]):
            out[o] = out[o] + x[r, o]
