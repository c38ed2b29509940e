"""Files of format 2: networks of any registered layers come back."""

import os

import numpy as np
import pytest
from safetensors.numpy import load_file

import backprop as bp
from backprop.layers import base
from backprop.layers.base import LAYERS
from backprop.layers.elementwise import activations
from tests.network.users_classes import registered, scaled  # noqa: F401  # `registered` is a fixture of each test
from tests.registry import LOSSES

X = np.random.default_rng(0).normal(size=(5, 4))


def affine(inputs, outputs, dtype=np.float32):
    rng = np.random.default_rng(inputs + 10 * outputs)
    return bp.Affine(rng.normal(size=(inputs, outputs)).astype(dtype), rng.normal(size=outputs).astype(dtype))


def change(net, **layers):
    net.layers.update(layers)
    return net


def inserted(net, *layers):
    """The network with all of its layers replaced by these, each under its class's name and place."""
    net.layers.clear()
    for n, layer in enumerate(layers, start=1):
        net.layers[f"{type(layer).__name__}{n}"] = layer
    return net


def network(**options):
    return bp.Network([4, 6, 5, 3], **{"seed": 0, **options})


class Alike(bp.Affine):
    """Which is saved as what it is."""


NETWORKS = {
    "mixed": lambda: network(activation=["tanh", "relu"]),
    "each": lambda: bp.Network([4] * (len(activations()) + 2), activation=list(activations()), seed=0),
    "float64": lambda: network(activation=["sigmoid", bp.Tanh], dtype=np.float64, input_mean=np.arange(4.0)),
    "replaced": lambda: change(network(), Relu1=bp.Sigmoid(), Affine2=affine(6, 7), Affine3=affine(7, 2)),
    "two affine": lambda: inserted(network(), affine(4, 8), affine(8, 3)),
    "activation first": lambda: inserted(network(), bp.Tanh(), affine(4, 3)),
    "activation last": lambda: inserted(network(), affine(4, 3), bp.Sigmoid()),
    "two activations": lambda: inserted(network(), affine(4, 6), bp.Relu(), bp.Tanh(), affine(6, 3)),
    "no hidden layer": lambda: bp.Network([4, 3], seed=0),
    "subclass": lambda: change(network(), Affine2=Alike(affine(6, 5).W, affine(6, 5).b)),
}


def numbers_of(loss, scores):
    """Targets for the scores, as the loss takes them."""
    return scores.clip(*getattr(loss, "target_range", (None, None)))


def assert_same(back, net):
    assert type(back) is bp.Network
    assert repr(back) == repr(net)
    assert list(back.layers) == list(net.layers)
    assert back.spec.layers == net.spec.layers
    assert back.spec.loss == net.spec.loss
    assert list(back.params) == list(net.params)
    x = X.astype(net.dtype)
    assert np.array_equal(back.predict(x), net.predict(x))
    scores = back.predict(x)
    t = scores.argmax(axis=1) if net.lastLayer.classifies else numbers_of(net.lastLayer, scores)
    one, other = back.gradient(x, t), net.gradient(x, t)
    assert all(np.array_equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NETWORKS)
def test_any_network_of_our_layers_comes_back(name, loss, tmp_path):
    net = NETWORKS[name]()
    net.lastLayer = LOSSES[loss]()
    net.save(tmp_path / "net")
    back = bp.Network.load(tmp_path / "net")
    assert_same(back, net)
    assert back.is_planned == net.is_planned
    back.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "net").read_bytes()


def test_a_users_layer_with_parameters_and_options(tmp_path):
    Scaled = scaled()
    net = inserted(bp.Network([4, 6, 3]), affine(4, 6), Scaled(6, 0.5), bp.Relu(), affine(6, 3))
    assert list(net.params) == ["W1", "b1", "gamma1", "W2", "b2"]
    net.fit(X, np.arange(5) % 3, epochs=3, seed=0)
    net.save(tmp_path / "net.safetensors")
    back = bp.Network.load(tmp_path / "net.safetensors")
    assert_same(back, net)
    layer = back.layers["Scaled2"]
    assert (type(layer), layer.power) == (Scaled, 0.5)
    assert np.array_equal(layer.gamma, net.params["gamma1"])
    assert load_file(tmp_path / "net.safetensors")["gamma1"].shape == (6,)
    for one in (net, back):
        one.fit(X, np.arange(5) % 3, epochs=3, optimizer=bp.Adam(), seed=1)
    assert all(np.array_equal(back.params[key], net.params[key]) for key in net.params)


def test_a_users_layer_without_options_and_a_loss(tmp_path):
    @bp.register_layer("halve")
    class Halve:
        def forward(self, x):
            return x / 2

        def backward(self, dout):
            return dout / 2

    @bp.register_loss("cubed")
    class Cubed:
        classifies = False

        def __init__(self, times=1.0):
            self.times = times

        def forward(self, x, t):
            self.difference = x - t
            return float(self.times * (self.difference**3).mean())

        def backward(self, dout=1):
            return dout * self.times * 3 * self.difference**2 / self.difference.size

        def options(self):
            return {"times": self.times}

    net = inserted(bp.Network([4, 3]), Halve(), affine(4, 3), Halve())
    net.lastLayer = Cubed(2.0)
    net.save(tmp_path / "net")
    back = bp.Network.load(tmp_path / "net")
    assert_same(back, net)
    assert (back.lastLayer.times, back.loss_name) == (2.0, "cubed")
    assert back.loss(X, X[:, :3]) == net.loss(X, X[:, :3])
    del LAYERS["halve"]
    with pytest.raises(
        ValueError,
        match=r"layers\[0\] is of the kind 'halve', which is not registered; .* @backprop.register_layer\('halve'\)",
    ):
        bp.Network.load(tmp_path / "net")
    LAYERS["halve"] = Halve
    del base.LOSSES["cubed"]
    with pytest.raises(
        ValueError, match=r"loss is of the kind 'cubed', .* @backprop.register_loss\('cubed'\)"
    ):
        bp.Network.load(tmp_path / "net")


def test_a_subclass_of_a_registered_class(tmp_path):
    Scaled = scaled()

    class Same(Scaled):
        pass

    class Other(Scaled):
        def forward(self, x):
            return super().forward(x) + 1

    net = inserted(bp.Network([4, 3]), affine(4, 3), Same(3))
    net.save(tmp_path / "net")
    assert type(bp.Network.load(tmp_path / "net").layers["Same2"]) is Scaled
    net = inserted(bp.Network([4, 3]), affine(4, 3), Other(3))
    with pytest.raises(TypeError, match=r"save: layers\['Other2'\] is a Other, which has no name in files"):
        net.save(tmp_path / "other")


class Mine:
    def forward(self, x):
        return x

    def backward(self, dout):
        return dout


class NoArguments(Mine):
    def options(self):
        return {"width": 3}


class NoJSON(Mine):
    def __init__(self, what=None):
        self.what = what

    def options(self):
        return {"what": {1, 2}}


class Grown(Mine):
    """Whose options do not make its parameter."""

    def __init__(self, width=2):
        self.W, self.dW = np.ones((width, 3)), None

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            lambda net: change(net, Mine1=Mine()),
            r"layers\['Mine1'\] is a Mine, which has no name in files; write @backprop",
        ),
        (
            lambda net: setattr(net, "lastLayer", Mine()),
            r"lastLayer is a Mine, .* @backprop.register_loss\('name'\)",
        ),
        (
            lambda net: setattr(net.layers["Relu1"], "forward", abs),
            "Relu1 has a forward of its own, .*save its params",
        ),
        (lambda net: setattr(net.lastLayer, "backward", abs), "lastLayer has a backward of its own"),
        (lambda net: net.layers.clear(), "the layers are none, wanted at least one with weights"),
        (lambda net: inserted(net, bp.Relu()), "the layers are relu, wanted at least one with weights"),
        (lambda net: change(net, Affine1=affine(4, 7)), r"W2 is float32 \(6, 5\), wanted float32 \(7, 5\)"),
        (
            lambda net: change(net, Affine3=affine(5, 3, np.float64)),
            r"W3 is float64 \(5, 3\), wanted float32 \(5, 3\)",
        ),
        (
            lambda net: change(net, Mine4=bp.register_layer("mine")(NoArguments)()),
            "NoArguments cannot be made of {'width': 3}",
        ),
        (
            lambda net: change(net, Mine4=bp.register_layer("mine")(NoJSON)()),
            r"the options of layers\['Mine4'\]\['what'\] is a set",
        ),
        (
            lambda net: change(net, Mine4=bp.register_layer("mine")(Grown)(3)),
            r"W has shape \(3, 3\), its options make \(2, 3\)",
        ),
    ],
)
def test_what_no_file_can_hold_is_refused_when_it_is_saved(how, message, tmp_path):
    net = network()
    how(net)
    with pytest.raises(TypeError, match=f"save: .*{message}"):
        net.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []
