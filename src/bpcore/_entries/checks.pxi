# The checks of an entry's arrays: type, layout, sizes, overlaps, labels.

cdef bint bind_array(Entry self, Call* call, int n, PyObject* value) noexcept:
    """Check an array and store its address in the call; False if it is not what the entry requires."""
    cdef const PyArrayObject* array = <const PyArrayObject*> value
    cdef const ArgumentSpec* spec = &self.specs[n]
    cdef int array_flags, type, dimensions, i
    if not PyObject_TypeCheck(<object> value, ARRAY):
        return False
    array_flags, type, dimensions = PyArray_FLAGS(array), PyArray_TYPE(array), PyArray_NDIM(array)
    if not array_flags & NPY_ARRAY_ALIGNED or not PyArray_ISNOTSWAPPED(array):
        return False
    if not (spec.strided or array_flags & NPY_ARRAY_C_CONTIGUOUS):
        return False
    if spec.written and not array_flags & NPY_ARRAY_WRITEABLE:
        return False
    if n == self.labels and dimensions == 1:
        if type != NPY_INT64 and type != NPY_LONGLONG:    # two names of one type on most systems
            return False
        call.labels, call.data[n] = <const int64_t*> PyArray_DATA(array), NULL
        return same_size(call, spec.subscripts[0], PyArray_DIMS(array)[0])
    if dimensions != spec.dimensions:
        return False
    if spec.type == c"m":
        if type != NPY_BOOL and type != NPY_UBYTE:
            return False
        call.itemsizes[n] = 1
    elif spec.type == c"i":
        call.itemsizes[n] = integer_size(type)
        if call.itemsizes[n] == 0:
            return False
    elif type == NPY_FLOAT or type == NPY_DOUBLE:
        if call.typecode == 0:
            call.typecode = c"f" if type == NPY_FLOAT else c"d"
        elif (call.typecode == c"f") != (type == NPY_FLOAT):
            return False
        call.itemsizes[n] = 4 if type == NPY_FLOAT else 8
    else:
        return False
    call.data[n] = PyArray_DATA(array)
    for i in range(dimensions):
        call.strides[n][i] = PyArray_STRIDES(array)[i] // call.itemsizes[n]
        if not same_size(call, spec.subscripts[i], PyArray_DIMS(array)[i]):
            return False
    return True


cdef bint same_size(Call* call, int subscript, Py_ssize_t size) noexcept:
    """Whether the axes with this subscript have one size in all arrays."""
    if call.sizes[subscript] == -1:
        call.sizes[subscript] = size
    return call.sizes[subscript] == size


cdef bint related_sizes_fit(const Call* call) noexcept:
    """Whether sizes that depend on others are what they have to be."""
    if call.sizes[J] >= 0 and call.sizes[J] != 2 * call.sizes[K]:
        return False
    return call.sizes[P] < 0 or call.sizes[P] == call.sizes[B] + 1


cdef int integer_size(int type) noexcept:
    """Bytes of one of NumPy's types of signed integers of 32 or 64 bits; 0 for another."""
    if type == NPY_INT:
        return sizeof(int)
    if type == NPY_LONG:
        return sizeof(long)
    return 8 if type == NPY_LONGLONG else 0


cdef Span span_of(Entry self, const Call* call, int n) noexcept:
    """The memory of a contiguous array."""
    cdef const ArgumentSpec* spec = &self.specs[n]
    cdef Py_ssize_t size = call.sizes[spec.subscripts[0]]
    if n == self.labels and call.labels is not NULL:
        return span(call.labels, size * 8)
    if spec.dimensions == 2:
        size = size * call.sizes[spec.subscripts[1]]
    return span(call.data[n], size * call.itemsizes[n])


cdef bint outputs_are_disjoint(Entry self, const Call* call) noexcept:
    """Whether no output shares memory with another array, except those that may be the output itself."""
    cdef Span written, other
    cdef int n, m
    for n in range(self.arrays):
        if not self.specs[n].written:
            continue
        written = span_of(self, call, n)
        for m in range(self.arrays):
            if m == n:
                continue
            if self.specs[m].strided:
                if overlaps_strided(written, call, m, &self.specs[m]):
                    return False
                continue
            other = span_of(self, call, m)
            if intersect(written, other) and not (
                is_same(written, other) and (self.specs[n].may_be >> m & 1 or self.specs[m].may_be >> n & 1)
            ):
                return False
    return True


cdef bint overlaps_strided(Span out, const Call* call, int n, const ArgumentSpec* spec) noexcept:
    """Whether a matrix of any strides overlaps `out` and is not `out` itself."""
    cdef Py_ssize_t rows = call.sizes[spec.subscripts[0]], columns = call.sizes[spec.subscripts[1]], r, o
    cdef Py_ssize_t size = call.itemsizes[n]
    cdef Py_ssize_t row = call.strides[n][0] * size, column = call.strides[n][1] * size
    cdef Py_ssize_t row_extent = row * (rows - 1), column_extent = column * (columns - 1)
    cdef const char* first = <const char*> call.data[n]
    if out.first == out.end or not intersect(
        out,
        Span(
            first + min(row_extent, 0) + min(column_extent, 0),
            first + max(row_extent, 0) + max(column_extent, 0) + size,
        ),
    ):
        return False
    # The stride of an axis of size 1 has no meaning.
    if first == out.first and (columns == 1 or column == size) and (rows == 1 or row == columns * size):
        return False
    for r in range(rows):
        for o in range(columns):
            if intersect(out, span(first + r * row + o * column, size)):
                return True
    return False


cdef int64_t* checked_copy(Entry self, Call* call) except NULL:
    """A checked copy of the labels, which other threads may change meanwhile; the caller frees it."""
    cdef Py_ssize_t rows = call.sizes[B], r
    cdef int64_t* copied = <int64_t*> malloc(rows * sizeof(int64_t) + 1)
    if copied is NULL:
        raise MemoryError(f"no memory for {rows} labels")
    r = gather_labels(call.labels, NULL, rows, call.sizes[K], copied)
    if r < rows:
        label = copied[r]
        free(copied)
        raise ValueError(f"{self.name}: t[{r}] is {label}, wanted a label from 0 to {call.sizes[K] - 1}")
    return copied
