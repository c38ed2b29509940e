"""Forward through the layers, and back with a gradient from outside."""

import numpy as np
import pytest

import backprop as bp


def problem(dtype="float64", **options):
    rng = np.random.default_rng(0)
    net = bp.Network([5, 8, 3], activation="tanh", dtype=dtype, seed=0, **options)
    return net, rng.normal(size=(7, 5)).astype(dtype), rng.normal(size=(7, 3)).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forward_is_predict_that_keeps(dtype):
    net, x, _ = problem(dtype)
    assert np.array_equal(net.forward(x), net.predict(x))
    assert np.array_equal(net.layers["Affine1"].x, x)
    assert net.forward(x.reshape(7, 5, 1)).dtype == dtype


def test_the_gradient_of_a_loss_of_ones_own():
    """A policy gradient: log probabilities of what was done, times what it was worth."""
    net, x, _ = problem()
    rng = np.random.default_rng(1)
    actions, worth = rng.integers(0, 3, 7), rng.normal(size=7)

    def loss():
        return -(worth * np.log(bp.softmax(net.predict(x)))[np.arange(7), actions].T).sum()

    probabilities = bp.softmax(net.forward(x))
    gradients = net.backward(worth[:, np.newaxis] * (probabilities - np.eye(3)[actions]))
    assert list(gradients) == list(net.params)
    for key, gradient in gradients.items():
        numerical = bp.numerical_gradient(lambda _: loss(), net.params[key])
        assert np.allclose(gradient, numerical, rtol=1e-7, atol=1e-9)
    bp.SGD(0.1).update(net.params, gradients)


def test_with_the_gradient_of_the_loss_it_is_gradient():
    net, x, t = problem(loss="squared_error")
    net.loss(x, t)
    gradients = net.backward((net.predict(x) - t) / 7)
    wanted = net.gradient(x, t)
    # Ours divides by the batch once more, which rounds.
    assert all(np.allclose(gradients[key], wanted[key], rtol=1e-13, atol=1e-15) for key in wanted)


def test_dropout():
    net, x, dout = problem(dropout=0.5)
    assert np.array_equal(net.forward(x), net.predict(x))
    dropped = net.forward(x, training=True)
    assert not np.array_equal(dropped, net.predict(x))
    assert net.layers["Dropout1"].step == 1
    # Units that were dropped in all rows have no gradient.
    mask = net.layers["Dropout1"].mask
    gradients = net.backward(dout)
    assert not gradients["W2"][(mask == 0).all(axis=0)].any()


def test_what_is_refused():
    net, x, dout = problem()
    with pytest.raises(RuntimeError, match="there is no forward pass to go back through"):
        net.backward(dout)
    net.forward(x)
    with pytest.raises(ValueError, match=r"dout has shape \(7, 2\), wanted \(7, 3\)"):
        net.backward(dout[:, :2])
    with pytest.raises(TypeError, match="backward: dout"):
        net.backward(dout * 1j)
    with pytest.raises(ValueError, match="x has 4 columns, the network has 5 inputs"):
        net.forward(x[:, :4])
    net.train_step(x, np.zeros(7, int), bp.SGD(0.1))
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        net.backward(dout)


def test_a_network_is_no_layer_of_another():
    net, _, _ = problem()
    with pytest.raises(TypeError, match=r"layers\['Tanh1'\] is a Network, wanted a layer"):
        net.layers["Tanh1"] = problem()[0]
