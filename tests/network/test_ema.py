"""Moving averages of the weights inside `fit`: as `train_step` and `blend` in turn, bit for bit."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.layers.buffers import buffers_of
from backprop.training.averaging import checked_average
from backprop.training.sampling import Epochs
from backprop.training.step import train_batches
from tests.network.machine import Halve
from tests.network.test_bits import ByLayers
from tests.strategies import DTYPES

# 784-50 and the like are padded while a loop trains them; wide layers have threads share their columns.
SIZES = {"small": (6, 8, 5, 3), "padded": (130, 50, 3), "edges": (140, 51, 3), "wide": (20, 600, 530, 3)}


def problem(sizes="small", dtype="float32", cls=bp.Network, rows=60, **options):
    rng = np.random.default_rng(0)
    net = cls(SIZES[sizes], dtype=dtype, seed=0, **options)
    return net, rng.normal(size=(rows, SIZES[sizes][0])).astype(dtype), rng.integers(0, 3, rows)


def with_norms(net):
    """Batch normalisation of the inputs and of a hidden layer."""
    net.layers.insert(0, "Norm0", bp.BatchNorm(net.sizes[0], dtype=net.dtype))
    net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(net.sizes[1], dtype=net.dtype))
    return net


def state(net):
    return [array.tobytes() for array in (*net.params.values(), *buffers_of(net.layers).values())]


def by_hand(net, x, t, optimizer, decay, epochs, batch_size, seed):
    """The average of a network that is trained step by step."""
    average, bits = copy.deepcopy(net), np.random.PCG64(seed)
    sampler = Epochs(bits, len(x), batch_size)
    for group in sampler.take(epochs * -(-len(x) // batch_size)):
        for batch in group:
            net.train_step(x[batch], t[batch], optimizer)
            average.blend(net, 1 - decay)
    return average


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("cls", [bp.Network, ByLayers])
def test_fit_is_steps_and_blends_in_turn(cls, normalised, sizes, dtype):
    net, x, t = problem(sizes, dtype, cls, dropout=0.2)
    net = with_norms(net) if normalised else net
    ema, twin = copy.deepcopy(net), copy.deepcopy(net)
    arrays, before = dict(ema.params), state(ema)
    assert cls is ByLayers or net._plan().averages(ema._plan())
    net.fit(x, t, epochs=4, batch_size=8, optimizer=bp.Adam(0.01), seed=3, ema=ema, ema_decay=0.9)
    wanted = by_hand(twin, x, t, bp.Adam(0.01), 0.9, 4, 8, 3)
    assert state(net) == state(twin)
    assert state(ema) == state(wanted) != before
    assert all(ema.params[key] is array for key, array in arrays.items())
    assert np.array_equal(ema.predict(x), wanted.predict(x))


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("column_parts", [1, 2])
@pytest.mark.parametrize("sizes", ["padded", "wide"])
def test_threads_change_nothing(sizes, column_parts, threads):
    found = []
    for number, parts in ((1, 1), (threads, column_parts)):
        net, x, t = problem(sizes, rows=400)
        net = with_norms(net)
        ema, optimizer = copy.deepcopy(net), bp.Momentum(0.01)
        plan, other = net.plan_for(optimizer), ema._plan()
        indices = np.random.default_rng(1).integers(0, 400, (9, 300))
        state_of_rule = optimizer.state_for(plan, net.params)
        plan.train(
            x,
            t,
            indices,
            optimizer.plan_update(),
            np.empty(9),
            number,
            state_of_rule,
            parts,
            None,
            other,
            0.01,
        )
        found.append((state(net), state(ema)))
    assert found[0] == found[1]
    assert found[0][0] != found[0][1]


def test_the_network_trains_as_without_it():
    nets = [problem()[0] for _ in range(2)]
    _, x, t = problem()
    options = dict(epochs=3, batch_size=7, optimizer="adam", seed=0)
    histories = [nets[0].fit(x, t, **options), nets[1].fit(x, t, **options, ema=copy.deepcopy(nets[1]))]
    assert state(nets[0]) == state(nets[1])
    assert histories[0].loss == histories[1].loss
    assert histories[0].train_accuracy == histories[1].train_accuracy
    # A training without it forgets it.
    ema = copy.deepcopy(nets[0])
    nets[0].fit(x, t, **options, ema=ema)
    before = state(ema)
    nets[0].fit(x, t, **options)
    nets[0].train_step(x, t, bp.SGD(0.1))
    assert state(ema) == before


def test_the_decay_that_is_usual():
    nets, averages = [problem()[0] for _ in range(2)], []
    _, x, t = problem()
    for net, options in zip(nets, ({}, {"ema_decay": 0.999}), strict=True):
        averages.append(copy.deepcopy(net))
        net.fit(x, t, iterations=20, seed=0, ema=averages[-1], **options)
    assert state(averages[0]) == state(averages[1])
    net, ema = nets[0], averages[0]
    net.fit(x, t, iterations=3, seed=0, ema=ema, ema_decay=0)
    assert state(ema) == state(net)


def test_the_validation_data_is_evaluated_on_the_average():
    net, x, t = problem()
    ema, seen = copy.deepcopy(net), []

    def look(trained, history):
        assert trained is net
        seen.append((ema.loss(x, t), ema.accuracy(x, t), net.accuracy(x, t), net.loss(x, t)))

    history = net.fit(
        x, t, epochs=3, batch_size=7, optimizer="adam", seed=0, validation=(x, t), ema=ema, ema_decay=0.95,
        callbacks=[look], track_accuracy=True,
    )  # fmt: skip
    # `loss` and the mean of the evaluation round 60 losses of rows alike, or once more.
    assert np.allclose(history.validation_loss, [one[0] for one in seen], rtol=1e-6, atol=0)
    assert history.validation_accuracy == [one[1] for one in seen]
    assert history.train_accuracy == [one[2] for one in seen]
    assert not np.allclose(history.validation_loss, [one[3] for one in seen], rtol=1e-3, atol=0)


def test_early_stopping_on_the_average():
    net, x, t = problem()
    ema = copy.deepcopy(net)
    history = net.fit(
        x, t, epochs=50, batch_size=7, optimizer="adam", seed=0, validation=(x, t), ema=ema, ema_decay=0.5,
        callbacks=[lambda net, history: len(history.validation_loss) == 2],
    )  # fmt: skip
    twin = problem()[0]
    assert state(ema) == state(by_hand(twin, x, t, bp.Adam(), 0.5, 2, 7, 0))
    assert len(history.validation_loss) == 2


class Own(bp.SGD):
    """A user's rule."""

    def update(self, params, grads):
        super().update(params, {key: grad / 2 for key, grad in grads.items()})


class OwnStep(bp.Network):
    """A user's way of taking a step."""

    def train_step(self, x, t, optimizer):
        return super().train_step(x[::-1], t[::-1], optimizer)


@pytest.mark.parametrize(
    "kind", ["layers", "own rule", "own step", "average by layers", "average in Fortran's order"]
)
def test_where_no_plan_moves_it_along(kind):
    net, x, t = problem(cls=OwnStep if kind == "own step" else bp.Network)
    if kind == "layers":
        net.layers["Halve"] = Halve()
    ema, twin = copy.deepcopy(net), copy.deepcopy(net)
    make = Own if kind == "own rule" else bp.SGD
    if kind == "average in Fortran's order":
        ema.layers["Affine1"].W = np.asfortranarray(ema.params["W1"])
    if kind == "average by layers":
        ema.layers["Affine2"].forward = ema.layers["Affine2"].forward
    history = net.fit(x, t, epochs=2, batch_size=8, optimizer=make(0.1), seed=3, ema=ema, ema_decay=0.9)
    wanted = by_hand(twin, x, t, make(0.1), 0.9, 2, 8, 3)
    assert len(history.loss) == 16
    assert state(net) == state(twin)
    assert all(np.array_equal(ema.params[key], wanted.params[key]) for key in wanted.params)


def test_parameters_of_an_average_that_have_memory_in_common():
    net, x, t = problem()
    ema = copy.deepcopy(net)
    ema.layers["Affine3"].b = ema.params["b1"][:3]
    plan = net._plan()
    assert not plan.averages(ema._plan())
    with pytest.raises(ValueError, match="average cannot move along"):
        plan.train(
            x,
            t,
            np.zeros((2, 3), np.int64),
            bp.SGD(0.1).plan_update(),
            np.empty(2),
            average=ema._plan(),
            share=0.1,
        )
    before = state(net)
    for share in (-0.1, 0, 1.5, np.nan):
        with pytest.raises(ValueError, match=f"Plan: share is {share}"):
            plan.train(
                x, t, np.zeros((2, 3), np.int64), bp.SGD(0.1).plan_update(), np.empty(2),
                average=copy.deepcopy(net)._plan(), share=share,
            )  # fmt: skip
    assert state(net) == before
    assert not plan.training


@given(
    st.integers(1, 40),
    st.lists(st.integers(1, 70), min_size=2, max_size=4),
    st.floats(0, 0.9999),
    st.sampled_from(["float32", "float64"]),
    st.booleans(),
    st.integers(0, 99),
)
def test_any_shape(rows, sizes, decay, dtype, normalised, seed):
    rng = np.random.default_rng(seed)
    net = bp.Network(sizes, loss="squared_error", dtype=dtype, seed=seed)
    if normalised:
        net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(sizes[1], dtype=dtype))
    x, t = rng.normal(size=(rows, sizes[0])), rng.normal(size=(rows, sizes[-1]))
    ema, twin = copy.deepcopy(net), copy.deepcopy(net)
    net.fit(x, t, epochs=5, batch_size=7, optimizer=bp.SGD(0.01), seed=seed, ema=ema, ema_decay=decay)
    assert state(ema) == state(by_hand(twin, x, t, bp.SGD(0.01), decay, 5, 7, seed))


def test_data_that_is_the_average_itself():
    net, _, _ = problem()
    ema, twin = copy.deepcopy(net), copy.deepcopy(net)
    x, t = ema.params["W1"].T, np.arange(8) % 3
    before = x.copy()
    net.fit(x, t, epochs=3, seed=0, ema=ema, ema_decay=0.5)
    assert not np.array_equal(x, before)
    twin.fit(before, t, epochs=3, seed=0)
    assert state(net) == state(twin)


def test_another_thread_that_trains_the_average():
    net, x, t = problem()
    ema = copy.deepcopy(net)
    before = state(net), state(ema)
    ema._layers.trainer = -1
    with pytest.raises(RuntimeError, match="fit: ema: this network is being trained by another thread"):
        net.fit(x, t, epochs=1, ema=ema)
    assert (state(net), state(ema)) == before
    assert net._layers.trainer is None
    ema._layers.trainer = None
    net.fit(x, t, epochs=1, ema=ema)
    assert ema._layers.trainer is None


def test_a_step_that_was_taken_is_followed_once():
    net, x, t = problem()
    ema, losses = copy.deepcopy(net), []
    average = checked_average(net, ema, 0.5)
    train_batches(net, x, t, [np.arange(12).reshape(3, 4)], bp.SGD(0.1), losses, average=average)
    assert average.moves == len(losses) == 3
    before = state(ema)
    average.catch_up()
    assert state(ema) == before
    losses.append(0.5)  # what an interrupt leaves of a step behind which it comes
    average.catch_up()
    assert state(ema) != before
    assert average.moves == 4


def other(**options):
    return bp.Network([6, 8, 5, 3], **{"seed": 1, **options})


def frozen(net):
    ema = copy.deepcopy(net)
    ema.params["b2"].setflags(write=False)
    return ema


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (lambda net: {"ema_decay": 0.9}, ValueError, "ema_decay is 0.9, and ema is None; wanted the network"),
        (lambda net: {"ema": 0.999}, TypeError, r"ema is a float, wanted a network of its own: ema=copy\."),
        (lambda net: {"ema": True}, TypeError, "ema is a bool, wanted a network"),
        (lambda net: {"ema": bp.Network}, TypeError, "ema is the class Network, wanted a network"),
        (
            lambda net: {"ema": net},
            ValueError,
            "W1 shares memory with a parameter of ema, wanted another network",
        ),
        (
            lambda net: {"ema": other(dtype="float64")},
            ValueError,
            r"W1 of ema is float64 \(6, 8\), wanted float32",
        ),
        (lambda net: {"ema": bp.Network([6, 3])}, ValueError, "ema has the parameters W1, b1, wanted W1"),
        (
            lambda net: {"ema": other(activation="tanh")},
            ValueError,
            r"ema is Network\(.*'tanh'.*wanted a copy",
        ),
        (lambda net: {"ema": other(input_scale=2.0)}, ValueError, r"ema is Network\(.*wanted a copy"),
        (
            lambda net: {"ema": other(loss="squared_error")},
            ValueError,
            "ema is .*squared_error.*wanted a copy",
        ),
        (lambda net: {"ema": frozen(net)}, ValueError, "b2 of ema is read-only"),
        (
            lambda net: {"ema": other(), "ema_decay": 1},
            ValueError,
            "ema_decay is 1, wanted a number from 0 to below 1",
        ),
        (lambda net: {"ema": other(), "ema_decay": -0.1}, ValueError, "ema_decay is -0.1"),
        (lambda net: {"ema": other(), "ema_decay": "a"}, ValueError, "ema_decay is 'a'"),
        (
            lambda net: {"ema": other(), "optimizer": "lbfgs", "iterations": 2, "epochs": None},
            ValueError,
            "ema is .*optimizer='lbfgs' takes none",
        ),
        (
            lambda net: {"ema_decay": 0.9, "optimizer": "lbfgs", "iterations": 2, "epochs": None},
            ValueError,
            "ema_decay is 0.9, .*optimizer='lbfgs' takes none",
        ),
    ],
)
def test_what_is_refused(given, error, message):
    net, x, t = problem()
    before = state(net)
    with pytest.raises(error, match=f"^fit: {message}"):
        net.fit(x, t, **{"epochs": 1, **given(net)})
    assert state(net) == before
    assert net.history is None
