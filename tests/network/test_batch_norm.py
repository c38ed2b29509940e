"""Batch normalisation in networks: plan and layers, what trains and what infers."""

import copy

import numpy as np
import pytest

import backprop as bp
from backprop.layers.buffers import buffers_of
from backprop.network.plan import NoPlan, make_plan
from tests import teams
from tests.network.batch_norms import PLACES, ByLayers, data, everything, network, same

# --- The plan --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 2, 25, 60])
def test_the_plan_has_the_bits_of_the_layers(dtype, places, batch):
    found = []
    for kind in (bp.Network, ByLayers):
        net, (x, t) = network(kind, dtype, places), data(dtype)
        history = net.fit(x, t, iterations=7, batch_size=batch, optimizer="adam", seed=0)
        losses = [net.train_step(x[:batch], t[:batch], bp.SGD(0.05)) for _ in range(3)]
        found.append(
            [everything(net), net.predict(x), history.loss, losses, history.train_accuracy, net.loss(x, t)]
        )
        assert net.is_planned == (kind is bp.Network)
    assert same(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])
    assert found[0][2:] == found[1][2:]


@pytest.mark.parametrize("places", PLACES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 2, 37, 300])
def test_any_number_of_threads(rows, dtype, places):
    # Wide enough for columns to be shared, and for a step of all rows to use threads.
    sizes = (70, 530, 265, 7)
    x, t = data(dtype, 2 * rows, sizes)
    indices = np.random.default_rng(1).integers(0, 2 * rows, (4, rows))
    expected = None
    with teams.allowed(16):
        for threads, parts in [(1, 1), (2, 1), (3, 1), (7, 1), (16, 1), (2, 2), (4, 2), (7, 3)]:
            net = network(dtype=dtype, places=places, sizes=sizes)
            plan, losses = make_plan(net), np.empty(4)
            plan.train(x, t, indices, bp.SGD(0.05).plan_update(), losses, threads, None, parts)
            step = plan.step(x, t, bp.SGD(0.05).plan_update(), threads, None, None, parts)
            out = np.empty((2 * rows, 7), dtype)
            plan.predict_into(x, out, threads)
            found = everything(net) | {"losses": losses, "step": np.array(step), "out": out}
            expected = found if expected is None else expected
            assert same(expected, found), (threads, parts)


@pytest.mark.parametrize(
    "limit", [{"clip_norm": 0.1}, {"max_norm": 0.5}, {"weight_decay": 0.1, "decay_biases": True}]
)
def test_limits_and_decay(limit):
    found = []
    for kind in (bp.Network, ByLayers):
        net, (x, t) = network(kind), data()
        net.fit(x, t, epochs=2, batch_size=20, optimizer=bp.AdamW(0.01, **limit), seed=0)
        found.append(everything(net))
    assert same(*found)


def test_with_dropout_and_bytes():
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 256, (90, 9), dtype=np.uint8), rng.integers(0, 4, 90)
    found = []
    for kind in (bp.Network, ByLayers):
        net = network(kind, dropout=[0.1, 0.2, 0.3], input_scale=1 / 255)
        net.fit(x, t, epochs=3, batch_size=32, optimizer="nesterov", seed=0)
        found.append(everything(net))
    assert same(*found)


def test_what_is_replaced_or_set_counts_from_the_next_call_on():
    found = []
    for kind in (bp.Network, ByLayers):
        net, (x, t) = network(kind), data()
        layer = net.layers["BatchNorm1"]
        net.fit(x, t, epochs=1, batch_size=20, seed=0)
        layer.momentum, layer.eps = 0.5, 0.01
        net.train_step(x, t, bp.SGD(0.1))
        layer.running_mean = np.zeros(35, np.float32)
        layer.running_var[:] = 2
        net.train_step(x, t, bp.SGD(0.1))
        scores = net.predict(x)
        layer.running_var = np.ones(35, np.float32)
        found.append(everything(net) | {"before": scores, "after": net.predict(x)})
    assert same(*found)
    assert not np.array_equal(found[0]["before"], found[0]["after"])


@pytest.mark.parametrize("made", ["of another type", "every second"])
def test_statistics_that_a_plan_cannot_move_run_layer_by_layer(made):
    net, (x, t) = network(), data()
    layer = net.layers["BatchNorm1"]
    old = layer.running_mean
    layer.running_mean = old.astype(float) if made == "of another type" else np.repeat(old, 2)[::2]
    assert not net.is_planned
    net.train_step(x, t, bp.SGD(0.1))
    assert layer.running_mean.any()
    layer.running_mean = old
    assert net.is_planned


# --- Training and inference -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_what_infers_moves_nothing_and_takes_the_running_statistics(kind):
    net, (x, t) = network(kind), data()
    before = everything(net)
    answers = net.predict(x), net.accuracy(x, t), net.loss(x, t), net.activations(x), net.predict_proba(x)
    assert same(before, everything(net))
    # Of a row alone too.
    assert np.array_equal(net.predict(x[:1])[0], answers[0][0])
    for layer in net.layers.values():
        if isinstance(layer, bp.BatchNorm):
            layer.running_mean[:] += 1
    assert not np.array_equal(net.predict(x), answers[0])
    assert net.loss(x, t) != answers[2]
    assert net.loss(x, t, training=True) != net.loss(x, t)


@pytest.mark.parametrize("call", ["gradient", "train_step", "fit", "loss", "forward"])
def test_what_trains_moves_them_once_a_pass(call):
    net, (x, t) = network(ByLayers), data()
    mean = net.layers["Affine1"].forward(x).mean(axis=0)
    calls = {
        "gradient": lambda: net.gradient(x, t),
        "train_step": lambda: net.train_step(x, t, bp.SGD(0.1)),
        "fit": lambda: net.fit(x[np.zeros(60, int)], t, iterations=1, batch_size=60, validation=(x, t)),
        "loss": lambda: net.loss(x, t, training=True),
        "forward": lambda: net.forward(x, training=True),
    }
    calls[call]()
    moved = net.layers["BatchNorm1"].running_mean
    if call == "fit":
        mean = bp.Affine(*(network().params[key] for key in ("W1", "b1"))).forward(x[:1])[0]
    # Sums of 60 float32 numbers of up to 20, and their rounding.
    assert np.abs(moved - 0.1 * mean).max() <= 64 * 2**-24 * 20


@pytest.mark.parametrize("places", PLACES)
def test_gradients_are_checked_and_nothing_moves(places):
    net, (x, t) = network(dtype="float64", places=places), data("float64", 11)
    before = everything(net)
    bp.assert_gradients(net, x, t)
    numerical = net.numerical_gradient(x, t)
    assert same(before, everything(net))
    gradients = net.gradient(x, t)
    assert all(np.allclose(gradients[key], numerical[key], rtol=1e-5, atol=1e-8) for key in gradients)
    # A pass that infers is differentiated as that.
    loss = copy.deepcopy(net).loss
    net.loss(x, t)
    inferred = net.backward(net.lastLayer.backward(1))
    assert not np.allclose(inferred["W1"], gradients["W1"])
    twin = loss.__self__
    assert np.array_equal(net.layers["BatchNorm1"].running_mean, before_step(net)["mean"])
    for layer, other in zip(twin.layers.values(), net.layers.values(), strict=True):
        if isinstance(layer, bp.BatchNorm):
            layer.running_mean[:], layer.running_var[:] = other.running_mean, other.running_var
    for key, array in twin.params.items():
        wanted = bp.numerical_gradient(lambda _: loss(x, t), array)
        assert np.allclose(inferred[key], wanted, rtol=1e-5, atol=1e-8)


def before_step(net):
    return {"mean": net.layers["BatchNorm1"].running_mean.copy()}


class Failing:
    """A layer that raises, forward or backward, when it is told to."""

    fails = ""

    def forward(self, x):
        if self.fails == "forward":
            raise KeyboardInterrupt
        return x

    def backward(self, dout):
        if self.fails == "backward":
            raise KeyboardInterrupt
        return dout


@pytest.mark.parametrize("fails", ["forward", "backward"])
@pytest.mark.parametrize("call", ["gradient", "train_step", "fit"])
def test_an_interrupted_pass_has_moved_nothing(call, fails):
    net, (x, t) = network(), data()
    net.layers["Failing"] = layer = Failing()
    calls = {
        "gradient": lambda: net.gradient(x, t),
        "train_step": lambda: net.train_step(x, t, bp.SGD(0.1)),
        "fit": lambda: net.fit(x, t, iterations=1, batch_size=60),
    }
    before, arrays = everything(net), buffers_of(net.layers)
    # A layer below has been passed by then.
    layer.fails = fails
    with pytest.raises(KeyboardInterrupt):
        calls[call]()
    assert same(before, everything(net))
    assert all(array is arrays[key] for key, array in buffers_of(net.layers).items())


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_a_refused_step_has_moved_nothing(kind):
    net, (x, t) = network(kind), data()
    net.train_step(x, t, bp.SGD(0.1))
    before = everything(net)
    for x_, t_ in ((x, t + 3), (x[:, :5], t), (x[:0], t[:0]), (x, t[:7]), (x, t / 2)):
        with pytest.raises((ValueError, TypeError)):
            net.train_step(x_, t_, bp.SGD(0.1))
        with pytest.raises((ValueError, TypeError)):
            net.fit(x_, t_, epochs=1)
    adam = bp.Adam()
    adam.state["W1"] = ()
    with pytest.raises(ValueError, match="state"):
        net.train_step(x, t, adam)
    assert same(before, everything(net))


class OwnGradient(bp.Network):
    def gradient(self, x, t):
        return super().gradient(x, t)


def test_an_own_gradient_moves_them_once_a_step():
    (x, t), nets = data(), [network(), network(OwnGradient)]
    for net in nets:
        for _ in range(3):
            net.train_step(x, t, bp.SGD(0.1))
    assert same(*map(everything, nets))


def test_scores_are_not_written_over_what_they_are_computed_from():
    net, (x, t) = network(), data()
    net.train_step(x, t, bp.SGD(0.1))
    for planned in (True, False):
        memory = np.zeros(60 * 4, np.float32)
        layer = net.layers["BatchNorm1"]
        memory[:35] = layer.running_mean
        layer.running_mean = memory[:35]
        wanted = copy.deepcopy(net).predict(x)
        if not planned:
            net._planned = NoPlan([])
        assert np.array_equal(net.predict(x, out=memory.reshape(60, 4)), wanted)


def test_a_plan_checks_what_it_is_given():
    net = network(sizes=(9, 35, 21, 4))
    layers = [("affine", "identity", net.params["W1"], net.params["b1"], 0.0)]
    gamma, beta, mean, var = (np.ones(35, np.float32) for _ in range(4))

    def plan(*option):
        from bpcore.plan import Plan

        return Plan(
            "float32",
            [*layers, ("batch_norm", "relu", gamma, beta, option)],
            ("softmax", 0.0),
            None,
            None,
            [],
        )

    assert plan(1e-5, 0.1, mean, var).outputs == 35
    with pytest.raises(ValueError, match=r"the momentum of layer 2 is 1.5, wanted a number from 0 to 1"):
        plan(1e-5, 1.5, mean, var)
    for wrong in (mean[:34], mean.astype(float), mean.reshape(1, 35), None, [0.0] * 35):
        with pytest.raises((ValueError, TypeError)):
            plan(1e-5, 0.1, wrong, var)
