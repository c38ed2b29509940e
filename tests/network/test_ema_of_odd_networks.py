"""Moving averages of networks with shared weights, layers of one's own and callbacks that change them."""

import copy

import numpy as np
import pytest

import backprop as bp
from tests.network.test_bits import ByLayers

RNG = np.random.default_rng(7)
X, T = RNG.normal(size=(40, 6)).astype("f4"), RNG.integers(0, 3, 40)


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
def test_a_weight_that_two_layers_have_is_averaged_once(kind):
    nets = []
    for seed in (0, 1):
        net = kind([6, 6, 6, 3], "tanh", seed=seed)
        net.layers["Affine2"].W = net.layers["Affine1"].W
        nets.append(net)
    one, other = nets
    before, there = one.params["W1"].copy(), other.params["W1"].copy()
    one.blend(other, 0.5)
    # A difference, a product and a sum.
    bound = 4 * 2**-24 * (np.abs(before) + np.abs(there))
    assert (np.abs(one.params["W1"] - (before + there) / 2) <= bound).all()
    average, net = copy.deepcopy(other), copy.deepcopy(other)
    start = average.params["W1"].copy()
    net.fit(X, T, iterations=1, batch_size=40, optimizer=bp.SGD(0.5), seed=0, ema=average, ema_decay=0.5)
    bound = 4 * 2**-24 * (np.abs(start) + np.abs(net.params["W1"]))
    assert (np.abs(average.params["W1"] - (start + net.params["W1"]) / 2) <= bound).all()


def test_an_average_of_a_layer_that_no_pass_has_shown_is_refused():
    class Scale:
        def __init__(self):
            self.gamma = np.ones(8, "f4")

        def forward(self, x):
            self.x = x
            return x * self.gamma

        def backward(self, dout):
            self.dgamma = (dout * self.x).sum(axis=0)
            return dout * self.gamma

    net = bp.Network([6, 8, 3], "tanh", seed=0)
    net.layers.insert_after("Tanh1", "Own", Scale())
    before = net.params["W1"].copy()
    with pytest.raises(
        ValueError, match=r"fit: ema: no pass has shown yet whether gamma of layers\['Own'\] \(Scale\)"
    ):
        net.fit(X, T, epochs=1, seed=0, ema=copy.deepcopy(net))
    assert np.array_equal(net.params["W1"], before)
    net.gradient(X, T)
    average = copy.deepcopy(net)
    net.fit(X, T, epochs=1, seed=0, ema=average)
    assert list(average.params) == ["W1", "b1", "gamma1", "W2", "b2"]


def test_an_average_with_other_options_or_other_layers_later_on():
    net = bp.Network([6, 8, 3], bp.LeakyRelu(0.1), seed=0)
    for other in (
        bp.Network([6, 8, 3], bp.LeakyRelu(0.3), seed=0),
        bp.Network([6, 8, 3], bp.LeakyRelu(0.1), bp.SoftmaxWithLoss(0.1), seed=0),
    ):
        with pytest.raises(ValueError, match="ema is .*, wanted a copy"):
            net.fit(X, T, epochs=1, seed=0, ema=other)

    def insert(net, history):
        net.layers.insert_after("LeakyRelu1", "Norm", bp.LayerNorm(8))

    with pytest.raises(ValueError, match="fit: ema does not fit the network any more: the network has"):
        net.fit(X, T, epochs=2, batch_size=20, seed=0, ema=copy.deepcopy(net), callbacks=[insert])
    assert net.history.seconds > 0
    assert len(net.history.loss) == 3
