"""Networks on disk."""

import json
import os
import stat

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import backprop as bp


@pytest.fixture
def net():
    net = bp.Network([6, 5, 3], activation="sigmoid", seed=2, input_mean=np.arange(6.0), input_scale=0.5)
    net.metadata["classes"] = '["a", "b", "c"]'
    return net


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_comes_back_bit_for_bit(net, dtype, tmp_path):
    net = net.astype(dtype)
    net.save(tmp_path / "net.safetensors")
    back = bp.Network.load(str(tmp_path / "net.safetensors"))
    x = np.random.default_rng(0).normal(size=(4, 6))
    assert np.array_equal(back.predict(x), net.predict(x))
    assert repr(back) == repr(net)
    assert back.metadata == net.metadata
    assert all(back.params[key].flags.writeable for key in back.params)
    assert os.listdir(tmp_path) == ["net.safetensors"]


def test_a_loaded_two_layer_net_is_a_network_of_its_sizes(tmp_path):
    net = bp.TwoLayerNet(4, 3, 2)
    net.save(tmp_path / "net")
    back = bp.Network.load(tmp_path / "net")
    assert back.sizes == (4, 3, 2)
    assert back.dtype == np.float64


def test_the_file_has_the_usual_permissions(net, tmp_path):
    net.save(tmp_path / "net")
    (tmp_path / "other").write_text("")
    assert stat.S_IMODE(os.stat(tmp_path / "net").st_mode) == stat.S_IMODE(
        os.stat(tmp_path / "other").st_mode
    )


def test_files_that_are_not_ours(tmp_path, net):
    with pytest.raises(FileNotFoundError, match="missing: there is no such file"):
        bp.Network.load(tmp_path / "missing")
    (tmp_path / "text").write_text("hello, this is no network at all")
    with pytest.raises(ValueError, match="text: not a safetensors file"):
        bp.Network.load(tmp_path / "text")
    save_file({"W1": np.ones(2)}, tmp_path / "foreign")
    with pytest.raises(
        ValueError,
        match="foreign: the file's format is None, wanted 'backprop network 1' or 'backprop network 2'",
    ):
        bp.Network.load(tmp_path / "foreign")


@given(st.data())
def test_a_damaged_file_is_refused_or_read_whole(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damaged") / "net"
    net = bp.Network([3, 2], seed=0)
    net.metadata = {"classes": ["a", "b"], "score": 0.25}
    net.save(path)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        back = bp.Network.load(path)
    except ValueError as error:
        assert str(path) in str(error)
    else:  # a byte that says nothing
        assert (repr(back), back.metadata) == (repr(net), net.metadata)
        assert all(np.array_equal(back.params[key], net.params[key]) for key in net.params)


def description(**change):
    usual = {
        "format": "backprop network 1", "sizes": [3, 2], "activation": "relu", "loss": "softmax",
        "dtype": "float32", "metadata": {},
    }  # fmt: skip
    return {
        "backprop": json.dumps({key: value for key, value in (usual | change).items() if value is not None})
    }


TENSORS = {
    "W1": np.ones((3, 2), np.float32),
    "b1": np.ones(2, np.float32),
    "input_mean": np.array(0.0),
    "input_scale": np.array(1.0),
}


@pytest.mark.parametrize(
    ("metadata", "tensors", "message"),
    [
        (dict(sizes=None), {}, "net: sizes is missing"),
        (dict(sizes="[3"), {}, r"net: sizes is '\[3', wanted a list of whole numbers"),
        (dict(sizes={"3": 2}), {}, r"net: sizes is \{'3': 2\}, wanted a list of whole numbers"),
        (dict(sizes=[]), {}, "net: the file has W1, b1, wanted "),
        (dict(sizes=[3, 0]), {}, r"net: Network: sizes is \[3, 0\]"),
        (dict(metadata={"a": float("inf")}), {}, "net: the description is damaged: Infinity is no number"),
        (
            dict(checksum=1),
            {},
            "net: not what was saved: the file is damaged, or was written to while it was",
        ),
        (dict(sizes=[3, -1]), {}, r"net: Network: sizes is \[3, -1\]"),
        (dict(activation="prelu"), {}, "net: Network: activation is 'prelu'"),
        (dict(dtype="int8"), {}, "net: Network: dtype is 'int8'"),
        (dict(dtype=None), {}, "net: dtype is missing"),
        (dict(loss={}), {}, r"net: Network: loss is \{\}, wanted one of"),
        (dict(metadata=[]), {}, "net: the metadata is a list, wanted names with values"),
        (
            dict(sizes=[10**9, 10**9]),
            {},
            r"W1 is float32 \(3, 2\), wanted float32 \(1000000000, 1000000000\)",
        ),
        ({}, {"W1": np.ones((3, 2), np.float16)}, "net: W1 is of type F16, wanted F32 or F64"),
        (
            {},
            {"input_mean": np.array(np.inf)},
            "net: Network: input_mean is inf, wanted finite numbers of float32",
        ),
        ({}, {"input_scale": np.array(1e300)}, r"net: Network: input_scale is 1e\+300, wanted finite"),
        ({}, {"W2": np.ones(2)}, "the file has W1, W2, b1, wanted W1, b1"),
        ({}, {"W1": np.ones((2, 3), np.float32)}, r"W1 is float32 \(2, 3\), wanted float32 \(3, 2\)"),
        ({}, {"b1": np.ones(2)}, r"b1 is float64 \(2,\), wanted float32 \(2,\)"),
        ({}, {"input_scale": np.ones(2)}, r"input_scale has shape \(2,\), wanted one finite number or 3"),
    ],
)
def test_parts_that_do_not_fit_together(metadata, tensors, message, tmp_path):
    save_file(TENSORS | tensors, tmp_path / "net", description(**metadata))
    with pytest.raises(ValueError, match=message):
        bp.Network.load(tmp_path / "net")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "Expecting property name"),
        ("[]", "it is a list"),
        ("3", "it is a int"),
        ("9" * 5000, "Exceeds the limit"),
        ("[" * 100_000, "it is nested too deeply"),
    ],
    ids=["bracket", "list", "number", "digits", "deep"],
)
def test_a_damaged_description(text, why, tmp_path):
    save_file(TENSORS, tmp_path / "net", {"backprop": text})
    with pytest.raises(ValueError, match=f"net: the description is damaged: {why}"):
        bp.Network.load(tmp_path / "net")


def test_the_same_network_gives_the_same_bytes(net, tmp_path):
    for name in ("a", "b", "c"):
        net.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


@pytest.mark.parametrize("kind", [bp.Relu, bp.Tanh])
def test_replaced_layers_are_saved_as_what_they_are(net, kind, tmp_path):
    net.layers["Sigmoid1"] = kind()
    net.layers["Affine1"] = bp.Affine(np.ones((6, 7), np.float32), np.zeros(7, np.float32))
    net.layers["Affine2"] = bp.Affine(np.ones((7, 2), np.float32), np.zeros(2, np.float32))
    net.lastLayer = bp.IdentityWithLoss()
    net.save(tmp_path / "net")
    back, x = bp.Network.load(tmp_path / "net"), np.random.default_rng(0).normal(size=(4, 6))
    assert np.array_equal(back.predict(x), net.predict(x))
    assert repr(back) == repr(net)
    assert f"activation='{kind.__name__.lower()}', loss='squared_error'" in repr(net)
    assert (back.sizes, back.loss(x, x[:, :2])) == ((6, 7, 2), net.loss(x, x[:, :2]))


class Mine(bp.IdentityWithLoss):
    def forward(self, x, t):
        return 2 * super().forward(x, t)


def test_parts_that_the_file_could_not_tell_of_are_not_saved(tmp_path):
    def change(net, **layers):
        net.layers.update(layers)

    def affine(*shape, dtype=np.float32):
        return bp.Affine(np.ones(shape, dtype), np.zeros(shape[1], dtype))

    for how, message in [
        (
            lambda net: change(net, Relu2=Mine()),
            r"layers\['Relu2'\] is a Mine, which has no name in files; write @backprop.register_layer",
        ),
        (lambda net: net.layers.pop("Affine2"), r"W2 is float32 \(4, 3\), wanted float32 \(5, 3\)"),
        (lambda net: change(net, Relu2=affine(5, 4)), r"W3 is float32 \(5, 4\), wanted float32 \(4, 4\)"),
        (lambda net: net.layers.clear(), "the layers are none, wanted at least one with weights"),
        (
            lambda net: setattr(net, "lastLayer", Mine()),
            "lastLayer is a Mine, which has no name in files; write @backprop.register_loss",
        ),
        (lambda net: change(net, Affine1=affine(6, 7)), r"W2 is float32 \(5, 4\), wanted float32 \(7, 4\)"),
        (lambda net: change(net, Affine1=affine(7, 5)), r"input_mean has shape \(6,\), wanted one finite"),
        (
            lambda net: change(net, Affine3=affine(4, 3, dtype=np.float64)),
            r"W3 is float64 \(4, 3\), wanted float32 \(4, 3\)",
        ),
    ]:
        net = bp.Network([6, 5, 4, 3], seed=2, input_mean=np.arange(6.0))
        how(net)
        with pytest.raises(TypeError, match=f"save: .*{message}.*save its params instead"):
            net.save(tmp_path / "net")
    assert os.listdir(tmp_path) == []


def test_a_layer_without_units_is_not_saved(net, tmp_path):
    net.layers["Affine1"] = bp.Affine(np.ones((6, 0), np.float32), np.zeros(0, np.float32))
    net.layers["Affine2"] = bp.Affine(np.ones((0, 3), np.float32), np.zeros(3, np.float32))
    with pytest.raises(TypeError, match=r"save: layers\[0\] has 0 outputs, wanted .*save its params instead"):
        net.save(tmp_path / "net")


def test_a_package_that_reads_safetensors_reads_ours(net, tmp_path):
    net.save(tmp_path / "net")
    arrays = load_file(tmp_path / "net")
    assert arrays.keys() == {*net.params, "input_mean", "input_scale"}
    assert all(np.array_equal(arrays[key], net.params[key]) for key in net.params)


def test_loading_draws_nothing(net, tmp_path, monkeypatch):
    net.save(tmp_path / "net")
    for name in ("randn", "RandomState"):
        monkeypatch.delattr(np.random, name)
    back = bp.Network.load(tmp_path / "net")
    back.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "net").read_bytes()
    assert "layer by layer" not in repr(back)


def test_the_umask_of_the_process_is_left_alone(net, tmp_path, monkeypatch):
    # It is the same for all threads: one that made a file in the meantime would make it writable for everybody.
    usual = os.umask(0o027)
    try:
        monkeypatch.delattr(os, "umask")
        net.save(tmp_path / "net")
        monkeypatch.undo()
        assert stat.S_IMODE(os.stat(tmp_path / "net").st_mode) == 0o640
    finally:
        os.umask(usual)
