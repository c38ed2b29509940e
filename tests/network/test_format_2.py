"""Files of format 2: networks of any registered layers come back, and what a file claims is checked."""

import json
import os
import re
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import backprop as bp
from backprop.layers.activations import activations
from backprop.layers.base import LAYERS, LOSSES


@pytest.fixture(autouse=True)
def registered():
    """What a test registers goes again."""
    before = dict(LAYERS), dict(LOSSES)
    yield
    for registry, entries in zip((LAYERS, LOSSES), before, strict=True):
        registry.clear()
        registry.update(entries)


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
    t = scores.argmax(axis=1) if net.lastLayer.classifies else scores
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


def scaled():
    @bp.register_layer("scaled")
    class Scaled:
        """A user's layer with a parameter, an option, and a method that only its own class has."""

        def __init__(self, width=1, power=1.0):
            self.gamma, self.dgamma = np.ones(width), None
            self.power = power

        def forward(self, x):
            self.x = x
            return self.gamma.astype(x.dtype) * self.power * x

        def backward(self, dout):
            self.dgamma = (dout * self.power * self.x).sum(axis=0)
            return dout * self.gamma.astype(dout.dtype) * self.power

        def options(self):
            return {"width": np.int64(len(self.gamma)), "power": self.power}

    return Scaled


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
    del LOSSES["cubed"]
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


# --- What a file claims ---------------------------------------------------------------------------------------

AFFINE = {"name": "Affine1", "kind": "affine", "outputs": 2, "options": {}, "parameters": ["W", "b"]}
RELU = {"name": "Relu1", "kind": "relu", "outputs": 2, "options": {}, "parameters": []}
TENSORS = {
    "W1": np.ones((3, 2), np.float32),
    "b1": np.ones(2, np.float32),
    "input_mean": np.array(0.0),
    "input_scale": np.array(1.0),
}


def description(**changes):
    usual = {
        "format": "backprop network 2",
        "inputs": 3,
        "layers": [AFFINE, RELU],
        "loss": {"kind": "softmax", "options": {}},
        "dtype": "float32",
        "metadata": {},
    }
    return {
        "backprop": json.dumps({key: value for key, value in (usual | changes).items() if value is not None})
    }


def without(mapping, key):
    return {name: value for name, value in mapping.items() if name != key}


def test_the_usual_description_is_right(tmp_path):
    save_file(TENSORS, tmp_path / "net", description())
    assert repr(bp.Network.load(tmp_path / "net")) == (
        "Network([3, 2], activation='identity', loss='softmax', dtype=float32, output='relu')"
    )


CLAIMS = [
    *(({key: None}, f"{key} is missing") for key in ("inputs", "layers", "loss", "dtype", "metadata")),
    *((dict(layers=[without(AFFINE, key)]), f"{key} is missing") for key in AFFINE),
    *(
        (dict(loss=without({"kind": "softmax", "options": {}}, key)), f"{key} is missing")
        for key in ("kind", "options")
    ),
    (
        dict(format="backprop network 3"),
        "the file's format is 'backprop network 3', wanted 'backprop network 1' or '.* 2'",
    ),
    (dict(format=[2]), r"the file's format is \[2\]"),
    *(
        (dict(inputs=value), "inputs is .*, wanted a whole number of 1 or more")
        for value in (0, -3, 3.0, True, "3", [3])
    ),
    (dict(inputs=4), r"W1 is float32 \(3, 2\), wanted float32 \(4, 2\)"),
    (dict(layers={}), r"layers is \{\}, wanted a list"),
    (dict(layers=[]), "the file has W1, b1, wanted no tensors"),
    (dict(layers=[3]), r"layers\[0\] is 3, wanted names with values"),
    (dict(layers=[AFFINE | {"name": 3}]), r"layers\[0\] has the name 3, wanted a text"),
    (dict(layers=[AFFINE, RELU | {"name": "Affine1"}]), "two layers have the name 'Affine1'"),
    (
        dict(layers=[AFFINE, RELU | {"kind": "mish"}]),
        r"layers\[1\] is of the kind 'mish', which is not registered",
    ),
    (
        dict(layers=[AFFINE, RELU | {"kind": ["relu"]}]),
        r"layers\[1\] is of the kind \['relu'\], .*register_layer\('name'\)",
    ),
    (
        dict(layers=[AFFINE, RELU | {"kind": "softmax"}]),
        r"layers\[1\] is of the kind 'softmax', which is not registered",
    ),
    *(
        (dict(layers=[AFFINE | {"outputs": value}]), r"layers\[0\] has .* outputs, wanted a whole number")
        for value in (0, -2, 2.0, True, "2")
    ),
    (dict(layers=[AFFINE | {"outputs": None}]), r"layers\[0\] has None outputs, wanted 2"),
    (dict(layers=[AFFINE | {"outputs": 3}]), r"W1 is float32 \(3, 2\), wanted float32 \(3, 3\)"),
    (dict(layers=[AFFINE, RELU | {"outputs": 3}]), r"layers\[1\] has 3 outputs, wanted 2"),
    (dict(layers=[AFFINE, RELU | {"outputs": None}]), r"layers\[1\] has None outputs, wanted 2"),
    (
        dict(layers=[AFFINE | {"options": []}]),
        r"the options of layers\[0\] is a list, wanted names with values",
    ),
    (dict(layers=[AFFINE | {"options": {"W": 3}}]), "Affine cannot be made of {'W': 3}: TypeError"),
    (dict(layers=[AFFINE, RELU | {"options": {"x": 1}}]), "Relu cannot be made of {'x': 1}: TypeError"),
    (
        dict(layers=[AFFINE | {"parameters": {}}]),
        r"layers\[0\] has the parameters \{\}, wanted a list of names",
    ),
    (
        dict(layers=[AFFINE | {"parameters": ["W", 3]}]),
        r"layers\[0\] has the parameters \['W', 3\], wanted a list of names",
    ),
    (
        dict(layers=[AFFINE | {"parameters": ["b", "W"]}]),
        r"layers\[0\] has the parameters \['b', 'W'\], wanted W, b",
    ),
    (dict(layers=[AFFINE | {"parameters": []}]), r"layers\[0\] has the parameters \[\], wanted W, b"),
    (
        dict(layers=[AFFINE, RELU | {"parameters": ["mask"]}]),
        r"layers\[1\] has the parameters \['mask'\], wanted none",
    ),
    (dict(layers=[AFFINE, AFFINE | {"name": "Affine2"}]), "the file has W1, b1, wanted W1, b1, W2, b2"),
    (dict(loss="softmax"), "loss is 'softmax', wanted a kind and options"),
    (dict(loss={"kind": "affine", "options": {}}), "loss is of the kind 'affine', which is not registered"),
    (
        dict(loss={"kind": "softmax", "options": {"a": 1}}),
        "the loss: SoftmaxWithLoss cannot be made of {'a': 1}",
    ),
    (dict(dtype="float64"), r"W1 is float32 \(3, 2\), wanted float64 \(3, 2\)"),
    (dict(dtype="int8"), "dtype is 'int8', wanted one of"),
    (dict(metadata=[]), "the metadata is a list"),
    (dict(checksum=1), "not what was saved: the file is damaged"),
]


@pytest.mark.parametrize(("changes", "message"), CLAIMS, ids=[str(n) for n in range(len(CLAIMS))])
def test_parts_that_do_not_go_together(changes, message, tmp_path):
    save_file(TENSORS, tmp_path / "net", description(**changes))
    with pytest.raises(ValueError, match=f"^{re.escape(str(tmp_path))}/net: .*{message}") as caught:
        bp.Network.load(tmp_path / "net")
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize("name", ["forward", "__class__", "no name", "", "options"])
def test_attributes_that_no_file_may_set(name, tmp_path):
    scaled()
    layer = {"name": "a", "kind": "scaled", "outputs": None, "options": {}, "parameters": [name]}
    save_file(TENSORS | {f"{name}1": np.ones(1)}, tmp_path / "net", description(layers=[AFFINE, layer]))
    with pytest.raises(
        ValueError, match=rf"layers\[1\] has a parameter {name!r}, wanted names of attributes"
    ):
        bp.Network.load(tmp_path / "net")


def test_parameters_of_a_users_layer_that_its_options_do_not_make(tmp_path):
    scaled()
    layer = {"name": "a", "kind": "scaled", "outputs": None, "options": {"width": 3}, "parameters": ["gamma"]}
    save_file(TENSORS | {"gamma1": np.ones(2)}, tmp_path / "net", description(layers=[AFFINE, layer]))
    with pytest.raises(ValueError, match=r"gamma has shape \(2,\), its options make \(3,\)"):
        bp.Network.load(tmp_path / "net")
    layer["parameters"] *= 2
    save_file(TENSORS | {"gamma1": np.ones(2)}, tmp_path / "net", description(layers=[AFFINE, layer]))
    with pytest.raises(ValueError, match=r"layers\[1\] has the parameters .*, wanted each once"):
        bp.Network.load(tmp_path / "net")


LARGE = {
    "layers": description(layers=[RELU] * 30_000),
    "named layers": description(layers=[RELU | {"name": f"{n}"} for n in range(30_000)]),
    "name": description(layers=[AFFINE | {"name": "a" * 200_000}, RELU | {"name": "a" * 200_000}]),
    "kind": description(layers=[AFFINE | {"kind": "a" * 200_000}]),
    "options": description(layers=[AFFINE | {"options": {"a": [1] * 100_000}}]),
    "parameters": description(layers=[AFFINE | {"parameters": ["W"] * 50_000}]),
    "loss": description(loss={"kind": ["a"] * 50_000, "options": {}}),
}


@pytest.mark.parametrize("claim", LARGE)
def test_what_a_header_claims_costs_no_more_than_to_read_it(claim, tmp_path):
    save_file(TENSORS, tmp_path / "net", LARGE[claim])
    size = (tmp_path / "net").stat().st_size
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"^{tmp_path}/net: ") as caught:
            bp.Network.load(tmp_path / "net")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 400 + len(str(tmp_path))
    # As in test_file_headers.py.
    assert peak < 24 * size
