"""`backprop check` finds what is wrong; `backprop info` says what a report of a problem needs."""

import re

import numpy as np
import pytest

import backprop as bp
import bpcore
from backprop.cli import main
from backprop.cli.check import table
from backprop.gradcheck import check_gradients


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_every_gradient_matches(seed, capsys):
    assert main(["check", "--seed", seed]) == 0
    out = capsys.readouterr().out
    assert re.search(r"all \d+ gradients match$", out.rstrip())
    for name in ("Relu", "Sigmoid", "SigmoidOfNodes", "Exp", "Reciprocal", "Affine", "SoftmaxWithLoss, labels", "Dot",
                 "Add, broadcast", "Multiply", "Divide, broadcast", "Maximum", "Power(2.5)", "Network"):  # fmt: skip
        assert f"\n{name} " in out


class Broken(bp.Sigmoid):
    """A layer whose gradient is off by one part in a hundred thousand."""

    def backward(self, dout):
        return super().backward(dout) * (1 + 1e-5)


class Transposed(bp.Sigmoid):
    def backward(self, dout):
        return super().backward(dout).T


@pytest.mark.parametrize(("kind", "name"), [(Broken, "constant factor"), (Transposed, "transposed")])
def test_a_broken_layer_is_found(kind, name, capsys):
    report = check_gradients(kind(), np.linspace(-1, 1, 6).reshape(2, 3))
    assert table([("Broken", report)]) == 1
    out = capsys.readouterr().out
    assert f"x: {name}" in out
    assert "gradients of 1 are wrong: Broken" in out


def test_a_relu_whose_mask_is_wrong_is_found(monkeypatch, capsys):
    def forward(self, x):
        self.mask = x <= 0.7
        return np.where(self.mask, 0, x)

    monkeypatch.setattr(bp.Relu, "forward", forward)
    monkeypatch.setattr(
        bp.Relu, "backward", lambda self, dout: dout * (self.mask == 0) * 1.0 + 0.5 * self.mask
    )
    assert main(["check"]) == 1
    assert "gradients of 2 are wrong: Relu, Network" in capsys.readouterr().out


def test_a_network_all_of_whose_units_stand_on_their_corners_proves_nothing():
    net = bp.Network([2, 3, 2], dtype=np.float64, seed=0)
    x, t = np.array([[1.0, 2.0]]), np.array([0])
    net.params["b1"] = -(x @ net.params["W1"])[0]
    report = check_gradients(net, x, t)
    kinks = {array.name: array.kinks for array in report.arrays}
    assert kinks["W1"] == 6
    assert kinks["b1"] == 3
    assert kinks["b2"] == 0
    assert ("mostly kinks", "b1") in {(finding.name, finding.array) for finding in report.findings}


def test_info(capsys, monkeypatch):
    monkeypatch.setenv("BACKPROP_DATA", "/data/here")
    assert main(["info"]) == 0
    lines = dict(
        line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if len(line.split()) > 1
    )
    assert lines["bpcore"] == bpcore.__version__
    assert lines["numpy"] == np.__version__
    assert lines["chosen"] == bpcore.cpu_info()["chosen"]
    assert lines["BACKPROP_DATA"] == "/data/here"
