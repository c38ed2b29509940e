"""What a reader's matplotlibrc says of images and lines does not change what a picture says."""

import matplotlib as mpl
import numpy as np
import pytest
from cycler import cycler
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots

RNG = np.random.default_rng(2)
X, T = RNG.normal(size=(30, 4)), np.arange(30) % 3
PLANE = bp.Network([2, 3], seed=0)
IMAGES = {
    "weight_images": lambda ax: plots.weight_images(RNG.normal(size=(6, 2)), (2, 3), ax, columns=1),
    "confusion_matrix": lambda ax: plots.confusion_matrix(bp.Network([4, 3], seed=0), X, T, ax),
    "decision_regions": lambda ax: plots.decision_regions(PLANE, X[:, :2], T, ax, resolution=5),
}
LINES = {
    "5 steps": lambda ax: bp.History([1.0] * 5, [0.5], [1.0], [0.4], [5]).plot(ax),
    "500 steps": lambda ax: bp.History([1.0] * 500, [0.5], [1.0], [0.4], [500]).plot(ax),
    "gradient_flow": lambda ax: plots.gradient_flow(PLANE, X[:, :2], T, ax),
    "gradient_errors": lambda ax: bp.check_gradients(bp.Sigmoid(), X).plot(ax),
}


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize(
    "setting", [{"image.origin": "lower"}, {"image.aspect": "auto"}, {"image.aspect": 2.0}]
)
def test_images_stand_the_right_way_up(name, setting):
    usual = IMAGES[name](Figure().add_subplot())
    with mpl.rc_context(setting):
        drawn = IMAGES[name](Figure().add_subplot())
    assert drawn.get_ylim() == usual.get_ylim()
    assert drawn.images[0].get_extent() == usual.images[0].get_extent()
    assert drawn.get_aspect() == usual.get_aspect()


@pytest.mark.parametrize(
    "setting",
    [
        {"lines.linestyle": "None"},
        {"lines.marker": "s"},
        {"axes.prop_cycle": cycler(linestyle=[":", "--", "-.", "None"], marker=["s", "x", "o", "^"])},
    ],
    ids=["linestyle", "marker", "cycle"],
)
@pytest.mark.parametrize("name", LINES)
def test_lines_have_their_own_strokes_and_marks(name, setting):
    def looks():
        axes = LINES[name](Figure().add_subplot()).figure.axes
        marked = [(line.get_linestyle(), line.get_marker() or "None") for one in axes for line in one.lines]
        return marked, [lines.get_linestyle() for one in axes for lines in one.collections]

    usual = looks()
    with mpl.rc_context(setting):
        assert looks() == usual
