"""Parameter updates, in place."""

from cython cimport floating
from cython.parallel cimport prange

cdef enum:
    SPAN = 4096    # elements that one task updates


cdef inline void sgd_update(
    floating[::1] w,             # INOUT
    const floating[::1] g,       # IN   the gradient of w
    floating lr,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t n = w.shape[0], start
    for start in prange(0, n, SPAN, num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        sgd_update_span(&w[start], &g[start], lr, min(<Py_ssize_t> SPAN, n - start))


cdef inline void sgd_update_span(floating* w, const floating* g, floating lr, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    # w = w − round(lr·g): two roundings, as in the NumPy line `w -= lr * g`
    for i in range(n):
        w[i] = w[i] - lr * g[i]
