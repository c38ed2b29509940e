"""What notebooks show: tables and a small curve, well formed, escaped, in the notebook's own colours."""

import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import backprop as bp
from backprop._util.html import HEIGHT, WIDTH, sparkline


def tree(page):
    for foreign in ("<script", "style", "http", "color:", "#"):
        assert foreign not in page
    return ET.fromstring(f"<div>{page}</div>")


def cells(page):
    return [["".join(cell.itertext()) for cell in row] for row in tree(page).iter("tr")]


def test_a_network():
    net = bp.Network([4, 3, 2], seed=0, input_scale=[1.0, 2.0, 3.0, 4.0], input_mean=0.5)
    page = net._repr_html_()
    assert "Network, float32, runs by a compiled plan" in page
    assert cells(page) == [
        ["layer", "output", "parameters", "count"],
        ["(x - input_mean) * input_scale", "(B, 4)", "mean 0.5, scale (4,)", ""],
        ["Affine1", "(B, 3)", "W1 (4, 3), b1 (3,)", "15"],
        ["Relu1", "(B, 3)", "", ""],
        ["Affine2", "(B, 2)", "W2 (3, 2), b2 (2,)", "8"],
        ["SoftmaxWithLoss", "a number", "", ""],
        ["total", "", "", "23"],
    ]
    assert len(cells(bp.TwoLayerNet(784, 50, 10)._repr_html_())) == 6  # inputs as they are


def test_layers():
    header = ["attribute", "value or shape", "type"]
    relu = bp.Relu()
    assert tree(relu._repr_html_()).findtext("p") == "Relu()"
    assert cells(relu._repr_html_()) == [header, ["mask", "–", ""]]
    relu.forward(np.ones((5, 4)))
    assert cells(relu._repr_html_()) == [header, ["mask", "(5, 4)", "bool"]]
    affine = bp.Affine(np.ones((4, 3), np.float32), np.ones(3, np.float32))
    affine.forward(np.ones((5, 4), np.float32))
    affine.backward(np.ones((5, 3), np.float32))
    assert tree(affine._repr_html_()).findtext("p") == "Affine(4, 3, dtype=float32)"
    assert cells(affine._repr_html_()) == [
        header,
        ["W", "(4, 3)", "float32"],
        ["b", "(3,)", "float32"],
        ["x", "(5, 4)", "float32"],
        ["dW", "(4, 3)", "float32"],
        ["db", "(3,)", "float32"],
    ]
    loss = bp.SoftmaxWithLoss()
    loss.forward(np.zeros((2, 4)), [0, 1])
    assert cells(loss._repr_html_())[1] == ["loss", str(loss.loss), ""]
    for node in (bp.Add(), bp.Power(2), bp.Sum(axis=0), bp.SigmoidOfNodes(), bp.Maximum(), bp.Tanh()):
        assert tree(node._repr_html_()).findtext("p") == repr(node)


def test_a_layer_of_the_users_own():
    class Slotted:
        __slots__ = ()

        def forward(self, x):
            return x

    net = bp.Network([4, 3, 2], seed=0)
    net.layers["<b>Mine</b>"] = Slotted()
    page = net._repr_html_()
    assert "runs layer by layer" in page
    assert "<b>" not in page
    assert ["<b>Mine</b>", "(B, 2)", "", ""] in cells(page)


def test_a_history():
    history = bp.History([3.0, math.nan, 1.0, 2.0], [0.5, 0.75], [2.0, 1.5], [0.25, 0.5], [2, 4], 1.25)
    page = history._repr_html_()
    assert "4 steps, 1.2 s" in page
    assert cells(page) == [
        ["", "first", "best", "last"],
        ["loss", "3.0000", "1.0000", "2.0000"],
        ["validation loss", "2.0000", "1.5000", "1.5000"],
        ["train accuracy", "0.5000", "0.7500", "0.7500"],
        ["validation accuracy", "0.2500", "0.5000", "0.5000"],
    ]
    assert bp.History()._repr_html_() == "<p>0 steps, 0.0 s </p>"
    assert repr(bp.History([1.0])).startswith("History(1 step, ")


def test_a_report():
    report = bp.check_gradients(bp.Sigmoid(), np.ones((2, 3)))
    assert [row[0] for row in cells(report._repr_html_())] == ["array", "x"]


def path_of(values):
    (path,) = tree(sparkline(values)).iter("path")
    assert path.get("stroke") == "currentColor"
    return path.get("d")


def test_a_sparkline_goes_from_top_to_bottom():
    assert path_of([2.0, 1.0, 0.0]) == f"M1.0 1.0L{WIDTH / 2} {HEIGHT / 2}L{WIDTH - 1:.1f} {HEIGHT - 1:.1f}"


@pytest.mark.parametrize(
    ("values", "moves", "lines"),
    [
        ([1.0], 1, 0),
        ([1.0, 1.0], 1, 1),
        ([math.nan, 1.0, math.inf, 2.0, 3.0], 2, 1),
        ([1e308, -1e308, 0.0], 1, 2),
        ([5e-324, 0.0], 1, 1),
        ([float(n) for n in range(100_000)], 1, WIDTH - 1),
        ([math.nan, *[1.0] * 100_000], 1, WIDTH - 2),
    ],
)
def test_a_sparkline_of_anything(values, moves, lines):
    path = path_of(values)
    assert (path.count("M"), path.count("L")) == (moves, lines)
    numbers = [float(number) for number in re.findall(r"-?[\d.]+(?:e\S+)?", path.replace("h0", ""))]
    assert all(0 <= x <= WIDTH for x in numbers[::2])
    assert all(0 <= y <= HEIGHT for y in numbers[1::2])


def test_a_sparkline_of_nothing():
    assert sparkline([]) == sparkline([math.nan, math.inf]) == ""
