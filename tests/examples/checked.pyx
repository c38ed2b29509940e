# cython: language_level=3
"""A forward pass and a step with one thing wrong, which -DBPCORE_CHECKS notices. All arrays are larger than needed."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from bpcore cimport (
    IDENTITY, RELU, Layer, Network, Rows, Update, adam, aligned, batch_norm, cross_entropy_loss, dense, layer_forward,
    network, network_step, parameters_half, place, rows_backward, rows_forward, rows_of, squared_error_loss, workspace_size,
)
from bpcore.activations cimport Activation
from bpcore.layers cimport Transform
from bpcore.updates cimport Rule

cdef enum:
    LARGEST = 8    # rows of the workspace

cdef float[64] x, W1, b1, W2, b2, mean, var, out, targets
cdef float[8][64] state
cdef int64_t[64] labels


def run(str wrong):
    """`wrong` says what; "nothing" returns the loss."""
    cdef Layer[2] layers
    cdef Layer* first = &layers[0]
    cdef Layer* last = &layers[1]
    cdef Network net
    cdef Update update = adam(0.1, 0.9, 0.999, 1e-8)
    cdef Py_ssize_t B = LARGEST, stride = 5
    cdef const int64_t* t = &labels[0]
    cdef const float* numbers = NULL
    cdef Rows rows = rows_of(<const float*> &x[0], 4)
    cdef void* memory
    cdef double loss
    layers[0] = dense(4, 5, RELU, &W1[0], &b1[0])
    layers[1] = dense(4 if wrong == "sizes" else 5, 3, IDENTITY, &W2[0], &b2[0])
    if wrong.startswith("batch norm"):
        layers[1] = batch_norm(
            5, IDENTITY, &W2[0], &b2[0], NULL if wrong == "batch norm, statistics" else &mean[0], &var[0], 1e-5, 0.1,
        )
    net = network(first, 2, squared_error_loss() if wrong == "loss" else cross_entropy_loss())
    memory = malloc(workspace_size(&net, LARGEST) + 64)
    if wrong != "workspace":
        place(&net, aligned(memory), LARGEST)
    if wrong != "state":
        first.weight.state1, first.weight.state2 = &state[0][0], &state[1][0]
        first.bias.state1, first.bias.state2 = &state[2][0], &state[3][0]
        last.weight.state1, last.weight.state2 = &state[4][0], &state[5][0]
        last.bias.state1, last.bias.state2 = &state[6][0], &state[7][0]
    labels[3] = 3 if wrong == "label" else -1 if wrong == "label below 0" else 2
    if wrong == "batch":
        B = LARGEST + 1
    elif wrong == "empty batch":
        B = 0
    elif wrong == "rule":
        update.rule = <Rule> 99
    elif wrong == "step":
        update.step = 0
    elif wrong == "weight":
        first.weight.value = NULL
    elif wrong == "bias":
        last.bias.value = NULL
    elif wrong == "itemsize":
        last.itemsize = 8
    elif wrong == "activation":
        first.activation = <Activation> 99
    elif wrong == "transform":
        first.transform = <Transform> 99
    elif wrong == "stride":
        stride = 4
    elif wrong == "depth":
        net.depth = 0
    elif wrong == "no targets":
        t = NULL
    elif wrong == "two targets":
        numbers = &targets[0]
    if wrong in ("stride", "nothing"):
        layer_forward(first, rows, &out[0], stride, LARGEST, NULL)
    if wrong == "rows forward":
        rows_forward(&net, rows, LARGEST - 1, 2, NULL, <float> 0)
    if wrong == "batch norm, rows forward":
        rows_forward(&net, rows, 1, 2, NULL, <float> 0)
    if wrong == "batch norm, rows backward":
        rows_backward(&net, 0, 2, LARGEST, <float> 0)
    if wrong == "rows backward":
        rows_backward(&net, 0, LARGEST, LARGEST - 1, <float> 0)
    if wrong == "parameters":
        parameters_half(&net, rows, LARGEST + 1, &update, 0, 1, <float> 0)
    loss = network_step(&net, rows, t, numbers, <const float*> NULL, B, &update, 1)
    free(memory)
    return loss
