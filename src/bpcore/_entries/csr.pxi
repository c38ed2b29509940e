# The checks of a matrix in compressed sparse rows: what indptr and indices say, of copies that no other thread writes.

cdef void* checked_rows(Call* call) except? NULL:
    """Give the call checked copies of indptr and indices, which the caller frees; NULL if they are of no matrix."""
    cdef Py_ssize_t rows = call.sizes[B], numbers = call.sizes[Z]
    cdef int64_t* indptr = <int64_t*> malloc((rows + 1) * sizeof(int64_t) + numbers * sizeof(int32_t))
    if indptr is NULL:
        raise MemoryError(f"no memory for copies of {rows + 1} places and {numbers} indices")
    call.indptr, call.indices = indptr, <int32_t*> (indptr + rows + 1)
    if copy_indptr(call, indptr) and copy_indices(call, <int32_t*> (indptr + rows + 1)):
        return indptr
    free(indptr)
    return NULL


cdef bint copy_indptr(const Call* call, int64_t* out) noexcept nogil:
    """Copy indptr; False unless it goes from 0 to the number of indices and never down."""
    cdef int64_t before = 0
    cdef Py_ssize_t r
    for r in range(call.sizes[P]):
        out[r] = (<const int32_t*> call.data[0])[r] if call.itemsizes[0] == 4 else (<const int64_t*> call.data[0])[r]
        if out[r] < before or out[r] > call.sizes[Z] or r == 0 and out[r] != 0:
            return False
        before = out[r]
    return before == call.sizes[Z]


cdef bint copy_indices(const Call* call, int32_t* out) noexcept nogil:
    """Copy the indices; False unless each is a column of x and, in its row, above the one before it."""
    cdef const int64_t* indptr = call.indptr
    cdef const int64_t* wide = <const int64_t*> call.data[1]
    cdef int64_t index
    cdef Py_ssize_t n, r
    cdef int wrong
    if call.itemsizes[1] == 4:
        memcpy(out, call.data[1], call.sizes[Z] * sizeof(int32_t))
    else:
        for n in range(call.sizes[Z]):
            index = wide[n]
            if not 0 <= index <= INT32_MAX:
                return False
            out[n] = <int32_t> index
    for r in range(call.sizes[B]):
        if indptr[r] == indptr[r + 1]:
            continue
        wrong = out[indptr[r]] < 0 or out[indptr[r + 1] - 1] >= call.sizes[I]
        # Without a branch, so that a compiler makes vectors of it.
        for n in range(indptr[r] + 1, indptr[r + 1]):
            wrong |= out[n] <= out[n - 1]
        if wrong:
            return False
    return True
