# cython: language_level=3, cdivision=True, overflowcheck=False, nonecheck=False, profile=False, linetrace=False
# cython: boundscheck=False, initializedcheck=False, wraparound=False
"""The structs of layers and their parameters, which layers.pxd makes and the other files of this folder work on."""

from cython cimport floating
from libc.stdint cimport int64_t, uint64_t

from bpcore.activations cimport ACTIVATION_NUMBERS, Activation
from bpcore._updates.numbers cimport part
from bpcore.updates cimport Update, update_span

cdef struct Parameter:
    # An array of the caller's, which training changes.
    void* value
    void* gradient    # the workspace's
    void* state1      # what the update rule keeps of it, the caller's; NULL where it keeps less
    void* state2
    void* state3
    void* average     # where a moving average of it lies, the caller's; or NULL
    Py_ssize_t size
    bint is_vector    # not a matrix: penalties leave it alone, unless they are asked for it


cdef struct Kept:
    # What a transform keeps of rows for its backward, and which rows of the batch these are.
    void* z               # (rows, outputs) the rows, normalised, or a mask, `stride` numbers apart; NULL: not needed
    Py_ssize_t stride
    void* scale           # (rows,) what the differences from the mean were multiplied by, of a normalisation of rows;
    # (outputs,) of batch normalisation, whose first row is always that of the batch
    Py_ssize_t first
    bint training         # else nothing is kept


cdef struct Layer:
    # Made by `dense` and its like, which set every field; `place` then sets those of the workspace.
    int transform                 # a Transform of layers.pxd
    Activation activation
    int itemsize
    double option                 # a number that the transform takes, 0 where it takes none
    uint64_t seed                 # of dropout,
    int64_t step                  # and the step, which with seed and row makes its mask; the caller's to count
    void* running_mean            # (outputs,) of batch normalisation, the caller's: training moves them
    void* running_var
    double momentum               # by this share towards a batch's
    void* average_mean            # (outputs,) where moving averages of these lie, the caller's; or NULL
    void* average_var
    double[ACTIVATION_NUMBERS] numbers    # those that the activation takes
    Py_ssize_t inputs
    Py_ssize_t outputs
    Parameter weight              # (inputs, outputs) or, of a normalisation, (outputs,); none of dropout
    Parameter bias                # (outputs,)
    bint is_padded                # whether weight, its gradient and state lie as padded.pxd says, else without gaps
    # The workspace's, for batches of B rows.
    Py_ssize_t stride             # numbers from one row to the next, by network.stride_of; gaps are the network's
    Kept kept                     # of B rows, where the transform keeps anything
    void* pre                     # (B, outputs) what enters the activation; `out` itself unless its backward needs it
    void* out                     # (B, outputs)
    void* dpre                    # (B, outputs) the gradient of what enters the activation
    void* panels                  # dpre once more, in panels, where its rows are far apart; else NULL


cdef inline Kept nothing_kept() noexcept nogil:
    return Kept(z=NULL, stride=0, scale=NULL, first=0, training=False)


cdef inline Kept kept_rows(const Layer* layer, Py_ssize_t first) noexcept nogil:
    """What is kept of the rows from `first` on."""
    cdef Kept rows = layer.kept
    rows.first, rows.training = first, True
    if rows.z is not NULL:
        rows.z = <char*> rows.z + first * rows.stride * layer.itemsize
    if rows.scale is not NULL:
        rows.scale = <char*> rows.scale + first * layer.itemsize
    return rows


cdef inline void update_part(
    const Update* update, const Parameter* parameter, Py_ssize_t first, const floating* gradient, Py_ssize_t n
) noexcept nogil:
    """Move n numbers of a parameter, from `first` on, against their gradient."""
    cdef Update without
    if parameter.is_vector and not update.decays_vectors and (update.weight_decay != 0 or update.l1 != 0):
        without = update[0]
        without.weight_decay = without.l1 = 0
        update = &without
    update_span(
        update, <floating*> parameter.value + first, gradient, part(<floating*> parameter.state1, first),
        part(<floating*> parameter.state2, first), part(<floating*> parameter.state3, first), n,
    )
