"""Steps of a network with layers that no plan knows give the bits of the layers."""

import numpy as np
import pytest

import backprop as bp
from bpcore.threads import limited
from tests.network.own_layers import (
    PLACES,
    STEPS,
    Scale,
    Squash,
    data,
    goes_by_segments,
    network,
    state_of,
    trained,
    two,
)
from tests.network.test_bits import ByLayers
from tests.registry import ACTIVATIONS, LOSSES, RULES


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("place", PLACES)
def test_segments_give_the_bits_of_the_layers(place, dtype):
    net, one = trained(bp.Network, PLACES[place], dtype=dtype)
    assert goes_by_segments(net)
    by_layers, other = trained(ByLayers, PLACES[place], dtype=dtype)
    assert not by_layers.is_planned
    assert one == other


LIMITS = {
    "none": {},
    "penalties": dict(weight_decay=0.01, l1=0.001, decay_biases=True),
    "clip_value": dict(clip_value=0.01),
    "clip_norm": dict(clip_norm=0.05),
    "max_norm": dict(max_norm=0.5),
}


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_with_every_limit(rule, limits):
    def make():
        return RULES[rule](**LIMITS[limits])

    net, one = trained(bp.Network, two, make)
    assert goes_by_segments(net)
    assert one == trained(ByLayers, two, make)[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_every_activation_in_front_of_a_segment(kind, dtype):
    def insert(net):
        net.layers["Tanh1"] = ACTIVATIONS[kind]()
        net.layers["Tanh2"] = ACTIVATIONS[kind]()
        net.layers.insert_after("Affine1", "Own", Squash())
        net.layers.insert_after("Tanh2", "Other", Scale(5, net.dtype))
        net.layers.insert_after("Other", "Tanh3", ACTIVATIONS[kind]())

    net, one = trained(bp.Network, insert, dtype=dtype)
    assert goes_by_segments(net)
    assert one == trained(ByLayers, insert, dtype=dtype)[1]


@pytest.mark.parametrize("last", ["ours", "own"])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_with_weights_of_samples(loss, last):
    weights = np.arange(40) % 4 / 4
    rng = np.random.default_rng(1)
    t = rng.integers(0, 2, (40, 3)).astype(np.float32) if not LOSSES[loss].classifies else None
    place = two if last == "ours" else PLACES["last"]
    for some in (None, weights):
        net, one = trained(bp.Network, place, weights=some, loss=LOSSES[loss](), t=t)
        assert goes_by_segments(net)
        assert one == trained(ByLayers, place, weights=some, loss=LOSSES[loss](), t=t)[1]


@pytest.mark.parametrize("last", ["ours", "own"])
def test_weights_of_classes_and_smoothed_labels(last):
    def loss():
        return bp.SoftmaxWithLoss(0.125, [1, 2, 0.5], ignored_label=2)

    place = two if last == "ours" else PLACES["last"]
    net, one = trained(bp.Network, place, loss=loss())
    assert goes_by_segments(net)
    assert one == trained(ByLayers, place, loss=loss())[1]


def test_inputs_are_scaled_and_of_any_type():
    x = np.random.default_rng(0).integers(0, 256, (40, 6)).astype(np.uint8)
    t, found = data()[1], []
    for place in ("first", "in the middle"):
        for kind in (bp.Network, ByLayers):
            net = network(kind, PLACES[place], input_mean=np.arange(6.0), input_scale=1 / 255)
            adam = bp.Adam(0.01)
            losses = [net.train_step(one, t, adam) for one in (x, x, x, x.astype(np.int32), x.tolist())]
            found.append(state_of(net, adam, losses))
        assert found[-2] == found[-1]


def wide(kind, threads):
    net = kind([300, 310, 290, 10], seed=1)
    net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(310))
    net.layers.insert_after("Affine2", "Own", Scale(290, np.float32))
    net.layers.insert_after("Relu1", "Other", Squash())
    x, t = data(256, 300, 10)
    adam = bp.Adam(1e-3)
    with limited(threads):
        losses = [net.train_step(x, t, adam) for _ in range(STEPS)]
    return net, state_of(net, adam, losses)


def test_any_number_of_threads():
    expected = wide(ByLayers, 1)[1]
    for threads in (1, 2, 3):
        net, found = wide(bp.Network, threads)
        assert goes_by_segments(net)
        assert found == expected


def test_a_loss_of_two_outputs_a_target():
    x, t = data()[0], np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
    found, weights = [], np.arange(40) % 3 / 2
    for kind in (bp.Network, ByLayers):
        net, adam = kind([6, 8, 5, 4], "tanh", loss="gaussian_nll", seed=3), bp.Adam(0.01)
        two(net)
        losses = [net.train_step(x, t, adam, sample_weight=some) for some in STEPS * [None, weights]]
        assert goes_by_segments(net) == (kind is bp.Network)
        found.append(state_of(net, adam, losses))
    assert found[0] == found[1]
