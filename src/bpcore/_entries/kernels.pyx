"""The kernels as Python calls them: a table of entries, each a description, a loop and a sentence.

a) Inputs first, outputs last and allocated by the caller; every element of an output is written, no input is. An output
   overlaps nothing else, unless the description says that it may be an input itself.
b) float32 and float64, one type a call. Matrices are two-dimensional; elementwise kernels take any contiguous array as
   one-dimensional one (`a.reshape(-1)`).
c) `threads=None` means the process's default; small work stays on one thread.
d) bpcore.errors writes the message of a wrong call.
e) Activations, losses and update rules have their entries from the tables in activations.pxd, losses.pxd and
   updates.pxd.
"""

from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.object cimport PyObject
from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from bpcore._entries.buffers cimport gather_labels
from bpcore._entries.overlaps cimport Span, is_same, intersect, span
from bpcore._gemm.operands cimport rows_of
from bpcore._layers.layer cimport Normalised, normalised_rows
from bpcore._parallel.team cimport (
    BP_OPENMP, FEWER_THREADS_MAX_OPERATIONS, SPAN, THREAD_MIN_OPERATIONS, bp_max_threads, bp_place_team, chunk_start,
    spans_of,
)
from bpcore._simd.simd cimport (
    BP_TILE_ROWS, BP_TILE_VECTORS, BP_VECTOR_BYTES, bp_multiply_adds, bp_multiply_addsf, exp_span,
)
from bpcore.activations cimport (
    ACTIVATIONS, IDENTITY, RELU, Activation, activate, activate_backward, activation_name, needs_input,
)
from bpcore.elementwise cimport log_span, reciprocal_backward_span, reciprocal_span
from bpcore.layers cimport (
    TRANSFORMS, Layer, has_matrix, layer_of, norm_backward_input, norm_backward_parameters, norm_forward,
    transform_name, transform_option,
)
from bpcore.losses cimport LOSSES, Loss, LossKind, loss_name, loss_option, mean_loss, takes_labels
from bpcore.updates cimport (
    RULES, SETTINGS, Rule, Update, no_update, rule_name, rule_signature, setting_name, states_of, update_span,
)

cimport bpcore._losses.softmax as losses_of_rows
cimport bpcore.activations as activations
cimport bpcore.affine as affine
cimport bpcore.elementwise as elementwise
cimport bpcore.reductions as reductions

from numpy import ndarray

from bpcore.errors import bind, explain, number, parse, signature_of
from bpcore.threads import named, resolve, whole_number

cdef enum:
    MAX_ROUNDS = 1000000000    # seconds of multiply_adds, which nothing interrupts
    B = 0                       # the sizes of a call
    I = 1
    O = 2
    K = 3
    N = 4

SETTINGS_BY_NAME = {setting_name(n).decode(): n for n in range(SETTINGS)}

cdef PyTypeObject* ARRAY = <PyTypeObject*> <PyObject*> ndarray

include "entry.pxi"
include "checks.pxi"
include "loops.pxi"


def has_threads():
    """Whether OpenMP is compiled in."""
    return BP_OPENMP


def multiply_adds(dtype, rounds, threads=1):
    """Do nothing but fused multiply-adds in registers, on each of `threads` threads; returns how many operations.

    It measures the peak of the processor. A multiply-add counts as two operations.
    `dtype` is "float32" or "float64", `rounds` 1 to 10^9, and `threads` at most what OpenMP allows.
    """
    if dtype not in ("float32", "float64"):
        raise ValueError(f"multiply_adds: dtype is {dtype!r}, wanted 'float32' or 'float64'")
    if whole_number("multiply_adds: rounds", rounds) > MAX_ROUNDS:
        raise ValueError(f"multiply_adds: rounds is {rounds}, wanted at most {MAX_ROUNDS}")
    if whole_number("multiply_adds: threads", threads) > bp_max_threads():
        raise ValueError(f"multiply_adds: threads is {threads}, wanted at most {bp_max_threads()}, as OpenMP allows")
    cdef Py_ssize_t lanes = BP_VECTOR_BYTES // (4 if dtype == "float32" else 8), each = rounds
    cdef bint single = dtype == "float32"
    cdef double total = 0
    cdef int count = threads, _rank
    with nogil:
        for _rank in prange(count, num_threads=count, schedule="static"):
            total += bp_multiply_addsf(each) if single else bp_multiply_adds(each)
    if total != total:
        raise ArithmeticError("multiply_adds: the sums are no numbers")
    return 2 * count * each * BP_TILE_ROWS * BP_TILE_VECTORS * lanes


# --- The table --------------------------------------------------------------------------------------------------

cdef list table():
    """All entries."""
    cdef list entries = [
        entry(
            "affine_forward", "x:BI W:IO b:O -> out:BO", affine_forward[float], affine_forward[double], 0, PRODUCT,
            "out = x·W + b.",
        ),
        entry(
            "affine_backward_input", "dout:BO W:IO -> dx:BI", affine_backward_input[float],
            affine_backward_input[double], 0, PRODUCT, "dx = dout·Wᵀ.",
        ),
        entry(
            "affine_backward_params", "x:BI dout:BO -> dW:IO db:O", affine_backward_params[float],
            affine_backward_params[double], 0, PRODUCT, "dW = xᵀ·dout, db = Σ dout over the batch.",
        ),
        entry(
            "sum_rows", "x:BO -> out:O", sum_rows[float], sum_rows[double], 0, SINGLE_THREAD,
            "out = Σ x over the rows, in their order.",
        ),
        entry(
            "relu_forward", "x:N -> out:N=x mask:N?", relu_forward[float], relu_forward[double], 0, 0,
            "mask = x <= 0, out = 0 where mask else x. `out` may be `x`.",
        ),
        entry(
            "relu_backward", "dout:N mask:N? -> dx:N=dout", relu_backward[float], relu_backward[double], 0, 0,
            "dx = 0 where mask else dout. `dx` may be `dout`.",
        ),
        entry(
            "softmax", "x:BK -> y:BK=x", softmax[float], softmax[double], 0, 0,
            "y = exp(x) / Σ exp(x) along each row. `y` may be `x`.",
        ),
        entry(
            "softmax_cross_entropy", "x:BK t:B|BK -> y:BK dx:BK", cross_entropy[float], cross_entropy[double], 0,
            MEAN | RETURNS,
            "y = softmax(x), dx = (y·Σt − t) / B; returns the mean over the batch of −Σ t·log y.\n\n"
            "`t` is (B,) int64 labels or (B, K) weights of x's type.",
        ),
        entry(
            "softmax_cross_entropy_forward", "x:BK t:B|BK -> y:BK", cross_entropy_forward[float],
            cross_entropy_forward[double], 0, MEAN | RETURNS,
            "y = softmax(x); returns the mean over the batch of −Σ t·log y, `t` as in softmax_cross_entropy.",
        ),
        entry(
            "softmax_cross_entropy_backward", "y:BK t:B|BK dout -> dx:BK=y", cross_entropy_backward[float],
            cross_entropy_backward[double], 0, MEAN,
            "dx = dout·(y·Σt − t) / B, y and t as in softmax_cross_entropy. `dx` may be `y`.",
        ),
        entry(
            "add", "x:BO~ y:BO~ -> out:BO=x,y", add[float], add[double], 0, 0,
            "out = x + y; the operands may have any strides, 0 for a broadcast axis. `out` may be either.",
        ),
        entry(
            "multiply", "x:BO~ y:BO~ -> out:BO=x,y", multiply[float], multiply[double], 0, 0,
            "out = x·y; the operands may have any strides, 0 for a broadcast axis. `out` may be either.",
        ),
        entry(
            "exp", "x:N -> out:N=x", exp[float], exp[double], 0, ELEMENTWISE,
            "out = exp(x), within 2 ULP. `out` may be `x`.",
        ),
        entry(
            "log", "x:N -> out:N=x", log[float], log[double], 0, ELEMENTWISE,
            "out = log(x), within 3 ULP; −inf at 0, NaN below. `out` may be `x`.",
        ),
        entry(
            "reciprocal", "x:N -> out:N=x", reciprocal[float], reciprocal[double], 0, ELEMENTWISE,
            "out = 1 / x. `out` may be `x`.",
        ),
        entry(
            "reciprocal_backward", "dout:N out:N -> dx:N=dout,out", reciprocal_backward[float],
            reciprocal_backward[double], 0, ELEMENTWISE,
            "dx = −dout·y², y = `out`, the result of reciprocal. `dx` may be `dout` or `out`.",
        ),
    ]

    for kind in range(ACTIVATIONS):
        name, kept = activation_name(kind).decode(), "x" if needs_input(kind) else "out"
        if kind != IDENTITY and kind != RELU:
            entries += [
                entry(
                    f"{name}_forward", "x:N -> out:N=x", activation_forward[float], activation_forward[double], kind,
                    ELEMENTWISE, f"out = {name}(x). `out` may be `x`.",
                ),
                entry(
                    f"{name}_backward", f"dout:N {kept}:N -> dx:N=dout,{kept}", activation_backward[float],
                    activation_backward[double], kind, ELEMENTWISE,
                    f"dx = dout·{name}′(x), `{kept}` as {name}_forward had it. `dx` may be `dout` or `{kept}`.",
                ),
            ]

    for kind in range(LOSSES):
        name, option = loss_name(kind).decode(), loss_option(kind).decode()
        option = f"{option}(0,inf)" if option else ""
        if not takes_labels(<LossKind> <int> kind):
            entries += [
                entry(
                    name, f"x:BK t:BK {option} -> dx:BK=x,t", loss_and_gradient[float], loss_and_gradient[double], kind,
                    MEAN | RETURNS, "dx = the gradient of the mean loss, which is returned. `dx` may be `x` or `t`.",
                ),
                entry(
                    f"{name}_forward", f"x:BK t:BK {option}", loss_forward[float], loss_forward[double], kind,
                    MEAN | RETURNS, "Returns the mean loss of the batch.",
                ),
                entry(
                    f"{name}_backward", f"x:BK t:BK dout {option} -> dx:BK=x,t", loss_backward[float],
                    loss_backward[double], kind, MEAN,
                    "dx = dout times the gradient of the mean loss. `dx` may be `x` or `t`.",
                ),
            ]

    for kind in range(TRANSFORMS):
        name, option = transform_name(kind).decode(), transform_option(kind).decode()
        option = f"{option}(0,inf)" if option else ""
        if not has_matrix(kind):
            entries += [
                entry(
                    f"{name}_forward", f"x:BO weight:O bias:O {option} -> out:BO z:BO scale:B",
                    normalisation_forward[float], normalisation_forward[double], kind, 0,
                    "z = the rows, normalised, out = z·weight + bias; scale is what each row was multiplied by.",
                ),
                entry(
                    f"{name}_backward_input", "dout:BO z:BO scale:B weight:O -> dx:BO=dout",
                    normalisation_backward_input[float], normalisation_backward_input[double], kind, 0,
                    f"dx = the gradient of x, z and scale as {name}_forward gave them. `dx` may be `dout`.",
                ),
                entry(
                    f"{name}_backward_params", "z:BO dout:BO -> dweight:O dbias:O",
                    normalisation_backward_params[float], normalisation_backward_params[double], kind, SINGLE_THREAD,
                    "dweight = Σ dout·z, dbias = Σ dout over the batch.",
                ),
            ]

    for kind in range(RULES):
        entries.append(
            entry(
                f"{rule_name(kind).decode()}_update", rule_signature(kind).decode(), update[float], update[double],
                kind, ELEMENTWISE, "A step of the rule: w and the optimizer's state of it are changed in place.",
            )
        )
    return entries


globals().update({one.__name__: one for one in table()})
for function in (has_threads, multiply_adds):
    function.__module__ = "bpcore.kernels"    # whatever the level
del function
