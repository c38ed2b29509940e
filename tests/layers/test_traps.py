"""The traps of the book's code, each of which goes wrong there without a word."""

import numpy as np
import pytest

import backprop as bp


@pytest.fixture
def net():
    np.random.seed(3)
    return bp.TwoLayerNet(6, 5, 4, weight_init_std=1.0)


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    return rng.normal(size=(8, 6)), rng.integers(0, 4, 8)


def test_labels_of_shape_n_1(net, batch):
    x, t = batch
    for call in (net.loss, net.accuracy, net.gradient):
        with pytest.raises(
            ValueError, match=r"t has shape \(8, 1\), wanted \(8,\) labels or \(8, 4\) weights"
        ):
            call(x, t[:, None])


def test_soft_labels_train_on_the_loss_that_is_reported(net, batch):
    x, _ = batch
    t = np.random.default_rng(0).dirichlet(np.ones(4), 8)
    y = net.predict_proba(x)
    assert net.loss(x, t) == pytest.approx(-(t * np.log(y)).sum(axis=1).mean(), rel=1e-12)
    numerical, back = net.numerical_gradient(x, t), net.gradient(x, t)
    assert all(np.abs(numerical[key] - back[key]).max() < 1e-7 for key in back)


def test_a_confident_wrong_sample():
    layer = bp.SoftmaxWithLoss()
    x = np.array([[25.0, 0.0]])
    assert layer.forward(x, np.array([1])) == pytest.approx(25, rel=1e-10)
    numerical = bp.numerical_gradient(lambda _: layer.forward(x, np.array([1])), x)
    np.testing.assert_allclose(layer.backward(), numerical, atol=1e-8)
    assert layer.backward()[0, 1] == pytest.approx(-1, abs=1e-10)
    far = layer.forward(np.array([[1e4, 0.0]]), np.array([1]))
    assert far == 1e4


def test_a_target_of_zero_beside_an_infinite_score():
    loss = bp.SoftmaxWithLoss().forward(np.array([[0.0, 0.0, -np.inf]]), np.array([[0.5, 0.5, 0.0]]))
    assert loss == pytest.approx(np.log(2), rel=1e-15)


def test_dout_is_not_ignored(batch):
    x, t = batch
    layer = bp.SoftmaxWithLoss()
    layer.forward(x, t)
    assert np.array_equal(layer.backward(1024), 1024 * layer.backward(1))
    with pytest.raises(ValueError, match=r"dout has shape \(8,\), wanted a number"):
        layer.backward(np.ones(8))


def test_the_callers_dout_is_not_overwritten():
    relu = bp.Relu()
    relu.forward(np.array([-1.0, 1.0]))
    dout = np.array([5.0, 5.0])
    assert np.array_equal(relu.backward(dout), [0, 5])
    assert np.array_equal(dout, [5, 5])


def test_integer_input_to_numerical_gradient():
    with pytest.raises(TypeError, match="numerical_gradient: x has dtype int64, wanted float64"):
        bp.numerical_gradient(lambda x: (x**2).sum(), np.array([3, 4]))


def test_float32_input_to_numerical_gradient():
    with pytest.raises(TypeError, match="numerical_gradient: x has dtype float32, wanted float64"):
        bp.numerical_gradient(lambda x: (x**2).sum(), np.array([3, 4], dtype=np.float32))


def test_a_float32_network_is_checked_through_a_float64_twin(batch):
    x, t = batch
    net = bp.Network([6, 5, 4], activation="sigmoid", seed=1)
    numerical = net.numerical_gradient(x, t)
    back = net.gradient(x, t)
    for key, gradient in back.items():
        assert numerical[key].dtype == np.float64
        # float32: 8 rows of at most 6 terms and a softmax, some 40 roundings of numbers around 1
        assert np.abs(numerical[key] - gradient).max() <= 40 * 2**-24


def test_a_check_whose_gradients_are_all_zero_is_not_what_ours_are(net, batch):
    assert all(np.abs(gradient).max() > 0 for gradient in net.gradient(*batch).values())


def test_predict_between_loss_and_backward(net, batch):
    x, t = batch
    expected = {key: value.copy() for key, value in net.gradient(x, t).items()}
    net.loss(x, t)
    net.predict(np.ones((3, 6)))
    net.accuracy(np.ones((3, 6)), np.zeros(3, int))
    net.predict_proba(np.ones((3, 6)))
    dout = net.lastLayer.backward(1)
    for layer in reversed(net.layers.values()):
        dout = layer.backward(dout)
    for key, value in net.params.gradients().items():
        assert np.array_equal(value, expected[key])


def test_fractional_iterations_per_epoch(batch):
    # 20 rows in batches of 8: the book's `i % 2.5 == 0` would evaluate at every fifth step only.
    rng = np.random.default_rng(0)
    net = bp.Network([6, 5, 4], seed=0)
    history = net.fit(rng.normal(size=(20, 6)), rng.integers(0, 4, 20), iterations=7, batch_size=8, seed=0)
    assert history.evaluated_at == [2, 4, 6, 7]
    assert len(history.train_accuracy) == 4


def test_sigmoid_of_minus_1000():
    layer = bp.Sigmoid()
    assert np.array_equal(layer.forward(np.array([-1000.0, 1000.0])), [0, 1])
    assert np.array_equal(layer.backward(np.ones(2)), [0, 0])


@pytest.mark.parametrize("assign", [True, False])
def test_assigning_a_parameter_reaches_the_layer(net, batch, assign):
    x, t = batch
    before = net.loss(x, t)
    gradient = net.gradient(x, t)
    for key in ("W1", "b1", "W2", "b2"):
        if assign:
            net.params[key] = net.params[key] - 0.1 * gradient[key]
        else:
            net.params[key] -= 0.1 * gradient[key]
    assert net.layers["Affine1"].W is net.params["W1"]
    assert net.loss(x, t) < before
