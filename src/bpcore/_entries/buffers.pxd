# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Contiguous arrays, whose numbers are read or written in place.

Of NumPy's own class the fields of its struct are read, which takes a few nanoseconds; anything else is asked by the
buffer protocol, which takes a fifth of the time of a typed memoryview. An address is used after its buffer was
released: whoever stores it also keeps a reference to the array.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_CheckBuffer, PyObject_GetBuffer,
)
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uintptr_t

from bpcore._entries.ndarray cimport (
    NPY_ARRAY_CARRAY, NPY_ARRAY_CARRAY_RO, NPY_DOUBLE, NPY_FLOAT, NPY_LONG, NPY_LONGLONG, NPY_UBYTE, NPY_ULONG,
    NPY_ULONGLONG, PyArray_CheckExact, PyArray_DATA, PyArray_DIMS, PyArray_FLAGS, PyArray_ISNOTSWAPPED, PyArray_NDIM,
    PyArray_TYPE, PyArrayObject,
)


cdef struct View:
    # A contiguous array, open.
    void* data
    Py_ssize_t bytes
    Py_ssize_t rows         # the first dimension
    Py_ssize_t columns      # the last one; both are 0 of an array without dimensions
    int dimensions
    char typecode           # f, d, B, q or Q; 0 for another
    bint has_buffer         # else the struct was read
    Py_buffer buffer


cdef inline char typecode_of(int typenum) noexcept:
    """The typecode of one of NumPy's numbers for types; 0 for another."""
    if typenum == NPY_FLOAT:
        return c"f"
    if typenum == NPY_DOUBLE:
        return c"d"
    if typenum == NPY_UBYTE:
        return c"B"
    if typenum == NPY_LONGLONG or typenum == NPY_LONG and sizeof(long) == 8:
        return c"q"
    if typenum == NPY_ULONGLONG or typenum == NPY_ULONG and sizeof(long) == 8:
        return c"Q"
    return 0


cdef inline char typecode_of_format(const Py_buffer* buffer) noexcept:
    """The same of an open buffer."""
    cdef char typecode = buffer.format[0]
    if buffer.format[1] != 0:
        return 0
    if typecode in (c"l", c"L") and buffer.itemsize == 8:
        return c"q" if typecode == c"l" else c"Q"
    return typecode if typecode in (c"f", c"d", c"B", c"q", c"Q") else 0


cdef inline Py_ssize_t itemsize_of(char typecode) noexcept nogil:
    """Bytes of a number of a type that has a typecode."""
    return 1 if typecode == c"B" else 4 if typecode == c"f" else 8


cdef inline bint read_struct(array, View* view, int flags) noexcept:
    """Look at an array of NumPy's own class that has these flags, of a type with a typecode; False if it is none."""
    cdef const PyArrayObject* one = <const PyArrayObject*> <PyObject*> array
    cdef const Py_ssize_t* shape
    cdef int dimensions
    if not PyArray_CheckExact(array) or PyArray_FLAGS(one) & flags != flags or not PyArray_ISNOTSWAPPED(one):
        return False
    dimensions = PyArray_NDIM(one)
    view.typecode = typecode_of(PyArray_TYPE(one))
    if not 1 <= dimensions <= 2 or view.typecode == 0:
        return False
    shape = PyArray_DIMS(one)
    view.data, view.dimensions, view.rows, view.columns = (
        PyArray_DATA(one), dimensions, shape[0], shape[dimensions - 1]
    )
    view.bytes = view.rows * (view.columns if dimensions == 2 else 1) * itemsize_of(view.typecode)
    view.has_buffer = False
    return True


cdef inline int read_buffer(array, View* view, bint writable) except -1:
    """Acquire the buffer of a contiguous array; an error, and no buffer, if it is none."""
    cdef Py_buffer* buffer = &view.buffer
    PyObject_GetBuffer(array, buffer, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
    view.data, view.bytes, view.dimensions, view.typecode = (
        buffer.buf, buffer.len, buffer.ndim, typecode_of_format(buffer)
    )
    view.has_buffer = True
    view.rows = view.columns = 0
    if buffer.ndim > 0:
        view.rows, view.columns = buffer.shape[0], buffer.shape[buffer.ndim - 1]
    return 0


cdef inline bint contiguous(array, View* view) except -1:
    """Open a contiguous array; False, and nothing to close, if it is none."""
    # Numbers that are not aligned have no typecode in a buffer: those of NumPy are said to be of another order.
    if read_struct(array, view, NPY_ARRAY_CARRAY_RO):
        return True
    if not PyObject_CheckBuffer(array):
        return False
    try:
        read_buffer(array, view, False)
    except (BufferError, ValueError):
        return False
    return True


cdef inline void close(View* view) noexcept:
    if view.has_buffer:
        PyBuffer_Release(&view.buffer)


cdef inline bint readable(x, View* view, Py_ssize_t columns) except -1:
    """Open rows of `columns` numbers of a type that has a typecode; False, and nothing to close, if x is none."""
    if not contiguous(x, view):
        return False
    if view.dimensions == 2 and view.columns == columns and view.typecode != 0:
        return True
    close(view)
    return False


cdef inline int open_rows(x, View* view, Py_ssize_t columns) except -1:
    """The same, with an error if x is none."""
    if not readable(x, view, columns):
        raise ValueError(
            f"Plan: x is {x.dtype} {x.shape}, wanted contiguous rows of {columns} float32, float64, uint8, int64 or "
            "uint64"
        )
    return 0


cdef inline bint shaped(
    const View* view, char typecode, int dimensions, Py_ssize_t first, Py_ssize_t last
) noexcept:
    """Whether an array has this type and 1 or 2 dimensions of these sizes."""
    return (
        view.dimensions == dimensions and view.rows == first and view.columns == last and view.typecode == typecode
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
    cdef View view
    if not read_struct(array, &view, NPY_ARRAY_CARRAY if writable else NPY_ARRAY_CARRAY_RO):
        try:
            read_buffer(array, &view, writable)
        except (BufferError, ValueError) as error:
            raise ValueError(f"Plan: an array of shape {array.shape} cannot be used in place: {error}") from None
    cdef void* data = view.data
    cdef bint matches = shaped(&view, typecode, dimensions, first, last)
    close(&view)
    if <uintptr_t> data % itemsize_of(typecode) != 0:
        raise ValueError(f"Plan: an array of shape {array.shape} is not aligned")
    if not matches:
        wanted = f"({first},)" if dimensions == 1 else f"({first}, {last})"
        kind = "float32" if typecode == c"f" else "float64" if typecode == c"d" else "int64"
        raise ValueError(f"Plan: an array is {array.dtype} {array.shape}, wanted {kind} {wanted}")
    return data
