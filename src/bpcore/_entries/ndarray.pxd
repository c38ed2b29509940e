# NumPy's own struct of an array. To look at a field takes a nanosecond; to open a buffer, longer than a small network.

cdef extern from "numpy/ndarraytypes.h":
    ctypedef struct PyArrayObject:
        pass
    void* PyArray_DATA(const PyArrayObject*) noexcept
    const void* PyArray_DESCR(const PyArrayObject*) noexcept
    const Py_ssize_t* PyArray_DIMS(const PyArrayObject*) noexcept
    const Py_ssize_t* PyArray_STRIDES(const PyArrayObject*) noexcept
    int PyArray_NDIM(const PyArrayObject*) noexcept
    int PyArray_FLAGS(const PyArrayObject*) noexcept
    int PyArray_TYPE(const PyArrayObject*) noexcept
    bint PyArray_ISNOTSWAPPED(const PyArrayObject*) noexcept
    int NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_ALIGNED, NPY_ARRAY_WRITEABLE
    int NPY_ARRAY_CARRAY, NPY_ARRAY_CARRAY_RO    # contiguous, aligned, the first writable too
    int NPY_FLOAT, NPY_DOUBLE, NPY_INT64, NPY_LONGLONG, NPY_BOOL, NPY_UBYTE, NPY_INT, NPY_LONG, NPY_ULONG, NPY_ULONGLONG

# Functions of NumPy's, once the module has called `_import_array`.
cdef extern from "numpy/arrayobject.h":
    int _import_array() except -1
    bint PyArray_CheckExact(object array) noexcept
    object PyArray_SimpleNew(int dimensions, const Py_ssize_t* shape, int typenum)
