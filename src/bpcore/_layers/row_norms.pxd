# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Normalisations of each row: layer normalisation (Ba, Kiros and Hinton 2016) is z·weight + bias, z = (x − mean)·scale,
its scale being 1 / sqrt(variance + eps); RMS normalisation (Zhang and Sennrich 2019) has no mean and no bias, and the
mean of x² in the place of the variance.

a) Mean and variance are sums in float64, in eight virtual lanes, and z is computed in it and rounded once: a row has
   the same bits in any batch and on any level, and a large mean costs no digits.
b) Backward, with g = dout·weight: dx = scale·(g − Σg/n − z·Σ(g·z)/n), sums as above, without Σg/n where there is no
   mean; dweight = Σ dout·z and
   dbias = Σ dout over the rows, in their order. It needs z and scale, which forward keeps, and not x.
"""

from cython cimport floating
from libc.math cimport sqrt

from bpcore._gemm.operands cimport Rows, row_address
from bpcore._layers.layer cimport Layer, Kept, kept_rows, update_part
from bpcore._parallel.team cimport chunk_start
from bpcore.reductions cimport row_dot, row_squares, row_sum
from bpcore.updates cimport Update

cdef enum:
    COLUMNS = 64    # whose sums over the rows stay in registers


cdef inline bint has_bias(const Layer* layer) noexcept nogil:
    """Whether it is layer normalisation; a workspace has no room for a gradient of nothing."""
    return layer.bias.size > 0


cdef inline void row_norm_forward(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, Kept kept
) noexcept nogil:
    """out = z·weight + bias."""
    cdef bint is_centred = has_bias(layer)
    cdef const floating* weight = <const floating*> layer.weight.value
    cdef const floating* bias = <const floating*> layer.bias.value
    cdef const floating* row
    cdef floating* z
    cdef double mean, scale
    cdef Py_ssize_t n = layer.outputs, r, k
    for r in range(rows):
        row = row_address(x, r, weight)
        mean = row_sum(row, n) / n if is_centred else 0
        scale = 1 / sqrt(row_squares(row, mean, n) / n + layer.option)
        z = out + r * stride if kept.z is NULL else <floating*> kept.z + r * kept.stride
        for k in range(n):
            z[k] = <floating> ((row[k] - mean) * scale)
        if is_centred:
            for k in range(n):
                out[r * stride + k] = z[k] * weight[k] + bias[k]
        else:
            for k in range(n):
                out[r * stride + k] = z[k] * weight[k]
        if kept.z is not NULL:
            (<floating*> kept.scale)[r] = <floating> scale


cdef inline void row_norm_backward_input(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t first, Py_ssize_t rows
) noexcept nogil:
    cdef const floating* weight = <const floating*> layer.weight.value
    cdef const floating* dout
    cdef const floating* z
    cdef floating* g
    cdef floating scale, mean_g, mean_gz
    cdef Kept kept = kept_rows(layer, first)
    cdef Py_ssize_t n = layer.outputs, r, k
    for r in range(rows):
        dout = <const floating*> layer.dpre + (first + r) * layer.stride
        z, g = <const floating*> kept.z + r * kept.stride, dx + r * stride
        for k in range(n):
            g[k] = dout[k] * weight[k]
        scale = (<const floating*> kept.scale)[r]
        mean_g = <floating> (row_sum(<const floating*> g, n) / n) if has_bias(layer) else 0
        mean_gz = <floating> (row_dot(<const floating*> g, z, n) / n)
        for k in range(n):
            g[k] = scale * (g[k] - mean_g - z[k] * mean_gz)


cdef inline void row_norm_backward_parameters(
    const Layer* layer, Py_ssize_t B, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """A rank has some of the columns."""
    cdef Py_ssize_t first = chunk_start(layer.outputs, rank, size, 16), o = first
    cdef Py_ssize_t stop = chunk_start(layer.outputs, rank + 1, size, 16)
    cdef floating* dweight = <floating*> layer.weight.gradient
    cdef floating* dbias = <floating*> layer.bias.gradient
    while o < stop:
        row_norm_columns(
            layer, B, o, min(<Py_ssize_t> COLUMNS, stop - o), dweight + o,
            dbias + o if has_bias(layer) else <floating*> NULL,
        )
        o = o + COLUMNS
    if update is not NULL and first < stop:
        update_part(update, &layer.weight, first, <const floating*> dweight + first, stop - first)
        if has_bias(layer):
            update_part(update, &layer.bias, first, <const floating*> dbias + first, stop - first)


cdef inline void row_norm_columns(
    const Layer* layer, Py_ssize_t B, Py_ssize_t first, Py_ssize_t count, floating* dweight, floating* dbias
) noexcept nogil:
    """dweight and, where it is not NULL, dbias of up to COLUMNS columns."""
    cdef floating[COLUMNS] of_weight
    cdef floating[COLUMNS] of_bias
    cdef const floating* z
    cdef const floating* dout
    cdef Py_ssize_t r, o
    for o in range(COLUMNS):
        of_weight[o] = of_bias[o] = 0
    for r in range(B):
        z = <const floating*> layer.kept.z + r * layer.kept.stride + first
        dout = <const floating*> layer.dpre + r * layer.stride + first
        if count == COLUMNS:
            for o in range(COLUMNS):
                of_weight[o] = of_weight[o] + dout[o] * z[o]
                of_bias[o] = of_bias[o] + dout[o]
        else:
            for o in range(count):
                of_weight[o] = of_weight[o] + dout[o] * z[o]
                of_bias[o] = of_bias[o] + dout[o]
    for o in range(count):
        dweight[o] = of_weight[o]
        if dbias is not NULL:
            dbias[o] = of_bias[o]
