# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Rows through a network with ReLU between its layers, one at a time and without the GIL, computed in five ways.

Each `by_…` evaluates every row of x `repeat` times and leaves the outputs of the last layer in `out`. `weights` is
W1, b1, W2, b2, and so on, contiguous.
"""

from cython cimport floating
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from scipy.linalg.cython_blas cimport dgemm, dgemv, sgemm, sgemv

from bpcore cimport (
    IDENTITY, RELU, Layer, Network, aligned, cross_entropy_loss, dense, layer_forward, network, place, rows_forward,
    rows_of, workspace_size,
)

cdef enum:
    MOST_LAYERS = 4
    MOST_UNITS = 64

cdef extern from "plain_layer.h" nogil:
    void plain_layerf(
        Py_ssize_t I, Py_ssize_t O, const float* x, const float* W, const float* b, bint has_relu, float* out
    ) noexcept
    void plain_layer(
        Py_ssize_t I, Py_ssize_t O, const double* x, const double* W, const double* b, bint has_relu, double* out
    ) noexcept
    float fmaf(float a, float b, float c) noexcept
    double fma(double a, double b, double c) noexcept


ctypedef void* Array

cdef struct Parameters:
    # Where the arrays of a network lie.
    int depth
    Py_ssize_t[MOST_LAYERS + 1] sizes
    Array[MOST_LAYERS] W
    Array[MOST_LAYERS] b


cdef Parameters parameters_of(list weights, const floating[:, ::1] x, floating[:, ::1] out) except *:
    """Check the arrays of a network and their shapes."""
    cdef Parameters p
    cdef floating[:, ::1] W
    cdef floating[::1] b
    cdef int n
    p.depth, p.sizes[0] = <int> (len(weights) // 2), x.shape[1]
    if not 0 < p.depth <= MOST_LAYERS:
        raise ValueError(f"weights has {len(weights)} arrays, wanted 2 for each of 1 to {MOST_LAYERS} layers")
    for n in range(p.depth):
        W, b = weights[2 * n], weights[2 * n + 1]
        if W.shape[0] != p.sizes[n] or W.shape[1] != b.shape[0] or not 0 < b.shape[0] <= MOST_UNITS:
            raise ValueError(f"the arrays of layer {n + 1} do not fit, or it has more than {MOST_UNITS} units")
        p.sizes[n + 1], p.W[n], p.b[n] = b.shape[0], &W[0, 0], &b[0]
    if out.shape[0] != x.shape[0] or out.shape[1] != p.sizes[p.depth]:
        raise ValueError(f"out has shape ({out.shape[0]}, {out.shape[1]})")
    return p


def by_network(const floating[:, ::1] x, list weights, floating[:, ::1] out, int repeat):
    """Through network.pxd: `rows_forward` of one row, in a workspace."""
    cdef Parameters p = parameters_of(weights, x, out)
    cdef Py_ssize_t I = x.shape[1], K = out.shape[1], r, j
    cdef Layer[MOST_LAYERS] layers
    cdef const Layer* last = &layers[p.depth - 1]
    cdef Network net
    cdef void* memory
    cdef int n, _
    for n in range(p.depth):
        layers[n] = dense(
            p.sizes[n], p.sizes[n + 1], IDENTITY if n == p.depth - 1 else RELU, <floating*> p.W[n], <floating*> p.b[n]
        )
    net = network(layers, p.depth, cross_entropy_loss())
    memory = malloc(workspace_size(&net, 1) + 64)
    if memory is NULL:
        raise MemoryError("no memory for the workspace")
    place(&net, aligned(memory), 1)
    with nogil:
        for _ in range(repeat):
            for r in range(x.shape[0]):
                rows_forward(&net, rows_of(&x[r, 0], I), 0, 1, NULL, <floating> 0)
                for j in range(K):
                    out[r, j] = (<const floating*> last.out)[j]
    free(memory)


def by_layers(const floating[:, ::1] x, list weights, floating[:, ::1] out, int repeat):
    """Through layers.pxd: `layer_forward` of one row, without a workspace."""
    cdef Parameters p = parameters_of(weights, x, out)
    cdef Layer[MOST_LAYERS] layers
    cdef floating[2][MOST_UNITS] hidden
    cdef const floating* enters
    cdef floating* leaves
    cdef Py_ssize_t r
    cdef int n, _
    for n in range(p.depth):
        layers[n] = dense(
            p.sizes[n], p.sizes[n + 1], IDENTITY if n == p.depth - 1 else RELU, <floating*> p.W[n], <floating*> p.b[n]
        )
    with nogil:
        for _ in range(repeat):
            for r in range(x.shape[0]):
                enters = &x[r, 0]
                for n in range(p.depth):
                    leaves = &out[r, 0] if n == p.depth - 1 else hidden[n % 2]
                    layer_forward(&layers[n], rows_of(enters, p.sizes[n]), leaves, p.sizes[n + 1], 1, NULL)
                    enters = leaves


def by_plain_loops(const floating[:, ::1] x, list weights, floating[:, ::1] out, int repeat):
    """In plain C."""
    cdef Parameters p = parameters_of(weights, x, out)
    cdef floating[2][MOST_UNITS] hidden
    cdef const floating* enters
    cdef floating* leaves
    cdef Py_ssize_t r
    cdef int n, _
    with nogil:
        for _ in range(repeat):
            for r in range(x.shape[0]):
                enters = &x[r, 0]
                for n in range(p.depth):
                    leaves = &out[r, 0] if n == p.depth - 1 else hidden[n % 2]
                    if floating is float:
                        plain_layerf(
                            p.sizes[n], p.sizes[n + 1], enters, <const float*> p.W[n], <const float*> p.b[n],
                            n < p.depth - 1, leaves,
                        )
                    else:
                        plain_layer(
                            p.sizes[n], p.sizes[n + 1], enters, <const double*> p.W[n], <const double*> p.b[n],
                            n < p.depth - 1, leaves,
                        )
                    enters = leaves


cdef inline void relu(floating* out, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(n):
        out[j] = 0 if out[j] <= 0 else out[j]


def by_gemv(const floating[:, ::1] x, list weights, floating[:, ::1] out, int repeat):
    """By SciPy's BLAS: a vector times a matrix."""
    cdef Parameters p = parameters_of(weights, x, out)
    cdef floating[2][MOST_UNITS] hidden
    cdef floating* enters
    cdef floating* leaves
    cdef floating one = 1
    cdef Py_ssize_t r
    cdef int n, _, I, O, step = 1
    with nogil:
        for _ in range(repeat):
            for r in range(x.shape[0]):
                enters = <floating*> &x[r, 0]
                for n in range(p.depth):
                    I, O = <int> p.sizes[n], <int> p.sizes[n + 1]
                    leaves = &out[r, 0] if n == p.depth - 1 else hidden[n % 2]
                    memcpy(leaves, p.b[n], O * sizeof(floating))
                    # W in rows is its transpose in columns.
                    if floating is float:
                        sgemv("N", &O, &I, &one, <float*> p.W[n], &O, enters, &step, &one, leaves, &step)
                    else:
                        dgemv("N", &O, &I, &one, <double*> p.W[n], &O, enters, &step, &one, leaves, &step)
                    if n < p.depth - 1:
                        relu(leaves, O)
                    enters = leaves


def by_gemm(const floating[:, ::1] x, list weights, floating[:, ::1] out, int repeat):
    """By SciPy's BLAS: a matrix of one row times a matrix."""
    cdef Parameters p = parameters_of(weights, x, out)
    cdef floating[2][MOST_UNITS] hidden
    cdef floating* enters
    cdef floating* leaves
    cdef floating one = 1
    cdef Py_ssize_t r
    cdef int n, _, I, O, row = 1
    with nogil:
        for _ in range(repeat):
            for r in range(x.shape[0]):
                enters = <floating*> &x[r, 0]
                for n in range(p.depth):
                    I, O = <int> p.sizes[n], <int> p.sizes[n + 1]
                    leaves = &out[r, 0] if n == p.depth - 1 else hidden[n % 2]
                    memcpy(leaves, p.b[n], O * sizeof(floating))
                    if floating is float:
                        sgemm("N", "N", &O, &row, &I, &one, <float*> p.W[n], &O, enters, &I, &one, leaves, &O)
                    else:
                        dgemm("N", "N", &O, &row, &I, &one, <double*> p.W[n], &O, enters, &I, &one, leaves, &O)
                    if n < p.depth - 1:
                        relu(leaves, O)
                    enters = leaves


def chain(const floating[:, ::1] x, Py_ssize_t n):
    """Return n multiply-adds, each of which waits for the last."""
    cdef floating sum = 0, number = x[0, 0]
    cdef Py_ssize_t _
    with nogil:
        for _ in range(n):
            if floating is float:
                sum = fmaf(number, <float> 0.5, sum)
            else:
                sum = fma(number, 0.5, sum)
    return sum
