# Targets of a call, and the shares of its rows in the loss: checked, and copied where they are memory's keys.

cdef class Targeting(Evaluation):
    """What targets.pxd needs of the targets that a call is given."""

    cdef Targets targets

    cdef inline Py_ssize_t target_width(self) noexcept:
        return target_width(self.net.loss.kind, self.net.layers[self.net.depth - 1].outputs)

    cdef inline bint targets_of(self, t, Py_ssize_t N, Targets* targets) except -1:
        """Point to the labels or targets of N samples; False if they are not of the right type and shape."""
        cdef View view
        cdef Py_ssize_t K = self.target_width()
        cdef bint right
        targets[0] = no_targets()
        if self.table is not NULL:
            targets.slope, targets.rest = self.table, self.table + K
            targets.are_numbers = not takes_labels(self.net.loss.kind)
        if not contiguous(t, &view):
            return False
        if view.dimensions == 1 and takes_labels(self.net.loss.kind):
            right = view.rows == N and view.typecode == c"q"
            targets.labels = <const int64_t*> view.data
        else:
            right = shaped(&view, self.letter, 2, N, K)
            targets.weights = view.data
        close(&view)
        return right

    cdef inline bint wants_weights(self, tuple row_weights) noexcept:
        """Whether the loss gives rows with labels weights of their own, which are not here."""
        return self.weighs and row_weights is None and self.targets.labels is not NULL

    cdef inline bint takes_numbers(self, Py_ssize_t B) noexcept:
        """Whether the targets of a loss of numbers are such as it takes."""
        cdef Py_ssize_t n, size = B * self.target_width()
        cdef LossKind kind = self.net.loss.kind
        if kind != BINARY_CROSS_ENTROPY and kind != POISSON:
            return True
        for n in range(size):
            if not takes_target(
                kind, (<const float*> self.targets.weights)[n] if self.letter == c"f"
                else (<const double*> self.targets.weights)[n],
            ):
                return False
        return True

    cdef int share(
        self, tuple row_weights, Py_ssize_t N, const int64_t* indices, Py_ssize_t steps, Py_ssize_t B
    ) except -1:
        """Fill the shares of the rows of batches: of `indices`, (steps, B), or the first ones."""
        if len(row_weights) != 2:
            raise ValueError(f"Plan: row_weights has {len(row_weights)} parts, wanted the weights and the divisors")
        cdef const double* rows = <const double*> address(row_weights[0], c"d", 1, N, N, False)
        cdef const double* divisors = <const double*> address(row_weights[1], c"d", 1, N, N, False)
        cdef const int64_t* batch = indices
        cdef Py_ssize_t step
        for step in range(steps):
            if indices is not NULL:
                batch = indices + step * B
            if self.letter == c"f":
                share_out(rows, divisors, batch, B, <float*> self.targets.shares + step * B)
            else:
                share_out(rows, divisors, batch, B, <double*> self.targets.shares + step * B)
        return 0

    cdef inline Py_ssize_t copy_labels(self, const int64_t* indices, Py_ssize_t count, int64_t* out) noexcept:
        """As gather_labels, or gather_shared_labels where rows have shares."""
        cdef const int64_t* labels = self.targets.labels
        cdef const void* shares = self.targets.shares
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs
        if shares is NULL:
            return gather_labels(labels, indices, count, K, out)
        if self.letter == c"f":
            return gather_shared_labels(labels, indices, <const float*> shares, count, K, out)
        return gather_shared_labels(labels, indices, <const double*> shares, count, K, out)

    cdef inline void name_classes(self, const int64_t* indices, Py_ssize_t count, int64_t* out) noexcept:
        """The classes of rows of weights, as they are given: what is made of them may have another largest."""
        cdef Py_ssize_t K = self.net.layers[self.net.depth - 1].outputs, r
        for r in range(count):
            if self.letter == c"f":
                out[r] = class_of(<const float*> self.targets.weights + indices[r] * K, K)
            else:
                out[r] = class_of(<const double*> self.targets.weights + indices[r] * K, K)
