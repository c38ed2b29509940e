"""The compiled plan and the layers: nobody can tell from the numbers which of the two ran."""

import copy
import pickle
import threading
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.training import run as training
from tests.registry import ACTIVATIONS, LOSSES, RULES, targets


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


def both(sizes, **options):
    return bp.Network(sizes, **options), ByLayers(sizes, **options)


SIZES = st.lists(st.sampled_from([1, 2, 3, 5, 8, 10, 17, 24, 33, 50]), min_size=2, max_size=5)


@st.composite
def problems(draw):
    """Networks and data of every kind that a plan takes."""
    sizes = draw(SIZES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(1, 70))
    stored = draw(st.sampled_from(["u1", "f4", "f8", "i4", "i8"]))
    x = (
        rng.normal(size=(rows, sizes[0]))
        if stored.startswith("f")
        else rng.integers(0, 255, (rows, sizes[0]))
    )
    loss = draw(st.sampled_from([*LOSSES]))
    t = rng.integers(0, sizes[-1], rows)
    if not LOSSES[loss].classifies:
        t = targets(loss, rng, rows, sizes[-1])
    elif draw(st.booleans()):
        t = rng.dirichlet(np.ones(sizes[-1]), rows)
    scaling = draw(
        st.sampled_from(
            [{}, {"input_scale": 1 / 255}, {"input_mean": 3.0}, {"input_mean": -14.62, "input_scale": 0.5}]
        )
    )
    options = {
        "activation": [draw(st.sampled_from([*ACTIVATIONS])) for _ in sizes[1:-1]],
        "loss": loss,
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "seed": draw(st.integers(0, 100)),
        **scaling,
    }
    return sizes, options, x.astype(stored), t


def assert_same_parameters(one, other):
    for key in one.params:
        assert np.array_equal(one.params[key], other.params[key], equal_nan=True), key


@given(problems(), st.sampled_from([1, 2, 3]))
def test_evaluation(problem, threads):
    sizes, options, x, t = problem
    planned, layered = both(sizes, **options)
    with bp_threads(threads):
        assert np.array_equal(planned.predict(x), layered.predict(x))
        assert planned.loss(x, t) == layered.loss(x, t)
        if LOSSES[options["loss"]].classifies:
            assert np.array_equal(planned.predict_proba(x), layered.predict_proba(x))
            assert planned.accuracy(x, t) == layered.accuracy(x, t)


OPTIMIZERS = {rule: partial(make, 0.3 if rule == "sgd" else 0.02) for rule, make in RULES.items()}


@given(problems(), st.sampled_from(list(OPTIMIZERS)), st.integers(1, 20), st.sampled_from([1, 2, 3]))
def test_training(problem, rule, batch_size, threads):
    sizes, options, x, t = problem
    nets, optimizers = both(sizes, **options), [OPTIMIZERS[rule]() for _ in range(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # what diverges does so in both
        runs = [
            net.fit(x, t, epochs=2, batch_size=batch_size, optimizer=optimizer, seed=1, threads=threads)
            for net, optimizer in zip(nets, optimizers, strict=True)
        ]
    assert np.array_equal(runs[0].loss, runs[1].loss, equal_nan=True)
    assert runs[0].train_accuracy == runs[1].train_accuracy
    assert_same_parameters(*nets)
    steps = [net.train_step(x, t, optimizer) for net, optimizer in zip(nets, optimizers, strict=True)]
    assert np.array_equal(*steps, equal_nan=True)
    assert_same_parameters(*nets)
    assert optimizers[0].steps == optimizers[1].steps == len(runs[0].loss) + 1
    for key, moments in optimizers[1].state.items():
        for one, other in zip(optimizers[0].state[key], moments, strict=True):
            assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_train_step_and_update_share_what_the_rule_keeps(rule):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 6)), rng.integers(0, 3, 20)
    nets, optimizers = both([6, 5, 3], dtype="float64", seed=0), [OPTIMIZERS[rule]() for _ in range(2)]
    for _ in range(3):
        nets[0].train_step(x, t, optimizers[0])
        optimizers[0].update(nets[0].params, nets[0].gradient(x, t))
        for _ in range(2):
            optimizers[1].update(nets[1].params, nets[1].gradient(x, t))
    assert_same_parameters(*nets)


def test_moments_that_were_taken_away_begin_again_at_nothing():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 6)), rng.integers(0, 3, 20)
    nets, optimizers = both([6, 5, 3], dtype="float64", seed=0), [bp.Adam(0.1), bp.Adam(0.1)]
    for net, optimizer in zip(nets, optimizers, strict=True):
        net.train_step(x, t, optimizer)
        optimizer.state.clear()
        optimizer.steps = 0
        net.train_step(x, t, optimizer)
    assert_same_parameters(*nets)


def test_one_optimizer_for_two_plans_of_a_network():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 6)), rng.integers(0, 3, 20)
    nets, optimizers = both([6, 5, 3], dtype="float64", seed=0), [bp.Adam(0.1), bp.Adam(0.1)]
    for net, optimizer in zip(nets, optimizers, strict=True):
        net.fit(x, t, epochs=2, batch_size=5, optimizer=optimizer, seed=0)
        net.layers["Relu1"] = bp.Sigmoid()
        net.fit(x, t, epochs=2, batch_size=5, optimizer=optimizer, seed=0)
    assert_same_parameters(*nets)


def bp_threads(threads):
    from bpcore.threads import limited

    return limited(threads)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_large_enough_for_threads_and_blocks(dtype):
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(1000, 300)).astype(dtype), rng.integers(0, 10, 1000)
    planned, layered = both([300, 130, 10], dtype=dtype, seed=0)
    for threads in (1, 2, 7):
        planned.fit(x, t, iterations=5, batch_size=200, seed=threads, threads=threads)
        layered.fit(x, t, iterations=5, batch_size=200, seed=threads, threads=1)
        assert_same_parameters(planned, layered)
        with bp_threads(threads):
            assert np.array_equal(planned.predict(x), layered.predict(x))
            assert planned.accuracy(x, t) == layered.accuracy(x, t)
            assert planned.train_step(x, t, bp.SGD(0.1)) == layered.train_step(x, t, bp.SGD(0.1))
            assert_same_parameters(planned, layered)


def test_nan_and_infinity_go_the_same_way():
    planned, layered = both([4, 6, 3], dtype="float64", seed=0)
    x = np.array([[np.nan, 1, 2, 3], [np.inf, 1, 2, 3], [1, 2, 3, 4], [-np.inf, 0, 0, 1]])
    t = np.array([0, 1, 2, 0])
    assert np.array_equal(planned.predict(x), layered.predict(x), equal_nan=True)
    assert planned.accuracy(x, t) == layered.accuracy(x, t)
    for net in (planned, layered):
        assert np.isnan(net.train_step(x, t, bp.SGD(0.1)))
    assert_same_parameters(planned, layered)


@pytest.mark.parametrize("change", ["layer", "weights", "mean", "order"])
def test_what_is_replaced_is_used_from_the_next_call_on(change):
    sizes = [4, 4, 4, 3] if change == "order" else [4, 5, 3]
    net = bp.Network(sizes, dtype="float64", seed=0)
    x = np.random.default_rng(0).normal(size=(6, 4))
    before = net.predict(x)
    if change == "layer":
        net.layers["Relu1"] = bp.Sigmoid()
    elif change == "weights":
        net.layers["Affine1"].W = net.layers["Affine1"].W * 2
    elif change == "order":
        for name in ("Affine1", "Relu1"):
            net.layers.move_to_end(name, last=False)
        for name in ("Relu2", "Affine2"):
            net.layers.move_to_end(name, last=False)
        net.layers.move_to_end("Affine2", last=False)
    else:
        net.input_mean = np.full(4, 0.5)
    layered = ByLayers(sizes, dtype="float64")
    layered.layers.clear()
    layered.layers.update(net.layers)
    layered.input_mean = net.input_mean
    assert np.array_equal(net.predict(x), layered.predict(x))
    assert not np.array_equal(net.predict(x), before)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_activation_behind_the_last_affine_layer_is_in_the_plan(activation):
    net, layered = both([4, 6, 3], dtype="float64", seed=0)
    x, t = np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % 3
    for one in (net, layered):
        one.layers["Last"] = ACTIVATIONS[activation]()
    assert net.is_planned
    assert not layered.is_planned
    for _ in range(3):
        assert net.train_step(x, t, bp.SGD(0.1)) == layered.train_step(x, t, bp.SGD(0.1))
    assert np.array_equal(net.predict(x), layered.predict(x))
    assert all(np.array_equal(net.params[key], layered.params[key]) for key in net.params)


class Twice:
    """A user's own layer."""

    def forward(self, x):
        return 2 * x

    def backward(self, dout):
        return 2 * dout


def test_what_no_plan_can_run_goes_layer_by_layer_and_says_so():
    def network():
        return bp.Network([4, 5, 3], dtype="float64", seed=0)

    assert "layer by layer" not in repr(network())
    own, fortran, readonly, mixed = network(), network(), network(), network()
    own.layers["Twice"] = Twice()
    fortran.layers["Affine1"].W = np.asfortranarray(fortran.layers["Affine1"].W)
    readonly.layers["Affine1"].W.setflags(write=False)
    mixed.layers["Affine1"].W = mixed.layers["Affine1"].W.astype(np.float32)
    x = np.random.default_rng(0).normal(size=(6, 4))
    for net in (own, fortran, readonly, mixed):
        assert repr(net).endswith("layer by layer)")
        assert np.isfinite(net.predict(x)).all()


class Clipped(bp.Network):
    """A network whose gradients are made in the user's own way."""

    def gradient(self, x, t):
        return {key: np.clip(value, -0.01, 0.01) for key, value in super().gradient(x, t).items()}


def test_an_overridden_gradient_is_the_one_that_trains():
    x, t = 10 * np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    net = Clipped([4, 5, 3], dtype="float64", seed=0)
    before = net.params["W1"].copy()
    net.fit(x, t, epochs=1, optimizer=bp.SGD(1.0), seed=0)
    assert 0 < np.abs(net.params["W1"] - before).max() <= 0.01 * (1 + 2**-50)


def test_copies_have_plans_of_their_own():
    net = bp.Network([4, 5, 3], seed=0)
    x, t = np.random.default_rng(0).normal(size=(6, 4)), np.array([0, 1, 2, 0, 1, 2])
    net.train_step(x, t, bp.SGD(0.1))
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        before = {key: value.copy() for key, value in net.params.items()}
        twin.train_step(x, t, bp.SGD(0.1))
        assert not np.array_equal(twin.params["W1"], net.params["W1"])
        assert all(np.array_equal(net.params[key], before[key]) for key in before)


def test_an_array_that_may_overlap_what_is_read_is_written_last():
    net, layered = both([3, 3], dtype="float64", seed=0)
    x = np.random.default_rng(0).normal(size=(3, 3))
    expected = layered.predict(x)
    W = net.params["W1"]
    assert net.predict(x.copy(), out=W) is W
    assert np.array_equal(W, expected)
    W[...] = layered.params["W1"]
    assert net.predict(x, out=x) is x
    assert np.array_equal(x, expected)


def test_several_threads_of_python_may_predict_at_once():
    net = bp.Network([50, 64, 10], seed=0)
    x = np.random.default_rng(0).normal(size=(500, 50))
    expected, wrong = net.predict(x), []

    def work():
        wrong.extend(not np.array_equal(net.predict(x), expected) for _ in range(20))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(wrong) == 80
    assert not any(wrong)


def test_training_one_network_from_two_threads_raises():
    net = bp.Network([200, 300, 10], seed=0)
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(256, 200)).astype(np.float32), rng.integers(0, 10, 256)
    plan = net.plan_for(bp.SGD(0.1))
    indices = np.zeros((3000, 256), dtype=np.int64)
    first = threading.Thread(
        target=plan.train, args=(x, t, indices, bp.SGD(0.1).plan_update(), np.empty(3000), 1)
    )
    first.start()
    while not plan.training and first.is_alive():
        pass
    with pytest.raises(RuntimeError, match="this network is being trained by another thread"):
        net.train_step(x, t, bp.SGD(0.1))
    first.join()
    assert net.train_step(x, t, bp.SGD(0.1)) > 0


def test_how_many_steps_fit_into_a_pause():
    assert training.chunk_for(0.05, steps=100, took=0.04, last=100) == 125
    # It grows by twice at most, also where the last steps were the few up to the end of an epoch, and shrinks at once.
    assert training.chunk_for(0.05, steps=1, took=0.0001, last=1) == 2
    assert training.chunk_for(0.05, steps=7, took=0.0007, last=100) == 200
    assert training.chunk_for(0.05, steps=100, took=10, last=100) == 1


@pytest.mark.parametrize("make", [bp.LayerNorm, bp.RMSNorm])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_normalisation_of_the_inputs(dtype, make):
    """The first layer reads the rows of each batch where they are."""
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 17)).astype(dtype), rng.integers(0, 3, 50)
    nets = both([17, 24, 3], dtype=dtype, seed=0)
    for net in nets:
        net.layers.insert(0, "Norm0", make(17, dtype=dtype))
        net.layers.insert_after("Affine1", "Norm1", make(24, dtype=dtype))
        net.fit(x, t, epochs=2, batch_size=20, optimizer="adam", seed=0)
    assert [net.is_planned for net in nets] == [True, False]
    assert all(np.array_equal(nets[0].params[key], nets[1].params[key]) for key in nets[0].params)
