# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Arrays by the buffer protocol itself, which takes a fifth of the time of a typed memoryview.

An address is used after its buffer was released: whoever stores it also keeps a reference to the array.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer,
)
from libc.stdint cimport int64_t, uintptr_t


cdef inline bint contiguous(array, Py_buffer* view) except -1:
    """Acquire the buffer of a contiguous array; False, and no buffer, if it is none."""
    if not PyObject_CheckBuffer(array):
        return False
    try:
        PyObject_GetBuffer(array, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT)
    except (BufferError, ValueError):
        return False
    return True


cdef inline char typecode_of(const Py_buffer* view) noexcept:
    """The typecode of an open buffer: f, d, B, q or Q; 0 for another."""
    cdef char typecode = view.format[0]
    if view.format[1] != 0:
        return 0
    if typecode in (c"l", c"L") and view.itemsize == 8:
        return c"q" if typecode == c"l" else c"Q"
    return typecode if typecode in (c"f", c"d", c"B", c"q", c"Q") else 0


cdef inline bint readable(x, Py_buffer* view, Py_ssize_t columns) except -1:
    """Acquire rows of `columns` numbers of a type that `typecode_of` knows; False, and no buffer, if x is none."""
    if not contiguous(x, view):
        return False
    if view.ndim == 2 and view.shape[1] == columns and typecode_of(view) != 0:
        return True
    PyBuffer_Release(view)
    return False


cdef inline int open_rows(x, Py_buffer* view, Py_ssize_t columns) except -1:
    """The same, with an error if x is none."""
    if not readable(x, view, columns):
        raise ValueError(
            f"Plan: x is {x.dtype} {x.shape}, wanted contiguous rows of {columns} float32, float64, uint8, int64 or "
            "uint64"
        )
    return 0


cdef inline bint shaped(
    const Py_buffer* view, char typecode, int dimensions, Py_ssize_t first, Py_ssize_t last
) noexcept:
    """Whether a buffer has this type and 1 or 2 dimensions of these sizes."""
    return (
        view.ndim == dimensions and view.shape[0] == first and view.shape[dimensions - 1] == last
        and typecode_of(view) == typecode
    )


cdef inline Py_ssize_t first_outside(const int64_t* numbers, Py_ssize_t n, int64_t stop) noexcept nogil:
    """Index of the first number that is not from 0 to stop − 1; n if there is none."""
    cdef Py_ssize_t i
    for i in range(n):
        if not 0 <= numbers[i] < stop:
            return i
    return n


cdef inline Py_ssize_t gather_labels(
    const int64_t* labels,
    const int64_t* indices,        # IN   (count,), or NULL: the first `count` labels
    Py_ssize_t count,
    Py_ssize_t K,
    int64_t* out,                  # OUT  (count,)
) noexcept nogil:
    """Copy labels to memory that no other thread writes, and check the copies.

    Returns how many are within [0, K) before the first that is not.
    """
    cdef Py_ssize_t r
    for r in range(count):
        out[r] = labels[r if indices is NULL else indices[r]]
        if not 0 <= out[r] < K:
            return r
    return count


cdef inline int check_indices(const int64_t* indices, Py_ssize_t steps, Py_ssize_t B, Py_ssize_t N) except -1:
    """Raise unless each batch, a row of `indices`, has at least one index, each from 0 to N − 1."""
    cdef Py_ssize_t n
    if B == 0:
        raise ValueError("Plan: batches of 0 rows, wanted at least 1")
    n = first_outside(indices, steps * B, N)
    if n < steps * B:
        raise ValueError(f"Plan: indices[{n // B}, {n % B}] is {indices[n]}, wanted 0 to {N - 1}")
    return 0


cdef inline void* address(
    array, char typecode, int dimensions, Py_ssize_t first, Py_ssize_t last, bint writable
) except NULL:
    """The address of a contiguous array of this type and shape."""
    cdef Py_buffer view
    try:
        PyObject_GetBuffer(array, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
    except (BufferError, ValueError) as error:
        raise ValueError(f"Plan: an array of shape {array.shape} cannot be used in place: {error}") from None
    cdef void* buffer = view.buf
    cdef bint matches = shaped(&view, typecode, dimensions, first, last)
    PyBuffer_Release(&view)
    if <uintptr_t> buffer % view.itemsize != 0:
        raise ValueError(f"Plan: an array of shape {array.shape} is not aligned")
    if not matches:
        wanted = f"({first},)" if dimensions == 1 else f"({first}, {last})"
        kind = "float32" if typecode == c"f" else "float64" if typecode == c"d" else "int64"
        raise ValueError(f"Plan: an array is {array.dtype} {array.shape}, wanted {kind} {wanted}")
    return buffer
