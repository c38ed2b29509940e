"""A module of one's own: many cimports, both types, no directives, any number of threads; without the GIL."""

from cython cimport floating
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from bpcore.activations cimport (
    IDENTITY, RELU, TANH, relu_backward, relu_forward, sigmoid_backward, sigmoid_forward, tanh_backward, tanh_forward,
)
from bpcore.affine cimport affine_backward_input, affine_backward_params, affine_forward
from bpcore.elementwise cimport add, exp, log, multiply, reciprocal, reciprocal_backward
from bpcore.network cimport (
    SOFTMAX_CROSS_ENTROPY, Dense, Network, dense, dense_forward, network, network_step, place, workspace_size,
)
from bpcore.operands cimport aligned, rows_of
from bpcore.softmax cimport (
    softmax, softmax_cross_entropy, softmax_cross_entropy_backward, softmax_cross_entropy_rows, softmax_rows,
)
from bpcore.squared_error cimport squared_error, squared_error_rows
from bpcore.updates cimport ADAM, SGD, Update, update_shared

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


def pointwise(
    const floating[::1] x, const floating[::1] dout, unsigned char[::1] mask, const floating[:, ::1] y,
    floating[:, ::1] out, int threads,
):
    """ReLU, sigmoid, tanh, each with its gradient; exp, log, 1/x and its gradient: a row of `out`, which y is, each."""
    with nogil:
        relu_forward(x, out[0], mask, threads)
        relu_backward(dout, mask, out[1], threads)
        sigmoid_forward(x, out[2], threads)
        sigmoid_backward(dout, y[2], out[3], threads)
        tanh_forward(x, out[4], threads)
        tanh_backward(dout, y[4], out[5], threads)
        exp(x, out[6], threads)
        log(y[6], out[7], threads)
        reciprocal(y[6], out[8], threads)
        reciprocal_backward(dout, y[8], out[9], threads)


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
    with nogil:
        first = softmax_cross_entropy(
            &x[0, 0], &t[0], <const floating*> NULL, &y[0, 0], &dx[0, 0], &rows[0], B, K, threads
        )
        softmax(x, y, threads)
        softmax_cross_entropy_backward(
            <const floating*> &y[0, 0], &t[0], <const floating*> NULL, <floating> 1, &dx[0, 0], B, K, threads
        )
        second = squared_error(&x[0, 0], &numbers[0, 0], <floating> 1, &squares[0, 0], &rows[0], B, K, threads)
    return first, second


def rows_apart(
    const floating[:, ::1] x, floating[:, ::1] W, floating[::1] b, const int64_t[::1] t, const floating[:, ::1] numbers,
    floating[:, :, ::1] wide,
):
    """Forward passes, softmax and losses of rows with gaps between them: each writes a matrix into one of `wide`."""
    cdef Py_ssize_t B = x.shape[0], I = x.shape[1], K = W.shape[1], row = wide.shape[2]
    cdef Dense layer = dense(I, K, TANH, &W[0, 0], &b[0])
    cdef double[256] rows
    with nogil:
        dense_forward(&layer, rows_of(&x[0, 0], I), &wide[0, 0, 0], row, B, NULL)
        layer.activation = RELU
        dense_forward(&layer, rows_of(&x[0, 0], I), &wide[1, 0, 0], row, B, NULL)
        dense_forward(&layer, rows_of(&x[0, 0], I), &wide[1, 0, 0], row, 0, NULL)    # does nothing
        softmax_rows(<const floating*> &wide[0, 0, 0], &wide[2, 0, 0], row, B, K)
        softmax_cross_entropy_rows(
            <const floating*> &wide[0, 0, 0], &t[0], <const floating*> NULL, &wide[3, 0, 0], &wide[4, 0, 0], rows, row,
            B, K, <floating> 1,
        )
        squared_error_rows(
            <const floating*> &wide[0, 0, 0], &numbers[0, 0], &wide[5, 0, 0], rows, row, B, K, <floating> 1
        )


def train(
    const floating[:, ::1] x, const int64_t[::1] t, floating[:, ::1] W1, floating[::1] b1, floating[:, ::1] W2,
    floating[::1] b2, floating[:, ::1] dW1, floating[::1] db2, double lr, int steps, int threads,
):
    """The gradient at first, then steps of SGD; the layers' memory is full of ones before they are made."""
    cdef Dense* layers = <Dense*> malloc(2 * sizeof(Dense))
    cdef Update update = Update(rule=SGD, lr=lr, decay=0, decay2=0, eps=0, step=1)
    cdef double loss
    cdef Network net
    cdef void* memory
    memset(layers, 0xff, 2 * sizeof(Dense))
    memset(&net, 0xff, sizeof(Network))
    layers[0] = dense(W1.shape[0], W1.shape[1], RELU, &W1[0, 0], &b1[0])
    layers[1] = dense(W2.shape[0], W2.shape[1], IDENTITY, &W2[0, 0], &b2[0])
    net = network(layers, 2, SOFTMAX_CROSS_ENTROPY)
    memory = malloc(workspace_size(&net, x.shape[0], sizeof(floating)) + 64)
    place(&net, <char*> aligned(memory), x.shape[0], sizeof(floating))
    with nogil:
        loss = network_step(
            &net, rows_of(&x[0, 0], x.shape[1]), &t[0], <const floating*> NULL, x.shape[0], NULL, threads
        )
        memcpy(&dW1[0, 0], layers[0].dW, dW1.shape[0] * dW1.shape[1] * sizeof(floating))
        memcpy(&db2[0], layers[1].db, db2.shape[0] * sizeof(floating))
        for update.step in range(1, steps + 1):
            network_step(
                &net, rows_of(&x[0, 0], x.shape[1]), &t[0], <const floating*> NULL, x.shape[0], &update, threads
            )
    free(memory)
    free(layers)
    return loss


def adam(floating[::1] w, const floating[::1] g, floating[::1] m, floating[::1] v, int threads):
    cdef Update update = Update(rule=ADAM, lr=0.01, decay=0.9, decay2=0.999, eps=1e-8, step=1)
    with nogil:
        update_shared(&update, &w[0], &g[0], &m[0], &v[0], w.shape[0], threads)


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
    cdef Update update = Update(rule=SGD, lr=0, decay=0, decay2=0, eps=0, step=1)
    with nogil:
        sem_post(&in_nogil)
        sem_wait(&gil_held)
        affine_forward(x, x, y[:K], out, threads)
        affine_backward_input(x, x, out, threads)
        affine_backward_params(x, x, out, db, threads)
        relu_forward(y, flat, mask, threads)
        relu_backward(y, mask, flat, threads)
        sigmoid_forward(y, flat, threads)
        sigmoid_backward(y, y, flat, threads)
        tanh_forward(y, flat, threads)
        tanh_backward(y, y, flat, threads)
        exp(y, flat, threads)
        log(y, flat, threads)
        reciprocal(y, flat, threads)
        reciprocal_backward(y, y, flat, threads)
        add(strided, strided, out, threads)
        multiply(strided, strided, out, threads)
        softmax(x, out, threads)
        softmax_cross_entropy(
            &x[0, 0], &t[0], <const floating*> NULL, &out[0, 0], &out[0, 0], &rows[0], B, K, threads
        )
        softmax_cross_entropy_backward(
            &x[0, 0], &t[0], <const floating*> NULL, <floating> 1, &out[0, 0], B, K, threads
        )
        squared_error(&x[0, 0], &x[0, 0], <floating> 1, &out[0, 0], &rows[0], B, K, threads)
        update_shared(&update, &flat[0], &y[0], <floating*> NULL, <floating*> NULL, flat.shape[0], threads)
        sem_post(&computed)
