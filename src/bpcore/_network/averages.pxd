# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""An exponential moving average of a network's parameters, moved after each step of a loop: a += share·(p − a).

a) A parameter moves in the second half of a step alone, between two barriers. So behind a step a team needs no further
   barrier: each thread moves its part of the averages before it goes on, and no parameter moves before all have.
b) Running statistics move in the first half instead, so that their averages are moved in the second.
c) An average lies as the caller has the parameter, without gaps, also where the loop has padded that.
"""

from cython cimport floating

from bpcore._gemm.padded cimport PaddedLayout, padded_layout
from bpcore._network.workspace cimport Network
from bpcore._parallel.team cimport chunk_start
from bpcore.elementwise cimport blend_span
from bpcore.layers cimport Layer, Parameter


cdef inline bint has_averages(const Network* net) noexcept nogil:
    return net.average_share > 0


cdef inline void average_parameters(const Network* net, floating _, int rank, int size) noexcept nogil:
    """Move the averages of the parameters: the part of a rank."""
    cdef floating share = <floating> net.average_share
    cdef const Layer* layer
    cdef int n
    for n in range(net.depth):
        layer = &net.layers[n]
        if layer.is_padded:
            average_padded(layer, share, rank, size)
        else:
            average_span(&layer.weight, share, rank, size)
        average_span(&layer.bias, share, rank, size)


cdef inline void average_statistics(const Network* net, floating _) noexcept nogil:
    """Move the averages of running statistics."""
    cdef floating share = <floating> net.average_share
    cdef const Layer* layer
    cdef int n
    for n in range(net.depth):
        layer = &net.layers[n]
        if layer.average_mean is not NULL:
            blend_span(
                layer.outputs, <floating*> layer.average_mean, <const floating*> layer.running_mean, share
            )
            blend_span(layer.outputs, <floating*> layer.average_var, <const floating*> layer.running_var, share)


cdef inline void average_span(const Parameter* parameter, floating share, int rank, int size) noexcept nogil:
    cdef Py_ssize_t first = chunk_start(parameter.size, rank, size, 16)
    if parameter.average is not NULL:
        blend_span(
            chunk_start(parameter.size, rank + 1, size, 16) - first, <floating*> parameter.average + first,
            <const floating*> parameter.value + first, share,
        )


cdef inline void average_padded(const Layer* layer, floating share, int rank, int size) noexcept nogil:
    """The weight's, row by row, as `copy_rows` goes through it."""
    cdef PaddedLayout s = padded_layout(layer.inputs, layer.outputs, sizeof(floating))
    cdef Py_ssize_t i, j
    cdef floating* average
    if layer.weight.average is NULL:
        return
    for i in range(chunk_start(layer.inputs, rank, size, 16), chunk_start(layer.inputs, rank + 1, size, 16)):
        average = <floating*> layer.weight.average + i * layer.outputs
        blend_span(s.columns, average, <const floating*> layer.weight.value + i * s.stride, share)
        for j in range(layer.outputs - s.columns):
            blend_span(
                1, average + s.columns + j, <const floating*> layer.weight.value + s.edge + j * s.edge_stride + i,
                share,
            )
