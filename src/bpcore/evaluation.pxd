# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Evaluation of a network: scores, and how many rows have their highest score at their label, block by block.

A block's activations live in two buffers that the caller gives, so nothing as large as the data is made, and several
threads may evaluate one network at once.
"""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore.gather cimport Source, as_stored, bytes_of, gather_rows, row_of_source
from bpcore.layers cimport layer_forward
from bpcore.network cimport BLOCK, Network, operations, whole_lines
from bpcore._gemm.operands cimport Address, Rows, rows_of
from bpcore._parallel.team cimport TURN, chunk_start
from bpcore._gemm.product cimport Prefetch


cdef inline Py_ssize_t widest(const Network* net) noexcept nogil:
    cdef Py_ssize_t most = net.layers[0].inputs
    cdef int n
    for n in range(net.depth):
        most = max(most, net.layers[n].outputs)
    return most


cdef inline Py_ssize_t scratch_size(const Network* net, Py_ssize_t rows, Py_ssize_t itemsize) noexcept nogil:
    """Bytes that one thread needs to evaluate `rows` rows: three buffers of a block of the widest layer."""
    return 3 * whole_lines(min(rows, <Py_ssize_t> BLOCK) * widest(net) * itemsize)


cdef inline Py_ssize_t rows_of_a_turn(const Network* net, int threads) noexcept nogil:
    """How many rows to evaluate before Ctrl-C is looked at: by their work, and in whole blocks."""
    cdef double rows = threads * <double> TURN / operations(net, 1)
    cdef Py_ssize_t most = <Py_ssize_t> min(max(rows, 1.0), 1e15), blocks = threads * <Py_ssize_t> BLOCK
    return most if most < blocks else most // blocks * blocks


cdef inline void predict_block(
    const Network* net,
    const Source* source,
    Py_ssize_t first,
    Py_ssize_t rows,
    void* scratch,
    Py_ssize_t most,              # rows that the scratch is for
    floating* out,                # OUT  (rows, outputs)
    bint more,                    # whether another block follows, which is then fetched
) noexcept nogil:
    cdef Py_ssize_t each = whole_lines(most * widest(net) * sizeof(floating)) // <Py_ssize_t> sizeof(floating)
    cdef floating* memory = <floating*> scratch
    cdef Rows enters = rows_of(<const floating*> memory + 2 * each, net.layers[0].inputs)
    cdef Address[BLOCK] following
    cdef Prefetch prefetch = Prefetch(&following[0], 128 // bytes_of(source))
    cdef floating* leaves
    cdef Py_ssize_t r
    cdef int n
    for r in range(rows if more else 0):
        following[r] = row_of_source(source, first + rows + r)
    if as_stored(source, <floating> 0):
        enters = rows_of(<const floating*> row_of_source(source, first), net.layers[0].inputs)
    else:
        gather_rows(source, NULL, first, memory + 2 * each, net.layers[0].inputs, rows)
    for n in range(net.depth):
        leaves = out if n == net.depth - 1 else memory + (n % 2) * each
        layer_forward(
            &net.layers[n], enters, leaves, net.layers[n].outputs, rows, &prefetch if more and n == 0 else NULL
        )
        enters = rows_of(<const floating*> leaves, net.layers[n].outputs)


cdef inline void predict_chunk(
    const Network* net,
    const Source* source,
    void* scratch,                # `scratch_size` bytes for this rank alone
    floating* out,                # OUT  (N, outputs)
    Py_ssize_t N,
    int rank,
    int size,
) noexcept nogil:
    """Scores of the rows of a rank."""
    cdef Py_ssize_t K = net.layers[net.depth - 1].outputs
    cdef Py_ssize_t first = chunk_start(N, rank, size, 1), stop = chunk_start(N, rank + 1, size, 1), rows
    cdef Py_ssize_t most = min(N, <Py_ssize_t> BLOCK)
    while first < stop:
        rows = min(<Py_ssize_t> BLOCK, stop - first)
        predict_block(net, source, first, rows, scratch, most, out + first * K, first + rows < stop)
        first = first + rows


cdef inline Py_ssize_t count_correct_chunk(
    const Network* net,
    const Source* source,
    void* scratch,                # `scratch_size` bytes for this rank alone
    floating* scores,             # a block of rows of scores, for this rank alone
    const int64_t* labels,        # IN   (N,)
    Py_ssize_t N,
    int rank,
    int size,
) noexcept nogil:
    """How many rows of a rank have their highest score at their label."""
    cdef Py_ssize_t K = net.layers[net.depth - 1].outputs
    cdef Py_ssize_t first = chunk_start(N, rank, size, 1), stop = chunk_start(N, rank + 1, size, 1), rows, count = 0
    cdef Py_ssize_t most = min(N, <Py_ssize_t> BLOCK)
    while first < stop:
        rows = min(<Py_ssize_t> BLOCK, stop - first)
        predict_block(net, source, first, rows, scratch, most, scores, first + rows < stop)
        count = count + count_correct(scores, K, labels + first, NULL, rows, K)
        first = first + rows
    return count


cdef inline Py_ssize_t count_correct(
    const floating* scores,       # IN   (rows, K), `row` numbers from one row to the next
    Py_ssize_t row,
    const int64_t* labels,        # IN   (rows,); a row whose label is none of the K is not correct
    const floating* weights,      # IN   (rows, K) without gaps, where there are no labels; all 0 is no label
    Py_ssize_t rows,
    Py_ssize_t K,
) noexcept nogil:
    """How many rows have their highest score at their label, or at their highest weight."""
    cdef Py_ssize_t r, k, label, count = 0
    for r in range(rows):
        if labels is not NULL:
            label = labels[r]
        else:
            label = highest(weights + r * K, K)
            if weights[r * K + label] == 0:
                # Others may be below 0.
                k = 0
                while k < K and weights[r * K + k] == 0:
                    k = k + 1
                label = -1 if k == K else label
        if 0 <= label < K and is_highest(scores + r * row, label, K):
            count = count + 1
    return count


cdef inline bint is_highest(const floating* scores, Py_ssize_t label, Py_ssize_t K) noexcept nogil:
    """Whether `highest` finds the label: by loops without branches, which compilers make vectors of, but for ties."""
    cdef floating score = scores[label]
    cdef int not_below = 0
    cdef bint above = False
    cdef Py_ssize_t k
    for k in range(K):
        not_below = not_below + (not scores[k] < score)
    if not_below == 1:    # its own; a NaN anywhere beside it counts too
        return True
    for k in range(K):
        above = above | (not scores[k] <= score)
    if above and score == score:
        return False
    return highest(scores, K) == label


cdef inline Py_ssize_t highest(const floating* scores, Py_ssize_t K) noexcept nogil:
    """Index of the first largest score, or of the first NaN, as numpy.argmax has it."""
    cdef Py_ssize_t k, best = 0
    for k in range(K):
        if scores[k] != scores[k]:
            return k
        if scores[k] > scores[best]:
            best = k
    return best
