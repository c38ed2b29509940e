"""`backprop check` finds what is wrong; `backprop info` says what a report of a problem needs."""

import numpy as np
import pytest

import backprop as bp
import bpcore
from backprop import checks
from backprop.cli import main
from backprop.cli.check import report


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_every_gradient_matches(seed, capsys):
    assert main(["check", "--seed", seed]) == 0
    out = capsys.readouterr().out
    assert "MISMATCH" not in out
    assert out.rstrip().endswith("all 24 gradients match")
    for name in ("Relu", "Sigmoid", "SigmoidOfNodes", "Exp", "Reciprocal", "Affine", "SoftmaxWithLoss, soft targets",
                 "Add, broadcast", "Multiply", "Network"):  # fmt: skip
        assert f"\n{name} " in out


class Broken(bp.Sigmoid):
    """A layer whose gradient is off by one part in a hundred thousand."""

    def backward(self, dout):
        return super().backward(dout) * (1 + 1e-5)


class Transposed(bp.Sigmoid):
    def backward(self, dout):
        return super().backward(dout).T


@pytest.mark.parametrize(("kind", "difference"), [(Broken, 1e-6), (Transposed, np.inf)])
def test_a_broken_layer_is_found(kind, difference, capsys):
    layer, x = kind(), np.linspace(-1, 1, 6).reshape(2, 3)
    rows = list(
        checks.compare(
            "Broken",
            {"x": x},
            lambda: layer.forward(x),
            lambda d: {"x": layer.backward(d)},
            np.random.default_rng(0),
        )
    )
    assert not rows[0].passed
    assert rows[0].difference >= difference
    assert report(rows) == 1
    assert "1 of 1 gradients do not match: Broken x" in capsys.readouterr().out


def test_a_relu_whose_mask_is_wrong_is_found(monkeypatch, capsys):
    def forward(self, x):
        self.mask = x <= 0.7
        return np.where(self.mask, 0, x)

    monkeypatch.setattr(bp.Relu, "forward", forward)
    monkeypatch.setattr(
        bp.Relu, "backward", lambda self, dout: dout * (self.mask == 0) * 1.0 + 0.5 * self.mask
    )
    assert main(["check"]) == 1
    assert "MISMATCH" in capsys.readouterr().out


def test_kinks_are_counted_and_left_out():
    net = bp.Network([2, 3, 2], dtype=np.float64, seed=0)
    x, t = np.array([[1.0, 2.0]]), np.array([0])
    net.params["b1"] = -(x @ net.params["W1"])[0]  # every hidden unit stands exactly on its corner
    rows = {row.array: row for row in checks.network(net, x, t)}
    assert rows["W1"].kinks == 6
    assert rows["b1"].kinks == 3
    assert rows["W2"].kinks == 0
    assert not rows["b1"].passed, "a check in which every point was left out proves nothing"
    assert rows["W2"].passed


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
