"""Layers of one's own that change others in a pass, or hold layers: as layer by layer."""

import numpy as np
import pytest

import backprop as bp
from bpcore.plan import Segment
from tests.network.own_layers import Noise, Squash, goes_by_segments, state_of
from tests.network.test_bits import ByLayers

RNG = np.random.default_rng(7)
X, T = RNG.normal(size=(40, 6)).astype("f4"), RNG.integers(0, 3, 40)


def replaces_a_weight(net):
    affine = net.layers["Affine2"]
    affine.W = affine.W * np.float32(0.5)


def replaces_a_layer(net):
    net.layers["Tanh2"] = bp.Relu()


def replaces_the_loss(net):
    net.lastLayer = bp.SoftmaxWithLoss(label_smoothing=0.25)


def changes_a_rate(net):
    net.layers["Dropout2"].rate /= 2


CHANGES = [replaces_a_weight, replaces_a_layer, replaces_the_loss, changes_a_rate]


class Changes(Squash):
    """It changes the network in a pass: from a pass on, in one of its methods."""

    def __init__(self, net, change, where, first):
        self.change, self.where, self.left = lambda: change(net), where, first

    def _now(self, where):
        if where == self.where:
            self.left -= 1
            if self.left < 0:
                self.change()

    def forward(self, x):
        self._now("forward")
        return super().forward(x)

    def backward(self, dout):
        self._now("backward")
        return super().backward(dout)


def trained(kind, make, steps=6):
    """The losses and the parameters of a network with a layer that `make` gives."""
    net = kind([6, 8, 5, 3], "tanh", seed=3, dropout=[0, 0.25, 0.25])
    net.layers.insert_after("Tanh1", "Own", make(net))
    optimizer = bp.SGD(0.1)
    losses = [net.train_step(X, T, optimizer) for _ in range(steps)]
    return losses, state_of(net, optimizer, losses)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("where", ["forward", "backward"])
def test_a_layer_that_changes_others_from_the_first_pass_on(change, where):
    found = [trained(kind, lambda net: Changes(net, change, where, 0)) for kind in (bp.Network, ByLayers)]
    assert found[0] == found[1]


@pytest.mark.parametrize("change", [replaces_a_layer, replaces_the_loss])
@pytest.mark.parametrize("where", ["forward", "backward"])
def test_a_layer_that_changes_others_later_on(change, where):
    # Its step is taken anew, with another call of the layer: these changes are the same twice.
    made = []

    def make(net):
        made.append(net)
        return Changes(net, change, where, 4)

    found = [trained(kind, make, 8) for kind in (bp.Network, ByLayers)]
    assert made[0].layers.change_in_passes
    assert found[0][0][:4] == found[1][0][:4]
    if where == "forward":
        assert found[0] == found[1]


def test_what_is_known_of_a_layer_stays_known():
    class Scaled:
        def __init__(self):
            self.gain, self.dgain = np.ones(8, "f4"), None

        def forward(self, x, gain=None):
            self.x = x
            return x * self.gain

        def backward(self, dout):
            self.dgain = (dout * self.x).sum(axis=0)
            return dout * self.gain

    found = []
    for kind in (bp.Network, ByLayers):
        net = kind([6, 8, 5, 3], "tanh", seed=3)
        net.layers.insert_after("Tanh1", "Scaled", Scaled())
        net.layers.insert_after("Tanh2", "Noise", Noise())
        losses = [net.train_step(X, T, bp.SGD(0.1)) for _ in range(6)]
        assert len(net.params) == 7
        found.append((losses, [array.tobytes() for array in net.params.values()]))
        if kind is bp.Network:
            assert goes_by_segments(net)
    assert found[0] == found[1]


@pytest.mark.parametrize("place", ["attribute", "list"])
def test_a_layer_that_is_put_where_something_was(place):
    class Holds:
        def __init__(self):
            self.inside, self.fails = ([] if place == "list" else None), False

        def forward(self, x, training=False):
            inside = self.inside[0] if self.inside and place == "list" else self.inside
            return inside.forward(x, training=training) if inside else x * 1

        def backward(self, dout):
            if self.fails:
                self.fails = False
                raise RuntimeError("once")
            inside = self.inside[0] if self.inside and place == "list" else self.inside
            return inside.backward(dout) if inside else dout * 1

    found = []
    for kind in (bp.Network, ByLayers):
        net, optimizer = kind([6, 8, 5, 3], "tanh", seed=3), bp.SGD(0.1)
        net.layers.insert_after("Tanh1", "Own", own := Holds())
        losses = [net.train_step(X, T, optimizer) for _ in range(4)]
        dropout = bp.Dropout(0.5, seed=1)
        own.inside = [dropout] if place == "list" else dropout
        losses += [net.train_step(X, T, optimizer) for _ in range(2)]
        own.fails = True
        with pytest.raises(RuntimeError, match="once"):
            net.train_step(X, T, optimizer)
        losses += [net.train_step(X, T, optimizer) for _ in range(2)]
        found.append((losses, dropout.step))
    assert found[0] == found[1]


def test_a_segment_has_the_stages_of_a_step_alone():
    net = bp.Network([6, 3], seed=0)
    weight, bias = net.params.values()
    part = Segment("float32", [("affine", "identity", weight, bias, 0.0)], ("softmax", 0.0), None, None, [])
    update, losses = bp.SGD(0.1).plan_update(), np.empty(1)
    for call in (
        lambda: part.step(X, T, update),
        lambda: part.train(X, T, np.zeros((1, 2), int), update, losses),
        lambda: part.loss_and_gradient(X, T, np.empty(21, "f4")),
        lambda: part.input_gradient_into(X, X.copy()),
        lambda: part.predict(X),
    ):
        with pytest.raises(TypeError, match="Segment: it is part of a network"):
            call()
    for entrance in ((), ("nope",)):
        with pytest.raises(ValueError, match="entrance is"):
            Segment(
                "float32",
                [("affine", "identity", weight, bias, 0.0)],
                ("softmax", 0.0),
                None,
                None,
                [],
                None,
                entrance,
            )
