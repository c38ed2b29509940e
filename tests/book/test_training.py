"""How the book's networks train and infer, are copied and saved, and what they refuse."""

import copy
import pickle

import numpy as np
import pytest

import backprop as bp
from backprop.book import BatchNormalization, MultiLayerNetExtend
from tests.book.made import EXTENSIONS, KINDS, data, made, stirred
from tests.bounds import gamma


def statistics(net):
    return [
        layer.running_mean.copy() for layer in net.layers.values() if isinstance(layer, BatchNormalization)
    ]


def test_what_trains_is_what_is_told_to():
    x, t = data()
    net = made(MultiLayerNetExtend, use_batchnorm=True, use_dropout=True)
    for call in (
        lambda: net.predict(x, train_flg=True),
        lambda: net.predict(x, True),
        lambda: net.loss(x, t, train_flg=True),
        lambda: net.loss(x, t, True),
        lambda: net.gradient(x, t),
        lambda: net.train_step(x, t, bp.SGD(0.1)),
    ):
        before, state = statistics(net), np.random.get_state()[2]
        call()
        assert all((a != b).all() for a, b in zip(before, statistics(net), strict=True))
        assert np.random.get_state()[2] != state
    for call in (
        lambda: net.predict(x),
        lambda: net.predict(x, False),
        lambda: net.loss(x, t),
        lambda: net.accuracy(x, t),
        lambda: net.activations(x),
        lambda: net.numerical_gradient(x[:2], t[:2]),
    ):
        before, state = statistics(net), np.random.get_state()[2]
        call()
        assert all(np.array_equal(a, b) for a, b in zip(before, statistics(net), strict=True))
        assert np.random.get_state()[2] == state
    assert np.array_equal(net.predict(x), net.predict(x))
    assert net.accuracy(x, t) == (net.predict(x).argmax(axis=1) == t).mean()


def test_a_pass_that_fails_has_not_counted():
    x, t = data()
    net = made(MultiLayerNetExtend, use_batchnorm=True, use_dropout=True)
    before, state = statistics(net), np.random.get_state()
    with pytest.raises(ValueError, match="wanted a label from 0 to 3"):
        net.gradient(x, t + 1)
    assert all(np.array_equal(a, b) for a, b in zip(before, statistics(net), strict=True))
    assert np.array_equal(np.random.get_state()[1], state[1])
    assert np.random.get_state()[2] == state[2]


@pytest.mark.parametrize("options", [{}, *EXTENSIONS])
def test_the_same_seed_gives_the_same_network_after_training(options):
    x, t = data()

    def trained():
        net = made(MultiLayerNetExtend, **options)
        for _ in range(5):
            bp.Adam().update(net.params, net.gradient(x, t))
        return net.predict(x)

    assert np.array_equal(trained(), trained())


@pytest.mark.parametrize("kind", KINDS)
def test_a_plan_trains_where_there_is_no_penalty(kind):
    x, t = data(40)
    planned, layered = made(kind), made(kind)
    assert planned.is_planned
    assert planned.plan_for(bp.SGD(0.1)) is not None
    optimizer = bp.SGD(0.1)
    for _ in range(3):
        loss = layered.loss(x, t)
        optimizer.update(layered.params, layered.gradient(x, t))
        assert planned.train_step(x, t, optimizer) == loss
    for key, array in planned.params.items():
        assert np.array_equal(array, layered.params[key])
    decayed = made(kind, weight_decay_lambda=0.1)
    assert decayed.is_planned
    assert decayed.plan_for(optimizer) is None
    loss = decayed.loss(x, t)
    assert loss > made(kind).loss(x, t)
    assert decayed.train_step(x, t, optimizer) == loss
    twin = made(kind, weight_decay_lambda=0.1)
    optimizer.update(twin.params, twin.gradient(x, t))
    assert all(np.array_equal(decayed.params[key], twin.params[key]) for key in twin.params)


def test_fit_records_the_penalty():
    x, t = data(40)
    net = made(weight_decay_lambda=0.1)
    history = net.fit(x, t, epochs=1, batch_size=40, optimizer=bp.SGD(1e-9), validation=(x, t))
    assert history.loss[0] == pytest.approx(
        made(weight_decay_lambda=0.1).loss(x, t), rel=gamma(200, np.float64)
    )
    # A mean over blocks, of which there is one: times 40, and divided by it.
    assert history.validation_loss[0] == pytest.approx(net.loss(x, t), rel=gamma(2, np.float64))


@pytest.mark.parametrize("kind", KINDS)
def test_who_overrides_the_loss_means_it(kind):
    class Mine(kind):
        def loss(self, x, t, *rest):
            return 2 * super().loss(x, t, *rest)

    x, t = data()
    net = made(Mine)
    assert net.plan_for(bp.SGD(0.1)) is None
    assert net.train_step(x, t, bp.SGD(0.1)) == 2 * made(kind).loss(x, t)


def test_copies_and_files(tmp_path):
    x, t = data()
    net = stirred(made(MultiLayerNetExtend, weight_decay_lambda=0.2, use_dropout=True, use_batchnorm=True))
    net.gradient(x, t)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype(np.float64)):
        assert twin.weight_decay_lambda == 0.2
        assert twin.loss(x, t) == net.loss(x, t)
    single = net.astype(np.float32)
    assert single.gradient(x, t)["gamma1"].dtype == np.float32
    assert single.layers["BatchNorm1"].running_mean.dtype == np.float32
    with pytest.raises(
        TypeError, match=r"layers\['BatchNorm1'\] is a BatchNormalization, which has no name in files"
    ):
        net.save(tmp_path / "net.safetensors")
    net = made()
    net.save(tmp_path / "net.safetensors")
    assert np.array_equal(bp.Network.load(tmp_path / "net.safetensors").predict(x), net.predict(x))


# --- What they refuse -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"input_size": 0}, ValueError, "input_size is 0, wanted a whole number of at least 1"),
        ({"output_size": 2.5}, ValueError, "output_size is 2.5, wanted a whole number"),
        ({"hidden_size_list": 5}, TypeError, "hidden_size_list is 5, wanted a list of whole numbers"),
        (
            {"hidden_size_list": [5, True]},
            ValueError,
            r"hidden_size_list\[1\] is True, wanted a whole number",
        ),
        (
            {"weight_init_std": "hee"},
            ValueError,
            "weight_init_std is 'hee', wanted .* 'he'.*; did you mean 'he'",
        ),
        ({"weight_init_std": -1}, ValueError, "weight_init_std is -1, wanted a finite number"),
        ({"weight_init_std": None}, ValueError, "weight_init_std is None, wanted a finite number"),
        (
            {"weight_decay_lambda": -1},
            ValueError,
            "weight_decay_lambda is -1, wanted a finite number of at least 0",
        ),
        ({"dtype": int}, TypeError, "dtype is int64, wanted float32 or float64"),
    ],
    ids=range(9),
)
def test_arguments_that_are_wrong(kind, arguments, error, words):
    state = np.random.get_state()[1].copy()
    given = {"input_size": 6, "hidden_size_list": [5], "output_size": 4} | arguments
    with pytest.raises(error, match=f"^{kind.__name__}: {words}"):
        kind(**given)
    assert np.array_equal(np.random.get_state()[1], state), "nothing was drawn"


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (
            lambda net, x, t: net.predict(x, 1),
            ValueError,
            "^MultiLayerNetExtend.predict: train_flg is 1, wanted True",
        ),
        (
            lambda net, x, t: net.loss(x, t, 1),
            ValueError,
            "^MultiLayerNetExtend.loss: train_flg is 1, wanted True",
        ),
        (lambda net, x, t: net.predict(x[:, 1:]), ValueError, "x has 5 columns, the network has 6 inputs"),
        (
            lambda net, x, t: made(activation="rleu"),
            ValueError,
            "activation is 'rleu', wanted one of .* mean 'relu'",
        ),
        (lambda net, x, t: made(hiden_size_list=[2]), TypeError, "did you mean 'hidden_size_list'"),
        (
            lambda net, x, t: made(MultiLayerNetExtend, use_dropout=1),
            ValueError,
            "^MultiLayerNetExtend: use_dropout is 1",
        ),
        (
            lambda net, x, t: made(MultiLayerNetExtend, use_batchnorm=None),
            ValueError,
            "use_batchnorm is None, wanted True",
        ),
        (
            lambda net, x, t: made(MultiLayerNetExtend, dropout_ration=1),
            ValueError,
            "dropout_ration is 1, wanted a number",
        ),
        (
            lambda net, x, t: type(net).standardised(x, [6, 4]),
            TypeError,
            "^MultiLayerNetExtend.standardised: the book's",
        ),
        (lambda net, x, t: setattr(net, "input_size", 3), AttributeError, "input_size"),
    ],
    ids=range(10),
)
def test_calls_that_are_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call(made(MultiLayerNetExtend), *data())
