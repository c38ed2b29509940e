# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""What a step does with whole arrays: parameters that move once the norm of all gradients is known, and weights whose
columns are limited once they have moved.

No parameter can move as soon as its gradient is there, as without limits; threads wait for each other in between.
"""

from cython cimport floating

from bpcore._layers.layer cimport Parameter, update_part
from bpcore._network.workspace cimport Network, spans_of_norm
from bpcore._parallel.team cimport barrier, chunk_start
from bpcore.layers cimport has_matrix
from bpcore.limits cimport NORM_SPAN, limit_columns, scale_of_norm
from bpcore.reductions cimport row_squares
from bpcore.updates cimport Update


cdef inline bint has_limits(const Update* update) noexcept nogil:
    """Whether a step has anything to do here."""
    return update.clip_norm > 0 or update.max_norm > 0


cdef inline const Parameter* parameter_of(const Network* net, int n) noexcept nogil:
    """The parameters in their order: of each layer its weight and its bias."""
    return &net.layers[n // 2].bias if n % 2 else &net.layers[n // 2].weight


cdef inline void move_within_norm(
    const Network* net, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """Update all parameters by their gradients, scaled so that their norm together is at most update.clip_norm."""
    cdef Update scaled = update[0]
    cdef const Parameter* parameter
    cdef Py_ssize_t first, stop, own = chunk_start(net.norm_spans, rank, size, 1), span, count = 0
    cdef Py_ssize_t own_stop = chunk_start(net.norm_spans, rank + 1, size, 1)
    cdef int n
    barrier(size)
    for n in range(2 * net.depth):
        parameter = parameter_of(net, n)
        for span in range(max(own - count, 0), min(own_stop - count, spans_of_norm(parameter))):
            first = span * NORM_SPAN
            net.squares[count + span] = row_squares(
                <const floating*> parameter.gradient + first, 0, min(<Py_ssize_t> NORM_SPAN, parameter.size - first)
            )
        count = count + spans_of_norm(parameter)
    barrier(size)
    # As `squared_norm` of each gradient, and their sum.
    scaled.scale = scale_of_norm(sum_of_norms(net), update.clip_norm)
    for n in range(2 * net.depth):
        parameter = parameter_of(net, n)
        first, stop = chunk_start(parameter.size, rank, size, 16), chunk_start(parameter.size, rank + 1, size, 16)
        update_part(&scaled, parameter, first, <const floating*> parameter.gradient + first, stop - first)


cdef inline double sum_of_norms(const Network* net) noexcept nogil:
    """Of the squares of all gradients: of each parameter first."""
    cdef double total = 0, own
    cdef Py_ssize_t count = 0, span
    cdef int n
    for n in range(2 * net.depth):
        own = 0
        for span in range(spans_of_norm(parameter_of(net, n))):
            own = own + net.squares[count + span]
        count = count + spans_of_norm(parameter_of(net, n))
        total = total + own
    return total


cdef inline void limit_weights(const Network* net, double max_norm, int rank, int size, floating _) noexcept nogil:
    """Limit the columns of each weight that is a matrix, once it has moved."""
    cdef Py_ssize_t first, O
    cdef int n
    barrier(size)
    for n in range(net.depth):
        if has_matrix(net.layers[n].transform):
            O = net.layers[n].outputs
            first = chunk_start(O, rank, size, 16)
            limit_columns(
                <floating*> net.layers[n].weight.value + first, O, net.layers[n].inputs,
                chunk_start(O, rank + 1, size, 16) - first, max_norm,
            )
