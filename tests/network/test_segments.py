"""Steps of a network with layers that no plan knows: the bits of the layers, and what is left of a step that fails."""

import copy
import warnings

import numpy as np
import pytest

import backprop as bp
from backprop.layers.buffers import buffers_of
from backprop.network.plan import NoPlan
from bpcore.threads import limited
from tests.network.test_bits import ByLayers
from tests.registry import LOSSES, RULES

STEPS = 5  # the first two show what the layers are


class Squash:
    """A layer without parameters, written as one writes it."""

    def forward(self, x):
        self.y = x / (1 + np.abs(x))
        return self.y

    def backward(self, dout):
        return dout * (1 - np.abs(self.y)) ** 2


class Scale:
    """A layer with two parameters."""

    def __init__(self, units, dtype):
        self.gamma = np.linspace(0.5, 1.5, units).astype(dtype)
        self.beta = np.linspace(-0.25, 0.25, units).astype(dtype)

    def forward(self, x):
        self.x = x
        return x * self.gamma + self.beta

    def backward(self, dout):
        self.dgamma, self.dbeta = (dout * self.x).sum(axis=0), dout.sum(axis=0)
        return dout * self.gamma


class Spoils(Squash):
    """It writes to what it gets and to what it gave, as `backward` of others allows by then."""

    def forward(self, x):
        y = super().forward(x.copy())
        x[...] = np.nan
        return y

    def backward(self, dout):
        dx = super().backward(dout.copy())
        dout[...] = self.y[...] = np.nan
        return dx


class Steps:
    """It gives out arrays that lie otherwise in memory, and are read-only."""

    def forward(self, x):
        y = np.asfortranarray(x)
        y.setflags(write=False)
        return y

    def backward(self, dout):
        return np.repeat(dout, 2, axis=1)[:, ::2]


class Widens:
    """Twice as many numbers come out, in a cube."""

    def forward(self, x):
        return np.stack([x, -x], axis=2)

    def backward(self, dout):
        return np.ascontiguousarray(dout[:, :, 0] - dout[:, :, 1])


class Copies(Squash):
    """The array that it returned before is the one that it returns, with other numbers."""

    buffer = None

    def forward(self, x):
        if self.buffer is None or self.buffer.shape != x.shape:
            self.buffer = np.empty_like(x)
        self.buffer[...] = super().forward(x)
        return self.buffer


class Noise:
    """It draws in training, and has a dropout inside."""

    def __init__(self):
        self.dropout = bp.Dropout(0.25, seed=5)

    def forward(self, x, training=False):
        return self.dropout.forward(x, training=training)

    def backward(self, dout):
        return self.dropout.backward(dout)


def data(rows=40, inputs=6, outputs=3, dtype=np.float32):
    rng = np.random.default_rng(7)
    return rng.normal(size=(rows, inputs)).astype(dtype), rng.integers(0, outputs, rows)


def network(kind, insert, dtype=np.float32, **options):
    net = kind([6, 8, 5, 3], "tanh", dtype=dtype, seed=3, **options)
    insert(net)
    return net


def behind(name, make):
    return lambda net: net.layers.insert_after(name, "Own", make(net))


def first(make):
    return lambda net: net.layers.insert(0, "Own", make(net))


def two(net):
    net.layers.insert_after("Affine1", "Own", Squash())
    net.layers.insert_after("Tanh2", "Other", Scale(5, net.dtype))


def neighbours(net):
    net.layers.insert_after("Affine1", "Own", Scale(8, net.dtype))
    net.layers.insert_after("Own", "Other", Squash())


def mixed(net):
    net.layers.insert_after("Affine1", "Norm1", bp.LayerNorm(8, dtype=net.dtype))
    net.layers.insert_after("Tanh1", "Dropout1", bp.Dropout(0.25, seed=1))
    net.layers.insert_after("Dropout1", "Own", Scale(8, net.dtype))
    net.layers.insert_after("Own", "Norm2", bp.BatchNorm(8, dtype=net.dtype))
    net.layers.insert_after("Norm2", "Dropout2", bp.Dropout(0.25, seed=2))
    net.layers.insert_after("Affine2", "Norm3", bp.RMSNorm(5, dtype=net.dtype))
    net.layers.insert(0, "Dropout0", bp.Dropout(0.125, seed=0))


def norms(net):
    net.layers.insert(0, "Norm0", bp.BatchNorm(6, dtype=net.dtype))
    net.layers.insert_after("Affine2", "Norm2", bp.BatchNorm(5, dtype=net.dtype))
    net.layers.insert_after("Tanh2", "Own", Squash())
    net.layers.insert_after("Own", "Dropout2", bp.Dropout(0.25, seed=2))


def of_another_width(net):
    net.layers["Affine2"] = bp.Affine(np.full((16, 5), 0.125, net.dtype), np.zeros(5, net.dtype))
    net.layers.insert_after("Tanh1", "Own", Widens())


def tied(net):
    """Three layers with one weight, of which one is not ours."""
    square = np.linspace(-1, 1, 64).reshape(8, 8).astype(net.dtype)
    for n in range(2):
        net.layers.insert_after("Tanh1", f"Square{n}", bp.Affine(square, np.zeros(8, net.dtype)))
    own = Matrix()
    own.W = square
    net.layers.insert_after("Square1", "Own", own)


class Matrix:
    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


PLACES = {
    "first": first(lambda net: Squash()),
    "first, with parameters": first(lambda net: Scale(6, net.dtype)),
    "in the middle": behind("Affine1", lambda net: Squash()),
    "in the middle, with parameters": behind("Tanh1", lambda net: Scale(8, net.dtype)),
    "last": behind("Affine3", lambda net: Squash()),
    "last, with parameters": behind("Affine3", lambda net: Scale(3, net.dtype)),
    "two": two,
    "neighbours": neighbours,
    "normalisations and dropout": mixed,
    "batch normalisations": norms,
    "writes where it may": behind("Affine2", lambda net: Spoils()),
    "returns other layouts": behind("Tanh1", lambda net: Steps()),
    "returns one buffer": behind("Tanh1", lambda net: Copies()),
    "changes the width": of_another_width,
    "draws": behind("Tanh1", lambda net: Noise()),
    "shares a weight": tied,
}


def state_of(net, optimizer, losses):
    arrays = [np.array(losses), *net.params.values(), *buffers_of(net.layers).values()]
    arrays += [array for kept in optimizer.state.values() for array in kept]
    counts = [getattr(layer, "step", None) for layer in net.layers.values()]
    return (
        [(array.dtype, array.tobytes()) for array in arrays],
        list(optimizer.state),
        counts,
        optimizer.steps,
    )


def trained(kind, insert, rule=lambda: bp.Adam(0.01), weights=None, loss=None, dtype=np.float32, t=None):
    net = network(kind, insert, dtype)
    if loss is not None:
        net.lastLayer = loss
    x, labels = data(dtype=dtype)
    t, optimizer = labels if t is None else t, rule()
    losses = [net.train_step(x, t, optimizer, sample_weight=weights) for _ in range(STEPS)]
    # Batches of several sizes, larger ones too.
    losses += net.fit(
        np.concatenate([x, x]), np.concatenate([t, t]), epochs=1, batch_size=60, optimizer=optimizer, seed=0,
        sample_weight=None if weights is None else np.concatenate([weights, weights]),
    ).loss  # fmt: skip
    return net, state_of(net, optimizer, losses)


def goes_by_segments(net):
    return (
        isinstance(net._planned, NoPlan) and bool(net._planned.segments) and net._planned.segments.is_of_use
    )


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
