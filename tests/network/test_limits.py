"""Penalties and limits: what they are, by a plan as layer by layer, on any number of threads, and on plain numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.network.plan import NoPlan
from bpcore import kernels
from tests import reference
from tests.registry import RULES
from tests.strategies import DTYPES, arrays, dtypes

# Each so that it does something in every step of the problem below.
LIMITS = {
    "weight decay": dict(weight_decay=0.1),
    "decay of biases": dict(weight_decay=0.1, l1=0.01, decay_biases=True),
    "l1": dict(l1=0.05),
    "clip_value": dict(clip_value=1e-3),
    "clip_norm": dict(clip_norm=0.01),
    "max_norm": dict(max_norm=0.5),
    "all": dict(weight_decay=0.1, l1=0.05, clip_norm=0.01, max_norm=0.5, decay_biases=True),
}


def problem(dtype=np.float64):
    rng = np.random.default_rng(0)
    # A first layer that a loop would pad, a normalisation, and more than one span of numbers in a norm.
    net = bp.Network([70, 90, 50, 3], activation="tanh", seed=0, dtype=dtype)
    net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(90, dtype=dtype))
    return net, rng.normal(size=(40, 70)).astype(dtype), rng.integers(0, 3, 40)


def layer_by_layer(net):
    net._planned = NoPlan([])
    return net


def bits(net):
    return [array.tobytes() for array in net.params.values()]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("rule", ["sgd", "adamw", "amsgrad", "lion"])
def test_a_plan_has_the_bits_of_the_layers(rule, limits, dtype):
    nets, optimizers = zip(*((problem(dtype)[0], RULES[rule](0.01)) for _ in range(4)), strict=True)
    _, x, t = problem(dtype)
    for optimizer in optimizers:
        for name, value in limits.items():
            setattr(optimizer, name, value)
    layer_by_layer(nets[0])
    for _ in range(12):
        nets[0].train_step(x, t, optimizers[0])
        nets[1].train_step(x, t, optimizers[1])
    assert not nets[0].is_planned
    assert nets[1].is_planned
    for net, optimizer, threads in zip(nets[2:], optimizers[2:], (1, 3), strict=True):
        # All of the data in each batch, in another order: as many steps as a loop pads the first layer for.
        plan, order = net.plan_for(optimizer), np.tile(np.arange(40), (12, 1))
        state = optimizer.state_for(plan, net.params)
        plan.train(x, t, order, optimizer.plan_update(), np.empty(12), threads, state)
    assert bits(nets[0]) == bits(nets[1]) == bits(nets[2]) == bits(nets[3])
    plain = problem(dtype)[0]
    plain.train_step(x, t, RULES[rule](0.01))
    assert bits(plain) != bits(nets[0])


@given(st.data(), dtypes(), st.integers(0, 9000))
def test_a_sum_of_squares(data, dtype, n):
    g = np.resize(data.draw(arrays(dtype, 40)), n)
    wanted = reference.squared_norm(g)
    # In each order, n products and n sums, each rounded.
    assert abs(kernels.squared_norm(g) - wanted) <= 2 * (n + 1) * 2**-53 * wanted


@given(st.data(), dtypes(), st.integers(1, 40), st.integers(1, 150), st.floats(1e-3, 100))
def test_columns_of_a_limited_norm(data, dtype, rows, columns, limit):
    W = np.resize(data.draw(arrays(dtype, 60)), (rows, columns))
    given_W, twin, norms = W.copy(), W.copy(), np.linalg.norm(W.astype(float), axis=0)
    kernels.limit_columns(W, limit)
    reference.limit_columns(twin, limit)
    # At the limit itself either may find a norm above it.
    near = np.abs(norms - limit) <= 2 * (rows + 2) * 2**-53 * norms
    assert np.allclose(W[:, ~near], twin[:, ~near], rtol=(rows + 4) * np.finfo(dtype).eps, atol=0)
    within = norms < limit * (1 - 1e-12)
    assert np.array_equal(W[:, within], given_W[:, within])
    assert (np.linalg.norm(W.astype(float), axis=0) <= limit * (1 + np.finfo(dtype).eps)).all()


def test_penalties_are_of_weights_unless_asked():
    moved = {}
    for decay_biases in (False, True):
        params = {"W": np.ones((2, 2)), "b": np.ones(2)}
        bp.SGD(0.5, weight_decay=0.5, l1=0.25, decay_biases=decay_biases).update(
            params, {"W": np.zeros((2, 2)), "b": np.zeros(2)}
        )
        moved[decay_biases] = params
    assert np.array_equal(moved[False]["W"], np.full((2, 2), 1 - 0.5 * (0.5 + 0.25)))
    assert np.array_equal(moved[False]["b"], [1, 1])
    assert np.array_equal(moved[True]["b"], [0.625, 0.625])


def test_a_network_keeps_its_biases_and_gammas():
    net, x, t = problem()
    net.params["W3"][...] = (
        0  # nothing comes back through the last layer, and b1, b2, gamma and beta have no gradient
    )
    before = {key: array.copy() for key, array in net.params.items()}
    net.train_step(x, t, bp.SGD(0.1, weight_decay=0.1, l1=0.1))
    changed = {key for key, array in net.params.items() if not np.array_equal(array, before[key])}
    assert changed == {"W1", "W2", "W3", "b3"}


def test_the_norm_is_that_of_all_gradients_together():
    params = {"W": np.zeros((2, 1)), "b": np.zeros(1)}
    grads = {"W": np.array([[3.0], [0.0]]), "b": np.array([4.0])}
    bp.SGD(1.0, clip_norm=1.0).update(params, grads)
    # 5 in all; 1e-6 as PyTorch has it.
    assert np.allclose(params["W"], [[-3 / 5.000001], [0]], rtol=4 * 2**-53, atol=0)
    assert np.allclose(params["b"], [-4 / 5.000001], rtol=4 * 2**-53, atol=0)
    assert np.array_equal(grads["W"], [[3], [0]])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_not_hidden(bad):
    for limits in LIMITS.values():
        params = {"W": np.ones((2, 2))}
        bp.SGD(0.1, **limits).update(params, {"W": np.array([[bad, 1.0], [1.0, 1.0]])})
        # An infinite number that is clipped is a finite one.
        assert np.isfinite(params["W"]).all() == (np.isinf(bad) and "clip_value" in limits)


@pytest.mark.parametrize("rule", RULES)
def test_plain_numbers_are_replaced(rule):
    one, other = RULES[rule](0.1), RULES[rule](0.1)
    numbers, params = {"x": -7.0, "y": np.float32(2.0)}, {"x": np.array(-7.0), "y": np.array(2.0, np.float32)}
    for _ in range(5):
        one.update(numbers, {"x": numbers["x"] / 10, "y": numbers["y"] * 2})
        other.update(params, {"x": params["x"] / 10, "y": params["y"] * 2})
    assert numbers == {"x": float(params["x"]), "y": float(params["y"])}
    assert (type(numbers["x"]), type(numbers["y"])) == (float, np.float32)
    with pytest.raises(TypeError, match=r"params\['x'\] is"):
        one.update({"x": 1}, {"x": 1.0})


def test_limits_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"^Adam: clip_value is 1, clip_norm is 2; wanted one of the two"):
        bp.Adam(clip_value=1.0, clip_norm=2.0)
    adam = bp.Adam(clip_value=1.0)
    with pytest.raises(ValueError, match=r"wanted one of the two"):
        adam.clip_norm = 3.0
    assert adam.clip_norm is None
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'clipnorm'; did you mean 'clip_norm'"):
        bp.Adam(clipnorm=1.0)


def test_a_limit_that_changes_between_steps_counts():
    (net, x, t), (other, _, _) = problem(), problem()
    sgd = bp.SGD(0.1)
    net.train_step(x, t, sgd)
    sgd.clip_norm, sgd.lr = 1e-3, 0.05
    net.train_step(x, t, sgd)
    other.train_step(x, t, bp.SGD(0.1))
    other.train_step(x, t, bp.SGD(0.05, clip_norm=1e-3))
    assert bits(net) == bits(other)


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
def test_weights_that_two_layers_share(limits):
    nets = [bp.Network([5, 5, 5, 3], seed=0) for _ in range(2)]
    x, t = np.random.default_rng(0).normal(size=(40, 5)), np.random.default_rng(1).integers(0, 3, 40)
    layer_by_layer(nets[1])
    for net in nets:
        net.layers["Affine2"].W = net.layers["Affine1"].W
        for _ in range(5):
            net.train_step(x, t, bp.SGD(0.5, **limits))
    assert bits(nets[0]) == bits(nets[1])
