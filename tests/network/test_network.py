"""Networks: every attribute and method that section 0093 names, and what the general one adds."""

import copy
from collections import OrderedDict

import numpy as np
import pytest

import backprop as bp
from backprop.network.evaluation import BLOCK


@pytest.fixture
def net():
    return bp.Network([6, 5, 4, 3], dtype=np.float64, seed=1)


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(8, 6)), rng.integers(0, 3, 8)


def test_two_layer_net_has_what_the_notes_name():
    np.random.seed(7)
    net = bp.TwoLayerNet(input_size=6, hidden_size=5, output_size=3, weight_init_std=0.1)
    np.random.seed(7)
    W1, W2 = 0.1 * np.random.randn(6, 5), 0.1 * np.random.randn(5, 3)
    assert list(net.params) == ["W1", "b1", "W2", "b2"]
    assert np.array_equal(net.params["W1"], W1)
    assert np.array_equal(net.params["W2"], W2)
    assert np.array_equal(net.params["b1"], np.zeros(5))
    assert net.params["W1"].dtype == np.float64
    assert isinstance(net.layers, OrderedDict)
    assert list(net.layers) == ["Affine1", "Relu1", "Affine2"]
    assert isinstance(net.lastLayer, bp.SoftmaxWithLoss)


def test_predict_is_the_last_affine_layers_scores(net, batch):
    x, _ = batch
    a = np.maximum(x @ net.params["W1"] + net.params["b1"], 0)
    a = np.maximum(a @ net.params["W2"] + net.params["b2"], 0)
    scores = a @ net.params["W3"] + net.params["b3"]
    np.testing.assert_allclose(net.predict(x), scores, rtol=1e-13, atol=1e-13)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(net.predict_proba(x), e / e.sum(axis=1, keepdims=True), rtol=1e-12)


def test_predict_into_out(net, batch):
    x, _ = batch
    out = np.empty((8, 3))
    assert net.predict(x, out=out) is out
    assert np.array_equal(out, net.predict(x))
    for wrong in (np.empty((8, 2)), np.empty((8, 3), np.float32), [1.0]):
        with pytest.raises(ValueError, match=r"predict: out is .*, wanted an array of float64 \(8, 3\)"):
            net.predict(x, out=wrong)


def test_accuracy_in_blocks(net):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2 * BLOCK + 17, 6))
    t = rng.integers(0, 3, len(x))
    expected = np.mean(net.predict(x).argmax(axis=1) == t)
    assert net.accuracy(x, t) == expected
    assert net.accuracy(x, np.eye(3)[t]) == expected
    with pytest.raises(ValueError, match="accuracy: x has 0 rows, wanted at least 1"):
        net.accuracy(np.empty((0, 6)), np.empty(0, int))


def test_gradient_returns_the_layers_own_new_arrays(net, batch):
    first = net.gradient(*batch)
    second = net.gradient(*batch)
    assert list(first) == list(net.params)
    for key in first:
        assert np.array_equal(first[key], second[key])
        assert not np.shares_memory(first[key], second[key])
    assert second["W2"] is net.layers["Affine2"].dW
    assert second["b2"] is net.layers["Affine2"].db


def test_layers_and_predict_give_the_same_bits(net, batch):
    x, t = batch
    net.loss(x, t)
    scores = x
    for layer in net.layers.values():
        scores = layer.forward(scores)
    assert np.array_equal(scores, net.predict(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("data", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_a_network_computes_in_its_own_type(dtype, data):
    net = bp.Network([6, 5, 3], dtype=dtype, seed=0)
    x, t = np.random.default_rng(0).integers(0, 2, (4, 6)).astype(data), np.array([0, 1, 2, 0], np.uint8)
    assert net.predict(x).dtype == dtype
    assert all(gradient.dtype == dtype for gradient in net.gradient(x, t).values())
    assert np.array_equal(net.predict(x), net.predict(x.astype(dtype)))


def test_input_scaling_is_applied_everywhere(batch):
    x, t = batch
    plain = bp.Network([6, 5, 3], dtype=np.float64, seed=0)
    mean, scale = np.arange(6.0), 1 / np.arange(1.0, 7)
    scaled = bp.Network([6, 5, 3], dtype=np.float64, seed=0, input_mean=mean, input_scale=scale)
    ready = (x - mean) * scale
    assert np.array_equal(scaled.predict(x), plain.predict(ready))
    assert scaled.loss(x, t) == plain.loss(ready, t)
    assert scaled.accuracy(x, t) == plain.accuracy(ready, t)
    scaled.fit(x, t, epochs=2, batch_size=3, seed=0)
    plain.fit(ready, t, epochs=2, batch_size=3, seed=0)
    for key in plain.params:
        assert np.array_equal(scaled.params[key], plain.params[key])


def test_images_are_flattened_per_sample():
    net = bp.Network([12, 3], seed=0)
    x = np.random.default_rng(0).normal(size=(5, 3, 2, 2))
    assert np.array_equal(net.predict(x), net.predict(x.reshape(5, 12)))


def test_replacing_a_layer(net, batch):
    x, t = batch
    W, b = np.ones((5, 4)), np.zeros(4)
    net.layers["Affine2"] = bp.Affine(W, b)
    assert net.params["W2"] is W
    net.layers["Relu1"] = bp.Sigmoid()
    hidden = net.layers["Relu1"].forward(x @ net.params["W1"] + net.params["b1"])
    expected = np.maximum(hidden @ W + b, 0) @ net.params["W3"] + net.params["b3"]
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-12)
    assert np.abs(net.gradient(x, t)["W2"] - net.numerical_gradient(x, t)["W2"]).max() < 1e-7


class Double:
    """A user's own layer."""

    def forward(self, x):
        self.seen = x
        return 2 * x

    def backward(self, dout):
        return 2 * dout


def test_a_layer_of_the_users_own(net, batch):
    x, t = batch
    before = net.predict(x)
    net.layers["Double"] = Double()
    assert np.array_equal(net.predict(x), 2 * before)
    assert not hasattr(net.layers["Double"], "seen"), "predict leaves the layers' memory alone"
    gradient, numerical = net.gradient(x, t), net.numerical_gradient(x, t)
    assert all(np.abs(gradient[key] - numerical[key]).max() < 1e-7 for key in gradient)
    assert net.train_step(x, t, bp.SGD(0.01)) > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            dict(sizes=[784]),
            ValueError,
            r"Network: sizes is \[784\], wanted at least two whole numbers of 1 or more",
        ),
        (dict(sizes=[3, 0]), ValueError, r"Network: sizes is \[3, 0\]"),
        (dict(sizes=[3, 2.5]), ValueError, r"Network: sizes is \[3, 2.5\]"),
        (dict(sizes=784), TypeError, "Network: sizes is 784, wanted at least two whole numbers"),
        (
            dict(sizes=[3, 2], activation="prelu"),
            ValueError,
            "activation is 'prelu', wanted one of 'relu', 'sigmoid'",
        ),
        (dict(sizes=[3, 2], loss="mse"), ValueError, "loss is 'mse', wanted one of 'softmax'"),
        (dict(sizes=[3, 2], dtype=np.float16), TypeError, "dtype is float16, wanted float32 or float64"),
        (
            dict(sizes=[3, 2], input_scale=[1, 2]),
            ValueError,
            r"input_scale has shape \(2,\), wanted one .* or 3",
        ),
        (dict(sizes=[3, 2], input_mean=np.inf), ValueError, "input_mean is inf, wanted finite numbers"),
        (
            dict(sizes=[3, 2], input_mean=[0, 1, np.nan]),
            ValueError,
            r"input_mean\[2\] is nan, wanted finite numbers",
        ),
        (
            dict(sizes=[3, 2], input_scale=1e300),
            ValueError,
            r"input_scale is 1e\+300, wanted finite numbers of float32",
        ),
        (
            dict(sizes=[3, 2], input_scale=[1, np.inf, 2]),
            ValueError,
            r"input_scale\[1\] is inf, .*; Network.standardised does not scale constant columns",
        ),
        (dict(sizes=[3, 2], input_scale=1j), TypeError, "input_scale has dtype complex128"),
    ],
)
def test_arguments_that_make_no_network(arguments, error, message):
    with pytest.raises(error, match=message):
        bp.Network(**arguments)


def test_data_that_does_not_fit(net, batch):
    x, t = batch
    with pytest.raises(ValueError, match="Network: x has 5 columns, the network has 6 inputs"):
        net.predict(x[:, :5])
    with pytest.raises(ValueError, match=r"x has 1 dimension, wanted \(batch, features\); one sample is"):
        net.predict(x[0])
    with pytest.raises(ValueError, match=r"t\[0\] is 3, wanted a label from 0 to 2"):
        net.loss(x, t + 3)
    with pytest.raises(TypeError, match="t has one dimension and dtype float64, wanted integer labels"):
        net.loss(x, t.astype(float))
    with pytest.raises(ValueError, match="x has 8 rows, t has 7 labels"):
        net.loss(x, t[:7])


def test_train_step_returns_the_loss_before_the_update_and_clears_caches(net, batch):
    before = net.loss(*batch)
    assert net.train_step(*batch, bp.SGD(0.1)) == before
    assert net.loss(*batch) < before
    net.train_step(*batch, bp.SGD(0.1))
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        net.lastLayer.backward()
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        net.layers["Affine1"].backward(np.ones((8, 5)))


def test_train_step_asks_a_subclass_to_clear_its_cache(batch):
    class Own(bp.Network):
        asked = 0

        def clear_cache(self):
            self.asked += 1
            super().clear_cache()

    net = Own([6, 5, 4, 3], dtype=np.float64, seed=0)
    net.loss(*batch)
    net.train_step(*batch, bp.SGD(0.1))
    net.train_step(*batch, bp.SGD(0.1))
    assert net.asked == 2
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        net.lastLayer.backward()


def test_train_step_clears_the_cache_of_a_new_layer(net, batch):
    net.train_step(*batch, bp.SGD(0.1))
    net.layers["Affine1"] = bp.Affine(net.params["W1"], net.params["b1"])
    net.loss(*batch)
    net.train_step(*batch, bp.SGD(0.1))
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        net.layers["Affine1"].backward(np.ones((8, 5)))


def test_astype(net, batch):
    twin = net.astype(np.float32)
    assert twin.params["W1"].dtype == np.float32
    assert np.array_equal(twin.params["W1"], net.params["W1"].astype(np.float32))
    twin.params["W1"] += 1
    assert net.params["W1"].dtype == np.float64
    assert not np.array_equal(twin.predict(batch[0]), net.predict(batch[0]))


def test_repr(net):
    assert repr(net) == "Network([6, 5, 4, 3], activation='relu', loss='softmax', dtype=float64)"


def test_a_loss_that_fails_on_the_way_leaves_no_part_of_a_pass(net, batch):
    x, t = batch
    net.loss(x, t)
    with pytest.raises(ValueError, match=r"t\[0\] is 3"):
        net.loss(2 * x, t + 3)
    with pytest.raises(RuntimeError, match="there is no forward pass"):
        net.lastLayer.backward()


@pytest.mark.parametrize("dtype", [np.int32, np.float16, np.complex128, "S3"])
def test_types_that_no_network_has(net, dtype):
    with pytest.raises(TypeError, match="astype: dtype is .*, wanted float32 or float64"):
        net.astype(dtype)


class Turned(bp.Network):
    """A network whose lowest score wins."""

    def predict(self, x, out=None):
        return -super().predict(x, out)


def test_an_overridden_predict_is_the_one_that_is_judged(batch):
    net, (x, _) = Turned([6, 5, 3], seed=0), batch
    assert net.accuracy(x, net.predict(x).argmax(axis=1)) == 1


def test_a_last_layer_of_another_size(net, batch):
    x, t = batch
    net.layers["Affine3"] = bp.Affine(np.ones((4, 2)), np.zeros(2))
    assert net.predict(x).shape == net.predict(x.tolist()).shape == (8, 2)
    # A label that the network's sizes have and its layers have not: where it would point to is not the scores'.
    for learn in (lambda: net.fit(x, np.full(8, 2), epochs=1), lambda: net.train_step(x, t, bp.SGD(0.1))):
        with pytest.raises(ValueError, match="is 2, wanted a label from 0 to 1"):
            learn()


def test_arrays_that_do_not_begin_where_their_type_does(net, batch):
    def misaligned(array):
        other = np.frombuffer(bytearray(array.nbytes + 1), array.dtype, offset=1).reshape(array.shape)
        other[...] = array
        return other

    x, t = batch
    soft, twin = np.eye(3)[t], copy.deepcopy(net)
    out = misaligned(np.empty((8, 3)))
    assert net.predict(misaligned(x), out=out) is out
    assert np.array_equal(out, twin.predict(x))
    assert net.accuracy(misaligned(x), misaligned(t)) == twin.accuracy(x, t)
    for target in (t, soft):
        net.fit(misaligned(x), misaligned(target), epochs=1, seed=0)
        twin.fit(x, target, epochs=1, seed=0)
        assert net.train_step(misaligned(x), misaligned(target), bp.SGD(0.1)) == twin.train_step(
            x, target, bp.SGD(0.1)
        )
    assert all(np.array_equal(net.params[key], twin.params[key]) for key in net.params)


def test_boolean_labels_are_0_and_1():
    x = np.random.default_rng(0).normal(size=(20, 2))
    t = x[:, 0] > 0
    trained = {}
    for labels in (t, t.astype(int)):
        net = bp.Network([2, 3, 2], seed=0)
        losses = net.fit(x, labels, epochs=2, seed=0, validation=(x, labels)).loss
        results = [net.loss(x, labels), net.accuracy(x, labels), net.train_step(x, labels, bp.SGD(0.1))]
        trained[labels.dtype.kind] = losses + results + [net.params["W1"].tobytes()]
    assert trained["b"] == trained["i"]


@pytest.mark.parametrize("dtype", [object, str, np.longdouble])
def test_what_makes_numbers_of_an_array_is_said(dtype):
    net, x = bp.Network([2, 2], seed=0), np.ones((3, 2)).astype(dtype)
    if x.dtype == np.float64:  # where long double is double
        pytest.skip("this platform has no longer floating-point type")
    with pytest.raises(TypeError, match=r"x has dtype .*; x.astype\(float\) makes them that"):
        net.fit(x, np.zeros(3, int), epochs=1)
    assert np.array_equal(net.predict(x.astype(float)), net.predict(np.ones((3, 2))))
