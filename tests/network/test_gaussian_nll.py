"""The Gaussian likelihood, whose networks have two outputs a target: what tests of every loss have for the others."""

import copy

import mpmath
import numpy as np
import pytest

import backprop as bp
from bpcore import kernels, plan
from tests.bounds import gamma
from tests.network.test_bits import ByLayers

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(60, 5)), RNG.normal(size=(60, 2))
WEIGHTS = RNG.uniform(0, 3, 60) * (np.arange(60) % 7 > 0)


def network(kind=bp.Network, dtype=np.float64, **options):
    return kind([5, 6, 4], "tanh", "gaussian_nll", dtype=dtype, seed=0, **options)


def state(net):
    return {key: array.tobytes() for key, array in net.params.items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("optimizer", [bp.SGD, lambda lr: bp.Adam(lr, clip_norm=1.0)])
@pytest.mark.parametrize("weighted", [False, True])
def test_plan_and_layers_give_the_same_bits(dtype, optimizer, weighted):
    nets = [network(bp.Network, dtype, dropout=0.2), network(ByLayers, dtype, dropout=0.2)]
    nets += [copy.deepcopy(nets[0]) for _ in range(3)]
    found, weights = [], {"sample_weight": WEIGHTS} if weighted else {}
    for net, threads in zip(nets, (1, 1, 2, 3, 7), strict=True):
        rule = optimizer(0.01)
        losses = [net.train_step(X.astype(dtype), T.astype(dtype), rule, **weights) for _ in range(2)]
        history = net.fit(
            X, T, epochs=2, batch_size=13, optimizer=rule, seed=1, threads=threads, validation=(X[:9], T[:9]),
            **weights,
        )  # fmt: skip
        found.append(
            (losses, history.loss, history.validation_loss, state(net), net.predict(X[:7]).tobytes())
        )
        assert net.is_planned == (type(net) is bp.Network)
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize("parts", [1, 2, 3])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_parts_of_columns_change_nothing(threads, parts):
    found = []
    for number, columns in ((1, 1), (threads, parts)):
        net = bp.Network([5, 600, 600, 6], loss="gaussian_nll", seed=0)
        rule, losses, t = bp.SGD(0.01), np.empty(3), RNG.normal(size=(60, 3)).astype(np.float32)
        t[...] = np.arange(180).reshape(60, 3) % 7 - 3
        net._plan().train(
            X.astype(np.float32),
            t,
            np.arange(60).reshape(3, 20),
            rule.plan_update(),
            losses,
            number,
            None,
            columns,
        )
        found.append((losses.tobytes(), state(net)))
    assert found[0] == found[1]


@pytest.mark.parametrize("weighted", [{}, {"sample_weight": WEIGHTS}])
@pytest.mark.parametrize("normalise", ["weights", "count"])
def test_gradients_by_differences(weighted, normalise):
    net = network()
    net.lastLayer = bp.GaussianNLL(0.1, normalise)
    grads, numerical = net.gradient(X, T, **weighted), net.numerical_gradient(X, T, **weighted)
    for key, grad in grads.items():
        # As in test_sample_weight.py: roundings of a loss below 10 over 2h, and h²/6 of a third derivative.
        assert np.abs(grad - numerical[key]).max() <= 1e3 * 2**-53 * 10 / 1e-5 + 1e-8, key
    bp.assert_gradients(bp.GaussianNLL(0.1, normalise), X[:, :4], T)


def test_the_loss_is_the_mean_of_the_rows():
    net = network()
    rows = np.array([net.loss(X[n : n + 1], T[n : n + 1]) for n in range(60)])
    for weights in (np.ones(60), WEIGHTS):
        expected = (weights * rows).sum() / weights.sum()
        bound = gamma(64, float) * np.abs(weights * rows).sum() / weights.sum()
        assert abs(net.loss(X, T, sample_weight=weights) - expected) <= bound


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_gradients_of_the_inputs(kind):
    net = network(kind)
    given, loss = net.input_gradient(X, T), bp.GaussianNLL()
    loss.forward(net.predict(X), T)
    assert np.array_equal(given, net.input_gradient(X, dout=loss.backward()))
    assert net.jacobian(X).shape == (60, 4, 5)


def exact(d, s, least):
    """The loss of one target and its gradients, of any size."""
    mpmath.mp.prec, (d, s, least) = 300, (mpmath.mpf(float(number)) for number in (d, s, least))
    v = mpmath.exp(s) + least
    return (mpmath.log(v) + d * d / v) / 2, d / v, (1 - d * d / v) * mpmath.exp(s) / v / 2


EXTREMES = [0.0, -0.0, 1.5, -700.0, 700.0, 1e4, -1e4, 5e-324, 2.0**-1030]


@pytest.mark.parametrize("least", [1e-6, 0.1, 1e-300, 1e3])
@pytest.mark.parametrize("s", EXTREMES)
def test_extreme_log_variances(s, least):
    for d in (0.0, 1.0, -2.5, 1e4, 5e-324):
        x, dx = np.array([[d + 1.0, s]]), np.empty((1, 2))
        loss = kernels.gaussian_nll(x, np.array([[1.0]]), least, dx)
        for found, wanted in zip((loss, *dx[0]), exact(x[0, 0] - 1.0, s, least), strict=True):
            # What the issue of the package promises of float64: 1e-12 and 1e-10, of numbers that have a type.
            if abs(wanted) > np.finfo(float).max:
                assert found == np.sign(float(np.sign(wanted))) * np.inf
            else:
                assert abs(found - float(wanted)) <= 1e-12 * max(1, abs(float(wanted)))


def test_infinities_and_nan_by_limits():
    dx = np.empty((1, 2))
    for s, wanted in ((np.inf, np.inf), (-np.inf, np.log(0.5) / 2 + 1.0)):
        assert np.isclose(
            kernels.gaussian_nll(np.array([[1.0, s]]), np.zeros((1, 1)), 0.5, dx), wanted, rtol=1e-15
        )
        assert dx.tolist() == ([[0.0, 0.5]] if s > 0 else [[2.0, 0.0]])
    assert kernels.gaussian_nll(np.array([[-np.inf, 0.0]]), np.zeros((1, 1)), 0.5, dx) == np.inf
    assert dx.tolist() == [[-np.inf, -np.inf]]
    for x in ([[np.nan, 0.0]], [[0.0, np.nan]]):
        assert np.isnan(kernels.gaussian_nll(np.array(x), np.zeros((1, 1)), 0.5, dx))
        assert np.isnan(dx).all()


def test_it_learns_how_sure_it_is():
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, size=(4000, 1))
    t = 2 * x + np.where(x > 0, 0.5, 0.1) * rng.normal(size=x.shape)
    net = bp.Network([1, 32, 2], "tanh", "gaussian_nll", seed=0)
    net.fit(x, t, epochs=60, batch_size=64, optimizer=bp.Adam(0.01), seed=0)
    mean, variance = net.lastLayer.mean_and_variance(net.predict(np.array([[-0.5], [0.5]])))
    # Six deviations of what some 2000 samples on each side say, of the mean and of the deviation.
    assert np.abs(mean[:, 0] - [-1, 1]).max() <= 6 * 0.5 / np.sqrt(100)
    assert np.abs(np.sqrt(variance[:, 0]) / [0.1, 0.5] - 1).max() <= 6 / np.sqrt(2 * 100)


def test_means_and_variances():
    loss = bp.GaussianNLL(0.5)
    mean, variance = loss.mean_and_variance([[1.0, 2.0, 0.0, -np.inf]])
    assert mean.tolist() == [[1.0, 2.0]]
    assert variance.tolist() == [[1.5, 0.5]]
    for wrong in ([1.0, 2.0], [[1.0, 2.0, 3.0]]):
        with pytest.raises(ValueError, match="GaussianNLL"):
            loss.mean_and_variance(wrong)


def test_targets_of_one_number_may_be_a_row():
    nets = [bp.Network([5, 2], loss="gaussian_nll", seed=0) for _ in range(2)]
    assert nets[0].train_step(X, T[:, 0], bp.SGD(0.1)) == nets[1].train_step(X, T[:, :1], bp.SGD(0.1))
    assert state(nets[0]) == state(nets[1])


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_what_does_not_fit_is_refused(kind):
    with pytest.raises(ValueError, match="GaussianNLL: 3 outputs, wanted an even number"):
        kind([5, 3], loss="gaussian_nll")
    net = network(kind)
    before = state(net)
    for t in (T[:, :1], np.zeros((60, 4)), np.zeros((60, 3)), np.zeros(60)):
        with pytest.raises(ValueError, match=r"t has shape .*, wanted \(60, 2\) numbers"):
            net.train_step(X, t, bp.SGD(0.1))
        with pytest.raises(ValueError, match=r"t has shape .*, wanted \(60, 2\) numbers"):
            net.fit(X, t, epochs=1, optimizer=bp.SGD(0.1))
    for wrong in (0, -1.0, np.inf, np.nan, "x"):
        with pytest.raises((ValueError, TypeError), match="min_variance"):
            bp.GaussianNLL(wrong)
    assert state(net) == before
    odd = kind([5, 3], loss="squared_error")
    odd.lastLayer = bp.GaussianNLL()
    with pytest.raises(ValueError, match="GaussianNLL: 3 outputs"):
        odd.train_step(X, T, bp.SGD(0.1))


def test_a_kernel_wants_twice_as_many_outputs():
    for outputs in (3, 5, 2):
        with pytest.raises(
            ValueError, match=f"t has 2 columns, x has {outputs} columns, wanted twice as many"
        ):
            kernels.gaussian_nll_forward(np.zeros((4, outputs)), np.zeros((4, 2)), 0.1)


def test_files_and_copies_keep_it(tmp_path):
    net = network()
    net.lastLayer = bp.GaussianNLL(0.25, "count")
    net.save(tmp_path / "net.safetensors")
    back = bp.Network.load(tmp_path / "net.safetensors")
    assert back.lastLayer.options() == {"min_variance": 0.25, "normalise": "count"}
    assert back.loss(X, T) == net.loss(X, T) == copy.deepcopy(net).loss(X, T)


@pytest.mark.parametrize("loss", [bp.GaussianNLL(), bp.SoftmaxWithLoss(class_weights=[1, 2])])
def test_a_loss_of_another_number_of_outputs_is_not_written(loss, tmp_path):
    net = bp.Network([4, 3], seed=0)
    net.lastLayer = loss
    with pytest.raises(
        TypeError, match=r"save: .*(3 outputs, wanted an even|class_weights has 2 numbers, wanted 3)"
    ):
        net.save(tmp_path / "net")
    assert not [*tmp_path.iterdir()]


def test_the_plan_knows_it():
    assert "gaussian_nll" in plan.LOSSES
    assert plan.LOSS_OPTIONS["gaussian_nll"] == "min_variance"
