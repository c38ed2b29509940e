"""What a file of format 2 claims is checked, and costs no more than to read it."""

import json
import re
import tracemalloc

import numpy as np
import pytest
from safetensors.numpy import save_file

import backprop as bp
from backprop.layers.base import LAYERS
from tests.network.users_classes import registered, scaled  # noqa: F401  # `registered` is a fixture of each test

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
        dict(layers=[AFFINE, RELU | {"kind": "prelu"}]),
        r"layers\[1\] is of the kind 'prelu', which is not registered",
    ),
    (
        dict(layers=[AFFINE, RELU | {"kind": ["relu"]}]),
        r"layers\[1\] is of the kind \['relu'\], .*register_layer\('name'\)",
    ),
    (
        dict(layers=[AFFINE, RELU | {"kind": "huber"}]),
        r"layers\[1\] is of the kind 'huber', which is not registered",
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


@pytest.mark.parametrize("kind", ["layer_norm", "rms_norm", "batch_norm"])
def test_features_are_those_of_the_parameters_whatever_the_options_claim(kind, tmp_path):
    cls = LAYERS[kind]
    own = {"parameters": list(cls.parameter_names), "buffers": list(cls.buffers)}
    layer = {"name": "a", "kind": kind, "outputs": 2, "options": {"features": 10**12}, **own}
    names = [f"{name}1" for name in own["parameters"]] + [f"layers.1.{name}" for name in own["buffers"]]
    tensors = TENSORS | {name: np.ones(2, np.float32) for name in names}
    save_file(tensors, tmp_path / "net", description(layers=[AFFINE, layer]))
    with pytest.raises(ValueError, match=r"cannot be made of {'features': 1000000000000}: TypeError"):
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
