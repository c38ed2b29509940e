"""Every picture at its default size and on a subplot, with awkward inputs: no text covers another or is cut off."""

import itertools

import matplotlib.pyplot as plt
import matplotlib.style
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from backprop.plots import _drawing
from backprop.plots.regions import COLORS
from tests.plots.drawn import STYLES, assert_inside, check_legible, check_parts, contrast, pixels, texts

RNG = np.random.default_rng(0)
X, T = RNG.normal(size=(40, 16)), RNG.integers(0, 3, 40)
PLANE, CORNERS = RNG.normal(size=(60, 2)), RNG.integers(0, 3, 60)
NET = bp.Network([16, 8, 3], seed=0, dtype=np.float64)
DEEP = bp.Network([16] * 12 + [3], seed=0, dtype=np.float64)
MANY = bp.Network([16, 20], seed=0)
LONG = [f"class number {k} of twenty" for k in range(20)]
# Ten classes told apart from almost all of their samples: shares of 0.75 to 1.
EASY = bp.Network([10, 10], seed=0, dtype=np.float64)
EASY.params["W1"][:], GOOD = np.eye(10), (np.eye(10)[np.arange(400) % 10], np.arange(400) % 10)
GOOD[0][:60] = np.roll(GOOD[0][:60], 1, axis=1) * (RNG.uniform(size=60) < 0.5)[:, None] + GOOD[0][:60] / 2
DEEP_REPORT = bp.check_gradients(DEEP, X[:8], T[:8], points=6)


class Wrong(bp.Sigmoid):
    def backward(self, dout):
        return super().backward(dout) * [[2.0, 1.0, 1.0]]


def full(steps):
    return bp.History([2.0 / n for n in range(1, steps + 1)], [0.5], [1.0], [0.4], [steps])


def rates(steps, explodes):
    losses = 3 - 2 / (1 + np.exp(-np.arange(steps) / 10 + 5))
    losses[-3:] *= 100 if explodes else 1
    return bp.RateRange(np.geomspace(1e-6, 1, steps), losses, losses, None if steps < 3 else 1e-3)


PICTURES = {
    "one step": lambda ax: plots.learning_curve(bp.History(loss=[2.3]), ax),
    "one step, evaluated": lambda ax: plots.learning_curve(full(1), ax),
    "few steps": lambda ax: plots.learning_curve(full(6), ax),
    "no validation": lambda ax: plots.learning_curve(bp.History(loss=[3.0] * 500), ax),
    "all curves": lambda ax: plots.learning_curve(full(100_000), ax),
    "nothing finite": lambda ax: plots.learning_curve(bp.History(loss=[np.nan, np.inf, np.nan]), ax),
    "rates": lambda ax: plots.rate_range(rates(100, False), ax),
    "rates that explode": lambda ax: plots.rate_range(rates(100, True), ax),
    "one rate": lambda ax: plots.rate_range(rates(1, False), ax),
    "100 units": lambda ax: plots.weight_images(RNG.normal(size=(784, 100)), ax=ax, units=100),
    "one unit": lambda ax: plots.weight_images(RNG.normal(size=(6, 1)), (2, 3), ax),
    "a flat picture": lambda ax: plots.weight_images(RNG.normal(size=(10, 1)), (1, 10), ax),
    "a flatter picture": lambda ax: plots.weight_images(RNG.normal(size=(60, 1)), (1, 60), ax),
    "a narrow picture": lambda ax: plots.weight_images(RNG.normal(size=(10, 1)), (10, 1), ax),
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


# Between them these have everything that a style can spoil: curves, a twin axis, marks, images, numbers, a colour bar.
IN_ALL_STYLES = (
    "few steps",
    "a flat picture",
    "all curves",
    "matrix",
    "regions of long names",
    "flow",
    "errors",
    "100 units",
)


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def check(ax):
    ax.set_title("a title")
    check_legible(ax.figure)
    check_parts(ax.figure)


# The two with the largest letters and the widest borders, and a dark one.
@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("style", ["default", "dark_background", "seaborn-v0_8-poster", "fivethirtyeight"])
def test_no_text_overlaps_another(name, style):
    with matplotlib.style.context(style):
        check(PICTURES[name](None))


@pytest.mark.parametrize("style", STYLES)
def test_every_style(style):
    with matplotlib.style.context(style):
        for name in IN_ALL_STYLES:
            check(PICTURES[name](None))
            plt.close()


@pytest.mark.parametrize("style", STYLES)
def test_numbers_can_be_read_in_their_cells(style):
    with matplotlib.style.context(style):
        ax = plots.confusion_matrix(EASY, *GOOD)
        boxes = check_legible(ax.figure)
        drawn = pixels(ax.figure)
        shares = ax.images[0].get_array()
        colors = set()
        for text in ax.texts:
            column, row = text.get_position()
            x, y = ax.transData.transform((column - 0.4, row - 0.4)).astype(int)
            assert contrast(drawn[y, x], to_rgb(text.get_color())) >= 4.5  # WCAG 2.1, 1.4.3
            assert not boxes[text].contains(x, y)
            if shares[row, column] > 0.7:
                colors.add(text.get_color())
        assert shares.diagonal().min() > 0.7
        assert len(colors) == 1  # the numbers of a network that classifies well look alike


@pytest.mark.parametrize("name", PICTURES)
def test_a_small_figure(name):
    figure = Figure(figsize=(3.2, 2.4), layout="constrained")
    PICTURES[name](figure.add_subplot())
    FigureCanvasAgg(figure).draw()
    check_parts(figure)


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


@pytest.mark.parametrize("size", [(6.4, 4.8), (4.0, 3.0)], ids=["default", "small"])
@pytest.mark.parametrize("name", PICTURES)
def test_a_figure_without_a_layout(name, size):
    figure = Figure(figsize=size)
    ax = PICTURES[name](figure.add_subplot())
    ax.set_title("a title")
    FigureCanvasAgg(figure).draw()
    assert_inside(ax.title.get_window_extent(), figure)
    if ax.get_legend() is not None:
        assert_inside(ax.get_legend().get_window_extent(), figure)
    for text in ax.texts if size[0] > 6 else []:
        assert_inside(text.get_window_extent(), figure)


def test_a_legend_keeps_off_the_axes_above():
    figure = Figure(figsize=(8, 8))
    above, below = figure.subplots(2)
    above.set_xlabel("of the axes above")
    plots.gradient_flow(NET, X, T, below)
    FigureCanvasAgg(figure).draw()
    assert below.get_legend().get_window_extent().y1 <= above.xaxis.get_tightbbox().y0


NOTES = {
    "flow": lambda ax: plots.gradient_flow(NET, X, T, ax),
    "flow of 12 layers": lambda ax: plots.gradient_flow(DEEP, X, T, ax),
    "errors of 12 layers": lambda ax: plots.gradient_errors(DEEP_REPORT, ax),
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_notes_keep_off_the_axes_beside(style, when):
    with matplotlib.style.context(style):
        axes = plt.subplots(1, 4, figsize=(16, 4))[1]
        # The labels of the neighbour's ticks may come later.
        for ax in axes[1:] if when == "before" else ():
            ax.set_ylim(-4, 3)
        for ax, draw in zip(axes, NOTES.values(), strict=False):
            draw(ax)
        axes[-1].set_ylim(-4, 3)
        boxes = texts(axes[0].figure)
        for ax, other in itertools.pairwise(axes):
            assert ax.texts
            marks = [line.get_xydata() for line in ax.lines if line.get_linestyle() == "None"]
            points = ax.transData.transform(np.concatenate(marks))
            for note in ax.texts:
                box = boxes[note]
                assert box.x1 <= min(boxes[label].x0 for label in other.get_yticklabels() if label in boxes)
                assert box.x0 >= min(np.nanmax(points[:, 0]), ax.bbox.x1)


# Machado, Oliveira & Fernandes (2009), severity 1: what somebody without one kind of cone sees, of linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}  # fmt: skip


def oklab(linear):
    """Ottosson (2020)."""
    to_lms = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566]]
    to_lms.append([0.0883024619, 0.2817188376, 0.6299787005])
    to_lab = [[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099]]
    to_lab.append([0.0259040371, 0.7827717662, -0.8086757660])
    return np.cbrt(linear @ np.transpose(to_lms)) @ np.transpose(to_lab)


@pytest.mark.parametrize("sight", SIGHT)
def test_ten_colours_are_told_apart_as_well_as_six(sight):
    rgb = np.array([to_rgb(color) for color in COLORS])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = oklab(np.clip(linear @ np.transpose(SIGHT[sight]), 0, 1))
    distances = np.linalg.norm(seen[:, None] - seen, axis=2) + 10 * np.eye(len(seen))
    assert len(seen) == 10
    # The first six are from a palette that was made for all of these (Okabe & Ito 2008).
    assert distances.min() >= distances[:6, :6].min()


def test_colours_and_marks_belong_to_one_class():
    ax = plots.decision_regions(bp.Network([2, 100], seed=0), PLANE, CORNERS, resolution=2)
    looks = {(tuple(c.get_facecolor()[0]), c.get_paths()[0].vertices.tobytes()) for c in ax.collections}
    assert len(looks) == len(ax.collections) == 100
    assert ax.get_legend() is None


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
