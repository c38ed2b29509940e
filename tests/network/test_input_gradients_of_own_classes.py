"""Derivatives by the inputs with layers, losses and networks of one's own, and what is refused."""

import numpy as np
import pytest

import backprop as bp
from tests.network.test_input_gradients import BOTH, X, assert_derivatives, network

# --- Layers and classes of one's own ----------------------------------------------------------------------------


class Tanh:
    """A layer that writes to what it is given, and to its own gradient."""

    def __init__(self, units):
        self.gamma, self.dgamma = np.linspace(0.5, 2, units), np.zeros(units)

    def forward(self, x):
        self.x, self.out = x, np.tanh(x)
        return self.out * self.gamma

    def backward(self, dout):
        self.dgamma += (dout * self.out).sum(axis=0)
        dout *= self.gamma * (1 - self.out**2)
        return dout


def test_a_layer_of_ones_own():
    net = network()
    net.layers.insert_after("Affine1", "Tanh0", Tanh(6))
    assert not net.is_planned
    before, dout = net.layers["Tanh0"].dgamma, np.ones((7, 3))
    net.jacobian(X)
    net.input_gradient(X, dout=dout)
    assert (dout == 1).all()
    assert net.layers["Tanh0"].dgamma is before
    assert not before.any()
    assert not hasattr(net.layers["Tanh0"], "x")
    assert_derivatives(net, X[:2], np.array([0, 2]))


def test_a_layer_that_cannot_go_back():
    class Sign:
        def forward(self, x):
            return np.sign(x)

    net = network()
    net.layers.insert_after("Affine1", "Sign1", Sign())
    for ask in (lambda: net.jacobian(X), lambda: net.input_gradient(X, dout=np.ones((7, 3)))):
        with pytest.raises(TypeError, match=r"layers\['Sign1'\] \(Sign\) has no backward, wanted one"):
            ask()


def test_a_layer_that_gives_back_something_else():
    class Sum:
        def forward(self, x):
            return x + x.sum(axis=1, keepdims=True)

        def backward(self, dout):
            return dout.sum(axis=1, keepdims=True)

    net = network()
    net.layers.insert(0, "Sum0", Sum())
    message = r"layers\['Sum0'\].backward returned an array of shape \(7, 1\), wanted \(7, 5\), that of x"
    with pytest.raises(ValueError, match=f"jacobian: {message}"):
        net.jacobian(X)
    with pytest.raises(ValueError, match=f"input_gradient: {message}"):
        net.input_gradient(X, np.zeros(7, int))


class OwnLoss:
    def forward(self, x, t):
        self.x, self.t = x, np.asarray(t)
        return float(((x - self.t) ** 4).sum() / len(x))

    def backward(self, dout=1):
        return dout * 4 * (self.x - self.t) ** 3 / len(self.x)


def test_a_loss_of_ones_own():
    net = network(loss=OwnLoss())
    assert_derivatives(net, X[:2], np.random.default_rng(0).normal(size=(2, 3)))


def test_a_subclass_that_means_other_targets():
    class Smoothed(bp.Network):
        def loss(self, x, t, training=None):
            return super().loss(x, 0.9 * np.eye(3)[t] + 0.1 / 3, training)

    net, labels = network(Smoothed), np.arange(7) % 3
    wanted = network().input_gradient(X, 0.9 * np.eye(3)[labels] + 0.1 / 3)
    assert np.array_equal(net.input_gradient(X, labels), wanted)
    assert np.array_equal(net.jacobian(X), network().jacobian(X))


def test_a_subclass_that_predicts_something_else():
    class Same(bp.Network):
        def predict(self, x, out=None):
            return super().predict(x, out).copy()

    class Other(bp.Network):
        def predict(self, x, out=None):
            return np.exp(super().predict(x, out))

    assert np.array_equal(network(Same).jacobian(X), network().jacobian(X))
    message = "Other.predict returns something else than the layers give out"
    with pytest.raises(TypeError, match=f"jacobian: {message}"):
        network(Other).jacobian(X)
    with pytest.raises(TypeError, match=f"input_gradient: {message}"):
        network(Other).input_gradient(X, dout=np.ones((7, 3)))


# --- Errors -----------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({}, TypeError, "input_gradient: neither t nor dout is given, wanted one of them"),
        (dict(t=[0] * 7, dout=np.ones((7, 3))), TypeError, "input_gradient: t and dout are both given"),
        (
            dict(dout=np.ones((7, 2))),
            ValueError,
            r"input_gradient: dout has shape \(7, 2\), wanted \(7, 3\), that of",
        ),
        (dict(dout=1.0), ValueError, r"input_gradient: dout has shape \(\), wanted \(7, 3\)"),
        (dict(dout=[["a"] * 3] * 7), TypeError, "input_gradient: dout has dtype <U1, wanted real numbers"),
        (dict(t=[0] * 6), ValueError, "input_gradient: x has 7 rows, t has 6 labels"),
        (dict(t=[3] * 7), ValueError, r"input_gradient: t\[0\] is 3, wanted a label from 0 to 2"),
    ],
)
def test_what_is_refused(given, error, message, kind):
    with pytest.raises(error, match=message):
        network(kind).input_gradient(X, **given)


@BOTH
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, :4], ValueError, "x has 4 columns, the network has 5 inputs"),
        (X[0], ValueError, r"x has 1 dimension, wanted \(batch, features\)"),
        (X.astype(complex), TypeError, "x has dtype complex128"),
        (np.ma.masked_array(X, X > 0), ValueError, "x has masked values"),
    ],
)
def test_rows_that_are_none(x, error, message, kind):
    for ask in (network(kind).jacobian, lambda x: network(kind).input_gradient(x, dout=np.ones((7, 3)))):
        with pytest.raises(error, match=message):
            ask(x)
