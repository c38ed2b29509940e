# Sparse samples: what a loop of steps takes rows of.

cdef class SparseMatrix:
    """A matrix in compressed sparse rows, ready for `Plan.train`: its places and columns are checked copies.

    Parameters
    ----------
    indptr : (N + 1,) int64
    indices : int32, of which the bytes are given, as uint8
        Of each row ascending, none twice.
    data : float32 or float64
    columns : int
    """

    cdef SparseRows rows
    cdef View view               # of the data, whose rows and columns are those of the matrix
    cdef void* memory
    cdef list pinned

    def __cinit__(self, indptr not None, indices not None, data not None, Py_ssize_t columns):
        cdef Call call
        call.data[0] = array_data(indptr, "indptr", c"q", 1, False)
        call.data[1] = array_data(indices, "indices", c"B", 1, False)
        call.itemsizes[0], call.itemsizes[1] = 8, 4
        call.sizes[P], call.sizes[Z], call.sizes[I] = len(indptr), len(indices) // 4, columns
        call.sizes[B] = call.sizes[P] - 1
        if call.sizes[B] >= 0 and read_struct(data, &self.view, NPY_ARRAY_CARRAY_RO) and self.view.dimensions == 1:
            if self.view.rows == call.sizes[Z]:
                self.memory = checked_rows(&call)
        if self.memory is NULL:
            raise ValueError("Plan: indptr, indices and data are no matrix in compressed sparse rows")
        self.rows = SparseRows(
            begin=call.indptr, end=call.indptr + 1, indices=call.indices, data=self.view.data, step=4, wide=True
        )
        self.view.rows, self.view.columns, self.pinned = call.sizes[B], columns, [data, held(data)]

    def __dealloc__(self):
        free(self.memory)

    cdef int open(self, Job* job, Py_ssize_t columns, char typecode) except -1:
        """Let a job take its samples from the matrix."""
        if self.view.columns != columns or self.view.typecode != typecode:
            raise ValueError(f"Plan: x has {self.view.columns} columns, wanted {columns} of the network's type")
        job.data, job.sparse = self.view, &self.rows
        return 0
