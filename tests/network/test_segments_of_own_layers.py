"""What layers that no plan knows may do in a step: raise, change, give something else; and what is left of it then."""

import copy
import warnings

import numpy as np
import pytest

import backprop as bp
from tests.network.own_layers import (
    PLACES,
    STEPS,
    Matrix,
    Scale,
    Squash,
    behind,
    data,
    goes_by_segments,
    mixed,
    network,
    norms,
    state_of,
)
from tests.network.test_bits import ByLayers


class Fails(Squash):
    at = None

    def forward(self, x):
        if self.at == "forward":
            raise RuntimeError("no way")
        return super().forward(x)

    def backward(self, dout):
        if self.at == "backward":
            raise RuntimeError("no way back")
        return super().backward(dout)


@pytest.mark.parametrize("at", ["forward", "backward"])
def test_a_layer_that_raises_leaves_all_as_it_was(at):
    own = Fails()
    net = network(bp.Network, norms)
    net.layers["Own"] = own
    x, t = data()
    adam = bp.Adam(0.01)
    losses = [net.train_step(x, t, adam) for _ in range(STEPS)]
    before = state_of(net, adam, losses)
    assert goes_by_segments(net)
    own.at = at
    with pytest.raises(RuntimeError, match="no way"):
        net.train_step(x, t, adam)
    assert state_of(net, adam, losses) == before
    own.at = None
    twin = copy.deepcopy(net)
    assert net.train_step(x, t, adam) == twin.train_step(x, t, bp.Adam(0.01))


def ready(insert=PLACES["in the middle"], rule=bp.SGD):
    """A network that goes by segments, its layer, data and an optimizer."""
    net, optimizer = network(bp.Network, insert), rule(0.01)
    own = net.layers["Own"]
    x, t = data()
    for _ in range(STEPS):
        net.train_step(x, t, optimizer)
    assert goes_by_segments(net)
    return net, own, x, t, optimizer


def test_wrong_arguments_change_nothing():
    net, _, x, t, sgd = ready(rule=bp.Momentum)
    before = state_of(net, sgd, [])
    for wrong in (
        (x[:, :5], t),
        (x, t[:7]),
        (x, t + 3),
        (x, t.astype(float)),
        (x[:0], t[:0]),
    ):
        with pytest.raises((ValueError, TypeError)):
            net.train_step(*wrong, sgd)
    with pytest.raises(ValueError, match="sample_weight"):
        net.train_step(x, t, sgd, sample_weight=np.ones(3))
    sgd.state["W1"] = ()
    with pytest.raises(ValueError, match=r"state\['W1'\] has 0 arrays"):
        net.train_step(x, t, sgd)
    sgd.state["W1"] = (np.zeros((6, 8), np.float32),)
    sgd.state = {key: sgd.state[key] for key in net.params}
    assert [kind for kind, _ in state_of(net, sgd, [])[0]] == [kind for kind, _ in before[0]]
    assert sgd.steps == before[3]


def test_nothing_is_left_of_a_pass():
    net, own, x, t, sgd = ready()
    net.loss(x, t)
    net.train_step(x, t, sgd)
    assert all(getattr(layer, "x", None) is None for layer in net.layers.values() if layer is not own)
    with pytest.raises(RuntimeError, match="call forward first"):
        net.layers["Affine1"].backward(np.ones((40, 8), np.float32))
    cleared = []
    own.clear_cache = lambda: cleared.append(True)
    net.train_step(x, t, sgd)
    assert cleared == [True]


def test_what_is_replaced_counts_from_the_next_step_on():
    net, _, x, t, sgd = ready(PLACES["in the middle, with parameters"])
    twin = copy.deepcopy(net)
    twin.__class__ = ByLayers

    def both():
        assert net.train_step(x, t, sgd) == twin.train_step(x, t, bp.SGD(0.01))
        assert all(np.array_equal(net.params[key], twin.params[key]) for key in net.params)

    both()
    for one in (net, twin):
        one.layers["Tanh2"] = bp.Sigmoid()
    both()
    for one in (net, twin):
        one.layers["Affine1"].W = one.layers["Affine1"].W * 2
    both()
    for one in (net, twin):
        one.layers["Own"].gamma = np.full(8, 0.5, np.float32)
    both()
    affine, other = net.layers["Affine2"], twin.layers["Affine2"]
    for one in (affine, other):
        one.forward = (lambda forward: lambda x: 2 * forward(x))(one.forward)
    both()
    for one in (net, twin):
        one.lastLayer = bp.SoftmaxWithLoss(0.25)
        one.input_scale = 0.5
    both()


@pytest.mark.parametrize("what", ["forward", "backward"])
def test_a_layer_that_comes_to_return_another_type_goes_with_the_layers(what):
    class Wider(Squash):
        now = ""

        def forward(self, x):
            y = super().forward(x)
            return y.astype(np.float64) if self.now == "forward" else y

        def backward(self, dout):
            dx = super().backward(dout)
            return dx.astype(np.float64) if self.now == "backward" else dx

    found = []
    for kind in (bp.Network, ByLayers):
        net = network(kind, mixed)
        net.layers.insert_after("Tanh2", "Wider", Wider())
        own, adam = net.layers["Wider"], bp.Adam(0.01)
        x, t = data()
        losses = [net.train_step(x, t, adam) for _ in range(STEPS)]
        own.now = what
        losses += [net.train_step(x, t, adam) for _ in range(STEPS)]
        found.append(state_of(net, adam, losses))
    assert found[0] == found[1]


def test_a_layer_that_gets_another_parameter_is_trained_with_it():
    class Grows(Scale):
        def forward(self, x):
            return super().forward(x) + getattr(self, "delta", 0)

        def backward(self, dout):
            if hasattr(self, "delta"):
                self.ddelta = dout.sum(axis=0)
            return super().backward(dout)

    found = []
    for kind in (bp.Network, ByLayers):
        net = network(kind, behind("Tanh1", lambda net: Grows(8, net.dtype)))
        own, adam = net.layers["Own"], bp.Adam(0.01)
        x, t = data()
        losses = [net.train_step(x, t, adam) for _ in range(STEPS)]
        own.delta, own.ddelta = np.zeros(8, np.float32), None
        losses += [net.train_step(x, t, adam) for _ in range(STEPS)]
        assert "delta1" in net.params
        assert own.delta.any()
        found.append(state_of(net, adam, losses))
    assert found[0] == found[1]


class Becomes(Squash):
    """Without parameters at first, it makes one in a pass."""

    now = False

    def forward(self, x):
        y = super().forward(x)
        if self.now and not hasattr(self, "gamma"):
            self.gamma, self.dgamma = np.ones(8, np.float32), None
        return y * self.gamma if self.now else y

    def backward(self, dout):
        if self.now:
            self.dgamma, dout = (dout * self.y).sum(axis=0), dout * self.gamma
        return super().backward(dout)


def test_a_parameter_that_appears_in_a_pass_is_trained_by_it():
    found = []
    for kind in (bp.Network, ByLayers):
        net = network(kind, behind("Tanh1", lambda net: Becomes()))
        own, adam = net.layers["Own"], bp.Adam(0.01)
        x, t = data()
        losses = [net.train_step(x, t, adam) for _ in range(STEPS)]
        own.now = True
        losses.append(net.train_step(x, t, adam))
        assert (own.gamma != 1).any()
        losses += [net.train_step(x, t, adam) for _ in range(STEPS)]
        found.append(state_of(net, adam, losses))
    assert found[0] == found[1]


def test_a_gradient_that_is_a_parameters_memory_is_refused():
    net, own, x, t, sgd = ready(PLACES["in the middle, with parameters"])
    before, W1 = state_of(net, sgd, []), net.params["W1"]

    class Thief(Scale):
        def backward(self, dout):
            dx = super().backward(dout)
            self.dgamma = W1.reshape(-1)[:8]
            return dx

    own.__class__ = Thief
    with pytest.raises(ValueError, match="overlaps"):
        net.train_step(x, t, sgd)
    assert state_of(net, sgd, []) == before


def test_x_that_is_a_parameter():
    found = []
    for kind in (bp.Network, ByLayers):
        net = kind([8, 8, 3], seed=0)
        net.layers.insert_after("Affine1", "Own", Squash())
        t, adam = np.arange(8) % 3, bp.Adam(0.01)
        losses = [net.train_step(net.params["W1"], t, adam) for _ in range(STEPS)]
        found.append(state_of(net, adam, losses))
    assert found[0] == found[1]


def test_a_step_inside_a_step():
    net, own, x, t, sgd = ready()
    forward, inner = own.forward, []

    def trains(x_inside):
        if not inner:
            inner.append(None)
            inner[0] = net.train_step(x, t, sgd)
        return forward(x_inside)

    own.forward = trains
    net.train_step(x, t, sgd)
    assert sgd.steps == STEPS + 2
    assert np.isfinite(inner[0])


def test_losses_and_optimizers_of_ones_own_go_layer_by_layer():
    class Loss(bp.SoftmaxWithLoss):
        def forward(self, x, t, sample_weight=None):
            return 2 * super().forward(x, t, sample_weight)

    class Rule:
        def update(self, params, grads):
            for key in params:
                params[key] -= 0.1 * grads[key]

    net, _, x, t, sgd = ready()
    net.train_step(x, t, Rule())
    net.lastLayer = Loss()
    net.train_step(x, t, sgd)
    net.train_step(x, t, sgd)
    assert not goes_by_segments(net)


def test_a_network_without_a_segment_goes_layer_by_layer():
    net = bp.Network([6, 3], seed=0)
    net.layers["Affine1"] = Matrix()
    net.layers["Affine1"].W = np.ones((6, 3), np.float32)
    x, t = data()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(STEPS):
            net.train_step(x, t, bp.SGD(0.1))
    assert not goes_by_segments(net)


def test_stages_of_a_segment_are_called_in_order():
    net, *_ = ready()
    segment = net._planned.segments._planned[0].segment
    update = bp.SGD(0.1).plan_update()
    for call in (
        lambda: segment.back(np.ones((40, 8), np.float32)),
        segment.gradients,
        lambda: segment.move(update),
    ):
        with pytest.raises(RuntimeError, match="before those in front of it"):
            call()
    segment.forward(data()[0])
    with pytest.raises(RuntimeError, match="before those in front of it"):
        segment.move(update)
    with pytest.raises(ValueError, match="Plan: an array"):
        segment.back(np.ones((39, 8), np.float32))
    segment.back(np.ones((40, 8), np.float32))
    assert [one.shape for one in segment.gradients()] == [(6, 8), (8,)]
    assert segment.is_ready(update)
    segment.move(update)
    with pytest.raises(RuntimeError, match="before those in front of it"):
        segment.move(update)
    assert segment.forward(np.ones((3, 5), np.float32)) is None
    assert segment.forward(np.ones((0, 6), np.float32)) is None


def test_a_parameter_that_becomes_writable_is_planned_from_then_on():
    net, (x, t), sgd = bp.Network([6, 8, 3], seed=0), data(), bp.SGD(0.1)
    W2 = net.params["W2"]
    W2.setflags(write=False)
    with pytest.raises(ValueError, match="read-only"):
        net.train_step(x, t, sgd)
    assert goes_by_segments(net)
    W2.setflags(write=True)
    net.train_step(x, t, sgd)
    assert net.is_planned


class Shown(Scale):
    """Its parameter is what it returns to the layer below, once it is told to."""

    now = False

    def backward(self, dout):
        dx = super().backward(dout)
        if self.now:
            self.gamma[:] = 0.5
            dx = np.broadcast_to(self.gamma, dx.shape)
        return dx


@pytest.mark.parametrize("change", ["data", "replaced", "an attribute", "another layer inside"])
def test_a_layer_is_looked_at_again_where_it_has_changed(change):
    found = []
    for kind in (bp.Network, ByLayers):
        net = network(kind, behind("Tanh1", lambda net: Shown(8, net.dtype)))
        own, adam = net.layers["Own"], bp.Adam(0.01)
        x, t = data()
        losses = [net.train_step(x, t, adam) for _ in range(STEPS)]
        if change == "data":
            own.now = True
        elif change == "replaced":
            own.gamma = np.full(8, 0.25, np.float32)
        elif change == "an attribute":
            own.delta, own.ddelta = np.zeros(8, np.float32), np.ones(8, np.float32)
        else:
            own.inside = bp.Dropout(0.5, seed=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            losses += [net.train_step(x, t, adam) for _ in range(STEPS)]
        found.append((list(net.params), state_of(net, adam, losses)))
    assert found[0] == found[1]
    assert ("gamma1" in found[0][0]) == (change != "data")
