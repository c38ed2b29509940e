"""Every picture at its default size and on a subplot, with awkward inputs: no text covers another or is cut off."""

import matplotlib.style
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from backprop.plots import _drawing
from tests.plots.drawn import check_legible

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(40, 16)), RNG.integers(0, 3, 40)
PLANE, CORNERS = RNG.normal(size=(60, 2)), RNG.integers(0, 3, 60)
NET = bp.Network([16, 8, 3], seed=0, dtype=np.float64)
DEEP = bp.Network([16] * 12 + [3], seed=0, dtype=np.float64)
MANY = bp.Network([16, 20], seed=0)
LONG = [f"class number {k} of twenty" for k in range(20)]
DEEP_REPORT = bp.check_gradients(DEEP, X[:8], T[:8], points=6)


class Wrong(bp.Sigmoid):
    def backward(self, dout):
        return super().backward(dout) * [[2.0, 1.0, 1.0]]


def full(steps):
    return bp.History([2.0 / n for n in range(1, steps + 1)], [0.5], [1.0], [0.4], [steps])


PICTURES = {
    "one step": lambda ax: plots.learning_curve(bp.History(loss=[2.3]), ax),
    "one step, evaluated": lambda ax: plots.learning_curve(full(1), ax),
    "no validation": lambda ax: plots.learning_curve(bp.History(loss=[3.0] * 500), ax),
    "all curves": lambda ax: plots.learning_curve(full(100_000), ax),
    "nothing finite": lambda ax: plots.learning_curve(bp.History(loss=[np.nan, np.inf, np.nan]), ax),
    "100 units": lambda ax: plots.weight_images(RNG.normal(size=(784, 100)), ax=ax, units=100),
    "one unit": lambda ax: plots.weight_images(RNG.normal(size=(6, 1)), (2, 3), ax),
    "tiny weights": lambda ax: plots.weight_images(1e-9 * RNG.normal(size=(4, 9)), ax=ax),
    "matrix": lambda ax: plots.confusion_matrix(NET, X, T, ax),
    "20 long names": lambda ax: plots.confusion_matrix(MANY, X, T, ax, labels=LONG),
    "80 classes": lambda ax: plots.confusion_matrix(bp.Network([16, 80], seed=0), X, T, ax),
    "flow": lambda ax: plots.gradient_flow(NET, X, T, ax),
    "flow of 12 layers": lambda ax: plots.gradient_flow(DEEP, X, T, ax),
    "errors": lambda ax: plots.gradient_errors(bp.check_gradients(Wrong(), X[:5, :3]), ax),
    "errors of 12 layers": lambda ax: plots.gradient_errors(DEEP_REPORT, ax),
    "regions": lambda ax: plots.decision_regions(bp.Network([2, 3], seed=0), PLANE, CORNERS, ax),
    "regions of long names": lambda ax: plots.decision_regions(
        bp.Network([2, 10], seed=0), PLANE, CORNERS, ax, resolution=20, labels=LONG[:10]
    ),
}


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_no_text_overlaps_another(name, style):
    with matplotlib.style.context(style):
        check_legible(PICTURES[name](None).figure)


@pytest.mark.parametrize("name", PICTURES)
def test_what_is_given_is_drawn_on_and_nothing_else(name):
    figure = Figure(figsize=(13, 9), layout="constrained")
    (before, ax), size = figure.subplots(1, 2), figure.get_size_inches()
    before.plot([1, 2], [3, 4])
    kept = before.get_children()
    assert PICTURES[name](ax) is ax
    check_legible(figure)
    assert before.get_children() == kept
    assert (figure.get_size_inches() == size).all()
    twins = [axes for axes in figure.axes if axes not in (before, ax)]
    assert len(figure.axes) - len(twins) == 2
    assert all(twin.get_position().bounds == ax.get_position().bounds for twin in twins)


@pytest.mark.parametrize("color", ["BLUE", "VERMILION", "GREEN", "PURPLE"])
def test_lines_can_be_seen_on_white_and_on_black(color):
    rgb = np.array(to_rgb(getattr(_drawing, color)))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    light = linear @ [0.2126, 0.7152, 0.0722]
    # WCAG 2.1, 1.4.11: 3 to 1 for what is no text.
    assert 1.05 / (light + 0.05) >= 3
    assert (light + 0.05) / 0.05 >= 3


@pytest.mark.parametrize(
    "draw",
    [
        lambda ax: plots.learning_curve(full(1), ax),
        lambda ax: plots.weight_images(np.ones((4, 2)), ax=ax),
        lambda ax: plots.confusion_matrix(NET, X, T, ax),
        lambda ax: plots.gradient_flow(NET, X, T, ax),
        lambda ax: plots.gradient_errors(DEEP_REPORT, ax),
        lambda ax: plots.decision_regions(bp.Network([2, 3], seed=0), PLANE, CORNERS, ax),
    ],
)
def test_an_ax_that_is_none(draw):
    with pytest.raises(TypeError, match=r"^\w+: ax is a Figure, wanted matplotlib Axes"):
        draw(Figure())
