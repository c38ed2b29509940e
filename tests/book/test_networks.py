"""The book's networks against plain NumPy and numerical differentiation."""

import copy

import numpy as np
import pytest

import backprop as bp
from backprop.book import BatchNormalization, Dropout, MultiLayerNet, MultiLayerNetExtend
from tests.book.made import EXTENSIONS, KINDS, data, made, stirred
from tests.bounds import Bounded, gamma
from tests.network.by_hand import Model, close


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "variance"),
    [("relu", 2), ("He", 2), ("sigmoid", 1), ("XAVIER", 1), (0.01, None), (1, None), (np.float32(0.5), None)],
)
def test_weights_are_those_of_the_global_state(kind, given, variance):
    net = made(kind, weight_init_std=given)
    np.random.seed(1)
    sizes = [6, 8, 5, 4]
    for n in range(1, 4):
        std = float(given) if variance is None else np.sqrt(variance / sizes[n - 1])
        assert np.array_equal(net.params[f"W{n}"], std * np.random.randn(sizes[n - 1], sizes[n]))
        assert not net.params[f"b{n}"].any()
    assert net.dtype == np.float64


def test_names_and_sizes_are_the_books():
    net = made(MultiLayerNetExtend, use_dropout=True, use_batchnorm=True, weight_decay_lambda=0.5)
    inside = [
        f"{name}{n}" for n in (1, 2) for name in ("Affine", "BatchNorm", "Activation_function", "Dropout")
    ]
    assert list(net.layers) == [*inside, "Affine3"]
    names = [f"{name}{n}" for n in (1, 2) for name in ("W", "b", "gamma", "beta")]
    assert list(net.params) == [*names, "W3", "b3"]
    assert (net.input_size, net.hidden_size_list, net.hidden_layer_num, net.output_size) == (6, [8, 5], 2, 4)
    assert isinstance(net.last_layer, bp.SoftmaxWithLoss)
    net.last_layer = loss = bp.SoftmaxWithLoss()
    assert net.lastLayer is loss
    assert list(made().layers) == [
        "Affine1",
        "Activation_function1",
        "Affine2",
        "Activation_function2",
        "Affine3",
    ]
    assert isinstance(made(activation="sigmoid").layers["Activation_function2"], bp.Sigmoid)
    assert list(made(MultiLayerNetExtend, ()).layers) == ["Affine1"]


# --- What they compute ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("strength", [0, 0.3])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_loss_and_gradient_beside_plain_numpy(kind, strength, activation, dtype):
    x, t = data()
    net = stirred(made(kind, activation=activation, weight_decay_lambda=strength, dtype=dtype))
    model = Model(net.params, 2 * [activation], "softmax", dtype)
    loss, gradients = model.loss_and_gradient(x.astype(dtype), t)
    weights = {key: net.params[key].astype(np.float64) for key in ("W1", "W2", "W3")}
    penalty = 0.5 * strength * sum((W**2).sum() for W in weights.values())
    terms = sum(W.size for W in weights.values()) + 3
    loss = Bounded(loss.v + penalty, loss.e + gamma(terms, np.float64) * penalty)
    for key, W in weights.items():
        before = gradients[key]
        decay = Bounded(strength * W, gamma(2, dtype) * strength * np.abs(W))
        off = before.e + decay.e + gamma(1, dtype) * (before.most + decay.most)
        gradients[key] = Bounded(before.v + decay.v, off)
    assert close(net.loss(x, t), loss)
    assert close(net.loss(x, np.eye(4)[t]), loss)
    grads = net.gradient(x, t)
    assert list(grads) == list(net.params)
    for key, wanted in gradients.items():
        assert grads[key].dtype == dtype
        assert close(grads[key], wanted), key
    assert close(net.predict(x), model.scores(x.astype(dtype)))


@pytest.mark.parametrize("options", EXTENSIONS)
def test_an_extended_network_is_its_layers_one_after_the_other(options):
    x, t = data()
    net = stirred(made(MultiLayerNetExtend, weight_decay_lambda=0.1, **options))
    twin = copy.deepcopy(net)
    np.random.seed(4)
    flowing = x
    for layer in twin.layers.values():
        told = isinstance(layer, (BatchNormalization, Dropout))
        flowing = layer.forward(flowing, True) if told else layer.forward(flowing)
    loss = twin.last_layer.forward(flowing, t)
    dout = twin.last_layer.backward(1)
    for layer in reversed(twin.layers.values()):
        dout = layer.backward(dout)
    np.random.seed(4)
    grads = net.gradient(x, t)
    for key, (layer, name) in twin.params.places().items():
        wanted = getattr(layer, f"d{name}")
        wanted = wanted + 0.1 * net.params[key] if name == "W" else wanted
        assert np.array_equal(grads[key], wanted), key
    for key, layer in net.layers.items():
        if isinstance(layer, BatchNormalization):
            assert np.array_equal(layer.running_var, twin.layers[key].running_var)
    np.random.seed(4)
    penalty = 0.05 * sum(float((net.params[f"W{n}"] ** 2).sum()) for n in (1, 2, 3))
    assert net.loss(x, t, train_flg=True) == pytest.approx(loss + penalty, rel=gamma(120, np.float64))


@pytest.mark.parametrize("strength", [0, 0.3])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("options", [None, *EXTENSIONS])
def test_gradients_are_those_of_the_loss(strength, activation, options):
    x, t = data()
    options = {"activation": activation, "weight_decay_lambda": strength} | (options or {})
    net = stirred(made(MultiLayerNetExtend if len(options) > 2 else MultiLayerNet, **options))
    bp.assert_gradients(net, x, t)


@pytest.mark.parametrize("options", EXTENSIONS)
def test_the_numerical_gradient_is_that_of_the_next_gradient(options):
    x, t = data()
    net = stirred(made(MultiLayerNetExtend, weight_decay_lambda=0.1, **options))
    net.gradient(x, t)
    running = [copy.deepcopy(vars(layer)) for layer in net.layers.values()]
    numerical = net.numerical_gradient(x, t)
    for layer, before in zip(net.layers.values(), running, strict=True):
        for name in ("running_mean", "running_var"):
            assert np.array_equal(vars(layer).get(name), before.get(name))
    grads = net.gradient(x, t)
    assert list(numerical) == list(grads)
    for key, gradient in grads.items():
        # Roundings of a loss below 10, of some hundred terms, divided by the step, 1e-5; h²/6 of a third derivative.
        assert np.abs(numerical[key] - gradient).max() <= 10 * gamma(300, np.float64) / 1e-5, key


def test_a_penalty_can_be_changed_and_is_of_weights_alone():
    x, t = data()
    net = stirred(made(MultiLayerNetExtend, use_batchnorm=True))
    plain, before = net.loss(x, t, train_flg=True), net.gradient(x, t)
    net.weight_decay_lambda = 2
    grads = net.gradient(x, t)
    for key, gradient in grads.items():
        wanted = before[key] + 2 * net.params[key] if key.startswith("W") else before[key]
        assert np.array_equal(gradient, wanted), key
    assert net.loss(x, t, train_flg=True) > plain
    for wrong in (-1, "0.1", float("nan"), True):
        with pytest.raises(
            ValueError, match=f"^MultiLayerNetExtend: weight_decay_lambda is {wrong!r}, wanted"
        ):
            net.weight_decay_lambda = wrong
    assert net.weight_decay_lambda == 2


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_samples_leave_the_penalty_alone(kind):
    x, t = data()
    weights = np.arange(len(x)) % 3 + 0.5
    net, plain = stirred(made(kind, weight_decay_lambda=0.3)), stirred(made(kind))
    penalty = 0.15 * sum(float(np.square(W).sum()) for key, W in net.params.items() if key.startswith("W"))
    weighted = plain.loss(x, t, sample_weight=weights) + penalty
    assert abs(net.loss(x, t, sample_weight=weights) - weighted) <= gamma(4, np.float64) * weighted
    grads = plain.gradient(x, t, sample_weight=weights)
    for key, gradient in net.gradient(x, t, sample_weight=weights).items():
        wanted = grads[key] + 0.3 * net.params[key] if key.startswith("W") else grads[key]
        assert np.array_equal(gradient, wanted), key


def test_blending_moves_running_statistics():
    x, t = data()
    net, target = made(MultiLayerNetExtend, use_batchnorm=True), made(MultiLayerNetExtend, use_batchnorm=True)
    net.fit(x, t, epochs=2, seed=0)
    target.blend(net, 1.0)
    assert np.array_equal(target.predict(x), net.predict(x))
