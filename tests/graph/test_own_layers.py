"""Layers of one's own in a graph: what they write into, return and give back."""

import numpy as np
import pytest

import backprop as bp
from backprop import graph


class BookRelu:
    """The notes' own, which writes into the gradient that it is given."""

    def forward(self, x):
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout):
        dout[self.mask] = 0
        return dout


class PassesOnTheSame:
    def forward(self, x, y):
        return x + y

    def backward(self, dout):
        return dout, dout


def test_layers_that_write_into_their_gradient():
    a, b = graph.variable([-1.0, 2.0]), graph.variable([5.0, 6.0])
    stopped = graph.apply(BookRelu(), a)
    z = graph.apply(PassesOnTheSame(), stopped, b)
    z.backward()
    gradients = [node.grad.tolist() for node in (z, stopped, a, b)]
    assert gradients == [[1, 1], [1, 1], [0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda x: None, "Odd.forward: what it returned has dtype object"),
        (lambda x: "a", "Odd.forward: what it returned has dtype <U1"),
        (lambda x: object(), "Odd.forward: what it returned has dtype object"),
    ],
)
def test_what_a_layer_returns_is_checked(forward, message):
    odd = type("Odd", (), {"forward": lambda self, x: forward(x), "backward": lambda self, d: d})
    with pytest.raises(TypeError, match=message):
        graph.apply(odd(), graph.variable(1.0))


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        ((1.0, 2.0), ValueError, "Odd.backward returned 2 gradients for 1 inputs"),
        ("a", TypeError, "Odd.backward: the gradient of input 1 has dtype <U1"),
        (object(), TypeError, "Odd.backward: the gradient of input 1 has dtype object"),
    ],
)
def test_what_a_layer_gives_back_is_checked(returned, error, message):
    odd = type("Odd", (), {"forward": lambda self, x: x, "backward": lambda self, d: returned})
    z = graph.apply(odd(), graph.variable(1.0))
    with pytest.raises(error, match=message):
        z.backward()
    assert z.grad is None


class Subtracted:
    """A layer with W and b that is not affine as ours is."""

    def __init__(self, W, b):
        self.W, self.b, self.dW, self.db = W, b, None, None

    def forward(self, x):
        self.x = x
        return x @ self.W - self.b

    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, -dout.sum(axis=0)
        return dout @ self.W.T


@pytest.mark.parametrize("kind", [bp.Affine, type("Alike", (bp.Affine,), {}), Subtracted])
def test_a_network_of_layers_with_W_and_b_is_shown_with_their_own_numbers(kind):  # noqa: N802  # their names
    rng = np.random.default_rng(0)
    net = bp.Network([4, 3, 2], dtype=np.float64, seed=0)
    net.layers["Affine1"] = kind(rng.normal(size=(4, 3)), rng.normal(size=3))
    x, t = rng.normal(size=(5, 4)), np.array([0, 1, 0, 1, 1])
    assert np.array_equal(graph.from_network(net, x).value, net.predict(x))
    assert graph.from_network(net, x, t).value == net.loss(x, t)
