"""Files of format 1 are read for ever: some that were written when it was the format, with what they predicted then."""

import json
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.network.spec import LayerSpec
from bpcore import cpu_info

FOLDER = Path(__file__).parent / "files_v1"
WRITTEN = json.loads((FOLDER / "predictions.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", WRITTEN["networks"])
def test_a_file_of_format_1_is_the_network_that_it_was(name, tmp_path):
    said, x = WRITTEN["networks"][name], np.array(WRITTEN["x"])
    net = bp.Network.load(FOLDER / f"{name}.safetensors")
    assert list(net.sizes) == said["sizes"]
    assert (net.loss_name, net.dtype.name, net.metadata) == (said["loss"], said["dtype"], said["metadata"])
    assert list(net.layers) == said["layers"]
    assert net.is_planned
    wanted = np.array(said["predictions"])
    if cpu_info()["chosen"] in ("v2", "generic"):  # without FMA the last bits differ
        np.testing.assert_allclose(net.predict(x), wanted, rtol=4 * np.finfo(net.dtype).eps, atol=0)
    else:
        assert np.array_equal(net.predict(x), wanted)
    # Written anew it is of the format of today, and the same.
    net.save(tmp_path / "net.safetensors")
    assert b"backprop network 2" in (tmp_path / "net.safetensors").read_bytes()
    back = bp.Network.load(tmp_path / "net.safetensors")
    assert (repr(back), back.metadata, back.spec.layers) == (repr(net), net.metadata, net.spec.layers)
    assert all(isinstance(layer, LayerSpec) for layer in back.spec.layers)
    assert np.array_equal(back.predict(x), net.predict(x))


def test_every_file_is_there():
    assert {path.stem for path in FOLDER.glob("*.safetensors")} == set(WRITTEN["networks"])
