# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What goes between a network's workspace and arrays without gaps where its step is run in stages: some of the rows."""

from cython cimport floating
from libc.string cimport memcpy

from bpcore._network.workspace cimport Network
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
