"""Parameter updates, in place."""

from cython cimport floating
from cython.parallel cimport prange


cdef inline void sgd_update(
    floating[::1] w,             # INOUT
    const floating[::1] g,       # IN   the gradient of w
    floating lr,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t i
    # w = w − round(lr·g): two roundings, as in the NumPy line `w -= lr * g`
    for i in prange(w.shape[0], num_threads=threads, use_threads_if=threads > 1, schedule="static"):
        w[i] = w[i] - lr * g[i]
