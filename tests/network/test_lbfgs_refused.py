"""L-BFGS: networks, layers and arguments that it refuses, before anything changes."""

import sys

import numpy as np
import pytest

import backprop as bp
from tests.network.test_lbfgs import T, X, by_scipy, fitted, network

# --- Networks that are refused, and arguments -------------------------------------------------------------------


def test_dropout():
    net = network(dropout=0.2)
    before = net.get_flat_params()
    with pytest.raises(
        ValueError, match=r"fit: layers\['Dropout1'\] \(Dropout\(0.2, seed=.*\) draws other masks"
    ):
        fitted(net, 3)
    assert np.array_equal(net.get_flat_params(), before)
    net.layers["Dropout1"].rate = 0.0
    assert fitted(net, 3).loss == fitted(network(), 3).loss


class Scale:
    def __init__(self, units):
        self.gamma, self.dgamma = np.ones(units), np.zeros(units)

    def forward(self, x):
        self.x = x
        return x * self.gamma

    def backward(self, dout):
        self.dgamma = (dout * self.x).sum(axis=0)
        return dout * self.gamma


class Noise(Scale):
    def forward(self, x):
        return super().forward(x + np.random.normal(size=x.shape))


def test_layers_of_ones_own():
    net, twin = network(), network()
    for one in (net, twin):
        one.layers.insert_after("Affine1", "Scale1", Scale(7))
    history = fitted(net, 8)
    twin.gradient(X, T), twin.gradient(X, T)  # which show its parameters
    losses, points = by_scipy(twin, X, T, 8)
    assert history.loss == losses
    assert np.array_equal(net.get_flat_params(), points[-1])
    assert (net.layers["Scale1"].gamma != 1).all()


def test_a_layer_that_draws():
    net = network()
    net.layers.insert_after("Affine1", "Noise1", Noise(7))
    with pytest.raises(ValueError, match="fit: the same parameters and data have the loss .* and then"):
        fitted(net, 3)


def test_parameters_that_cannot_be_set():
    net = network()
    net.params["b1"].flags.writeable = False
    with pytest.raises(ValueError, match="b1 is read-only"):
        fitted(net, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            dict(epochs=3),
            "fit: epochs is 3, and optimizer='lbfgs' takes none: each iteration takes all of the data",
        ),
        (dict(iterations=3, epochs=3), "fit: epochs is 3, and optimizer='lbfgs' takes none"),
        (dict(iterations=3, batch_size=100), "fit: batch_size is 100, and optimizer='lbfgs' takes none"),
        (dict(iterations=3, seed=0), "fit: seed is 0, and optimizer='lbfgs' takes none"),
        ({}, "fit: iterations is None, wanted how many optimizer='lbfgs' takes at most"),
        (dict(iterations=0), "fit: iterations is 0, wanted a whole number of at least 1"),
        (dict(iterations=3, validation=(X, T[:5])), "fit: validation: x has 60 rows, t has 5 labels"),
    ],
)
def test_arguments(given, message):
    net = network()
    before = net.get_flat_params()
    with pytest.raises(ValueError, match=f"^{message}"):
        net.fit(X, T, optimizer="lbfgs", **given)
    assert np.array_equal(net.get_flat_params(), before)
    assert net.history is None


def test_names():
    assert fitted(network(), 2).loss == network().fit(X, T, iterations=2, optimizer="LBFGS").loss
    with pytest.raises(TypeError, match="train_step: optimizer is 'lbfgs', wanted an optimizer"):
        network().train_step(X, T, "lbfgs")
    with pytest.raises(
        AttributeError, match=r"it is a name: net.fit\(x, t, iterations=100, optimizer='lbfgs'\)"
    ):
        bp.LBFGS  # noqa: B018


def test_without_scipy(monkeypatch):
    net = network()
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    before = net.get_flat_params()
    with pytest.raises(
        ImportError, match=r"fit: optimizer='lbfgs' needs SciPy: pip install 'bpcore\[sklearn\]'"
    ):
        fitted(net, 3)
    assert np.array_equal(net.get_flat_params(), before)


def test_layers_that_keep_something_of_training_are_refused():
    class Centred:
        """What it subtracts otherwise is what it has last seen in training."""

        def __init__(self):
            self.mean = np.zeros(7)

        def forward(self, x, training=False):
            if training:
                self.mean = self.mean / 2 + x.mean(axis=0) / 2
                return x - x.mean(axis=0)
            return x - self.mean

        def backward(self, dout):
            return dout - dout.mean(axis=0)

    net = network()
    net.layers.insert_after("Affine1", "Centred1", Centred())
    before = net.get_flat_params()
    with pytest.raises(
        ValueError, match="after a pass in training the same parameters predict something else"
    ):
        fitted(net, 3)
    assert np.array_equal(net.get_flat_params(), before)
    assert not net.layers["Centred1"].mean.any()


def test_a_callback_that_raises_stop_iteration_is_an_error():
    def stop(net, history):
        raise StopIteration

    with pytest.raises(RuntimeError, match="a callback raised StopIteration"):
        fitted(network(), 3, callbacks=[stop])


def test_running_statistics_are_refused():
    net = network()
    net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(7, dtype=np.float64))
    before = net.get_flat_params()
    with pytest.raises(ValueError, match=r"running statistics \(layers.1.running_mean\)"):
        fitted(net, 3)
    assert np.array_equal(net.get_flat_params(), before)
