# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""Batch normalisation (Ioffe and Szegedy 2015): z·weight + bias, z = (x − mean)·scale of each column, its scale being
1 / sqrt(variance + eps). In training mean and variance are those of the batch, otherwise the running ones.

a) Training needs all rows of the batch. Threads share the columns, so that a sum over rows stays in one thread, in the
   order of the rows: no bit depends on how many there are.
b) Mean and variance are sums in float64, the variance of the differences from the mean, and z is computed in it and
   rounded once: a large mean costs no digits, and neither do many rows.
c) Running ones move by momentum: running = (1 − momentum)·running + momentum·batch, the variance with the divisor
   B − 1, as PyTorch's. One row has no such variance: then they stay, z is 0 and so is dx.
d) Backward: dweight = Σ dout·z and dbias = Σ dout over the rows, in float64, and
   dx = weight·scale·(dout − dbias/B − z·dweight/B). It leaves all three, since the third needs the others.
e) The running ones are numbers of the type: their difference from x is rounded once, without a shift that was
   multiplied before and may cancel.
"""

from cython cimport floating
from libc.math cimport sqrt
from libc.string cimport memcpy

from bpcore._gemm.operands cimport Rows, row_address
from bpcore._layers.layer cimport Kept, Layer, update_part
from bpcore._parallel.team cimport chunk_start
from bpcore.updates cimport Update

cdef enum:
    COLUMNS = 32    # whose sums stay in registers, and whose rows in the nearest cache until they are read again


# --- Training: all rows of a batch, some of the columns ---------------------------------------------------------


cdef inline void batch_norm_forward(
    const Layer* layer,
    const Rows x,                  # IN   (B, outputs)
    floating* out,                 # OUT  (B, outputs), `stride` numbers from one row to the next
    Py_ssize_t stride,
    Py_ssize_t B,
    Py_ssize_t first,              # column,
    Py_ssize_t stop,
) noexcept nogil:
    """out = z·weight + bias by the batch's statistics; what backward needs is kept, and the running ones move."""
    cdef double[COLUMNS] mean
    cdef double[COLUMNS] scale
    cdef Py_ssize_t count
    while first < stop:
        count = min(<Py_ssize_t> COLUMNS, stop - first)
        sum_columns(x, B, first, count, &mean[0], <const floating*> out)
        column_scales(layer, x, B, first, count, &mean[0], &scale[0], <const floating*> out)
        normalise_columns(layer, x, out + first, stride, B, first, count, &mean[0], &scale[0])
        first = first + COLUMNS


cdef inline void sum_columns(
    const Rows x, Py_ssize_t B, Py_ssize_t first, Py_ssize_t count, double* mean, const floating* _
) noexcept nogil:
    """mean = Σ x / B of up to COLUMNS columns."""
    cdef double[COLUMNS] sums
    cdef const floating* row
    cdef Py_ssize_t r, o
    for o in range(COLUMNS):
        sums[o] = 0
    for r in range(B):
        row = row_address(x, r, _) + first
        if count == COLUMNS:
            for o in range(COLUMNS):
                sums[o] = sums[o] + row[o]
        else:
            for o in range(count):
                sums[o] = sums[o] + row[o]
    for o in range(COLUMNS):
        mean[o] = sums[o] / max(B, <Py_ssize_t> 1)


cdef inline void column_scales(
    const Layer* layer, const Rows x, Py_ssize_t B, Py_ssize_t first, Py_ssize_t count, const double* mean,
    double* scale, const floating* _,
) noexcept nogil:
    """scale = 1 / sqrt(variance + eps) of up to COLUMNS columns, which is kept, and their running statistics."""
    cdef double[COLUMNS] squares
    cdef double[COLUMNS] middle
    cdef double d, momentum = layer.momentum
    cdef const floating* row
    cdef floating* kept = <floating*> layer.kept.scale + first
    cdef floating* running_mean = <floating*> layer.running_mean + first
    cdef floating* running_var = <floating*> layer.running_var + first
    cdef Py_ssize_t r, o
    for o in range(COLUMNS):
        squares[o], middle[o] = 0, mean[o]
    for r in range(B):
        row = row_address(x, r, _) + first
        if count == COLUMNS:
            for o in range(COLUMNS):
                d = row[o] - middle[o]
                squares[o] = squares[o] + d * d
        else:
            for o in range(count):
                d = row[o] - middle[o]
                squares[o] = squares[o] + d * d
    for o in range(COLUMNS):
        scale[o] = 1 / sqrt(squares[o] / max(B, <Py_ssize_t> 1) + layer.option)
    for o in range(count):
        kept[o] = <floating> scale[o]
    for o in range(count if B > 1 else 0):
        running_mean[o] = <floating> ((1 - momentum) * running_mean[o] + momentum * middle[o])
        running_var[o] = <floating> ((1 - momentum) * running_var[o] + momentum * (squares[o] / (B - 1)))


cdef inline void normalise_columns(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t B, Py_ssize_t first,
    Py_ssize_t count, const double* mean, const double* scale,
) noexcept nogil:
    """z, which is kept, and out of up to COLUMNS columns."""
    cdef double[COLUMNS] middle
    cdef double[COLUMNS] factor
    cdef floating[COLUMNS] weight
    cdef floating[COLUMNS] bias
    cdef floating[COLUMNS] made
    cdef const floating* row
    cdef floating* z
    cdef Py_ssize_t r, o
    # Copies: what is written to out and z might else be what the next row is multiplied by.
    for o in range(COLUMNS):
        middle[o], factor[o], made[o] = mean[o], scale[o], 0
    copy_numbers(&weight[0], <const floating*> layer.weight.value + first, count)
    copy_numbers(&bias[0], <const floating*> layer.bias.value + first, count)
    for r in range(B):
        row = row_address(x, r, <const floating*> out) + first
        z = <floating*> layer.kept.z + r * layer.kept.stride + first
        if count == COLUMNS:
            for o in range(COLUMNS):
                made[o] = <floating> ((row[o] - middle[o]) * factor[o])
            for o in range(COLUMNS):
                z[o] = made[o]
            for o in range(COLUMNS):
                out[r * stride + o] = made[o] * weight[o] + bias[o]
        else:
            for o in range(count):
                made[o] = <floating> ((row[o] - middle[o]) * factor[o])
            for o in range(count):
                z[o] = made[o]
            for o in range(count):
                out[r * stride + o] = made[o] * weight[o] + bias[o]


cdef inline void copy_numbers(floating* to, const floating* numbers, Py_ssize_t count) noexcept nogil:
    """COLUMNS numbers, 0 from `count` on."""
    cdef Py_ssize_t o
    for o in range(COLUMNS):
        to[o] = 0
    memcpy(to, numbers, count * sizeof(floating))


cdef inline void batch_norm_backward(
    const Layer* layer,
    floating* dx,                  # OUT  (B, outputs), `stride` numbers from one row to the next; or NULL
    Py_ssize_t stride,
    Py_ssize_t B,
    Py_ssize_t first,              # column,
    Py_ssize_t stop,
) noexcept nogil:
    """The gradients of weight and bias, and dx, which may be layer.dpre."""
    cdef double[COLUMNS] of_weight
    cdef double[COLUMNS] of_bias
    cdef Py_ssize_t count, o
    while first < stop:
        count = min(<Py_ssize_t> COLUMNS, stop - first)
        gradient_sums(layer, B, first, count, &of_weight[0], &of_bias[0], <const floating*> dx)
        for o in range(count):
            (<floating*> layer.weight.gradient)[first + o] = <floating> of_weight[o]
            (<floating*> layer.bias.gradient)[first + o] = <floating> of_bias[o]
        if dx is not NULL:
            input_columns(layer, dx + first, stride, B, first, count, &of_weight[0], &of_bias[0])
        first = first + COLUMNS


cdef inline void gradient_sums(
    const Layer* layer, Py_ssize_t B, Py_ssize_t first, Py_ssize_t count, double* of_weight, double* of_bias,
    const floating* _,
) noexcept nogil:
    """Σ dout·z and Σ dout of up to COLUMNS columns."""
    cdef double[COLUMNS] products
    cdef double[COLUMNS] sums
    cdef const floating* dout
    cdef const floating* z
    cdef double g
    cdef Py_ssize_t r, o
    for o in range(COLUMNS):
        products[o] = sums[o] = 0
    for r in range(B):
        dout = <const floating*> layer.dpre + r * layer.stride + first
        z = <const floating*> layer.kept.z + r * layer.kept.stride + first
        if count == COLUMNS:
            for o in range(COLUMNS):
                g = dout[o]
                products[o] = products[o] + g * z[o]
                sums[o] = sums[o] + g
        else:
            for o in range(count):
                g = dout[o]
                products[o] = products[o] + g * z[o]
                sums[o] = sums[o] + g
    for o in range(COLUMNS):
        of_weight[o], of_bias[o] = products[o], sums[o]


cdef inline void input_columns(
    const Layer* layer, floating* dx, Py_ssize_t stride, Py_ssize_t B, Py_ssize_t first, Py_ssize_t count,
    const double* of_weight, const double* of_bias,
) noexcept nogil:
    """dx of up to COLUMNS columns."""
    cdef floating[COLUMNS] factor
    cdef floating[COLUMNS] mean_of_products
    cdef floating[COLUMNS] mean
    cdef floating[COLUMNS] made
    cdef const floating* weight = <const floating*> layer.weight.value + first
    cdef const floating* scale = <const floating*> layer.kept.scale + first
    cdef const floating* dout
    cdef const floating* z
    cdef Py_ssize_t r, o
    for o in range(COLUMNS):
        factor[o] = weight[o] * scale[o] if o < count else 0
        mean_of_products[o], mean[o] = <floating> (of_weight[o] / B), <floating> (of_bias[o] / B)
    for r in range(B):
        dout = <const floating*> layer.dpre + r * layer.stride + first
        z = <const floating*> layer.kept.z + r * layer.kept.stride + first
        if count == COLUMNS:
            for o in range(COLUMNS):
                made[o] = factor[o] * (dout[o] - mean[o] - z[o] * mean_of_products[o])
            for o in range(COLUMNS):
                dx[r * stride + o] = made[o]
        else:
            for o in range(count):
                made[o] = factor[o] * (dout[o] - mean[o] - z[o] * mean_of_products[o])
            for o in range(count):
                dx[r * stride + o] = made[o]


cdef inline void batch_norm_update(
    const Layer* layer, const Update* update, int rank, int size, floating _
) noexcept nogil:
    """Move weight and bias against the gradients that backward has left: a rank's part of them."""
    cdef Py_ssize_t first = chunk_start(layer.outputs, rank, size, 16)
    cdef Py_ssize_t count = chunk_start(layer.outputs, rank + 1, size, 16) - first
    if update is not NULL and count > 0:
        update_part(update, &layer.weight, first, <const floating*> layer.weight.gradient + first, count)
        update_part(update, &layer.bias, first, <const floating*> layer.bias.gradient + first, count)


# --- Inference: some of the rows, all columns --------------------------------------------------------------------


cdef inline void batch_norm_inference(
    const Layer* layer, const Rows x, floating* out, Py_ssize_t stride, Py_ssize_t rows, Kept kept
) noexcept nogil:
    """out = z·weight + bias by the running statistics; z and scale are kept where there is room for them."""
    cdef floating[COLUMNS] mean
    cdef floating[COLUMNS] scale
    cdef floating[COLUMNS] weight
    cdef floating[COLUMNS] bias
    cdef floating[COLUMNS] made
    cdef const floating* variance = <const floating*> layer.running_var
    cdef const floating* row
    cdef floating* to
    cdef Py_ssize_t first = 0, count, r, o
    for o in range(COLUMNS):
        scale[o] = made[o] = 0
    while first < layer.outputs:
        count = min(<Py_ssize_t> COLUMNS, layer.outputs - first)
        for o in range(count):
            scale[o] = <floating> (1 / sqrt(variance[first + o] + layer.option))
        copy_numbers(&mean[0], <const floating*> layer.running_mean + first, count)
        copy_numbers(&weight[0], <const floating*> layer.weight.value + first, count)
        copy_numbers(&bias[0], <const floating*> layer.bias.value + first, count)
        if kept.scale is not NULL:
            memcpy(<floating*> kept.scale + first, &scale[0], count * sizeof(floating))
        for r in range(rows):
            row, to = row_address(x, r, <const floating*> out) + first, out + r * stride + first
            if count == COLUMNS:
                for o in range(COLUMNS):
                    made[o] = (row[o] - mean[o]) * scale[o]
            else:
                for o in range(count):
                    made[o] = (row[o] - mean[o]) * scale[o]
            if kept.z is not NULL:
                memcpy(<floating*> kept.z + r * kept.stride + first, &made[0], count * sizeof(floating))
            if count == COLUMNS:
                for o in range(COLUMNS):
                    to[o] = made[o] * weight[o] + bias[o]
            else:
                for o in range(count):
                    to[o] = made[o] * weight[o] + bias[o]
        first = first + COLUMNS
