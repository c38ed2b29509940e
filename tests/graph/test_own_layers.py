"""Layers of one's own in a graph: what they write into, return and give back."""

import pytest

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
