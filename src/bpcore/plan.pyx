"""A plan: a network's shapes, pointers to its parameters, and a workspace, so that a call is one piece of C.

a) The plan keeps references to the parameter arrays and their addresses. Whoever made it sees to it that the
   arrays are the network's own at every call; it only checks their type, layout and shape when it is made.
b) The workspace grows to the largest batch that was seen and is then used again.
c) Evaluation works on memory of its own, block by block, so several threads of Python may use one plan for it;
   training writes to the workspace and the parameters, and a second training call at the same time raises.
"""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from bpcore.gather cimport gather_rows, stored
from bpcore.network cimport (
    IDENTITY, RELU, SIGMOID, Dense, Network, dense_forward, network_gradient, network_sgd, padded, place,
    workspace_size,
)
from bpcore.parallel cimport omp_get_max_threads
from bpcore.product cimport aligned

ACTIVATIONS = {"identity": IDENTITY, "relu": RELU, "sigmoid": SIGMOID}
# Rows that are evaluated at once: enough for full tiles, few enough that a block's activations stay in cache.
cdef Py_ssize_t BLOCK = 240


cdef class Plan:
    """A dense network, ready to run.

    Parameters
    ----------
    dtype : "float32" or "float64"
    layers : list of (W, b, activation)
        Parameters, C-contiguous and writable, of the type `dtype`; activation is a key of ACTIVATIONS.
    mean, scale : 1-d arrays of the type `dtype` and of the length of the inputs, or None
        The network computes with (x − mean)·scale.
    """

    cdef Network net
    cdef readonly str dtype
    cdef readonly bint training
    cdef Py_ssize_t capacity
    cdef void* memory
    cdef void* batch
    cdef void* mean
    cdef void* scale
    cdef list kept

    def __cinit__(self, str dtype, list layers, mean, scale):
        self.dtype = dtype
        self.kept = [mean, scale, *layers]
        self.net.depth = len(layers)
        self.net.layers = <Dense*> calloc(len(layers), sizeof(Dense))
        if self.net.layers is NULL:
            raise MemoryError("no memory for the plan")
        if dtype == "float32":
            self.take[float](layers, mean, scale, <float> 0)
        else:
            self.take[double](layers, mean, scale, <double> 0)

    def __dealloc__(self):
        free(self.net.layers)
        free(self.memory)

    cdef int take(self, list layers, mean, scale, floating _) except -1:
        """Keep the addresses of the parameters."""
        cdef floating[:, ::1] W
        cdef floating[::1] b
        cdef Dense* layer
        for n, (weights, biases, activation) in enumerate(layers):
            W, b = weights, biases
            layer = &self.net.layers[n]
            layer.inputs, layer.outputs = W.shape[0], W.shape[1]
            layer.activation = ACTIVATIONS[activation]
            if b.shape[0] != layer.outputs or n > 0 and layer.inputs != self.net.layers[n - 1].outputs:
                raise ValueError(f"Plan: layer {n + 1} has shapes {weights.shape} and {biases.shape}")
            layer.W, layer.b = &W[0, 0], &b[0]
        for vector in (mean, scale):
            if vector is not None:
                b = vector
                if b.shape[0] != self.net.layers[0].inputs:
                    raise ValueError(f"Plan: {b.shape[0]} means or scales, {self.net.layers[0].inputs} inputs")
                if vector is mean:
                    self.mean = &b[0]
                else:
                    self.scale = &b[0]
        return 0

    @property
    def inputs(self):
        """How many features a sample has."""
        return self.net.layers[0].inputs

    @property
    def outputs(self):
        """How many scores a sample gets."""
        return self.net.layers[self.net.depth - 1].outputs

    def scores(self, const stored[:, ::1] x not None, out not None, int threads):
        """Write the scores of the last layer for every row of x to `out`."""
        self.shapes(x.shape[1], out.shape, (x.shape[0], self.outputs))
        threads = min(threads, omp_get_max_threads())
        if x.shape[0] == 0:
            return
        if self.dtype == "float32":
            self.scores_as[stored, float](&x[0, 0], x.shape[0], out, threads)
        else:
            self.scores_as[stored, double](&x[0, 0], x.shape[0], out, threads)

    cdef int scores_as(self, const stored* x, Py_ssize_t N, floating[:, ::1] out, int threads) except -1:
        cdef Py_ssize_t I = self.net.layers[0].inputs, first, B
        cdef Py_ssize_t rows = BLOCK * max(threads, 1)
        cdef void* memory = malloc(self.scratch(min(rows, N), sizeof(floating)))
        if memory is NULL:
            raise MemoryError("no memory for the activations of a block")
        with nogil:
            first = 0
            while first < N:
                B = min(rows, N - first)
                evaluate(&self.net, x + first * I, <floating*> self.mean, <floating*> self.scale,
                         <floating*> aligned(memory), min(rows, N), &out[first, 0], B, threads)
                first = first + B
        free(memory)
        return 0

    def right(self, const stored[:, ::1] x not None, const int64_t[::1] labels not None, int threads):
        """How many rows of x have their highest score at their label; a NaN among the scores comes first."""
        self.shapes(x.shape[1], (labels.shape[0],), (x.shape[0],))
        threads = min(threads, omp_get_max_threads())
        if x.shape[0] == 0:
            return 0
        if self.dtype == "float32":
            return self.right_as[stored, float](&x[0, 0], labels, threads, <float> 0)
        return self.right_as[stored, double](&x[0, 0], labels, threads, <double> 0)

    cdef Py_ssize_t right_as(
        self, const stored* x, const int64_t[::1] labels, int threads, floating _
    ) except -1:
        cdef Py_ssize_t I = self.net.layers[0].inputs, K = self.outputs, N = labels.shape[0]
        cdef Py_ssize_t rows = min(BLOCK * max(threads, 1), N), first = 0, r, B, count = 0
        cdef Py_ssize_t scratch = self.scratch(rows, sizeof(floating))
        cdef char* memory = <char*> malloc(scratch + rows * K * sizeof(floating))
        cdef floating* out = <floating*> (memory + scratch)
        if memory is NULL:
            raise MemoryError("no memory for the activations of a block")
        with nogil:
            while first < N:
                B = min(rows, N - first)
                evaluate(&self.net, x + first * I, <floating*> self.mean, <floating*> self.scale,
                         <floating*> aligned(memory), rows, out, B, threads)
                for r in range(B):
                    if highest(out + r * K, K) == labels[first + r]:
                        count = count + 1
                first = first + B
        free(memory)
        return count

    def train(
        self, const stored[:, ::1] x not None, t not None, const int64_t[:, ::1] indices not None,
        double lr, double[::1] losses not None, int threads,
    ):
        """Take a step of SGD for every row of `indices`, which names the samples of its batch.

        `t` is (N,) int64 labels or (N, K) weights of the network's type, `losses` takes the loss before each
        step. Labels and indices are trusted.
        """
        self.shapes(x.shape[1], (losses.shape[0],), (indices.shape[0],))
        threads = min(threads, omp_get_max_threads())
        if self.training:
            raise RuntimeError("this network is being trained by another thread")
        self.training = True
        try:
            if self.dtype == "float32":
                self.train_as[stored, float](&x[0, 0], t, indices, <float> lr, losses, threads)
            else:
                self.train_as[stored, double](&x[0, 0], t, indices, lr, losses, threads)
        finally:
            self.training = False

    cdef int train_as(
        self, const stored* x, t, const int64_t[:, ::1] indices, floating lr, double[::1] losses, int threads
    ) except -1:
        cdef Py_ssize_t I = self.net.layers[0].inputs, K = self.outputs, B = indices.shape[1], step, r
        cdef const int64_t[::1] labels = t if t.ndim == 1 else None
        cdef const floating[:, ::1] weights = t if t.ndim == 2 else None
        self.reserve(B, sizeof(floating))
        cdef floating* batch = <floating*> self.batch
        cdef char* behind = <char*> self.batch + padded(B * I * sizeof(floating))
        cdef int64_t* batch_labels = <int64_t*> behind if labels is not None else NULL
        cdef floating* batch_weights = <floating*> behind if weights is not None else NULL
        with nogil:
            for step in range(indices.shape[0]):
                gather_rows(x, &indices[step, 0], <const floating*> self.mean, <const floating*> self.scale,
                            batch, B, I)
                for r in range(B):
                    if batch_labels is not NULL:
                        batch_labels[r] = labels[indices[step, r]]
                    else:
                        memcpy(batch_weights + r * K, &weights[indices[step, r], 0], K * sizeof(floating))
                losses[step] = network_gradient(
                    &self.net, <const floating*> batch, batch_labels, <const floating*> batch_weights, B, threads
                )
                network_sgd(&self.net, lr)
        return 0

    cdef int shapes(self, Py_ssize_t columns, got, wanted) except -1:
        if columns != self.net.layers[0].inputs:
            raise ValueError(f"Plan: x has {columns} columns, the network has {self.net.layers[0].inputs} inputs")
        if tuple(got)[:len(wanted)] != wanted:
            raise ValueError(f"Plan: an array has shape {tuple(got)}, wanted {wanted}")
        return 0

    cdef Py_ssize_t scratch(self, Py_ssize_t rows, Py_ssize_t itemsize) noexcept:
        """Bytes that `evaluate` needs for a block, and 64 to align them."""
        return 3 * padded(rows * widest(&self.net) * itemsize) + 64

    cdef int reserve(self, Py_ssize_t B, Py_ssize_t itemsize) except -1:
        """Make the workspace large enough for batches of B rows."""
        cdef Py_ssize_t size, batch
        if B > self.capacity:
            size = workspace_size(&self.net, B, itemsize)
            batch = padded(B * self.net.layers[0].inputs * itemsize) + padded(B * max(8, self.outputs * itemsize))
            free(self.memory)
            self.capacity = 0
            self.memory = malloc(size + batch + 64)
            if self.memory is NULL:
                raise MemoryError(f"no memory for batches of {B} rows")
            self.capacity = B
            place(&self.net, <char*> aligned(self.memory), B, itemsize)
            self.batch = <char*> aligned(self.memory) + size
        return 0


cdef inline Py_ssize_t widest(const Network* net) noexcept nogil:
    cdef Py_ssize_t most = net.layers[0].inputs
    cdef int n
    for n in range(net.depth):
        most = max(most, net.layers[n].outputs)
    return most


cdef inline Py_ssize_t highest(const floating* scores, Py_ssize_t K) noexcept nogil:
    """Index of the first largest score, or of the first NaN, as numpy.argmax has it."""
    cdef Py_ssize_t k, best = 0
    for k in range(K):
        if scores[k] != scores[k]:
            return k
        if scores[k] > scores[best]:
            best = k
    return best


cdef inline void evaluate(
    const Network* net,
    const stored* x,              # IN   (B, inputs)
    const floating* mean,
    const floating* scale,
    floating* memory,             # three buffers of `rows` rows of the widest layer
    Py_ssize_t rows,
    floating* out,                # OUT  (B, outputs) scores
    Py_ssize_t B,
    int threads,
) noexcept nogil:
    cdef Py_ssize_t each = padded(rows * widest(net) * sizeof(floating)) // sizeof(floating)
    cdef const floating* enters = memory + 2 * each
    cdef floating* leaves
    cdef int n
    if same_type(x, memory) and mean is NULL and scale is NULL:
        enters = <const floating*> x
    else:
        gather_rows(x, NULL, mean, scale, memory + 2 * each, B, net.layers[0].inputs)
    for n in range(net.depth):
        leaves = out if n == net.depth - 1 else memory + (n % 2) * each
        dense_forward(&net.layers[n], enters, leaves, B, threads)
        enters = leaves


cdef inline bint same_type(const stored* _, const floating* __) noexcept nogil:
    if floating is float:
        return stored is float
    else:
        return stored is double
