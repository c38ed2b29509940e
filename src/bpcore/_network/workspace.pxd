# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A network as a C struct, and its workspace: one run of memory that `place` divides among the layers."""

from libc.string cimport memset

from bpcore._gemm.padded cimport padded_size
from bpcore._gemm.panels cimport panels_size, wants_panels
from bpcore.activations cimport needs_input
from bpcore._layers.layer cimport nothing_kept
from bpcore.layers cimport (
    DENSE, Layer, Parameter, has_matrix, has_parameters, is_normalisation, needs_whole_batch,
)
from bpcore.limits cimport NORM_SPAN
from bpcore.losses cimport Loss


cdef enum Stage:
    # What of a step is run: all of it or, where other layers stand in front or behind, one part after the other.
    WHOLE = 0
    FORWARD = 1       # up to the outputs
    FORTH_AND_BACK = 2    # forward, the loss, and back
    BACK = 3          # from the gradient of the outputs, which is in the last layer's dpre
    PARAMETERS = 4    # the gradients of the parameters, or their update


cdef struct Network:
    # Made by `network`; `place` then sets what belongs to the workspace.
    int depth
    Loss loss
    Layer* layers
    Py_ssize_t capacity    # rows of the largest batch that the workspace is for
    double* losses         # (capacity,)
    Py_ssize_t norm_spans  # of all gradients, as limits.pxd sums their squares;
    double* squares        # (norm_spans,)
    double average_share   # by which moving averages move after each step of a loop; 0: there are none
    int column_parts       # in how many parts threads share the columns of wide layers; 1: they share rows alone
    Stage stage
    Layer* entrance        # an activation in front of the first layer, and whose dpre takes the gradient of what enters
    # it; NULL where nobody needs that


cdef inline Network network(Layer* layers, int depth, Loss loss) noexcept nogil:
    """A network of the caller's layers, without a workspace."""
    cdef Network net
    net.depth, net.layers, net.capacity, net.losses, net.column_parts = depth, layers, 0, <double*> NULL, 1
    net.norm_spans, net.squares, net.average_share = 0, <double*> NULL, 0
    net.stage, net.entrance = WHOLE, <Layer*> NULL
    # Of a struct in a struct's constructor Cython makes a function that turns it into a dict, which nobody calls.
    net.loss = loss
    return net


cdef inline Py_ssize_t whole_lines(Py_ssize_t bytes) noexcept nogil:
    """The bytes of as many cache lines as these need."""
    return (bytes + 63) & ~(<Py_ssize_t> 63)


cdef inline Py_ssize_t stride_of(Py_ssize_t n, Py_ssize_t itemsize) noexcept nogil:
    """Numbers from one row of n to the next: rows begin on cache lines, and not all on the same set of them."""
    cdef Py_ssize_t bytes = whole_lines(n * itemsize)
    return (bytes + 64 if bytes % 1024 == 0 else bytes) // itemsize


cdef inline Py_ssize_t panels_bytes(const Layer* layer, Py_ssize_t B) noexcept nogil:
    """Bytes of the panels of dpre, 0 where it has none."""
    cdef const float* single = NULL
    cdef const double* double_ = NULL
    cdef Py_ssize_t O = layer.outputs
    if layer.transform != DENSE:
        return 0
    if layer.itemsize == sizeof(float):
        return whole_lines(panels_size(single, B, O) * sizeof(float)) if wants_panels(single, O) else 0
    return whole_lines(panels_size(double_, B, O) * sizeof(double)) if wants_panels(double_, O) else 0


cdef inline Py_ssize_t gradient_bytes(const Layer* layer, int n) noexcept nogil:
    """Bytes of the weight's gradient, padded or not: only the first layer's may be."""
    cdef Py_ssize_t numbers = layer.weight.size
    if n == 0 and layer.transform == DENSE:
        numbers = max(numbers, padded_size(layer.inputs, layer.outputs, layer.itemsize))
    return whole_lines(numbers * layer.itemsize)


cdef inline Py_ssize_t scale_bytes(const Layer* layer, Py_ssize_t B) noexcept nogil:
    """Bytes of what a normalisation multiplied each row, or each column, by."""
    if needs_whole_batch(layer.transform):
        return whole_lines(layer.outputs * layer.itemsize)
    return whole_lines(B * layer.itemsize) if is_normalisation(layer.transform) else 0


cdef inline bint takes_whole_batches(const Network* net) noexcept nogil:
    """Whether a layer needs all rows of a batch in training."""
    cdef int n
    for n in range(net.depth):
        if needs_whole_batch(net.layers[n].transform):
            return True
    return False


cdef inline int first_trained(const Network* net) noexcept nogil:
    """The first layer that has parameters: nobody needs the gradient of what enters it, or those below.

    With an entrance it is the first of all.
    """
    cdef int n = 0
    while net.entrance is NULL and n < net.depth - 1 and not has_parameters(net.layers[n].transform):
        n = n + 1
    return n


cdef inline const Layer* layer_below(const Network* net, int n) noexcept nogil:
    """Whose dpre takes the gradient of what enters layer n; NULL of the first that is trained, without an entrance."""
    if net.entrance is not NULL and n == 0:
        return net.entrance
    if n > first_trained(net):
        return &net.layers[n - 1]
    return NULL


cdef inline int row_buffers(const Network* net, int n) noexcept nogil:
    """How many buffers of a row for each sample a layer has: `out`, and `pre`, `dpre` and `kept.z` where these are."""
    cdef const Layer* layer = &net.layers[n]
    return 1 + needs_input(layer.activation) + (n >= first_trained(net)) * (1 + (not has_matrix(layer.transform)))


cdef inline Py_ssize_t spans_of_norm(const Parameter* parameter) noexcept nogil:
    """How many sums the squares of its gradient have."""
    return (parameter.size + NORM_SPAN - 1) // NORM_SPAN


cdef inline Py_ssize_t norm_spans_of(const Network* net) noexcept nogil:
    """Of all parameters."""
    cdef Py_ssize_t count = 0
    cdef int n
    for n in range(net.depth):
        count = count + spans_of_norm(&net.layers[n].weight) + spans_of_norm(&net.layers[n].bias)
    return count


cdef inline Py_ssize_t entrance_bytes(const Network* net, Py_ssize_t B) noexcept nogil:
    """Bytes of what enters the activation in front of the first layer, where its backward needs it."""
    if net.entrance is NULL or not needs_input(net.entrance.activation):
        return 0
    return B * stride_of(net.layers[0].inputs, net.layers[0].itemsize) * net.layers[0].itemsize


cdef inline Py_ssize_t workspace_size(const Network* net, Py_ssize_t B) noexcept nogil:
    """Bytes that `place` divides, for batches of up to B rows."""
    cdef Py_ssize_t bytes = whole_lines(B * sizeof(double)) + whole_lines(norm_spans_of(net) * sizeof(double))
    cdef const Layer* layer
    cdef int n
    for n in range(net.depth):
        layer = &net.layers[n]
        bytes = bytes + row_buffers(net, n) * B * stride_of(layer.outputs, layer.itemsize) * layer.itemsize
        bytes = bytes + gradient_bytes(layer, n) + whole_lines(layer.bias.size * layer.itemsize)
        bytes = bytes + panels_bytes(layer, B) + scale_bytes(layer, B)
    return bytes + entrance_bytes(net, B)


cdef inline void place(Network* net, void* workspace, Py_ssize_t B) noexcept nogil:
    """Divide `workspace_size` bytes, aligned to 64, among the layers, for batches of up to B rows."""
    cdef char* memory = <char*> workspace
    cdef Layer* layer
    cdef int n
    # Activations run over the gaps between rows too, and updates over those of a padded gradient: they hold numbers.
    memset(memory, 0, workspace_size(net, B))
    net.capacity, net.losses = B, <double*> memory
    memory = memory + whole_lines(B * sizeof(double))
    net.norm_spans, net.squares = norm_spans_of(net), <double*> memory
    memory = memory + whole_lines(net.norm_spans * sizeof(double))
    for n in range(net.depth):
        layer = &net.layers[n]
        layer.stride = stride_of(layer.outputs, layer.itemsize)
        layer.out = layer.pre = memory
        memory = memory + B * layer.stride * layer.itemsize
        if needs_input(layer.activation):
            layer.pre = memory
            memory = memory + B * layer.stride * layer.itemsize
        # Nothing goes back through the layers below the first that has parameters.
        layer.dpre = memory if n >= first_trained(net) else NULL
        memory = memory + (B * layer.stride * layer.itemsize if n >= first_trained(net) else 0)
        layer.weight.gradient = memory
        memory = memory + gradient_bytes(layer, n)
        layer.bias.gradient = memory
        memory = memory + whole_lines(layer.bias.size * layer.itemsize)
        layer.panels = memory if panels_bytes(layer, B) > 0 else NULL
        memory = memory + panels_bytes(layer, B)
        layer.kept = nothing_kept()
        if not has_matrix(layer.transform) and n >= first_trained(net):
            layer.kept.z, layer.kept.stride = memory, layer.stride
            memory = memory + B * layer.stride * layer.itemsize
            layer.kept.scale = memory if scale_bytes(layer, B) > 0 else NULL
            memory = memory + scale_bytes(layer, B)
    if net.entrance is not NULL:
        net.entrance.pre = memory if entrance_bytes(net, B) > 0 else NULL
