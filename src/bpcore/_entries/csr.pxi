# The checks of a matrix in compressed sparse rows: what indptr and indices say, of copies that no other thread writes.

cdef void* checked_rows(Call* call) except? NULL:
    """Give the call checked copies of indptr and indices, which the caller frees; NULL if they are of no matrix."""
    cdef Py_ssize_t rows = call.sizes[B], numbers = call.sizes[Z], r
    cdef int64_t* indptr = <int64_t*> malloc((rows + 1) * sizeof(int64_t) + numbers * sizeof(int32_t))
    cdef int32_t* indices
    cdef bint fits
    if indptr is NULL:
        raise MemoryError(f"no memory for copies of {rows + 1} places and {numbers} indices")
    indices = <int32_t*> (indptr + rows + 1)
    copy_indptr(call, indptr)
    fits = indptr[0] == 0 and indptr[rows] == numbers
    for r in range(rows):
        fits &= indptr[r] <= indptr[r + 1]
    if fits:
        fits = copy_indices(call, indices)
        for r in range(rows):
            fits &= row_ascends(indices + indptr[r], indptr[r + 1] - indptr[r], call.sizes[I])
    if not fits:
        free(indptr)
        return NULL
    call.indptr, call.indices = indptr, indices
    return indptr


cdef void copy_indptr(const Call* call, int64_t* out) noexcept nogil:
    cdef Py_ssize_t r
    for r in range(call.sizes[P]):
        if call.itemsizes[0] == 4:
            out[r] = (<const int32_t*> call.data[0])[r]
        else:
            out[r] = (<const int64_t*> call.data[0])[r]


cdef bint copy_indices(const Call* call, int32_t* out) noexcept nogil:
    """Copy the indices; False if one is negative or has more than 31 bits."""
    cdef const int64_t* wide = <const int64_t*> call.data[1]
    cdef int64_t index, all_bits = 0
    cdef Py_ssize_t n
    if call.itemsizes[1] == 4:
        memcpy(out, call.data[1], call.sizes[Z] * sizeof(int32_t))
        return True
    for n in range(call.sizes[Z]):
        index = wide[n]
        all_bits |= index
        out[n] = <int32_t> index
    return 0 <= all_bits <= INT32_MAX


cdef bint row_ascends(const int32_t* indices, Py_ssize_t count, Py_ssize_t stop) noexcept nogil:
    """Whether the indices of a row are at least 0, below `stop`, and each above the one before it."""
    cdef Py_ssize_t n
    cdef int wrong = 0
    if count == 0:
        return True
    for n in range(1, count):
        wrong |= indices[n] <= indices[n - 1]
    return not wrong and indices[0] >= 0 and indices[count - 1] < stop
