# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What a step that is run in stages has beside those of a whole network, of some of the rows.

Outputs, and gradients of outputs, go between the workspace and arrays without gaps. In front of the first layer there
may be an activation.
"""

from cython cimport floating
from libc.string cimport memcpy

from bpcore._network.workspace cimport Network
from bpcore.activations cimport IDENTITY, activate, activate_backward
from bpcore.layers cimport Layer


cdef inline void take_gradient_of_outputs(
    const Network* net, const floating* dout, Py_ssize_t first, Py_ssize_t stop
) noexcept nogil:
    cdef const Layer* last = &net.layers[net.depth - 1]
    cdef Py_ssize_t r
    for r in range(first, stop):
        memcpy(
            <floating*> last.dpre + r * last.stride, dout + r * last.outputs, last.outputs * sizeof(floating)
        )


cdef inline void give_outputs(
    const Network* net, floating* out, Py_ssize_t first, Py_ssize_t stop
) noexcept nogil:
    cdef const Layer* last = &net.layers[net.depth - 1]
    cdef Py_ssize_t r
    for r in range(first, stop):
        memcpy(
            out + r * last.outputs, <const floating*> last.out + r * last.stride, last.outputs * sizeof(floating)
        )


cdef inline void activate_inputs(
    const Network* net, floating* x, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t stop
) noexcept nogil:
    """x = activation(x), a copy of what entered; where its backward needs that, it is kept."""
    cdef const Layer* layer = net.entrance
    cdef Py_ssize_t n = net.layers[0].inputs, r
    if layer is NULL or layer.activation == IDENTITY:
        return
    for r in range(first, stop):
        if layer.pre is not NULL:
            memcpy(<floating*> layer.pre + r * stride, x + r * stride, n * sizeof(floating))
        activate(layer.activation, layer.numbers, <const floating*> x + r * stride, x + r * stride, n)


cdef inline void activate_inputs_backward(
    const Network* net, const floating* x, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t stop
) noexcept nogil:
    """From the gradient of what enters the first layer to that of what entered the activation in front of it."""
    cdef const Layer* layer = net.entrance
    cdef const floating* kept = x
    cdef floating* dx
    cdef Py_ssize_t r
    if layer is NULL or layer.activation == IDENTITY:
        return
    if layer.pre is not NULL:
        kept = <const floating*> layer.pre
    for r in range(first, stop):
        dx = <floating*> layer.dpre + r * layer.stride
        activate_backward(
            layer.activation, layer.numbers, kept + r * stride, <const floating*> dx, dx, net.layers[0].inputs
        )
