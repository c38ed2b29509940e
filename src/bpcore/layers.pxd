# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The layers of a network as C structs: forward, backward and the gradients of their parameters.

a) A layer is a transform with parameters, and the activation behind it. `dense` and its like make one over arrays of
   the caller's; `place` (network.pxd) points into a workspace. Pointers are void, `itemsize` tells their type: 4 is
   float32, 8 is float64, one in all layers of a network.
b) `transform_forward`, `transform_backward_input` and `transform_backward_parameters` tell transforms apart, nothing
   else does. A new one has its loops in a file of its own, a constructor here, and a line in each of the three.
c) A row of a forward or backward pass needs no other row; a parameter's gradient sums over all of them in their order.
   So threads share the rows of the first two and the parameters of the third, and no bit changes.
"""

from cython cimport floating

from bpcore._checks.checks cimport BP_CHECKS, bp_require
from bpcore._gemm.edges cimport DOT_LEAST
from bpcore._gemm.few_rows cimport row_product
from bpcore._gemm.operands cimport (
    FORWARD, INPUT, PARAMETERS, Rows, Shape, misalignment, row_address, rows_from, rows_of, shape_of,
)
from bpcore._gemm.padded cimport PaddedLayout, padded_layout
from bpcore._gemm.panels cimport into_panels, panel_width
from bpcore._gemm.product cimport Prefetch, packed_a_size, product
from bpcore._parallel.team cimport chunk_start
from bpcore.activations cimport ACTIVATIONS, Activation, activate_rows
from bpcore.reductions cimport sum_rows
from bpcore.updates cimport Update, update_span

cdef extern from "_parallel/scratch.h" nogil:
    const int BP_PACKED_A_BYTES
    unsigned char* bp_packed_a_memory() noexcept

cdef enum:
    GRADIENT_BYTES = 32768    # of a gradient that is summed before its parameters move

cdef enum Transform:
    DENSE = 0         # x·weight + bias
    TRANSFORMS = 1    # how many there are


cdef struct Parameter:
    # An array of the caller's, which training changes.
    void* value
    void* gradient    # the workspace's
    void* state1      # what the update rule keeps of it, the caller's; NULL where it keeps nothing
    void* state2
    Py_ssize_t size


cdef struct Layer:
    # Made by `dense`, which sets every field; `place` then sets those of the workspace.
    Transform transform
    Activation activation
    int itemsize
    double option                 # a number that the transform takes, 0 where it takes none
    Py_ssize_t inputs
    Py_ssize_t outputs
    Parameter weight              # DENSE: (inputs, outputs)
    Parameter bias                # DENSE: (outputs,)
    bint is_padded                # whether weight, its gradient and state lie as padded.pxd says, else without gaps
    # The workspace's, for batches of B rows.
    Py_ssize_t stride             # numbers from one row to the next; the gaps are the network's own
    void* pre                     # (B, outputs) what enters the activation; it is `out` where backward needs that
    void* out                     # (B, outputs)
    void* dpre                    # (B, outputs) the gradient of what enters the activation
    void* panels                  # dpre once more, in panels, where its rows are far apart; else NULL


cdef inline Layer dense(
    Py_ssize_t inputs, Py_ssize_t outputs, Activation activation, floating* W, floating* b
) noexcept nogil:
    """activation(x·W + b), for the caller's W (inputs, outputs) and b (outputs,), both without gaps.

    Where an update rule keeps something, the caller also sets weight.state1, bias.state1 and, for Adam, state2:
    arrays of the same shapes, of zeros before the first step.
    """
    return layer_of(DENSE, activation, inputs, outputs, W, b, 0, sizeof(floating))


cdef inline Layer layer_of(
    Transform transform, Activation activation, Py_ssize_t inputs, Py_ssize_t outputs, void* weight, void* bias,
    double option, int itemsize,
) noexcept nogil:
    """A layer of any transform, without state of a rule or a workspace."""
    cdef Py_ssize_t size = inputs * outputs if has_matrix(transform) else outputs
    cdef Parameter none = Parameter(value=NULL, gradient=NULL, state1=NULL, state2=NULL, size=0)
    cdef Layer layer = Layer(
        transform=transform, activation=activation, itemsize=itemsize, option=option, inputs=inputs, outputs=outputs,
        weight=none, bias=none, is_padded=False, stride=0, pre=NULL, out=NULL, dpre=NULL, panels=NULL,
    )
    layer.weight.value, layer.weight.size, layer.bias.value, layer.bias.size = weight, size, bias, outputs
    return layer


cdef inline const char* transform_name(int transform) noexcept nogil:
    """What Python calls it."""
    return "dense"


cdef inline bint has_matrix(Transform transform) noexcept nogil:
    """Whether its weight is (inputs, outputs), and not (outputs,)."""
    return transform == DENSE


cdef inline void check_layer(const Layer* layer, int itemsize) noexcept nogil:
    """What BPCORE_CHECKS looks at of a layer."""
    bp_require(0 <= <int> layer.transform < TRANSFORMS, "a layer was not made by dense(...) or its like")
    bp_require(0 <= <int> layer.activation < ACTIVATIONS, "a layer's activation is none of activations.pxd")
    bp_require(layer.itemsize == itemsize, "a layer is of another type than the arrays it is called with")
    bp_require(layer.inputs > 0 and layer.outputs > 0, "a layer has no inputs or no outputs")
    bp_require(layer.weight.value is not NULL and layer.bias.value is not NULL, "a layer's weight or bias is NULL")


cdef inline double operations_of(const Layer* layer) noexcept nogil:
    """Multiplications of a row's forward pass."""
    return <double> layer.weight.size


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
    transform_forward(layer, x, out, stride, rows, prefetch)
    activate_rows(layer.activation, out, stride, rows, layer.outputs)


# --- Transforms -------------------------------------------------------------------------------------------------


cdef inline void transform_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, const Prefetch* prefetch
) noexcept nogil:
    """What enters the activation."""
    dense_forward(layer, x, out, stride, rows, prefetch)


cdef inline void transform_backward_input(
    const Layer* layer,
    floating* dx,                  # OUT  (rows, inputs), `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t first,              # row of the batch
    Py_ssize_t rows,
) noexcept nogil:
    """The gradient of what enters the layer, for some of the rows."""
    dense_backward_input(layer, dx, stride, first, rows)


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
    dense_backward_parameters(layer, x, B, update, rank, size, _)


# --- DENSE ------------------------------------------------------------------------------------------------------


cdef inline void dense_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, const Prefetch* prefetch
) noexcept nogil:
    """out = x·W + b."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs
    cdef const floating* W = <const floating*> layer.weight.value
    cdef const floating* b = <const floating*> layer.bias.value
    cdef Shape s
    cdef PaddedLayout layout
    if rows == 1 and I < DOT_LEAST and prefetch is NULL and not layer.is_padded:
        # What chooses tiles, blocks and packing takes longer than so short a sum.
        row_product(I, O, row_address(x, 0, b), W, b, out)
        return
    s = shape_of(rows, O, I, O, 1, stride)
    if layer.is_padded:
        layout = padded_layout(layer.inputs, O, sizeof(floating))
        s.rs_b, s.edge, s.edge_stride = layout.stride, <floating*> layer.weight.value + layout.edge, layout.edge_stride
    product(FORWARD, x, W, b, out, s, prefetch)


cdef inline void dense_backward_input(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows
) noexcept nogil:
    """dx = dpre·Wᵀ."""
    cdef Py_ssize_t I = layer.inputs, O = layer.outputs
    cdef Rows dpre = rows_of(<const floating*> layer.dpre + first * layer.stride, layer.stride)
    cdef Shape s = shape_of(rows, I, O, 1, O, stride)
    product(INPUT, dpre, <const floating*> layer.weight.value, NULL, dx, s, NULL)


cdef inline void dense_backward_parameters(
    const Layer* layer, const Rows x, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """dW = xᵀ·dpre and db = Σ dpre, or what moves W and b against them."""
    cdef Py_ssize_t O = layer.outputs, j, first, lead = 0
    cdef PaddedLayout layout = PaddedLayout(columns=O, stride=O, edge=0, edge_stride=0)    # as without gaps
    cdef Py_ssize_t stop = chunk_start(layer.inputs, rank + 1, size, 16)
    cdef Py_ssize_t i = chunk_start(layer.inputs, rank, size, 16)
    # Whole vectors of rows, many of them, and few enough that their gradient stays in cache until it is used.
    cdef Py_ssize_t height = max(GRADIENT_BYTES // (O * <Py_ssize_t> sizeof(floating)) // 48, 1) * 48
    cdef const floating* dpre = <const floating*> layer.dpre
    cdef floating* dW
    cdef Shape s = shape_of(0, O, B, layer.stride, 1, O)
    if update is NULL:
        height = stop - i
    if layer.panels is not NULL:
        s.rs_b, s.ps_b = panel_width(dpre), B * panel_width(dpre)
    if layer.is_padded:
        layout = padded_layout(layer.inputs, O, sizeof(floating))
        s.ldc, s.edge, s.edge_stride = (
            layout.stride, <floating*> layer.weight.gradient + layout.edge + i, layout.edge_stride
        )
        if i + height < stop:
            # The columns of the edge are sums of vectors of x: all but the first part have theirs on cache lines.
            lead = misalignment(row_address(x, 0, dpre))
    s.M = min(height, stop - i)
    if packed_a_size(PARAMETERS, s, dpre) > 0:
        s.packed_a, s.packed_a_bytes = bp_packed_a_memory(), BP_PACKED_A_BYTES
    dW = <floating*> layer.weight.gradient + i * layout.stride
    while i < stop:
        s.M = min(height - lead, stop - i)
        lead = 0
        product(
            PARAMETERS, rows_from(x, 0, i), dpre if s.ps_b == 0 else <const floating*> layer.panels, NULL, dW, s, NULL
        )
        if update is not NULL:
            # The rows, and each column of the edge.
            for j in range(1 + O - layout.columns):
                first = i * layout.stride if j == 0 else layout.edge + (j - 1) * s.edge_stride + i
                update_part(
                    update, &layer.weight, first,
                    <const floating*> dW if j == 0 else <const floating*> s.edge + (j - 1) * s.edge_stride,
                    s.M * layout.stride if j == 0 else s.M,
                )
        i = i + s.M
    if rank == size - 1:
        sum_rows(dpre, layer.stride, <floating*> layer.bias.gradient, B, O)
        if update is not NULL:
            update_part(update, &layer.bias, 0, <const floating*> layer.bias.gradient, O)


cdef inline void update_part(
    const Update* update, const Parameter* parameter, Py_ssize_t first, const floating* gradient, Py_ssize_t n
) noexcept nogil:
    """Move n numbers of a parameter, from `first` on, against their gradient."""
    update_span(
        update, <floating*> parameter.value + first, gradient,
        <floating*> NULL if parameter.state1 is NULL else <floating*> parameter.state1 + first,
        <floating*> NULL if parameter.state2 is NULL else <floating*> parameter.state2 + first, n,
    )
