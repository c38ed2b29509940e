"""Without a layout, which would move things, legends stay in the figure and cover nothing where there is room."""

import matplotlib.pyplot as plt
import matplotlib.style
import numpy as np
import pytest
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from tests.plots.drawn import STYLES, TOUCH, assert_inside, copied, ink_in_axes, pixels, texts

RNG = np.random.default_rng(4)
X, T = RNG.normal(size=(60, 6)), np.arange(60) % 3
DEEP = bp.Network([6] * 7 + [3], seed=0)
PLANE = bp.Network([2, 10], seed=0)
CORNERS = RNG.normal(size=(60, 2)) * [1.0, 0.2]
REPORT = bp.check_gradients(bp.Sigmoid(), X[:4, :4])


def history(steps, losses, accuracies):
    """One whose loss and accuracies go evenly from one number to another."""
    at = np.linspace(steps / 5, steps, 5).astype(int).tolist()
    rises = np.linspace(*accuracies, 5)
    noise = RNG.normal(size=steps) * 0.02
    return bp.History(
        list(np.linspace(*losses, steps) + noise),
        list(rises),
        list(np.linspace(*losses, 5)),
        list(rises - 0.02),
        at,
    )


CROSSING, APART = history(300, (2.3, 0.3), (0.2, 0.95)), history(300, (0.5, 0.3), (0.7, 0.95))
DRAW = {
    "crossing curves": lambda ax: CROSSING.plot(ax),
    "a free middle": lambda ax: APART.plot(ax),
    "a free corner": lambda ax: bp.History([2.0 / n for n in range(1, 20)], [], [0.1], [], [19]).plot(ax),
    "flow": lambda ax: plots.gradient_flow(DEEP, X, T, ax),
    "errors": lambda ax: REPORT.plot(ax),
    "regions": lambda ax: plots.decision_regions(PLANE, CORNERS, np.arange(60) % 10, ax, resolution=20),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def check(ax, boxes=None):
    """Whether the legend covers nothing; if it does, there is no place for it, with its distance, in the axes."""
    figure = ax.figure
    boxes = texts(figure) if boxes is None else boxes
    legend, title = ax.get_legend().get_window_extent(), ax.title.get_window_extent()
    assert_inside(legend, figure)
    if ax.title.get_text():
        assert_inside(title, figure)
        assert title.y0 >= legend.y1 - TOUCH or title.y1 <= legend.y0 + TOUCH
    axes = ax.get_window_extent()
    if legend.y0 >= axes.y1 - TOUCH:
        own = {ax.title, *ax.get_legend().get_texts()}
        for text in boxes.keys() - own:
            box = boxes[text]
            assert min(np.minimum(box.max, legend.max) - np.maximum(box.min, legend.min)) <= TOUCH, text
        return True
    drawn = ink_in_axes(ax)
    assert axes.padded(TOUCH).containsx(legend.x0)
    assert axes.padded(TOUCH).containsx(legend.x1)
    assert axes.padded(TOUCH).containsy(legend.y0)
    assert axes.padded(TOUCH).containsy(legend.y1)
    x0, y0 = np.floor(legend.min - axes.min).astype(int)
    x1, y1 = np.ceil(legend.max - axes.min).astype(int)
    if not drawn[max(y0, 0) : y1, max(x0, 0) : x1].any():
        return True
    # It keeps its distance from everything, and places are looked for in squares of 2 points.
    size = legend.size + (2 * 0.4 * ax.get_legend().get_texts()[0].get_fontsize() + 3 * 2) * figure.dpi / 72
    assert not free_places(drawn, size)
    return False


def free_places(drawn, size):
    """How many boxes of a width and height hold nothing."""
    across, down = np.ceil(size).astype(int)
    sums = np.pad(drawn.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    if drawn.shape[0] < down or drawn.shape[1] < across:
        return 0
    held = sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across] + sums[:-down, :-across]
    return int((held == 0).sum())


@pytest.mark.parametrize("style", STYLES)
def test_what_is_typed_most(style):
    with matplotlib.style.context(style):
        for name in ("crossing curves", "flow", "errors", "regions"):
            ax = DRAW[name](plt.subplots()[1])
            ax.set_title("a title")
            assert check(ax)


@pytest.mark.parametrize("style", STYLES)
def test_every_place_of_subplots(style):
    with matplotlib.style.context(style):
        axes = plt.subplots(2, 2, figsize=(8, 6.4))[1]
        for ax, name in zip(axes.flat, ("errors", "flow", "a free middle", "regions"), strict=True):
            DRAW[name](ax)
        boxes = texts(axes[0, 0].figure)
        for ax in axes.flat:
            check(ax, boxes)


@pytest.mark.parametrize("size", [(6.4, 4.8), (4, 3), (2.5, 2), (1.2, 1)], ids=str)
@pytest.mark.parametrize("name", DRAW)
def test_sizes(name, size):
    ax = DRAW[name](Figure(figsize=size).add_subplot())
    if min(size) > 1:
        check(ax)
    else:
        ax.figure.draw_without_rendering()


def inside(name):
    """A picture whose legend has no room above."""
    ax = DRAW[name](Figure(figsize=(5, 4)).add_axes((0.15, 0.15, 0.7, 0.8)))
    ax.figure.draw_without_rendering()
    assert ax.get_legend().get_window_extent().y1 < ax.get_window_extent().y1
    return ax


@pytest.mark.parametrize("name", ["a free middle", "a free corner", "flow", "errors"])
def test_there_is_a_place_inside(name):
    ax = inside(name)
    assert check(ax)
    copied(ax.figure).draw_without_rendering()
    ax.get_legend().remove()
    ax.figure.draw_without_rendering()


def test_rows_make_room():
    ax = plt.subplots(2, 2, figsize=(8, 6.4))[1][1, 0]
    DRAW["flow"](ax)
    assert check(ax)
    assert ax.get_ylim()[1] < -0.5
    assert ax.get_legend().get_window_extent().y0 >= ax.transData.transform((1, -0.5))[1]
    sizes = [text.get_fontsize() for text in ax.get_legend().get_texts()]
    assert min(sizes) >= 0.7 * ax.xaxis.get_ticklabels()[0].get_fontsize()


def test_a_legend_moves_with_what_is_drawn():
    ax = inside("a free corner")
    ax.set_yscale("log")
    assert check(ax)
    ax.plot([5, 15], [2.0, 2.0])
    ax.text(10, 1.0, "a text that stands where the legend did")
    assert check(ax)
    ax.set_xlim(-20, 20)
    assert check(ax)
    ax.figure.set_dpi(150)
    ax.figure.set_size_inches(4, 3)
    check(ax)


def test_a_legend_keeps_off_the_title_of_the_figure():
    figure = Figure(figsize=(8, 5))
    ax = figure.add_subplot()
    figure.suptitle("all of it")
    CROSSING.plot(ax)
    assert check(ax)


def test_curves_of_twin_axes_are_drawn_under_it():
    ax = CROSSING.plot(Figure(figsize=(2.6, 2)).add_subplot())
    right = ax.figure.axes[1]
    assert not check(ax)
    box = ax.get_legend().get_window_extent()
    rows, columns = (slice(*np.array([a + 2, b - 2], int)) for a, b in (box.intervaly, box.intervalx))
    seen = []
    for color in ("red", "blue"):
        for line in right.lines:
            line.set_color(color)
        texts(ax.figure)
        seen.append(pixels(ax.figure))
    assert (seen[0] != seen[1]).any()
    assert (seen[0] == seen[1])[rows, columns].all()
