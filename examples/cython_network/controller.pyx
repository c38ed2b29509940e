# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A small network inside one's own loop: forward, gradient and step on one's own buffers, without the GIL.

The network's parameters are NumPy arrays that the caller keeps; the workspace belongs to this object.
"""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from bpcore cimport (
    BPCORE_API_VERSION, IDENTITY, RELU, Layer, Network, Update, aligned, cross_entropy_loss, dense, layer_forward,
    network, network_step, place, rows_of, sgd, workspace_size,
)

import bpcore

# The kernels are compiled in; after an upgrade of bpcore this says that they are those of another version.
bpcore.require_api(BPCORE_API_VERSION, __name__)


cdef class Controller:
    """Two affine layers with ReLU between them, trained by SGD.

    Parameters
    ----------
    W1, b1, W2, b2 : float32 arrays, contiguous
        Changed in place by `steps`.
    batch : int
        Rows of the largest batch.
    """

    cdef Layer[2] layers
    cdef Network net
    cdef void* memory
    cdef Py_ssize_t batch
    cdef object kept

    def __cinit__(self, float[:, ::1] W1, float[::1] b1, float[:, ::1] W2, float[::1] b2, Py_ssize_t batch):
        if W1.shape[1] != b1.shape[0] or W1.shape[1] != W2.shape[0] or W2.shape[1] != b2.shape[0] or batch < 1:
            raise ValueError("the parameters do not fit each other, or the batch is empty")
        self.kept = (W1, b1, W2, b2)
        self.batch = batch
        self.layers[0] = dense(W1.shape[0], W1.shape[1], RELU, &W1[0, 0], &b1[0])
        self.layers[1] = dense(W2.shape[0], W2.shape[1], IDENTITY, &W2[0, 0], &b2[0])
        self.net = network(&self.layers[0], 2, cross_entropy_loss())
        self.memory = malloc(workspace_size(&self.net, batch) + 64)
        if self.memory is NULL:
            raise MemoryError("no memory for the workspace")
        place(&self.net, aligned(self.memory), batch)

    def __dealloc__(self):
        free(self.memory)

    cdef int check(self, const float[:, ::1] x, const int64_t[::1] t) except -1:
        """Raise of a wrong call here, since the kernels check nothing."""
        cdef Py_ssize_t rows = x.shape[0], r
        if not 0 < rows <= self.batch or x.shape[1] != self.layers[0].inputs:
            raise ValueError(
                f"x has shape ({rows}, {x.shape[1]}), wanted 1 to {self.batch} rows of {self.layers[0].inputs}"
            )
        for r in range(0 if t is None else rows):
            if t.shape[0] != rows or not 0 <= t[r] < self.layers[1].outputs:
                raise ValueError(f"t has {t.shape[0]} labels, wanted {rows} from 0 to {self.layers[1].outputs - 1}")
        return 0

    cdef void forward(self, const float* x, float* scores, Py_ssize_t rows) noexcept nogil:
        """Scores of up to `batch` rows."""
        cdef float* hidden = <float*> self.layers[0].out
        cdef Py_ssize_t I = self.layers[0].inputs, K = self.layers[1].outputs
        layer_forward(&self.layers[0], rows_of(x, I), hidden, self.layers[0].stride, rows, NULL)
        layer_forward(&self.layers[1], rows_of(<const float*> hidden, self.layers[0].stride), scores, K, rows, NULL)

    def scores(self, const float[:, ::1] x, float[:, ::1] out):
        """Write the scores of x to `out`."""
        self.check(x, None)
        if out.shape[0] != x.shape[0] or out.shape[1] != self.layers[1].outputs:
            raise ValueError(f"out has shape ({out.shape[0]}, {out.shape[1]})")
        with nogil:
            self.forward(&x[0, 0], &out[0, 0], x.shape[0])

    def gradient(self, const float[:, ::1] x, const int64_t[::1] t, float[:, ::1] dW1, float[:, ::1] dW2):
        """Return the loss; write the gradients of the weights."""
        cdef double loss
        cdef Py_ssize_t i
        self.check(x, t)
        if dW1.shape[0] * dW1.shape[1] != self.layers[0].inputs * self.layers[0].outputs:
            raise ValueError(f"dW1 has shape ({dW1.shape[0]}, {dW1.shape[1]})")
        if dW2.shape[0] * dW2.shape[1] != self.layers[1].inputs * self.layers[1].outputs:
            raise ValueError(f"dW2 has shape ({dW2.shape[0]}, {dW2.shape[1]})")
        with nogil:
            loss = network_step(
                &self.net, rows_of(&x[0, 0], x.shape[1]), &t[0], <const float*> NULL, <const float*> NULL, x.shape[0],
                NULL, 1,
            )
            for i in range(dW1.shape[0] * dW1.shape[1]):
                (&dW1[0, 0])[i] = (<float*> self.layers[0].weight.gradient)[i]
            for i in range(dW2.shape[0] * dW2.shape[1]):
                (&dW2[0, 0])[i] = (<float*> self.layers[1].weight.gradient)[i]
        return loss

    def steps(self, const float[:, ::1] x, const int64_t[::1] t, double lr, int count):
        """Take `count` steps on the same batch; return the loss before the last."""
        cdef Update update = sgd(lr)
        cdef double loss = 0
        cdef int _n
        self.check(x, t)
        with nogil:
            for _n in range(count):
                loss = network_step(
                    &self.net, rows_of(&x[0, 0], x.shape[1]), &t[0], <const float*> NULL, <const float*> NULL,
                    x.shape[0], &update, 1,
                )
                update.step = update.step + 1
        return loss
