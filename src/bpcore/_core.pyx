# cython: auto_pickle=False
"""The compiled part of bpcore.kernels and bpcore.plan, built once per instruction-set level.

It is one module, so that the loops that entries and plans share are compiled once.
"""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.exc cimport PyErr_CheckSignals
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.object cimport PyObject
from cython cimport floating
from cython.parallel cimport parallel, prange, threadid
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from sys import intern
from weakref import ref

from bpcore._entries.buffers cimport (
    View, address, check_indices, close, contiguous, gather_labels, itemsize_of, open_rows, read_struct, readable,
    shaped,
)
from bpcore._entries.ndarray cimport (
    NPY_ARRAY_ALIGNED, NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_CARRAY, NPY_ARRAY_CARRAY_RO, NPY_ARRAY_WRITEABLE, NPY_BOOL,
    NPY_DOUBLE, NPY_FLOAT, NPY_INT, NPY_INT64, NPY_LONG, NPY_LONGLONG, NPY_UBYTE, PyArray_DATA, PyArray_DESCR,
    PyArray_DIMS, PyArray_FLAGS, PyArray_ISNOTSWAPPED, PyArray_NDIM, PyArray_SimpleNew, PyArray_STRIDES, PyArray_TYPE,
    PyArrayObject, _import_array,
)
from bpcore._entries.overlaps cimport Span, intersect, is_same, span
from bpcore._gemm.operands cimport Address, aligned, rows_of
from bpcore._gemm.padded cimport LEAST_ROWS, LEAST_STEPS
from bpcore._layers.batch_norm cimport batch_norm_backward, batch_norm_forward, batch_norm_inference
from bpcore._layers.dropout cimport dropout_forward
from bpcore._layers.layer cimport Kept, kept_rows
from bpcore._layers.softmax cimport log_softmax_row_backward, log_softmax_rows, softmax_row_backward
from bpcore._network.columns cimport has_wide_layers
from bpcore._network.limits cimport has_limits
from bpcore._network.workspace cimport BACK, FORTH_AND_BACK, FORWARD, PARAMETERS, WHOLE, Stage
from bpcore._parallel.team cimport (
    BP_OPENMP, FEWER_THREADS_MAX_OPERATIONS, SPAN, THREAD_MIN_OPERATIONS, bp_max_threads, bp_place_team, bp_team_size,
    chunk_start, spans_of, threads_for_kernel, threads_for_region,
)
from bpcore._plan.guards cimport Guard, overlap, unchanged
from bpcore._plan.input_gradients cimport Seeds, input_gradient_scratch
from bpcore._plan.jobs cimport (
    COUNT_CORRECT, INPUT_GRADIENT, PREDICT, STEP, TRAIN, Job, Task, advance, is_possible, part_of_job,
)
from bpcore._plan.padded_network cimport pad_first_layer, padding_bytes
from bpcore._simd.simd cimport (
    BP_TILE_ROWS, BP_TILE_VECTORS, BP_VECTOR_BYTES, bp_multiply_adds, bp_multiply_addsf, exp_span,
)
from bpcore.activations cimport (
    ACTIVATION_NUMBERS as MOST_ACTIVATION_NUMBERS, ACTIVATIONS as COUNT_OF_ACTIVATIONS, IDENTITY, RELU, Activation,
    activate, activate_backward, activation_name, activation_numbers, needs_input,
)
from bpcore.elementwise cimport blend_span, log_span, reciprocal_backward_span, reciprocal_span
from bpcore.evaluation cimport class_of, rows_per_check, scratch_size
from bpcore.gather cimport Source
from bpcore.layers cimport (
    BATCH_NORM, DROPOUT, TRANSFORMS as COUNT_OF_TRANSFORMS, Layer, Parameter, batch_norm, dropout, has_bias, has_matrix,
    has_parameters, is_normalisation, layer_of, norm_backward_input, norm_backward_parameters, norm_forward,
    transform_name, transform_option,
)
from bpcore.losses cimport (
    BINARY_CROSS_ENTROPY, GAUSSIAN_NLL, LOSSES as COUNT_OF_LOSSES, POISSON, Loss, LossKind, has_classes, loss_name,
    loss_option, mean_loss, takes_labels, takes_target, target_width,
)
from bpcore.network cimport (
    BLOCK, Network, network, operations as operations_of, place, stride_of, takes_whole_batches, whole_lines,
    work_of_step, workspace_size,
)
from bpcore.reductions cimport loss_of
from bpcore.sparse cimport SparseRows
from bpcore.targets cimport Targets, gather_shared_labels, no_targets, share_out
from bpcore.training cimport Batch
from bpcore.updates cimport (
    RULES as COUNT_OF_RULES, SETTINGS as COUNT_OF_SETTINGS, Rule, Update as UpdateSettings, no_update, rule_name,
    rule_signature, setting_name, states_of, update_span,
)

cimport bpcore._losses.softmax as losses_of_rows
cimport bpcore.activations as activations
cimport bpcore.affine as affine
cimport bpcore.elementwise as elementwise
cimport bpcore.limits as limits
cimport bpcore.reductions as reductions
cimport bpcore.sparse as sparse

from inspect import Signature
from time import perf_counter
from sys import intern
from weakref import ref

from numpy import ndarray

from bpcore.errors import COUNTS, MOST, bind, explain, explain_rows, number, parse, signature_of
from bpcore.threads import is_named, named, resolve, whole_number

_import_array()

include "_plan/names.pxi"

include "_entries/entry.pxi"
include "_entries/checks.pxi"
include "_entries/csr.pxi"
include "_entries/loops.pxi"
include "_entries/softmax.pxi"
include "_entries/table.pxi"
include "_entries/processor.pxi"

include "_plan/update.pxi"
include "_plan/addresses.pxi"
include "_plan/job_runner.pxi"
include "_plan/sparse.pxi"
include "_plan/tuning.pxi"
include "_plan/evaluation.pxi"
include "_plan/targets.pxi"
include "_plan/input_gradients.pxi"
include "_plan/averages.pxi"
include "_plan/plan.pxi"
include "_plan/segments.pxi"

# Users know these types by the module that shows them.
show_in(Entry, "bpcore.kernels.Entry")
show_in(EntrySignature, "bpcore.kernels.EntrySignature")
show_in(NetworkAddresses, "bpcore.plan.NetworkAddresses")
show_in(JobRunner, "bpcore.plan.JobRunner")
show_in(Evaluation, "bpcore.plan.Evaluation")
show_in(Targeting, "bpcore.plan.Targeting")
show_in(InputGradients, "bpcore.plan.InputGradients")
show_in(Averaging, "bpcore.plan.Averaging")
show_in(Plan, "bpcore.plan.Plan")
show_in(Segment, "bpcore.plan.Segment")
show_in(Tuning, "bpcore.plan.Tuning")
show_in(Update, "bpcore.plan.Update")
