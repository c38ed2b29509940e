"""What is done with the modules that are built: each is held to NumPy, in a process of its own.

Whole numbers are small enough that every sum of products is exact: there, not a bit may differ.
"""

import sys
import threading

import numpy as np

from tests import reference
from tests.bounds import gamma, ulps
from tests.network.by_hand import Model, close

DTYPES = (np.float32, np.float64)


def whole(rng, dtype, *shape):
    return rng.integers(-9, 10, shape).astype(dtype)


def hidden():
    import hidden

    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        x, W, b = whole(rng, dtype, 7, 5), whole(rng, dtype, 5, 3), whole(rng, dtype, 3)
        out, mask, dx = np.empty((7, 3), dtype), np.empty(21, np.uint8), np.empty((7, 5), dtype)
        hidden.forward(x, W, b, out, mask, 3)
        hidden.backward(out, W, dx)
        assert np.array_equal(out, np.maximum(x @ W + b, 0))
        assert np.array_equal(mask.reshape(7, 3), x @ W + b <= 0)
        assert np.array_equal(dx, out @ W.T)


def controller():
    import controller

    rng = np.random.default_rng(0)
    W1, W2 = (rng.normal(size=shape).astype(np.float32) for shape in ((4, 16), (16, 3)))
    b1, b2 = rng.normal(size=16).astype(np.float32), rng.normal(size=3).astype(np.float32)
    x, t = rng.normal(size=(8, 4)).astype(np.float32), rng.integers(0, 3, 8)
    model = Model({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, ["relu"], "softmax", np.float32, 0, 1)
    network = controller.Controller(W1, b1, W2, b2, 8)
    scores, dW1, dW2 = np.empty((8, 3), np.float32), np.empty_like(W1), np.empty_like(W2)
    network.scores(x, scores)
    assert close(scores, model.scores(x))
    loss, gradients = model.loss_and_gradient(x, t)
    assert close(network.gradient(x, t, dW1, dW2), loss)
    assert close(dW1, gradients["W1"])
    assert close(dW2, gradients["W2"])
    assert network.steps(x, t, 0.1, 100) < loss.v
    refused(lambda: network.steps(x, t + 2, 0.1, 1), "t has 8 labels, wanted 8 from 0 to 2")
    refused(lambda: network.steps(x, t[:7], 0.1, 1), "t has 7 labels, wanted 8 from 0 to 2")
    refused(lambda: network.scores(x[:, :3].copy(), scores), "x has shape (8, 3), wanted 1 to 8 rows of 4")
    refused(lambda: network.scores(np.vstack([x, x]), scores), "x has shape (16, 4), wanted 1 to 8 rows of 4")


def refused(call, message):
    try:
        call()
    except ValueError as error:
        assert str(error) == message
    else:
        raise AssertionError(f"wanted: {message}")


def own():
    for dtype in DTYPES:
        for threads in (1, 2):
            products(np.random.default_rng(0), dtype, threads)
            pointwise(np.random.default_rng(0), dtype, threads)
            losses(np.random.default_rng(0), dtype, threads)
            train(np.random.default_rng(0), dtype, threads)
        rows_apart(np.random.default_rng(0), dtype)


def products(rng, dtype, threads):
    import own

    for B, I, O in ((1, 1, 1), (5, 200, 23), (70, 9, 600)):  # noqa: E741  # sizes
        x, W, b, dout = (whole(rng, dtype, *shape) for shape in ((B, I), (I, O), (O,), (B, O)))
        out, dx, dW, db = (np.empty(shape, dtype) for shape in ((B, O), (B, I), (I, O), O))
        own.products(x, W, b, dout, out, dx, dW, db, threads)
        assert np.array_equal(out, x @ W + b)
        assert np.array_equal(dx, dout @ W.T)
        assert np.array_equal(dW, x.T @ dout)
        assert np.array_equal(db, dout.sum(axis=0))
        sparse_products(own, x, W, b, dout, threads)
        total, product = np.empty_like(out), np.empty_like(out)
        own.nodes(out, np.broadcast_to(b, out.shape), total, product, threads)
        assert np.array_equal(total, out + b)
        assert np.array_equal(product, out * b)


def sparse_products(own, x, W, b, dout, threads):
    """The same of rows without the zeros, with each type of places and of indices."""
    rows, columns = np.nonzero(x)
    indptr, data = np.searchsorted(rows, np.arange(len(x) + 1)), x[rows, columns]
    for places in (np.int32, np.int64):
        for indices in (np.int32, np.int64):
            out, dW, db = np.empty_like(dout), np.empty_like(W), np.empty_like(b)
            csr = indptr.astype(places), columns.astype(indices), data
            own.sparse_products(*csr, W, b, dout, out, dW, db, threads)
            assert np.array_equal(out, x @ W + b)
            assert np.array_equal(dW, x.T @ dout)
            assert np.array_equal(db, dout.sum(axis=0))


def pointwise(rng, dtype, threads):
    import own

    x, dout = rng.normal(0, 4, 10_001).astype(dtype), whole(rng, dtype, 10_001)
    mask, out = np.empty(len(x), np.uint8), np.empty((10, len(x)), dtype)
    own.pointwise(x, dout, mask, out, out, threads)
    exact = x.astype(np.longdouble)
    relu, drelu, sigmoid, dsigmoid, tanh, dtanh, exp, log, inverse, dinverse = out
    assert np.array_equal(relu, np.maximum(x, 0))
    assert np.array_equal(drelu, np.where(x <= 0, 0, dout))
    assert ulps(sigmoid, 1 / (1 + np.exp(-exact))).max() <= 4
    y, bound = sigmoid.astype(np.longdouble), gamma(3, dtype) * np.abs(dout)
    assert (np.abs(dsigmoid - dout * y * (1 - y)) <= bound * y * (1 - y)).all()
    assert ulps(tanh, np.tanh(exact)).max() <= 3
    y = tanh.astype(np.longdouble)
    assert (np.abs(dtanh - dout * (1 - y * y)) <= bound * (1 + y * y)).all()
    assert ulps(exp, np.exp(exact)).max() <= 2
    assert ulps(log, np.log(exp.astype(np.longdouble))).max() <= 3
    assert np.array_equal(inverse, 1 / exp)
    assert np.array_equal(dinverse, -dout * (inverse * inverse))


def losses(rng, dtype, threads):
    import own

    for B, K in ((1, 1), (37, 10), (9, 100)):
        x, t, numbers = whole(rng, dtype, B, K), rng.integers(0, K, B), whole(rng, dtype, B, K)
        y, dx, squares = (np.empty((B, K), dtype) for _ in range(3))
        first, second = own.losses(x, t, numbers, y, dx, squares, np.empty(B), threads)
        # The scores are the network's whole input: a layer that is the identity has no roundings.
        params = {"W1": np.eye(K, dtype=dtype), "b1": np.zeros(K, dtype)}
        loss, gradients = Model(params, [], "softmax", dtype).loss_and_gradient(x, t)
        assert close(first, loss)
        assert close(dx.sum(axis=0), gradients["b1"])
        assert (np.abs(y.sum(axis=1) - 1) <= (K + 4) * np.finfo(dtype).eps).all()
        loss, gradients = Model(params, [], "squared_error", dtype).loss_and_gradient(x, numbers)
        assert close(second, loss)
        assert close(squares.sum(axis=0), gradients["b1"])


def rows_apart(rng, dtype):
    """What lies between and behind the rows is left alone; the rest is what rows without gaps get."""
    import own

    guard = dtype(-77)
    for B, I, K in ((1, 3, 5), (17, 4, 10), (40, 3, 1), (3, 200, 70)):  # noqa: E741  # sizes
        x, W, b = (
            rng.normal(size=(B, I)).astype(dtype),
            rng.normal(size=(I, K)).astype(dtype),
            np.zeros(K, dtype),
        )
        t, numbers = rng.integers(0, K, B), whole(rng, dtype, B, K)
        close_by, wide = (np.full((6, B + 1, row), guard) for row in (K, K + 7))
        own.rows_apart(x, W, b, t, numbers, close_by)
        own.rows_apart(x, W, b, t, numbers, wide)
        assert np.array_equal(wide[:, :B, :K], close_by[:, :B])
        assert (wide[:, :B, K:] == guard).all()
        assert (wide[:, B] == guard).all()
        assert (close_by[:, B] == guard).all()


def train(rng, dtype, threads):
    import own

    params = {"W1": (5, 9), "b1": (9,), "W2": (9, 3), "b2": (3,)}
    params = {key: rng.normal(size=shape).astype(dtype) for key, shape in params.items()}
    x, t = rng.normal(size=(17, 5)).astype(dtype), rng.integers(0, 3, 17)
    model = Model(params, ["relu"], "softmax", dtype, 0, 1)
    dW1, db2 = np.empty((5, 9), dtype), np.empty(3, dtype)
    got = own.train(x, t, *params.values(), dW1, db2, 0.1, 0, threads)
    loss, gradients = model.loss_and_gradient(x, t)
    assert close(got, loss)
    assert close(dW1, gradients["W1"])
    assert close(db2, gradients["b2"])
    own.train(x, t, *params.values(), dW1, db2, 0.1, 50, threads)
    assert own.train(x, t, *params.values(), dW1, db2, 0.1, 0, threads) < got
    w, g = rng.normal(size=5000).astype(dtype), rng.normal(size=5000).astype(dtype)
    m, v, w_, m_, v_ = (np.zeros_like(w) for _ in range(5))
    w_[:] = w
    own.adam(w, g, m, v, threads)
    reference.adam_update(w_, g, m_, v_, 0.01, 0.9, 0.999, 1e-8, 1)
    assert np.array_equal(w, w_)


def held():
    """Another thread holds the GIL and waits with it until all kernels have run: one that takes it never returns."""
    import own

    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        x, t = rng.uniform(0.1, 1, (90, 90)).astype(dtype), rng.integers(0, 90, 90)
        out, db, mask = np.empty_like(x), np.empty(90, dtype), np.empty(8100, np.uint8)
        own.prepare()
        other = threading.Thread(target=own.hold_the_gil)
        other.start()
        own.compute_meanwhile(x, x.ravel(), t, mask, out, out.ravel(), db, np.empty(90), 2)
        other.join()
    print("computed")


if __name__ == "__main__":
    {"hidden": hidden, "controller": controller, "own": own, "held": held}[sys.argv[1]]()
