# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The layers of a network as C structs: forward, backward and the gradients of their parameters.

a) A layer is a transform with parameters, and the activation behind it. `dense` and its like make one over arrays of
   the caller's; `place` (network.pxd) points into a workspace. Pointers are void, `itemsize` tells their type: 4 is
   float32, 8 is float64, one in all layers of a network.
b) What stands under "Transforms" tells them apart, nothing else does. A new one has its loops in a file of _layers, a
   constructor here, and a line in those functions that treat it differently.
c) A row of a forward or backward pass needs no other row; a parameter's gradient sums over all of them in their order.
   So threads share the rows of the first two and the parameters of the third, and no bit changes. Only batch
   normalisation needs all rows in training: threads share its columns, and wait for each other (columns.pxd).
"""

from cython cimport floating
from libc.stdint cimport uint64_t
from libc.string cimport memset

from bpcore._checks.checks cimport BP_CHECKS, bp_require
from bpcore._gemm.operands cimport Rows
from bpcore._gemm.product cimport Prefetch
from bpcore._layers.batch_norm cimport (
    batch_norm_backward, batch_norm_forward, batch_norm_inference, batch_norm_update,
)
from bpcore._layers.dense cimport dense_backward_input, dense_backward_parameters, dense_forward
from bpcore._layers.dropout cimport dropout_backward_input, dropout_forward
from bpcore._layers.layer cimport Layer, Kept, Parameter, nothing_kept
from bpcore._layers.row_norms cimport row_norm_backward_input, row_norm_backward_parameters, row_norm_forward
from bpcore._layers.softmax cimport softmax_backward_input, softmax_forward
from bpcore.activations cimport ACTIVATION_NUMBERS, ACTIVATIONS, IDENTITY, Activation, activate_rows, usual_number
from bpcore.updates cimport Update

cdef enum Transform:
    # The first has a matrix as its weight; normalisations have a weight for each output, and most a bias.
    DENSE = 0         # x·weight + bias
    LAYER_NORM = 1    # the row, normalised, times weight plus bias
    DROPOUT = 2       # in training the row times a random mask
    RMS_NORM = 3      # the row over the root of its mean square, times weight
    BATCH_NORM = 4    # the column, normalised over the batch in training, times weight plus bias
    SOFTMAX = 5       # the row's exponentials over their sum
    LOG_SOFTMAX = 6   # the logarithms of these
    TRANSFORMS = 7    # how many there are


cdef inline Layer dense(
    Py_ssize_t inputs, Py_ssize_t outputs, Activation activation, floating* W, floating* b
) noexcept nogil:
    """activation(x·W + b), for the caller's W (inputs, outputs) and b (outputs,), both without gaps.

    The numbers that the activation takes, in `numbers`, are the usual ones.

    Where an update rule keeps something, the caller also sets weight.state1 and bias.state1, for Adam state2 too, for
    AMSGrad state3: arrays of the same shapes, of zeros before the first step.
    """
    return layer_of(DENSE, activation, inputs, outputs, W, b, 0, sizeof(floating))


cdef inline Layer layer_norm(
    Py_ssize_t n, Activation activation, floating* weight, floating* bias, double eps
) noexcept nogil:
    """activation(z·weight + bias), z the row minus its mean over sqrt(variance + eps); weight and bias are (n,).

    State of an update rule as for `dense`.
    """
    return layer_of(LAYER_NORM, activation, n, n, weight, bias, eps, sizeof(floating))


cdef inline Layer rms_norm(Py_ssize_t n, Activation activation, floating* weight, double eps) noexcept nogil:
    """activation(z·weight), z the row over sqrt(mean of its squares + eps); weight is (n,). There is no bias."""
    return layer_of(RMS_NORM, activation, n, n, weight, NULL, eps, sizeof(floating))


cdef inline Layer batch_norm(
    Py_ssize_t n, Activation activation, floating* weight, floating* bias, floating* running_mean,
    floating* running_var, double eps, double momentum,
) noexcept nogil:
    """activation(z·weight + bias), z the column minus its mean over sqrt(variance + eps); all arrays are (n,).

    Mean and variance are those of a batch in training, which also moves the running ones, by `momentum` towards them;
    otherwise the running ones. A pass in training has to take all rows of the batch at once. State of an update rule
    as for `dense`.
    """
    cdef Layer layer = layer_of(BATCH_NORM, activation, n, n, weight, bias, eps, sizeof(floating))
    layer.running_mean, layer.running_var, layer.momentum = running_mean, running_var, momentum
    return layer


cdef inline Layer dropout(Py_ssize_t n, Activation activation, double rate, uint64_t seed, int itemsize) noexcept nogil:
    """activation(x·mask) in training, the mask 0 or 1 / (1 − rate); activation(x) otherwise. rate is in [0, 1).

    The caller counts layer.step from one step of training to the next: with the seed it makes the mask. A network's
    loop of steps (train_chunk) counts it itself.
    """
    cdef Layer layer = layer_of(DROPOUT, activation, n, n, NULL, NULL, rate, itemsize)
    layer.seed = seed
    return layer


cdef inline Layer softmax(Py_ssize_t n, Activation activation, int itemsize) noexcept nogil:
    """activation(exp(x) / Σ exp(x)), along each row."""
    return layer_of(SOFTMAX, activation, n, n, NULL, NULL, 0, itemsize)


cdef inline Layer log_softmax(Py_ssize_t n, Activation activation, int itemsize) noexcept nogil:
    """activation(x − log Σ exp(x)), along each row."""
    return layer_of(LOG_SOFTMAX, activation, n, n, NULL, NULL, 0, itemsize)


cdef inline Layer layer_of(
    int transform, Activation activation, Py_ssize_t inputs, Py_ssize_t outputs, void* weight, void* bias,
    double option, int itemsize,
) noexcept nogil:
    """A layer of any transform, without state of a rule or a workspace."""
    cdef Py_ssize_t size = inputs * outputs if has_matrix(transform) else outputs if has_parameters(transform) else 0
    cdef Layer layer
    cdef int n
    memset(&layer, 0, sizeof(Layer))
    layer.transform, layer.activation, layer.itemsize, layer.option = transform, activation, itemsize, option
    layer.inputs, layer.outputs = inputs, outputs
    for n in range(ACTIVATION_NUMBERS):
        layer.numbers[n] = usual_number(activation, n)
    layer.weight.value, layer.weight.size, layer.bias.value = weight, size, bias
    layer.bias.size = outputs if has_bias(transform) else 0
    layer.weight.is_vector, layer.bias.is_vector = not has_matrix(transform), True
    return layer


cdef inline void check_layer(const Layer* layer, int itemsize) noexcept nogil:
    """What BPCORE_CHECKS looks at of a layer."""
    bp_require(0 <= layer.transform < <int> TRANSFORMS, "a layer was not made by dense(...) or its like")
    bp_require(0 <= <int> layer.activation < ACTIVATIONS, "a layer's activation is none of activations.pxd")
    bp_require(layer.itemsize == itemsize, "a layer is of another type than the arrays it is called with")
    bp_require(layer.inputs > 0 and layer.outputs > 0, "a layer has no inputs or no outputs")
    bp_require(
        (not has_parameters(layer.transform) or layer.weight.value is not NULL)
        and (not has_bias(layer.transform) or layer.bias.value is not NULL),
        "a layer's weight or bias is NULL",
    )
    bp_require(
        layer.transform != BATCH_NORM or layer.running_mean is not NULL and layer.running_var is not NULL,
        "a batch normalisation's running_mean or running_var is NULL",
    )


cdef inline void layer_forward(
    const Layer* layer,
    const Rows x,                  # IN   (rows, inputs)
    floating* out,                 # OUT  (rows, outputs), `stride` numbers from one row to the next
    Py_ssize_t stride,             # at least `outputs`; what lies between the rows is left as it is
    Py_ssize_t rows,
    const Prefetch* prefetch,      # or NULL
) noexcept nogil:
    """out = activation(transform(x)), without a workspace."""
    if BP_CHECKS:
        check_layer(layer, sizeof(floating))
        bp_require(stride >= layer.outputs, "layer_forward: stride is less than the layer's outputs")
        bp_require(rows >= 0 and (out is not NULL or rows == 0), "layer_forward: rows is below 0 or out is NULL")
    transform_forward(layer, x, out, stride, rows, nothing_kept(), prefetch)
    activate_rows(layer.activation, layer.numbers, out, stride, rows, layer.outputs)


# --- Transforms -------------------------------------------------------------------------------------------------


cdef inline const char* transform_name(int transform) noexcept nogil:
    """What Python calls the layer."""
    return (
        "affine" if transform == DENSE else "layer_norm" if transform == LAYER_NORM
        else "dropout" if transform == DROPOUT else "rms_norm" if transform == RMS_NORM
        else "batch_norm" if transform == BATCH_NORM else "softmax" if transform == SOFTMAX
        else "log_softmax" if transform == LOG_SOFTMAX else ""
    )


cdef inline const char* transform_option(int transform) noexcept nogil:
    """The name of the number that it takes; nothing where it takes none."""
    return (
        "eps" if is_normalisation(transform) or transform == BATCH_NORM else "rate" if transform == DROPOUT else ""
    )


cdef inline bint has_matrix(int transform) noexcept nogil:
    """Whether its weight is (inputs, outputs), and not (outputs,)."""
    return transform == DENSE


cdef inline bint is_normalisation(int transform) noexcept nogil:
    """Whether it keeps the rows, normalised each for itself, and what each was multiplied by."""
    return transform == LAYER_NORM or transform == RMS_NORM


cdef inline bint is_softmax(int transform) noexcept nogil:
    """Whether it keeps the rows that it gives out."""
    return transform == SOFTMAX or transform == LOG_SOFTMAX


cdef inline bint keeps_rows(int transform) noexcept nogil:
    """Whether its backward needs rows that forward has made, also where nothing is trained."""
    return is_normalisation(transform) or is_softmax(transform)


cdef inline bint needs_whole_batch(int transform) noexcept nogil:
    """Whether a row's pass in training needs the other rows of the batch."""
    return transform == BATCH_NORM


cdef inline bint has_parameters(int transform) noexcept nogil:
    """Whether it has a weight."""
    return transform != DROPOUT and not is_softmax(transform)


cdef inline bint has_bias(int transform) noexcept nogil:
    """Whether it has a weight and a bias."""
    return has_parameters(transform) and transform != RMS_NORM


cdef inline bint is_skipped(const Layer* layer) noexcept nogil:
    """Whether it gives out what comes in where nothing is trained."""
    return layer.transform == DROPOUT and layer.activation == IDENTITY


cdef inline double operations_of(const Layer* layer) noexcept nogil:
    """Multiplications of a row's forward pass."""
    return <double> layer.weight.size if layer.transform == DENSE else 8. * layer.outputs


cdef inline void transform_forward(
    const Layer* layer,
    const Rows x,                  # IN   (rows, inputs)
    floating* out,                 # OUT  (rows, outputs), `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t rows,
    Kept kept,                     # OUT  of these rows, for their backward; or nothing
    const Prefetch* prefetch,      # or NULL
) noexcept nogil:
    """What enters the activation. In training the rows are all of the batch where the layer needs that."""
    if layer.transform == DENSE:
        dense_forward(layer, x, out, stride, rows, prefetch)
    elif layer.transform == DROPOUT:
        dropout_forward(layer, x, out, stride, rows, kept)
    elif layer.transform == BATCH_NORM and kept.training:
        batch_norm_forward(layer, x, out, stride, rows, 0, layer.outputs)
    elif layer.transform == BATCH_NORM:
        batch_norm_inference(layer, x, out, stride, rows, kept)
    elif is_softmax(layer.transform):
        softmax_forward(layer, x, out, stride, rows, kept, layer.transform == LOG_SOFTMAX)
    else:
        norm_forward(layer, x, out, stride, rows, kept)


cdef inline void transform_backward_input(
    const Layer* layer,
    floating* dx,                  # OUT  (rows, inputs), `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t first,              # row of the batch
    Py_ssize_t rows,
) noexcept nogil:
    """The gradient of what enters the layer, for some of the rows; or all, as in `transform_forward`."""
    if layer.transform == DENSE:
        dense_backward_input(layer, dx, stride, first, rows)
    elif layer.transform == DROPOUT:
        dropout_backward_input(layer, dx, stride, first, rows)
    elif layer.transform == BATCH_NORM:
        batch_norm_backward(layer, dx, stride, rows, 0, layer.outputs)
    elif is_softmax(layer.transform):
        softmax_backward_input(layer, dx, stride, first, rows, layer.transform == LOG_SOFTMAX)
    else:
        norm_backward_input(layer, dx, stride, first, rows)


cdef inline void transform_backward_parameters(
    const Layer* layer,
    const Rows x,                  # IN   (B, inputs) what entered the layer
    Py_ssize_t B,
    const Update* update,          # the rule that moves the parameters, or NULL: only their gradients are wanted
    int rank,
    int size,
    floating _,
) noexcept nogil:
    """The gradients of the parameters or, with a rule, their update: the part of a rank."""
    if layer.transform == DENSE:
        dense_backward_parameters(layer, x, B, update, rank, size, _)
    elif layer.transform == BATCH_NORM:
        batch_norm_update(layer, update, rank, size, _)
    elif has_parameters(layer.transform):
        norm_backward_parameters(layer, B, update, rank, size, _)


# --- Normalisations ---------------------------------------------------------------------------------------------
# Apart from the dense layer, whose code is long: an entry for one of them does not need it.


cdef inline void norm_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, Kept kept
) noexcept nogil:
    """transform_forward of a normalisation."""
    row_norm_forward(layer, x, out, stride, rows, kept)


cdef inline void norm_backward_input(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows
) noexcept nogil:
    """transform_backward_input of a normalisation; dx may be layer.dpre."""
    row_norm_backward_input(layer, dx, stride, first, rows)


cdef inline void norm_backward_parameters(
    const Layer* layer, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """transform_backward_parameters of a normalisation."""
    row_norm_backward_parameters(layer, B, update, rank, size, _)
