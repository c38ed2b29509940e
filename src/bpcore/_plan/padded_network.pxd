# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""A network whose first layer's weight, and what a rule keeps of it, are padded (padded.pxd) while a long job runs.

The caller's network stays as it is, so that others may go on to evaluate it; training brings the weight back.
"""

from cython cimport floating
from libc.stdint cimport uintptr_t
from libc.string cimport memcpy

from bpcore._gemm.padded cimport copy_rows, padded_size, wants_padding
from bpcore._parallel.team cimport chunk_start
from bpcore.layers cimport DENSE, Layer, Parameter
from bpcore.network cimport Network, whole_lines


cdef inline Py_ssize_t weight_bytes(const Layer* layer) noexcept nogil:
    """Bytes of a dense layer's weight when it is padded."""
    return whole_lines(padded_size(layer.inputs, layer.outputs, layer.itemsize) * layer.itemsize)


cdef inline Py_ssize_t padding_bytes(const Network* net) noexcept nogil:
    """Bytes that `pad_first_layer` needs."""
    if net.layers[0].transform != DENSE:
        return 0
    return whole_lines(net.depth * sizeof(Layer)) + 4 * weight_bytes(net.layers)


cdef inline bint overlap_of(const Parameter* one, const Parameter* other, int itemsize) noexcept nogil:
    """Whether two parameters have memory in common."""
    cdef uintptr_t a = <uintptr_t> one.value, b = <uintptr_t> other.value
    return a < b + other.size * itemsize and b < a + one.size * itemsize


cdef inline bint pad_first_layer(const Network* net, Network* to, char* memory) noexcept nogil:
    """Describe `net` once more with its first layer padded; False, and nothing described, if that is of no use.

    Or if another parameter has memory in common with that layer's weight: it would not see the weight change.
    """
    cdef const Layer* given = net.layers
    cdef Layer* first = <Layer*> memory
    cdef Py_ssize_t bytes = weight_bytes(given)
    cdef int n
    if given.transform != DENSE or not wants_padding(given.inputs, given.outputs, given.weight.value, given.itemsize):
        return False
    for n in range(net.depth):
        if n > 0 and overlap_of(&given.weight, &net.layers[n].weight, given.itemsize):
            return False
        if overlap_of(&given.weight, &net.layers[n].bias, given.itemsize):
            return False
    to[0] = net[0]
    to.layers = first
    memcpy(first, given, net.depth * sizeof(Layer))
    memory = memory + whole_lines(net.depth * sizeof(Layer))
    first.is_padded, first.weight.value = True, memory
    first.weight.state1 = <char*> NULL if given.weight.state1 is NULL else memory + bytes
    first.weight.state2 = <char*> NULL if given.weight.state2 is NULL else memory + 2 * bytes
    first.weight.state3 = <char*> NULL if given.weight.state3 is NULL else memory + 3 * bytes
    return True


cdef inline void copy_first_weight(
    const Layer* given, const Layer* padded, bint back, int states, floating _, int rank, int size
) noexcept nogil:
    """Copy a rank's rows of the weight, and of so much state, from the caller's layout to the padded one, or back."""
    cdef Py_ssize_t I = given.inputs, O = given.outputs
    cdef Py_ssize_t first = chunk_start(I, rank, size, 16), stop = chunk_start(I, rank + 1, size, 16)
    copy_rows(given.weight.value, padded.weight.value, I, O, first, stop, back, _)
    if states >= 1:
        copy_rows(given.weight.state1, padded.weight.state1, I, O, first, stop, back, _)
    if states >= 2:
        copy_rows(given.weight.state2, padded.weight.state2, I, O, first, stop, back, _)
    if states == 3:
        copy_rows(given.weight.state3, padded.weight.state3, I, O, first, stop, back, _)
