"""The running statistics of batch normalisation: no parameters, but in copies, files and soft updates."""

import copy
import json
import pickle

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import backprop as bp
from backprop.layers.base import LAYERS
from backprop.layers.buffers import buffers_of
from tests.network.batch_norms import ByLayers, data, everything, network, same


def test_they_are_no_parameters():
    net = network()
    assert [key for key in net.params if "running" in key] == []
    assert list(buffers_of(net.layers)) == [
        "layers.1.running_mean", "layers.1.running_var", "layers.4.running_mean", "layers.4.running_var",
    ]  # fmt: skip
    flat = net.get_flat_params()
    assert flat.size == sum(array.size for array in net.params.values())
    assert net.summary().parameters == flat.size


def test_copies_have_statistics_of_their_own():
    net, (x, t) = network(), data()
    net.train_step(x, t, bp.SGD(0.1))
    scores = net.predict(x)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.astype("float32")):
        assert same(everything(twin), everything(net))
        assert np.array_equal(twin.predict(x), scores)
        twin.train_step(x, t, bp.SGD(0.1))
        assert np.array_equal(net.predict(x), scores)
    wide = net.astype("float64")
    assert wide.layers["BatchNorm1"].running_var.dtype == np.float64
    assert wide.is_planned


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_has_them(tmp_path, dtype):
    net, (x, t) = network(dtype=dtype), data(dtype)
    net.layers["BatchNorm1"].eps, net.layers["BatchNorm2"].momentum = 0.01, 0.3
    net.fit(x, t, epochs=2, batch_size=20, seed=0)
    net.save(tmp_path / "a.safetensors")
    loaded = bp.Network.load(tmp_path / "a.safetensors")
    assert same(everything(loaded), everything(net))
    assert np.array_equal(loaded.predict(x), net.predict(x))
    assert loaded.train_step(x, t, bp.SGD(0.1)) == net.train_step(x, t, bp.SGD(0.1))
    assert same(everything(loaded), everything(net))
    loaded.save(tmp_path / "b.safetensors")
    net.save(tmp_path / "c.safetensors")
    assert (tmp_path / "b.safetensors").read_bytes() == (tmp_path / "c.safetensors").read_bytes()


def test_a_file_without_them_says_nothing_of_them(tmp_path):
    net = bp.Network([9, 5, 4], seed=0)
    net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(5))
    net.save(tmp_path / "a.safetensors")
    assert b"buffers" not in (tmp_path / "a.safetensors").read_bytes()


class Block:
    """A user's layer with a batch normalisation inside, whose parameters it trains."""

    def __init__(self, width=8):
        self.norm = bp.BatchNorm(width, dtype="float64")
        self.gamma, self.beta, self.dgamma, self.dbeta = self.norm.gamma, self.norm.beta, None, None

    def forward(self, x, training=False):
        return self.norm.forward(x, training=training)

    def backward(self, dout):
        dx = self.norm.backward(dout)
        self.dgamma, self.dbeta = self.norm.dgamma, self.norm.dbeta
        return dx

    def options(self):
        return {"width": len(self.gamma)}


@pytest.fixture
def with_block():
    """A network with such a layer, which files know."""
    LAYERS.pop("block", None)
    bp.register_layer("block")(Block)
    net = bp.Network([9, 8, 4], dtype="float64", seed=0)
    net.layers.insert_after("Affine1", "Block", Block())
    yield net
    LAYERS.pop("block")


def test_a_layer_inside_another(with_block, tmp_path):
    net, (x, t) = with_block, data("float64")
    before = everything(net)
    assert "layers.1.norm.running_mean" in before
    bp.assert_gradients(net, x, t)
    numerical = net.numerical_gradient(x, t)
    assert same(before, everything(net))
    gradients = net.gradient(x, t)
    assert all(np.allclose(gradients[key], numerical[key], rtol=1e-5, atol=1e-8) for key in gradients)
    target = copy.deepcopy(net)
    net.train_step(x, t, bp.SGD(0.1))
    target.blend(net, 1)
    assert same(everything(target), everything(net))
    with pytest.raises(
        TypeError, match=r"save: layers.1.norm.running_mean is .* put that layer into net.layers"
    ):
        net.save(tmp_path / "net")


def changed_file(path, tensors=None, **of_layer):
    """The file with other tensors, or with other things said of layer 1, and no checksum."""
    with safe_open(path, "numpy") as file:
        said = json.loads(file.metadata()["backprop"])
    said.pop("checksum", None)
    said["layers"][1] |= of_layer
    save_file(load_file(path) | (tensors or {}), path, {"backprop": json.dumps(said)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"buffers": []}, r"layers\[1\] has the buffers \[\], wanted running_mean, running_var"),
        ({"buffers": ["running_mean"]}, r"layers\[1\] has the buffers"),
        ({"buffers": None}, r"layers\[1\] has the buffers None"),
        ({"buffers": 3}, r"layers\[1\] has the buffers 3"),
        (
            {"tensors": {"layers.1.running_var": np.ones(34, np.float32)}},
            r"layers.1.running_var is float32 \(34,\), wanted float32 \(35,\)",
        ),
        ({"tensors": {"layers.1.running_var": np.ones(35)}}, "layers.1.running_var is float64"),
        (
            {"tensors": {"layers.0.running_var": np.ones(35, np.float32)}},
            "wanted .*layers.1.running_var",
        ),
        ({"options": {"eps": 1e-5, "momentum": 2}}, "momentum is 2"),
    ],
)
def test_a_file_that_is_wrong_about_them(tmp_path, change, message):
    path = tmp_path / "a.safetensors"
    network().save(path)
    changed_file(path)
    assert bp.Network.load(path).is_planned
    changed_file(path, **change)
    with pytest.raises(ValueError, match=message):
        bp.Network.load(path)


@pytest.mark.parametrize("kind", [bp.Network, ByLayers])
@pytest.mark.parametrize("tau", [0.0, 0.25, 1.0])
def test_a_soft_update_moves_them(tau, kind):
    target, net, (x, t) = network(kind), network(kind), data()
    for _ in range(3):
        net.train_step(x, t, bp.SGD(0.1))
    before, theirs = everything(target), everything(net)
    target.blend(net, tau)
    number = np.float32(tau)
    for key, moved in everything(target).items():
        wanted = theirs[key] if tau == 1 else before[key] + number * (theirs[key] - before[key])
        assert np.array_equal(moved, wanted)
    assert same(theirs, everything(net))
    if tau == 1:
        assert np.array_equal(target.predict(x), net.predict(x))


def test_a_soft_update_of_networks_that_differ_in_them_is_refused():
    target, net = network(), network()
    rms = net.layers["BatchNorm1"]
    net.layers["BatchNorm1"] = bp.LayerNorm(35)
    before = everything(target)
    with pytest.raises(ValueError, match="blend: other has the running statistics layers.4.running_mean"):
        target.blend(net, 0.5)
    net.layers["BatchNorm1"] = rms
    rms.running_mean = target.layers["BatchNorm1"].running_mean
    with pytest.raises(ValueError, match="blend: layers.1.running_mean shares memory"):
        target.blend(net, 0.5)
    assert same(before, everything(target))
