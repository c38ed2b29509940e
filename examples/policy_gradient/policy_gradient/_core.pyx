# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""A policy over discrete actions: forward, a loss that bpcore has not, backward and step, without the GIL."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from bpcore cimport (
    IDENTITY, TANH, Layer, Network, Rows, Update, aligned, cross_entropy_loss, dense, network, parameters_half, place,
    rows_backward, rows_forward, rows_of, sgd, softmax_cross_entropy, softmax_cross_entropy_backward, workspace_size,
)


cdef double policy_loss(
    const float* scores,         # IN   (B, K), `stride` numbers from one row to the next
    float* dscores,              # OUT  (B, K) the gradient, like scores
    Py_ssize_t stride,
    const int64_t* actions,      # IN   (B,) each in [0, K)
    const float* advantages,     # IN   (B,)
    Py_ssize_t B,
    Py_ssize_t K,
) noexcept nogil:
    """mean(−advantage·log π(action)), π the softmax of a row of scores (Williams 1992)."""
    cdef double loss, total = 0
    cdef Py_ssize_t r
    for r in range(B):
        # loss = −log π(action); π is written where the gradient then takes its place.
        softmax_cross_entropy(
            scores + r * stride, actions + r, <const float*> NULL, <const float*> NULL, dscores + r * stride,
            <float*> NULL, &loss, 1, K, 1,
        )
        # dscores = (π − one-hot(action))·advantage / B
        softmax_cross_entropy_backward(
            <const float*> dscores + r * stride, actions + r, <const float*> NULL, <const float*> NULL,
            advantages[r] / <float> B, dscores + r * stride, 1, K, 1,
        )
        total = total + advantages[r] * loss
    return total / B


cdef class Policy:
    """Two affine layers with tanh between them; the scores that come out are of the actions.

    Parameters
    ----------
    W1, b1, W2, b2 : float32 arrays, contiguous
        Changed in place by `step`.
    batch : int
        Rows of the largest batch.
    """

    cdef Layer[2] layers
    cdef Network net
    cdef void* memory
    cdef object kept

    def __cinit__(
        self, float[:, ::1] W1 not None, float[::1] b1 not None, float[:, ::1] W2 not None, float[::1] b2 not None,
        Py_ssize_t batch,
    ):
        if W1.shape[1] != b1.shape[0] or W1.shape[1] != W2.shape[0] or W2.shape[1] != b2.shape[0]:
            raise ValueError("W1 (I, H), b1 (H,), W2 (H, K) and b2 (K,) do not fit each other")
        if 0 in (W1.shape[0], W1.shape[1], W2.shape[1]) or batch < 1:
            raise ValueError("a layer or the batch is empty")
        self.kept = (W1, b1, W2, b2)
        self.layers[0] = dense(W1.shape[0], W1.shape[1], TANH, &W1[0, 0], &b1[0])
        self.layers[1] = dense(W2.shape[0], W2.shape[1], IDENTITY, &W2[0, 0], &b2[0])
        # The loss of the struct is not used.
        self.net = network(&self.layers[0], 2, cross_entropy_loss())
        self.memory = malloc(workspace_size(&self.net, batch) + 64)
        if self.memory is NULL:
            raise MemoryError("no memory for the workspace")
        place(&self.net, aligned(self.memory), batch)

    def __dealloc__(self):
        free(self.memory)

    cdef int check(self, const float[:, ::1] x) except -1:
        """Raise of a wrong x, since the kernels check nothing."""
        if not 0 < x.shape[0] <= self.net.capacity or x.shape[1] != self.layers[0].inputs:
            raise ValueError(
                f"x has shape ({x.shape[0]}, {x.shape[1]}), "
                f"wanted 1 to {self.net.capacity} rows of {self.layers[0].inputs}"
            )
        return 0

    def scores(self, const float[:, ::1] x not None, float[:, ::1] out not None):
        """Write the scores of each row's actions to `out`."""
        cdef const Layer* last = &self.layers[1]
        cdef Py_ssize_t r
        self.check(x)
        if out.shape[0] != x.shape[0] or out.shape[1] != last.outputs:
            raise ValueError(
                f"out has shape ({out.shape[0]}, {out.shape[1]}), wanted ({x.shape[0]}, {last.outputs})"
            )
        with nogil:
            rows_forward(&self.net, rows_of(&x[0, 0], x.shape[1]), 0, x.shape[0], NULL, <float> 0)
            for r in range(x.shape[0]):
                memcpy(&out[r, 0], <const float*> last.out + r * last.stride, last.outputs * sizeof(float))

    def step(
        self, const float[:, ::1] x not None, const int64_t[::1] actions not None,
        const float[::1] advantages not None, double lr,
    ):
        """One step of SGD on the loss of a batch; returns the loss before it."""
        cdef const Layer* last = &self.layers[1]
        cdef Update update = sgd(lr)
        cdef Py_ssize_t B = x.shape[0], r
        cdef double loss
        cdef Rows rows
        self.check(x)
        if actions.shape[0] != B or advantages.shape[0] != B:
            raise ValueError(f"{actions.shape[0]} actions and {advantages.shape[0]} advantages, wanted {B} of each")
        for r in range(B):
            if not 0 <= actions[r] < last.outputs:
                raise ValueError(f"action {actions[r]} of row {r}, wanted 0 to {last.outputs - 1}")
        with nogil:
            rows = rows_of(&x[0, 0], x.shape[1])
            rows_forward(&self.net, rows, 0, B, NULL, <float> 0)
            loss = policy_loss(
                <const float*> last.out, <float*> last.dpre, last.stride, &actions[0], &advantages[0], B, last.outputs
            )
            rows_backward(&self.net, 0, B, B, <float> 0)
            parameters_half(&self.net, rows, B, &update, 0, 1, <float> 0)
        return loss
