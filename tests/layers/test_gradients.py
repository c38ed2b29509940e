"""Every layer's and node's backward against numerical differentiation, in float64, away from the kinks.

The bound: a central difference with step h is off by h²/6·f‴ and by the roundoff of f over h. Here h = 1e-5;
the third derivatives of these functions of one element are at most 1e3 (1/x at 0.55, times a dout of 3), which
gives 2e-8, and f is at most 1e3 with a few roundings of u = 1.1e-16, which gives 3e-8. Both together stay below
1e-7, taken relatively where gradients are larger than 1.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from tests.registry import ACTIVATIONS, DOMAINS, LOSSES_IN_PARTS, LOSSES_OF_NUMBERS
from tests.strategies import away_from_zero

H = 1e-5
SIZE = st.integers(1, 5)
ONE_INPUT = [*ACTIVATIONS.values(), bp.Exp, bp.Reciprocal, bp.SigmoidOfNodes, bp.Softmax, bp.LogSoftmax]


def close(numerical, backpropagated):
    scale = max(1.0, np.abs(numerical).max(initial=0))
    assert np.shape(numerical) == np.shape(backpropagated)
    assert np.abs(numerical - backpropagated).max(initial=0) <= 1e-7 * scale


def check(layer, x, dout):
    """`dx` of a layer with one input, for the scalar Σ out·dout."""
    backpropagated = layer.forward(x) is not None and layer.backward(dout)
    close(bp.numerical_gradient(lambda _: (layer.forward(x) * dout).sum(), x, H), backpropagated)


@pytest.mark.parametrize("kind", ONE_INPUT)
@given(data=st.data(), rows=SIZE, columns=SIZE)
def test_layers_of_one_input(kind, data, rows, columns):
    x, dout = data.draw(away_from_zero(rows, columns)), data.draw(away_from_zero(rows, columns))
    if kind is bp.Reciprocal:
        x = np.sign(x) * (np.abs(x) + 0.5)  # 1/x has a third derivative of 6/x⁴
    check(kind(), x, dout)


@given(st.data(), SIZE, SIZE, SIZE)
def test_affine(data, B, I, O):  # noqa: E741  # the sizes' letters
    x, W, b, dout = (data.draw(away_from_zero(*shape)) for shape in [(B, I), (I, O), (O,), (B, O)])
    layer = bp.Affine(W, b)
    layer.forward(x)
    gradients = {"x": (x, layer.backward(dout)), "W": (W, layer.dW), "b": (b, layer.db)}
    for array, backpropagated in gradients.values():
        close(bp.numerical_gradient(lambda _: (layer.forward(x) * dout).sum(), array, H), backpropagated)


@given(st.data(), SIZE)
def test_affine_with_inputs_of_four_dimensions(data, B):
    x, W, dout = (
        data.draw(away_from_zero(B, 2, 3, 2)),
        data.draw(away_from_zero(12, 3)),
        data.draw(away_from_zero(B, 3)),
    )
    layer = bp.Affine(W, np.zeros(3))
    check(layer, x, dout)
    assert layer.x.shape == (B, 12)


@pytest.mark.parametrize("kind", LOSSES_OF_NUMBERS | LOSSES_IN_PARTS)
@given(data=st.data(), B=SIZE, K=SIZE, dout=st.floats(-5, 5))
def test_losses_of_numbers(kind, data, B, K, dout):
    layer, t = (LOSSES_OF_NUMBERS | LOSSES_IN_PARTS)[kind](), data.draw(away_from_zero(B, K))
    x, t = data.draw(away_from_zero(B, K * layer.outputs_per_target)), t.clip(*DOMAINS[kind])
    layer.forward(x, t)
    backpropagated = layer.backward(dout)
    close(bp.numerical_gradient(lambda _: dout * layer.forward(x, t), x, H), backpropagated)


@pytest.mark.parametrize("kind", ["labels", "one-hot", "soft"])
@given(data=st.data(), B=SIZE, K=SIZE, dout=st.floats(-5, 5))
def test_softmax_with_loss(kind, data, B, K, dout):
    x = data.draw(away_from_zero(B, K))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    t = rng.integers(0, K, B)
    if kind == "one-hot":
        t = np.eye(K)[t]
    elif kind == "soft":
        t = rng.uniform(size=(B, K))
    layer = bp.SoftmaxWithLoss()
    layer.forward(x, t)
    backpropagated = layer.backward(dout)
    # One class at a time, as numerical_gradient does: a shift of a whole row is invisible to softmax.
    close(bp.numerical_gradient(lambda _: dout * layer.forward(x, t), x, H), backpropagated)


BROADCASTS = [
    ((), ()),
    ((3,), ()),
    ((2, 3), (3,)),
    ((2, 1), (1, 3)),
    ((2, 3, 4), (3, 1)),
    ((4,), (2, 3, 1)),
    ((1,), (3,)),
]


@pytest.mark.parametrize("kind", [bp.Add, bp.Multiply])
@pytest.mark.parametrize("shapes", BROADCASTS)
@given(data=st.data())
def test_nodes_of_two_inputs(kind, shapes, data):
    x, y = (np.asarray(data.draw(away_from_zero(*shape))) for shape in shapes)
    dout = np.asarray(data.draw(away_from_zero(*np.broadcast_shapes(*shapes))))
    node = kind()
    node.forward(x, y)
    dx, dy = node.backward(dout)
    for array, backpropagated in ((x, dx), (y, dy)):
        close(bp.numerical_gradient(lambda _: (node.forward(x, y) * dout).sum(), array, H), backpropagated)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(seed=st.integers(0, 10_000), depth=st.integers(0, 3))
def test_networks(activation, seed, depth):
    net = bp.Network([4, *[5] * depth, 3], activation=activation, dtype=np.float64, seed=seed)
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    for key in net.params:  # a bias of 0 above a dead layer would stand exactly on the kink
        net.params[key] += rng.normal(size=net.params[key].shape)
    backpropagated = net.gradient(x, t)
    for key, array in net.params.items():
        back = backpropagated[key].copy()
        numerical, kinks = gradient_and_kinks(net, x, t, array)
        scale = max(1.0, np.abs(numerical).max())
        assert np.abs(np.where(kinks, 0, numerical - back)).max() <= 1e-7 * scale
        assert kinks.mean() < 0.1


def masks(net):
    return [layer.mask for layer in net.layers.values() if hasattr(layer, "mask")]


def gradient_and_kinks(net, x, t, array):
    """Central differences, and where a ReLU's mask differed between the two evaluations."""
    gradient, kinks = np.empty(array.shape), np.zeros(array.shape, bool)
    for index in np.ndindex(array.shape):
        value = array[index]
        array[index] = value + H
        above, masks_above = net.loss(x, t), masks(net)
        array[index] = value - H
        below, masks_below = net.loss(x, t), masks(net)
        array[index] = value
        gradient[index] = (above - below) / (2 * H)
        kinks[index] = any((a != b).any() for a, b in zip(masks_above, masks_below, strict=True))
    return gradient, kinks
