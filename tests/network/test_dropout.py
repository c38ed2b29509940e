"""Dropout in networks: trained alike by a plan and by the layers, and off where nothing is trained."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.network.plan import NoPlan
from tests.strategies import DTYPES

RATES = {"hidden": 0.3, "input too": [0.2, 0.3, 0.5], "input alone": [0.2, 0, 0], "one": [0, 0, 0.5]}


def problem(dtype="float32", dropout=0.3, sizes=(20, 30, 17, 3), rows=50):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, sizes[0])).astype(dtype)
    net = bp.Network(sizes, activation="tanh", dropout=dropout, seed=0, dtype=dtype)
    return net, x, rng.integers(0, sizes[-1], rows)


def layer_by_layer(net):
    net._planned = NoPlan([])
    return net


def state(net):
    steps = [layer.step for layer in net.layers.values() if isinstance(layer, bp.Dropout)]
    return [array.tobytes() for array in net.params.values()], steps


def test_where_they_stand():
    assert list(problem(dropout=0.3)[0].layers) == [
        *("Affine1", "Tanh1", "Dropout1", "Affine2", "Tanh2", "Dropout2", "Affine3"),
    ]
    net = problem(dropout=[0.1, 0, 0.4])[0]
    assert list(net.layers) == ["Dropout0", "Affine1", "Tanh1", "Affine2", "Tanh2", "Dropout2", "Affine3"]
    assert [net.layers[name].rate for name in ("Dropout0", "Dropout2")] == [0.1, 0.4]
    assert net.layers["Dropout0"].seed != net.layers["Dropout2"].seed
    assert net.is_planned
    without, with_it = bp.Network([4, 3, 2], seed=5), bp.Network([4, 3, 2], seed=5, dropout=0.5)
    assert all(np.array_equal(without.params[key], with_it.params[key]) for key in without.params)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dropout", RATES.values(), ids=RATES)
def test_steps_of_a_plan_are_those_of_the_layers(dropout, dtype):
    (one, x, t), (other, _, _) = problem(dtype, dropout), problem(dtype, dropout)
    layer_by_layer(other)
    rules = bp.Adam(0.01), bp.Adam(0.01)
    for _ in range(3):
        assert one.train_step(x, t, rules[0]) == other.train_step(x, t, rules[1])
    histories = [
        net.fit(x, t, epochs=3, batch_size=7, optimizer=rule, seed=1)
        for net, rule in zip((one, other), rules, strict=True)
    ]
    assert histories[0].loss == histories[1].loss
    assert histories[0].train_accuracy == histories[1].train_accuracy
    assert state(one) == state(other)
    assert one.is_planned
    assert not other.is_planned
    assert np.array_equal(one.predict(x), other.predict(x))
    assert one.accuracy(x, t) == other.accuracy(x, t)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("column_parts", [1, 2])
def test_threads_change_nothing(threads, column_parts):
    # Wide enough for threads to share the columns, and more rows than a block.
    trained = []
    for number, parts in ((1, 1), (threads, column_parts)):
        net, x, t = problem(dropout=[0.2, 0.3, 0.5], sizes=(20, 600, 530, 3), rows=600)
        plan, rule = net.plan_for(sgd := bp.SGD(0.1)), sgd
        indices = np.random.default_rng(1).integers(0, 600, (4, 300))
        plan.train(x, t, indices, rule.plan_update(), np.empty(4), number, None, parts)
        trained.append(state(net))
    assert trained[0] == trained[1]
    assert trained[0][1] == [4, 4, 4]


def test_nothing_is_dropped_where_nothing_is_trained():
    net, x, t = problem(dropout=[0.5, 0.5, 0.5])
    plain = bp.Network([20, 30, 17, 3], activation="tanh", seed=0)
    for one in (net, layer_by_layer(copy.deepcopy(net))):
        assert np.array_equal(one.predict(x), plain.predict(x))
        assert np.array_equal(one.predict_proba(x), plain.predict_proba(x))
        assert one.accuracy(x, t) == plain.accuracy(x, t)
        assert one.loss(x, t) == plain.loss(x, t)
        shown = one.activations(x)
        assert np.array_equal(shown["Dropout2"], shown["Tanh2"])
        assert state(one)[1] == [0, 0, 0]
        assert one.loss(x, t, training=True) != plain.loss(x, t)
        assert state(one)[1] == [1, 1, 1]


@pytest.mark.parametrize("dropout", RATES.values(), ids=RATES)
def test_gradients(dropout):
    net, x, t = problem("float64", dropout, rows=9)
    bp.assert_gradients(net, x, t)
    # The numerical one is that of the next gradient.
    numerical, gradients = net.numerical_gradient(x, t), net.gradient(x, t)
    assert all(np.allclose(numerical[key], gradients[key], rtol=1e-6, atol=1e-8) for key in gradients)
    assert {layer.step for layer in net.layers.values() if isinstance(layer, bp.Dropout)} == {1}


def test_a_loop_by_hand_takes_the_same_steps():
    (one, x, t), (other, _, _) = problem(), problem()
    rules = bp.SGD(0.1), bp.SGD(0.1)
    for _ in range(3):
        one.train_step(x, t, rules[0])
        rules[1].update(other.params, other.gradient(x, t))
    assert state(one) == state(other)


def test_a_step_that_is_refused_counts_no_mask():
    net, x, t = problem()
    for wrong in ((x, t + 100), (x[:, :3], t), (x[:0], t[:0])):
        with pytest.raises(ValueError, match=r"x|t"):
            net.train_step(*wrong, bp.SGD(0.1))
    with pytest.raises(ValueError, match="t"):
        net.fit(x, t + 100, epochs=1)
    assert state(net)[1] == [0, 0]


def test_what_is_assigned_counts(tmp_path):
    (one, x, t), (other, _, _) = problem(), problem()
    one.train_step(x, t, bp.SGD(0.1))
    one.layers["Dropout1"].rate = 0.0
    one.layers["Dropout2"].seed = 12
    one.layers["Dropout2"].step = 100
    layer_by_layer(other).train_step(x, t, bp.SGD(0.1))
    other.layers["Dropout1"].rate, other.layers["Dropout2"].seed = 0.0, 12
    other.layers["Dropout2"].step = 100
    assert one.train_step(x, t, bp.SGD(0.1)) == other.train_step(x, t, bp.SGD(0.1))
    assert one.is_planned
    assert state(one) == state(other)
    assert state(one)[1] == [2, 101]
    vars(one.layers["Dropout1"])["rate"] = 2.0
    with pytest.raises(ValueError, match="Dropout: rate is 2.0"):
        one.train_step(x, t, bp.SGD(0.1))


def test_files_and_copies(tmp_path):
    net, x, t = problem(dropout=[0.2, 0.3, 0.5])
    net.train_step(x, t, bp.SGD(0.1))
    net.save(tmp_path / "net.safetensors")
    loaded = bp.Network.load(tmp_path / "net.safetensors")
    assert [repr(layer) for layer in loaded.layers.values()] == [repr(layer) for layer in net.layers.values()]
    assert np.array_equal(loaded.predict(x), net.predict(x))
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        before = state(net)
        assert state(twin) == before
        losses = [one.train_step(x, t, bp.SGD(0.1)) for one in (twin, copy.deepcopy(net))]
        assert losses[0] == losses[1]
        assert state(net) == before


class Recorder:
    """A user's layer that asks whether it is in training."""

    def __init__(self):
        self.seen = []

    def forward(self, x, training=True):
        self.seen.append(training)
        return x

    def backward(self, dout):
        return dout


def test_a_layer_of_a_user_can_ask_for_it():
    net, x, t = problem()
    net.layers["Recorder1"] = recorder = Recorder()
    net.layers.move_to_end("Recorder1", last=False)
    calls = {
        True: [
            lambda: net.gradient(x, t),
            lambda: net.train_step(x, t, bp.SGD(0.1)),
            lambda: net.loss(x, t, training=True),
            lambda: net.fit(x, t, iterations=1, batch_size=50),
        ],
        False: [lambda: net.predict(x), lambda: net.loss(x, t), lambda: net.activations(x)],
    }
    for training, made in calls.items():
        for call in made:
            del recorder.seen[:]
            call()
            assert training in recorder.seen
            # `fit` evaluates too.
            assert set(recorder.seen) == {training} or call is made[-1]


class OwnLoss(bp.Network):
    """A subclass as it was written before there was an argument `training`."""

    def loss(self, x, t):
        return super().loss(x, t) + 1.0


def test_a_subclass_with_its_own_loss_trains_with_dropout():
    net, x, t = problem()
    own = OwnLoss([20, 30, 17, 3], activation="tanh", dropout=0.3, seed=0)
    assert own.train_step(x, t, bp.SGD(0.1)) == pytest.approx(1 + net.train_step(x, t, bp.SGD(0.1)), abs=1e-6)
    assert state(own) == state(net)
    bp.assert_gradients(own, x, t)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.lists(st.floats(0, 0.9), min_size=2, max_size=2),
    st.integers(0, 99),
)
def test_any_shape(rows, width, dropout, seed):
    rng = np.random.default_rng(seed)
    nets = [bp.Network([5, width, 3], dropout=dropout, seed=seed) for _ in range(2)]
    layer_by_layer(nets[1])
    x, t = rng.normal(size=(rows, 5)), rng.integers(0, 3, rows)
    for net in nets:
        net.fit(x, t, iterations=20, batch_size=rows, optimizer=bp.SGD(0.1), seed=seed)
    assert state(nets[0]) == state(nets[1])
