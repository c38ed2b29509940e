"""A dense network as a C struct: its forward pass, gradient and training step, without Python in between.

a) The struct holds sizes and pointers. Parameters belong to the caller; the workspace is one piece of memory that
   `place` divides among the layers. Pointers are void: the type is that of the arrays a function is called with.
b) A layer's `out` is what leaves its activation, for the last layer the scores. `dout` is the gradient of what
   enters it. ReLU and sigmoid are applied in place, since their derivatives need only what comes out.
c) Every number is computed by the same functions, in the same order, as by the layers of backprop, so that
   nobody can tell from the bits which of the two ran. The first layer has no dx: nobody reads it.
d) A step computes all gradients before the first parameter changes.
"""

from cython cimport floating
from libc.stdint cimport int64_t

from bpcore.parallel cimport WORTH_A_THREAD
from bpcore.product cimport Shape, product
from bpcore.simd cimport sigmoid
from bpcore.softmax cimport softmax_cross_entropy
from bpcore.updates cimport sgd_update_span

cdef enum Activation:
    IDENTITY = 0
    RELU = 1
    SIGMOID = 2


cdef struct Dense:
    Py_ssize_t inputs
    Py_ssize_t outputs
    Activation activation
    void* W                     # (inputs, outputs)
    void* b                     # (outputs,)
    void* out                   # (B, outputs)
    void* dout                  # (B, outputs)
    void* dW                    # (inputs, outputs)
    void* db                    # (outputs,)


cdef struct Network:
    int depth
    Dense* layers
    double* losses              # (B,)


cdef inline Py_ssize_t workspace_size(const Network* net, Py_ssize_t B, Py_ssize_t itemsize) noexcept nogil:
    """Bytes that `place` divides, for batches of up to B rows."""
    cdef Py_ssize_t bytes = padded(B * sizeof(double))
    cdef int n
    for n in range(net.depth):
        bytes = bytes + 2 * padded(B * net.layers[n].outputs * itemsize)
        bytes = bytes + padded(net.layers[n].inputs * net.layers[n].outputs * itemsize)
        bytes = bytes + padded(net.layers[n].outputs * itemsize)
    return bytes


cdef inline void place(Network* net, char* memory, Py_ssize_t B, Py_ssize_t itemsize) noexcept nogil:
    """Divide `workspace_size` bytes, aligned to 64, among the layers."""
    cdef Dense* layer
    cdef int n
    net.losses = <double*> memory
    memory = memory + padded(B * sizeof(double))
    for n in range(net.depth):
        layer = &net.layers[n]
        layer.out = memory
        memory = memory + padded(B * layer.outputs * itemsize)
        layer.dout = memory
        memory = memory + padded(B * layer.outputs * itemsize)
        layer.dW = memory
        memory = memory + padded(layer.inputs * layer.outputs * itemsize)
        layer.db = memory
        memory = memory + padded(layer.outputs * itemsize)


cdef inline Py_ssize_t padded(Py_ssize_t bytes) noexcept nogil:
    return (bytes + 63) & ~(<Py_ssize_t> 63)


cdef inline int worth(int threads, Py_ssize_t operations) noexcept nogil:
    return threads if operations >= WORTH_A_THREAD else 1


cdef inline void dense_forward(
    const Dense* layer, const floating* x, floating* out, Py_ssize_t B, int threads
) noexcept nogil:
    """out = activation(x·W + b)."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs, i
    cdef Shape s = Shape(M=B, N=O, K=I, a_row=I, a_k=1, b_row=O, b_column=1, c_row=O)
    product(x, <const floating*> layer.W, <const floating*> layer.b, out, s, worth(threads, B * I * O))
    if layer.activation == RELU:
        # out = 0 where out <= 0; NaN passes through
        for i in range(B * O):
            out[i] = 0 if out[i] <= 0 else out[i]
    elif layer.activation == SIGMOID:
        # out = 1 / (1 + exp(−out))
        for i in range(B * O):
            out[i] = sigmoid(out[i])


cdef inline void dense_backward_params(
    const Dense* layer, const floating* x, Py_ssize_t B, int threads
) noexcept nogil:
    """dW = xᵀ·dout, db = Σ dout."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs, r, o
    cdef const floating* dout = <const floating*> layer.dout
    cdef floating* db = <floating*> layer.db
    cdef Shape s = Shape(M=I, N=O, K=B, a_row=1, a_k=I, b_row=O, b_column=1, c_row=O)
    product(x, dout, NULL, <floating*> layer.dW, s, worth(threads, B * I * O))
    for o in range(O):
        db[o] = 0
    for r in range(B):
        for o in range(O):
            db[o] = db[o] + dout[r * O + o]


cdef inline void dense_backward_input(
    const Dense* layer, const Dense* below, const floating* _, Py_ssize_t B, int threads
) noexcept nogil:
    """below.dout = (dout·Wᵀ)·activation′ of the layer below."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs, i
    cdef const floating* out = <const floating*> below.out
    cdef floating* dx = <floating*> below.dout
    cdef Shape s = Shape(M=B, N=I, K=O, a_row=O, a_k=1, b_row=1, b_column=O, c_row=I)
    product(<const floating*> layer.dout, <const floating*> layer.W, NULL, dx, s, worth(threads, B * I * O))
    if below.activation == RELU:
        # dx = 0 where out <= 0
        for i in range(B * I):
            dx[i] = 0 if out[i] <= 0 else dx[i]
    elif below.activation == SIGMOID:
        # dx = dx·y·(1 − y), y = out
        for i in range(B * I):
            dx[i] = dx[i] * out[i] * (1 - out[i])


cdef inline double network_gradient(
    const Network* net,
    const floating* x,             # IN   (B, inputs)
    const int64_t* labels,         # IN   (B,) each in [0, outputs), or NULL
    const floating* targets,       # IN   (B, outputs) where there are no labels
    Py_ssize_t B,                  # at least 1
    int threads,
) noexcept nogil:
    """Fill dW and db of every layer; returns the mean loss of the batch."""
    cdef const Dense* last = &net.layers[net.depth - 1]
    cdef const floating* enters = x
    cdef double loss
    cdef int n
    for n in range(net.depth):
        dense_forward(&net.layers[n], enters, <floating*> net.layers[n].out, B, threads)
        enters = <const floating*> net.layers[n].out
    # The probabilities are written where the gradient then takes their place.
    loss = softmax_cross_entropy(
        <const floating*> last.out, labels, targets, <floating*> last.dout, <floating*> last.dout,
        net.losses, B, last.outputs, worth(threads, 16 * B * last.outputs),
    )
    for n in range(net.depth - 1, -1, -1):
        enters = x if n == 0 else <const floating*> net.layers[n - 1].out
        dense_backward_params(&net.layers[n], enters, B, threads)
        if n > 0:
            dense_backward_input(&net.layers[n], &net.layers[n - 1], enters, B, threads)
    return loss


cdef inline void network_sgd(const Network* net, floating lr) noexcept nogil:
    """w = w − round(lr·dw) for every parameter, after network_gradient."""
    cdef Dense* layer
    cdef int n
    for n in range(net.depth):
        layer = &net.layers[n]
        sgd_update_span(<floating*> layer.W, <const floating*> layer.dW, lr, layer.inputs * layer.outputs)
        sgd_update_span(<floating*> layer.b, <const floating*> layer.db, lr, layer.outputs)
