"""A module of one's own: many cimports, both types, no directives, any number of threads; without the GIL."""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

cimport bpcore.affine as pointers
from bpcore._gemm.operands cimport aligned, rows_of
from bpcore._losses.softmax cimport (
    softmax_cross_entropy, softmax_cross_entropy_backward, softmax_cross_entropy_rows, softmax_rows,
)
from bpcore._simd.simd cimport exp_span
from bpcore.activations cimport IDENTITY, RELU, SIGMOID, TANH
from bpcore.elementwise cimport log_span, reciprocal_backward_span, reciprocal_span
from bpcore.layers cimport Layer, dense, layer_forward
from bpcore.losses cimport Loss, cross_entropy_loss, loss_rows, mean_loss, squared_error_loss
from bpcore.memoryviews cimport (
    activation_backward, activation_forward, add, affine_backward_input, affine_backward_params, affine_forward, multiply,
    relu_backward, relu_forward, softmax,
)
from bpcore.network cimport Network, network, network_step, place, workspace_size
from bpcore.sparse cimport csr_backward_params, csr_forward, index_type, place_type
from bpcore.updates cimport Update, adam as adam_rule, sgd, update_shared

cdef extern from "<semaphore.h>" nogil:
    ctypedef struct sem_t:
        pass
    int sem_init(sem_t* semaphore, int shared, unsigned int value)
    int sem_post(sem_t* semaphore)
    int sem_wait(sem_t* semaphore)

cdef sem_t in_nogil, gil_held, computed


def products(
    const floating[:, ::1] x, const floating[:, ::1] W, const floating[::1] b, const floating[:, ::1] dout,
    floating[:, ::1] out, floating[:, ::1] dx, floating[:, ::1] dW, floating[::1] db, int threads,
):
    with nogil:
        affine_forward(x, W, b, out, threads)
        affine_backward_input(dout, W, dx, threads)
        affine_backward_params(x, dout, dW, db, threads)


def sparse_products(
    place_type[::1] indptr, index_type[::1] indices, const floating[::1] data, const floating[:, ::1] W,
    const floating[::1] b, const floating[:, ::1] dout, floating[:, ::1] out, floating[:, ::1] dW, floating[::1] db,
    int threads,
):
    cdef Py_ssize_t B = dout.shape[0], I = W.shape[0], O = W.shape[1]
    with nogil:
        csr_forward(&indptr[0], &indices[0], &data[0], &W[0, 0], &b[0], &out[0, 0], O, B, I, O, threads)
        csr_backward_params(
            &indptr[0], &indices[0], &data[0], &dout[0, 0], O, &dW[0, 0], &db[0], B, I, O, threads
        )


def pointwise(
    const floating[::1] x, const floating[::1] dout, unsigned char[::1] mask, const floating[:, ::1] y,
    floating[:, ::1] out, int threads,
):
    """ReLU, sigmoid, tanh, each with its gradient; exp, log, 1/x and its gradient: a row of `out`, which y is, each."""
    cdef Py_ssize_t n = x.shape[0]
    with nogil:
        relu_forward(x, out[0], mask, threads)
        relu_backward(dout, mask, out[1], threads)
        activation_forward(SIGMOID, NULL, x, out[2], threads)
        activation_backward(SIGMOID, NULL, y[2], dout, out[3], threads)
        activation_forward(TANH, NULL, x, out[4], threads)
        activation_backward(TANH, NULL, y[4], dout, out[5], threads)
        exp_span(n, &x[0], &out[6, 0])
        log_span(n, &y[6, 0], &out[7, 0])
        reciprocal_span(n, &y[6, 0], &out[8, 0])
        reciprocal_backward_span(n, &dout[0], &y[8, 0], &out[9, 0])


def nodes(
    const floating[:, :] x, const floating[:, :] y, floating[:, ::1] total, floating[:, ::1] product, int threads
):
    with nogil:
        add(x, y, total, threads)
        multiply(x, y, product, threads)


def losses(
    const floating[:, ::1] x, const int64_t[::1] t, const floating[:, ::1] numbers, floating[:, ::1] y,
    floating[:, ::1] dx, floating[:, ::1] squares, double[::1] rows, int threads,
):
    """Cross-entropy of labels, once in one go and once as softmax and its gradient; and squared error."""
    cdef double first, second
    cdef Py_ssize_t B = x.shape[0], K = x.shape[1]
    cdef Loss loss = squared_error_loss()
    with nogil:
        first = softmax_cross_entropy(
            &x[0, 0], &t[0], <const floating*> NULL, <const floating*> NULL, &y[0, 0], &dx[0, 0], &rows[0], B, K, threads
        )
        softmax(x, y, threads)
        softmax_cross_entropy_backward(
            <const floating*> &y[0, 0], &t[0], <const floating*> NULL, <const floating*> NULL, <floating> 1, &dx[0, 0],
            B, K, threads,
        )
        second = mean_loss(
            &loss, &x[0, 0], &numbers[0, 0], <const floating*> NULL, &squares[0, 0], &rows[0], B, K, <floating> 1,
            threads,
        )
    return first, second


def rows_apart(
    const floating[:, ::1] x, floating[:, ::1] W, floating[::1] b, const int64_t[::1] t, const floating[:, ::1] numbers,
    floating[:, :, ::1] wide,
):
    """Forward passes, softmax and losses of rows with gaps between them: each writes a matrix into one of `wide`."""
    cdef Py_ssize_t B = x.shape[0], I = x.shape[1], K = W.shape[1], row = wide.shape[2]
    cdef Layer layer = dense(I, K, TANH, &W[0, 0], &b[0])
    cdef Loss loss = squared_error_loss()
    cdef double[256] rows
    with nogil:
        layer_forward(&layer, rows_of(&x[0, 0], I), &wide[0, 0, 0], row, B, NULL)
        layer.activation = RELU
        layer_forward(&layer, rows_of(&x[0, 0], I), &wide[1, 0, 0], row, B, NULL)
        layer_forward(&layer, rows_of(&x[0, 0], I), &wide[1, 0, 0], row, 0, NULL)    # does nothing
        softmax_rows(<const floating*> &wide[0, 0, 0], &wide[2, 0, 0], row, B, K)
        softmax_cross_entropy_rows(
            <const floating*> &wide[0, 0, 0], &t[0], <const floating*> NULL, <const floating*> NULL, &wide[3, 0, 0],
            &wide[4, 0, 0], rows, row, B, K, <floating> 1,
        )
        loss_rows(
            &loss, <const floating*> &wide[0, 0, 0], NULL, &numbers[0, 0], <const floating*> NULL, &wide[5, 0, 0], rows,
            row, B, K, <floating> 1,
        )


def train(
    const floating[:, ::1] x, const int64_t[::1] t, floating[:, ::1] W1, floating[::1] b1, floating[:, ::1] W2,
    floating[::1] b2, floating[:, ::1] dW1, floating[::1] db2, double lr, int steps, int threads,
):
    """The gradient at first, then steps of SGD; the layers' memory is full of ones before they are made."""
    cdef Layer* layers = <Layer*> malloc(2 * sizeof(Layer))
    cdef Update update = sgd(lr)
    cdef double loss
    cdef Network net
    cdef void* memory
    memset(layers, 0xff, 2 * sizeof(Layer))
    memset(&net, 0xff, sizeof(Network))
    layers[0] = dense(W1.shape[0], W1.shape[1], RELU, &W1[0, 0], &b1[0])
    layers[1] = dense(W2.shape[0], W2.shape[1], IDENTITY, &W2[0, 0], &b2[0])
    net = network(layers, 2, cross_entropy_loss())
    memory = malloc(workspace_size(&net, x.shape[0]) + 64)
    place(&net, aligned(memory), x.shape[0])
    with nogil:
        loss = network_step(
            &net, rows_of(&x[0, 0], x.shape[1]), &t[0], <const floating*> NULL, <const floating*> NULL, x.shape[0], NULL,
            threads,
        )
        memcpy(&dW1[0, 0], layers[0].weight.gradient, dW1.shape[0] * dW1.shape[1] * sizeof(floating))
        memcpy(&db2[0], layers[1].bias.gradient, db2.shape[0] * sizeof(floating))
        for update.step in range(1, steps + 1):
            network_step(
                &net, rows_of(&x[0, 0], x.shape[1]), &t[0], <const floating*> NULL, <const floating*> NULL, x.shape[0],
                &update, threads,
            )
    free(memory)
    free(layers)
    return loss


def adam(floating[::1] w, const floating[::1] g, floating[::1] m, floating[::1] v, int threads):
    cdef Update update = adam_rule(0.01, 0.9, 0.999, 1e-8)
    with nogil:
        update_shared(&update, &w[0], &g[0], &m[0], &v[0], <floating*> NULL, w.shape[0], threads)


# A thread that computes without the GIL while another holds it, and waits for that with the GIL in its hands.

def prepare():
    sem_init(&in_nogil, 0, 0)
    sem_init(&gil_held, 0, 0)
    sem_init(&computed, 0, 0)


def hold_the_gil():
    """Wait, with the GIL, until `compute_meanwhile` has computed."""
    with nogil:
        sem_wait(&in_nogil)
    sem_post(&gil_held)
    sem_wait(&computed)


def compute_meanwhile(
    const floating[:, ::1] x, const floating[::1] y, const int64_t[::1] t, unsigned char[::1] mask,
    floating[:, ::1] out, floating[::1] flat, floating[::1] db, double[::1] rows, int threads,
):
    """Every kind of loop on several threads; all but `db` are square, and y and `flat` run over x and `out`."""
    cdef const floating[:, :] strided = x
    cdef Py_ssize_t B = x.shape[0], K = x.shape[1]
    cdef Update update = sgd(0)
    cdef Loss loss = squared_error_loss()
    with nogil:
        sem_post(&in_nogil)
        sem_wait(&gil_held)
        affine_forward(x, x, y[:K], out, threads)
        affine_backward_input(x, x, out, threads)
        affine_backward_params(x, x, out, db, threads)
        relu_forward(y, flat, mask, threads)
        relu_backward(y, mask, flat, threads)
        activation_forward(SIGMOID, NULL, y, flat, threads)
        activation_backward(SIGMOID, NULL, y, y, flat, threads)
        activation_forward(TANH, NULL, y, flat, threads)
        activation_backward(TANH, NULL, y, y, flat, threads)
        add(strided, strided, out, threads)
        multiply(strided, strided, out, threads)
        softmax(x, out, threads)
        softmax_cross_entropy(
            &x[0, 0], &t[0], <const floating*> NULL, <const floating*> NULL, &out[0, 0], &out[0, 0], &rows[0], B, K,
            threads,
        )
        softmax_cross_entropy_backward(
            &x[0, 0], &t[0], <const floating*> NULL, <const floating*> NULL, <floating> 1, &out[0, 0], B, K, threads
        )
        mean_loss(
            &loss, &x[0, 0], &x[0, 0], <const floating*> NULL, &out[0, 0], &rows[0], B, K, <floating> 1, threads
        )
        update_shared(
            &update, &flat[0], &y[0], <floating*> NULL, <floating*> NULL, <floating*> NULL, flat.shape[0], threads
        )
        sem_post(&computed)
