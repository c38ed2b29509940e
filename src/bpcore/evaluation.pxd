# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Evaluation of a network, block by block of rows: its outputs, and how many rows are classified correctly.

A block's activations are in buffers of the caller, so nothing as large as the data is allocated, and several threads
may evaluate one network at once.
"""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore.gather cimport Source, as_stored, bytes_of, gather_rows, row_of_source
from bpcore.layers cimport is_skipped, layer_forward
from bpcore.losses cimport takes_labels
from bpcore.network cimport BLOCK, Network, operations, whole_lines
from bpcore._gemm.operands cimport Address, Rows, rows_of
from bpcore._parallel.team cimport OPERATIONS_PER_CHECK, chunk_start
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


cdef inline Py_ssize_t rows_per_check(const Network* net, int threads) noexcept nogil:
    """How many rows to evaluate between two checks for Ctrl-C: by their work, and in full blocks."""
    cdef double rows = threads * <double> OPERATIONS_PER_CHECK / operations(net, 1)
    cdef Py_ssize_t most = <Py_ssize_t> min(max(rows, 1.0), 1e15), blocks = threads * <Py_ssize_t> BLOCK
    return most if most < blocks else most // blocks * blocks


cdef inline void predict_block(
    const Network* net,
    const Source* source,
    Py_ssize_t first,
    Py_ssize_t rows,
    void* scratch,
    Py_ssize_t capacity,          # rows that the scratch is for
    floating* out,                # OUT  (rows, outputs)
    bint prefetch_next,           # whether to prefetch the rows of the next block
) noexcept nogil:
    cdef Py_ssize_t buffer_bytes = whole_lines(capacity * widest(net) * sizeof(floating))
    cdef Py_ssize_t buffer_size = buffer_bytes // <Py_ssize_t> sizeof(floating)
    cdef floating* memory = <floating*> scratch
    cdef Rows x = rows_of(<const floating*> memory + 2 * buffer_size, net.layers[0].inputs)
    cdef Address[BLOCK] next_rows
    cdef Prefetch prefetch = Prefetch(&next_rows[0], 128 // bytes_of(source))
    cdef floating* layer_out
    cdef Py_ssize_t r
    cdef int n, turn = 0
    for r in range(rows if prefetch_next else 0):
        next_rows[r] = row_of_source(source, first + rows + r)
    if as_stored(source, <floating> 0):
        x = rows_of(<const floating*> row_of_source(source, first), net.layers[0].inputs)
    else:
        gather_rows(source, NULL, first, memory + 2 * buffer_size, net.layers[0].inputs, rows)
    for n in range(net.depth):
        if is_skipped(&net.layers[n]) and n < net.depth - 1:
            continue
        layer_out = out if n == net.depth - 1 else memory + turn * buffer_size
        turn = 1 - turn
        layer_forward(
            &net.layers[n], x, layer_out, net.layers[n].outputs, rows,
            &prefetch if prefetch_next and n == 0 else NULL,
        )
        x = rows_of(<const floating*> layer_out, net.layers[n].outputs)


cdef inline void predict_chunk(
    const Network* net,
    const Source* source,
    void* scratch,                # `scratch_size` bytes for this rank alone
    floating* out,                # OUT  (N, outputs)
    Py_ssize_t N,
    int rank,
    int size,
) noexcept nogil:
    """The outputs of the rows of a rank."""
    cdef Py_ssize_t K = net.layers[net.depth - 1].outputs
    cdef Py_ssize_t first = chunk_start(N, rank, size, 1), stop = chunk_start(N, rank + 1, size, 1), rows
    cdef Py_ssize_t capacity = min(N, <Py_ssize_t> BLOCK)
    while first < stop:
        rows = min(<Py_ssize_t> BLOCK, stop - first)
        predict_block(net, source, first, rows, scratch, capacity, out + first * K, first + rows < stop)
        first = first + rows


cdef inline Py_ssize_t count_correct_chunk(
    const Network* net,
    const Source* source,
    void* scratch,                # `scratch_size` bytes for this rank alone
    floating* logits,             # (BLOCK, outputs) for this rank alone
    const int64_t* labels,        # IN   (N,)
    Py_ssize_t N,
    int rank,
    int size,
) noexcept nogil:
    """How many rows of a rank have their largest logit at their label."""
    cdef Py_ssize_t K = net.layers[net.depth - 1].outputs
    cdef Py_ssize_t first = chunk_start(N, rank, size, 1), stop = chunk_start(N, rank + 1, size, 1), rows, count = 0
    cdef Py_ssize_t capacity = min(N, <Py_ssize_t> BLOCK)
    while first < stop:
        rows = min(<Py_ssize_t> BLOCK, stop - first)
        predict_block(net, source, first, rows, scratch, capacity, logits, first + rows < stop)
        count = count + count_correct_of(net, logits, K, labels + first, NULL, rows)
        first = first + rows
    return count


cdef inline Py_ssize_t count_correct_of(
    const Network* net,
    const floating* logits,       # IN   (rows, outputs), `stride` numbers from one row to the next
    Py_ssize_t stride,
    const int64_t* labels,        # IN   (rows,) or NULL
    const floating* targets,      # IN   (rows, outputs), where there are no labels
    Py_ssize_t rows,
) noexcept nogil:
    """How many rows are classified correctly, as the network's loss has classes."""
    if takes_labels(net.loss.kind):
        return count_correct(logits, stride, labels, targets, rows, net.layers[net.depth - 1].outputs)
    return count_correct_of_two(logits, stride, labels, targets, rows)


cdef inline Py_ssize_t count_correct_of_two(
    const floating* logits,       # IN   (rows, 1), `stride` numbers from one row to the next
    Py_ssize_t stride,
    const int64_t* labels,        # IN   (rows,) 0 or 1, else the row is not correct; or NULL
    const floating* targets,      # IN   (rows,) from 0 to 1, where there are no labels
    Py_ssize_t rows,
) noexcept nogil:
    """How many rows of one output have it above 0 where the class is 1, and only there."""
    cdef Py_ssize_t r, count = 0
    cdef int64_t label
    for r in range(rows):
        label = labels[r] if labels is not NULL else 2 * targets[r] > 1
        count = count + (label == (logits[r * stride] > 0))
    return count


cdef inline Py_ssize_t count_correct(
    const floating* logits,       # IN   (rows, K), `stride` numbers from one row to the next
    Py_ssize_t stride,
    const int64_t* labels,        # IN   (rows,); a row whose label is none of the K is not correct
    const floating* weights,      # IN   (rows, K) contiguous, where there are no labels; all 0 is no label
    Py_ssize_t rows,
    Py_ssize_t K,
) noexcept nogil:
    """How many rows have their largest logit at their label, or at their largest weight."""
    cdef Py_ssize_t r, label, count = 0
    for r in range(rows):
        if labels is not NULL:
            label = labels[r]
        else:
            label = class_of(weights + r * K, K)
        if 0 <= label < K and is_argmax(logits + r * stride, label, K):
            count = count + 1
    return count


cdef inline Py_ssize_t class_of(const floating* weights, Py_ssize_t K) noexcept nogil:
    """The index of the largest weight; −1 where all are 0."""
    cdef Py_ssize_t label = argmax(weights, K), k = 0
    if weights[label] == 0:
        # Others may be below 0.
        while k < K and weights[k] == 0:
            k = k + 1
        return -1 if k == K else label
    return label


cdef inline bint is_argmax(const floating* logits, Py_ssize_t label, Py_ssize_t K) noexcept nogil:
    """Whether `argmax` is the label: by loops without branches, which compilers vectorize, but for ties."""
    cdef floating logit = logits[label]
    cdef int not_below = 0
    cdef bint above = False
    cdef Py_ssize_t k
    for k in range(K):
        not_below = not_below + (not logits[k] < logit)
    if not_below == 1:    # its own; a NaN anywhere beside it counts too
        return True
    for k in range(K):
        above = above | (not logits[k] <= logit)
    if above and logit == logit:
        return False
    return argmax(logits, K) == label


cdef inline Py_ssize_t argmax(const floating* logits, Py_ssize_t K) noexcept nogil:
    """Index of the first largest logit, or of the first NaN, as in numpy.argmax."""
    cdef Py_ssize_t k, best = 0
    for k in range(K):
        if logits[k] != logits[k]:
            return k
        if logits[k] > logits[best]:
            best = k
    return best
