"""Targets in another unit than the loss: what is learned, what `predict` answers, and that every way gives the same."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop.layers.base import LOSSES
from backprop.layers.row_losses import LossOfScaledNumbers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(53, 5)).astype(np.float32)
T = (RNG.normal(size=(53, 2)) * [3, 50] + [100, -7]).astype(np.float32)
MEAN, SCALE = [100.0, -7.0], [1 / 3, 1 / 50]
KINDS = [kind for kind, cls in LOSSES.items() if issubclass(cls, LossOfScaledNumbers)]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
EACH = pytest.mark.parametrize("kind", KINDS)


class Same:
    """A layer that no plan knows."""

    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


def network(kind, dtype="float32", scaled=True, ways="plan"):
    given = dict(target_mean=MEAN, target_scale=SCALE) if scaled else {}
    net = bp.Network([5, 8, 2], loss=kind, dtype=dtype, seed=0, **given)
    if ways == "segments":
        net.layers.insert_after("Relu1", "Same1", Same())
    if ways == "layers":
        net.__class__ = Own
    return net


class Own(bp.Network):
    def gradient(self, x, t, **weights):
        return super().gradient(x, t, **weights)


def made(t, dtype):
    """What is trained on: slope·t + rest in float64, of t in the network's type."""
    slope = np.array(SCALE)
    return (slope * t.astype(dtype).astype(np.float64) + -np.multiply(MEAN, slope)).astype(dtype)


def bits(net):
    return net.get_flat_params().tobytes()


@EACH
@DTYPES
@pytest.mark.parametrize("ways", ["plan", "segments", "layers"])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_is_the_network_of_scaled_targets(kind, dtype, ways, weighted):
    scaled, plain = network(kind, dtype, ways=ways), network(kind, dtype, scaled=False)
    weights = np.linspace(0.5, 1.5, len(X)) if weighted else None
    options = dict(epochs=3, batch_size=10, seed=0, optimizer="adam", sample_weight=weights)
    one = scaled.fit(X, T, validation=(X, T), **options)
    other = plain.fit(X, made(T, dtype), validation=(X, made(T, dtype)), **options)
    assert bits(scaled) == bits(plain)
    assert one.loss == other.loss
    assert one.validation_loss == other.validation_loss
    assert scaled.loss(X, T, sample_weight=weights) == plain.loss(X, made(T, dtype), sample_weight=weights)
    for net in (scaled, plain):
        assert net.is_planned is (net is plain or ways != "segments")
    for key, grad in scaled.gradient(X, T).items():
        assert grad.tobytes() == plain.gradient(X, made(T, dtype))[key].tobytes()
    assert scaled.train_step(X, T, bp.SGD(0.1)) == plain.train_step(X, made(T, dtype), bp.SGD(0.1))
    assert bits(scaled) == bits(plain)
    assert scaled.input_gradient(X, T).tobytes() == plain.input_gradient(X, made(T, dtype)).tobytes()


@EACH
@DTYPES
@pytest.mark.parametrize("ways", ["plan", "segments"])
def test_what_is_predicted_is_in_the_unit_of_the_targets(kind, dtype, ways):
    scaled, plain = network(kind, dtype, ways=ways), network(kind, dtype, scaled=False, ways=ways)
    y = plain.predict(X)
    wanted = (y / np.array(SCALE) + np.array(MEAN)).astype(dtype)
    out = np.empty_like(wanted)
    assert scaled.predict(X).tobytes() == wanted.tobytes()
    assert scaled.predict(X.tolist()).shape == wanted.shape
    assert scaled.predict(X, out=out) is out
    assert out.tobytes() == wanted.tobytes()
    assert scaled.forward(X).tobytes() == y.tobytes()
    unit = (1 / np.array(SCALE)).astype(dtype)
    assert scaled.jacobian(X).tobytes() == (plain.jacobian(X) * unit[:, np.newaxis]).tobytes()
    dout = RNG.normal(size=y.shape)
    seeds = dout.astype(dtype) * unit
    assert scaled.input_gradient(X, dout=dout).tobytes() == plain.input_gradient(X, dout=seeds).tobytes()


@EACH
def test_gradients_are_those_of_the_loss(kind):
    net = bp.Network(
        [5, 8, 2], "tanh", loss=kind, dtype="float64", seed=0, target_mean=MEAN, target_scale=SCALE
    )
    assert bp.check_gradients(net, X[:8], T[:8]).passed


@EACH
def test_it_is_saved_copied_and_converted(kind, tmp_path):
    net = network(kind)
    net.fit(X, T, epochs=1, seed=0)
    net.save(tmp_path / "net.safetensors")
    for twin in (bp.Network.load(tmp_path / "net.safetensors"), copy.deepcopy(net)):
        assert twin.predict(X).tobytes() == net.predict(X).tobytes()
        assert (twin.target_mean, twin.target_scale) == (tuple(MEAN), tuple(SCALE))
        assert twin.loss(X, T) == net.loss(X, T)
        assert repr(twin.lastLayer) == repr(net.lastLayer)
    wide = net.astype("float64")
    # Rounding to float32 of eight products, and of the result.
    bound = 2.0**-24 * (10 * np.abs(wide.predict(X) - MEAN) + 10 * np.array([30.0, 500.0]) + np.abs(MEAN))
    assert (np.abs(wide.predict(X) - net.predict(X)) <= bound).all()


def test_networks_without_are_saved_as_before(tmp_path):
    for kind in KINDS:
        net = network(kind, scaled=False)
        assert "target_mean" not in str(net.spec.loss.options)
        assert (net.target_mean, net.target_scale) == (0.0, 1.0)


def test_it_may_be_assigned_and_changed_between_steps():
    net, other = network("huber", scaled=False), network("huber")
    net.fit(X, T, epochs=1, seed=0)
    other.params["W1"][...] = 0
    net.params["W1"][...] = 0
    for key in net.params:
        other.params[key][...] = net.params[key]
    assert net.loss(X, T) != other.loss(X, T)
    net.target_mean, net.target_scale = MEAN, SCALE
    assert net.loss(X, T) == other.loss(X, T)
    assert net.predict(X).tobytes() == other.predict(X).tobytes()
    for one in (net, other):
        one.fit(X, T, epochs=1, seed=1)
    assert bits(net) == bits(other)
    net.lastLayer.target_scale = 1.0
    net.lastLayer.target_mean = 0.0
    assert net.loss(X, T) != other.loss(X, T)


def test_a_moving_average_and_early_stopping():
    net = bp.Network.standardised(X, [5, 8, 2], T, loss="squared_error", seed=0)
    average = copy.deepcopy(net)
    history = net.fit(
        X,
        T,
        epochs=30,
        optimizer="adam",
        validation_fraction=0.2,
        early_stopping=5,
        ema=average,
        metrics=["rmse", "mae"],
        seed=0,
    )
    assert average.target_scale == net.target_scale
    # Metrics are in the targets' unit.
    assert history.others[0]["validation_rmse"] > 10
    assert history.validation_loss[0] < 5


def test_lbfgs():
    pytest.importorskip("scipy")
    scaled, plain = network("squared_error", "float64"), network("squared_error", "float64", scaled=False)
    scaled.fit(X, T, iterations=10, optimizer="lbfgs")
    plain.fit(X, made(T, "float64"), iterations=10, optimizer="lbfgs")
    assert bits(scaled) == bits(plain)


def test_standardised_takes_both_from_data():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 3)) * [1, 100, 0.01] + [5, -300, 0]
    t = 1e4 + 500 * np.sin(x[:, 0]) + x[:, 1]
    net = bp.Network.standardised(x, [3, 16, 1], t, loss="squared_error", seed=0)
    assert net.target_mean == (pytest.approx(t.mean(), rel=1e-15),)
    assert net.target_scale == (pytest.approx(1 / t.std(), rel=1e-12),)
    net.fit(x, t, epochs=100, batch_size=20, optimizer=bp.Adam(0.01), seed=0)
    residual = t - net.predict(x)[:, 0]
    assert residual.var() < 0.05 * t.var()
    # A constant column is shifted; counts and variances are taken as they are.
    both = np.stack([t, np.full_like(t, 3.0)], axis=1)
    assert bp.Network.standardised(x, [3, 4, 2], both, loss="huber", seed=0).target_scale[1] == 1.0
    assert bp.Network.standardised(x, [3, 4, 2], np.abs(both), loss="poisson", seed=0).target_scale == 1.0


def test_standardised_refuses_targets_whose_digits_are_lost():
    t = 1.7e9 + np.arange(53)
    with pytest.raises(
        ValueError, match=r"t reaches 1.7e\+09 and has the deviation .*; wanted dtype='float64'"
    ):
        bp.Network.standardised(X, [5, 1], t, loss="squared_error")
    net = bp.Network.standardised(X, [5, 1], t, loss="squared_error", dtype="float64")
    assert net.target_mean == (1.7e9 + 26,)
    with pytest.raises(ValueError, match=r"Network.standardised: t\[3, 0\] is nan, wanted finite numbers"):
        bp.Network.standardised(X, [5, 1], np.where(np.arange(53) == 3, np.nan, 1.0), loss="squared_error")


@given(mean=st.floats(-1e6, 1e6), scale=st.floats(1e-6, 1e6))
def test_units_and_back(mean, scale):
    loss = bp.IdentityWithLoss(target_mean=mean, target_scale=scale)
    y = loss.in_units_of_targets(np.array([[0.0, 1.0, -3.5]]))
    wanted = mean + np.array([0.0, 1.0, -3.5]) / scale
    assert (np.abs(y - wanted) <= 2.0**-51 * (abs(mean) + 4 / scale)).all()
    loss.forward(np.zeros((1, 3)), y)
    assert (np.abs(loss.targets - [0.0, 1.0, -3.5]) <= 2.0**-50 * (4 + abs(mean) * scale)).all()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            dict(loss="softmax", target_mean=1.0),
            "Network: target_mean is 1.0, and loss='softmax' does not scale targets; ",
        ),
        (dict(loss="poisson", target_scale=2.0), "loss='poisson' does not scale targets; squared_error, "),
        (dict(loss="gaussian_nll", target_scale=2.0), "loss='gaussian_nll' does not scale"),
        (dict(loss="squared_error", target_scale=0.0), "target_scale is 0.0, wanted"),
        (dict(loss="squared_error", target_scale=[1.0, -2.0]), r"target_scale\[1\] is -2.0, wanted"),
        (dict(loss="squared_error", target_mean=[1.0, np.nan]), r"target_mean\[1\] is nan, wanted"),
        (dict(loss="squared_error", target_mean=[1.0]), "target_mean has 1 numbers, wanted 2, one an output"),
        (
            dict(loss="squared_error", target_mean=[[1.0, 2.0]]),
            r"target_mean has shape \(1, 2\), wanted a number",
        ),
    ],
)
def test_what_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        bp.Network([5, 8, 2], seed=0, **given)
    net = network("huber")
    if given["loss"] == "squared_error":
        name = next(one for one in given if one != "loss")
        with pytest.raises(ValueError, match=words.replace("Network: ", "")):
            setattr(net, name, given[name])
        assert (net.target_mean, net.target_scale) == (tuple(MEAN), tuple(SCALE))


def test_one_scale_and_one_an_output_are_the_same():
    nets = [
        bp.Network([5, 2], loss="huber", target_mean=m, target_scale=s, seed=0)
        for m, s in ((3.0, 0.3), ([3.0] * 2, [0.3] * 2))
    ]
    assert nets[0].predict(X).tobytes() == nets[1].predict(X).tobytes()


def test_what_is_given_beside_targets():
    for options in (dict(target_mean=1.0, loss="huber"), dict(loss=bp.Huber(target_scale=2.0))):
        with pytest.raises(TypeError, match="wanted one of the two"):
            bp.Network.standardised(X, [5, 2], T, **options)
    with pytest.raises(ValueError, match="target_mean·target_scale is -inf, wanted finite numbers"):
        bp.Network([5, 2], loss="huber", target_mean=1e300, target_scale=1e300)
