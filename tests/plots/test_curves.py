"""Learning curves."""

import sys
from itertools import pairwise

import pytest
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from tests.plots.drawn import copied

HISTORY = bp.History(
    loss=[2.3, 1.9, 1.2, 0.8],
    train_accuracy=[0.5, 0.9],
    validation_loss=[2.0, 1.0],
    validation_accuracy=[0.4, 0.8],
    evaluated_at=[2, 4],
)


def test_the_curve_shows_what_was_recorded(tmp_path):
    ax = Figure().add_subplot()
    assert HISTORY.plot(ax) is ax
    left, right = ax.figure.axes
    assert list(left.lines[0].get_ydata()) == HISTORY.loss
    assert list(left.lines[1].get_ydata()) == HISTORY.validation_loss
    assert list(right.lines[0].get_ydata()) == HISTORY.train_accuracy
    assert list(right.lines[1].get_xdata()) == [2, 4]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"validation loss", "train accuracy", "validation accuracy"} <= set(labels)


def test_new_axes_can_be_saved(tmp_path):
    HISTORY.plot().figure.savefig(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def heights(ax, values):
    """Where values stand on the axes, from 0 at the bottom to 1 at the top."""
    ax.figure.draw_without_rendering()
    box = ax.get_window_extent()
    return [(ax.transData.transform((1, value))[1] - box.y0) / box.height for value in values]


@pytest.mark.parametrize("steps", [1, 5, 500])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_logarithmic_axis_shows_the_losses(when, steps):
    losses = [2.0 * 0.98**n for n in range(steps)]
    ax = Figure().add_subplot()
    if when == "before":
        ax.set_yscale("log")
    bp.History(loss=losses).plot(ax)
    ax.set_yscale("log")
    low, high = heights(ax, [losses[-1], losses[0]])
    assert 0 <= low <= high <= 1
    # matplotlib leaves 5 % of the data's height free at either end.
    assert steps == 1 or high - low == pytest.approx(1 / 1.1, rel=1e-9)


def test_steps_without_a_finite_loss_have_their_place():
    for scale in ("linear", "log"):
        ax = bp.History(loss=[2.0, 1.0, *(20 * [float("nan")])]).plot(Figure().add_subplot())
        ax.set_yscale(scale)
        low, high = ax.get_xlim()
        assert low <= 1
        assert high >= 22


def test_a_linear_axis_begins_at_0():
    ax = HISTORY.plot(Figure().add_subplot())
    assert heights(ax, [0.0, 2.3]) == pytest.approx([0, 1 / 1.05], abs=1e-9)
    ax.plot([1, 2], [4.0, 4.0])  # the limits still follow what is drawn
    assert heights(ax, [0.0, 4.0]) == pytest.approx([0, 1 / 1.05], abs=1e-9)


@pytest.mark.parametrize(
    ("train", "validation", "low", "high"),
    [
        ([0.95], [0.93], 0.8, 1.0),
        ([0.52, 0.54], [0.53, 0.54], 0.43, 0.63),
        ([0.01], [0.0], 0.0, 0.2),
        ([1.0], [1.0], 0.8, 1.0),
        ([0.1, 0.9], [], 0.1, 0.9),
        ([float("nan")], [], 0.0, 1.0),
    ],
)
def test_two_points_of_accuracy_look_small(train, validation, low, high):
    history = bp.History(
        loss=[1.0], train_accuracy=train, validation_accuracy=validation, evaluated_at=[*range(len(train))]
    )
    right = history.plot(Figure().add_subplot()).figure.axes[1]
    assert right.get_ylim() == pytest.approx((low - (high - low) / 20, high + (high - low) / 20), abs=1e-9)


def test_a_title_stands_above_the_legend():
    for layout in ("constrained", "tight", None):
        figure = Figure(figsize=(7, 4), layout=layout)
        ax = HISTORY.plot(figure.add_subplot())
        ax.set_title("a title")
        figure.draw_without_rendering()
        title, legend = ax.title.get_window_extent(), ax.get_legend().get_window_extent()
        assert title.y0 >= legend.y1
        ax.get_legend().remove()
        figure.draw_without_rendering()
        assert ax.title.get_window_extent().y0 < ax.get_window_extent().y1 + legend.height


def test_a_drawn_figure_can_be_pickled():
    figure = copied(HISTORY.plot().figure)
    figure.draw_without_rendering()
    assert len(figure.axes) == 2


def test_an_empty_history():
    with pytest.raises(ValueError, match="the history has no steps"):
        bp.History().plot()


@pytest.mark.parametrize(
    ("history", "error", "message"),
    [
        (None, TypeError, "history is a NoneType, wanted a History"),
        ([2.0, 1.0], TypeError, "history is a list, wanted a History"),
        (
            bp.History([1.0, 2.0], [0.1, 0.2], [], [], [2]),
            ValueError,
            "train_accuracy has 2 numbers, evaluated_at has 1; wanted as many, or none",
        ),
        (bp.History([1.0], [], [0.1]), ValueError, "validation_loss has 1 number, evaluated_at has 0"),
        (bp.History(["low"]), TypeError, "loss has dtype <U3, wanted real numbers"),
        (bp.History([[1.0]]), ValueError, r"loss has shape \(1, 1\), wanted a list of numbers"),
    ],
)
def test_a_history_that_is_none(history, error, message):
    with pytest.raises(error, match=f"^learning_curve: {message}"):
        plots.learning_curve(history)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"plots need matplotlib: pip install 'bpcore\[plot\]'"):
        HISTORY.plot()


def test_a_long_history_has_a_running_mean():
    losses = [1.0 / n for n in range(1, 201)]
    ax = bp.History(loss=losses).plot()
    assert list(ax.lines[0].get_ydata()) == losses
    steps, means = ax.lines[1].get_data()
    assert list(steps) == list(range(4, 201))
    assert means == pytest.approx([sum(losses[n : n + 4]) / 4 for n in range(197)], rel=1e-12)
    assert len(ax.figure.axes) == 1  # no accuracy, no axis for it


def test_the_legend_stands_above_the_axes():
    ax = HISTORY.plot()
    ax.figure.canvas.draw()
    legend, axes = ax.get_legend().get_window_extent(), ax.get_window_extent()
    assert legend.y0 >= axes.y1


WITH_METRICS = bp.History(
    loss=[2.3, 1.9, 1.2, 0.8],
    train_accuracy=[0.5, 0.9],
    validation_loss=[2.0, 1.0],
    validation_accuracy=[0.4, 0.8],
    evaluated_at=[2, 4],
    others=[
        dict(learning_rate=0.1, validation_f1_macro=0.3, validation_error=30.0),
        dict(learning_rate=0.05, validation_f1_macro=0.7, validation_error=20.0),
    ],
    best_at=4,
)


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_metrics_and_the_rate_have_their_axes():
    ax = WITH_METRICS.plot()
    left, shared, rate, error = ax.figure.axes
    assert [one.get_ylabel() for one in (left, shared, rate, error)] == [
        *("loss", "accuracy and metrics", "learning rate", "validation error")
    ]
    assert [[*line.get_ydata()] for line in shared.lines] == [[0.5, 0.9], [0.4, 0.8], [0.3, 0.7]]
    assert [*rate.lines[0].get_ydata()] == [0.1, 0.05]
    assert [*error.lines[0].get_ydata()] == [30.0, 20.0]
    best = left.lines[-1]
    assert [*best.get_xdata()] == [4, 4]
    assert texts(ax)[-1] == "best, at step 4"
    looks = [
        (line.get_color(), line.get_linestyle(), line.get_marker())
        for one in ax.figure.axes
        for line in one.lines
    ]
    assert len({*looks}) == len(looks)


@pytest.mark.parametrize("layout", ["constrained", "tight"])
def test_the_axes_on_the_right_stand_side_by_side(layout):
    figure = Figure(figsize=(9, 4), layout=layout)
    ax = WITH_METRICS.plot(figure.add_subplot())
    figure.draw_without_rendering()
    boxes = [one.yaxis.get_tightbbox() for one in figure.axes[1:]]
    for first, second in pairwise(boxes):
        assert first.x1 <= second.x0
    assert boxes[-1].x1 <= figure.bbox.x1
    assert ax.get_legend().get_window_extent().y0 >= ax.bbox.y1


def test_a_figure_without_a_layout_has_no_room_for_axes():
    figure = Figure(figsize=(7, 4))
    ax = WITH_METRICS.plot(figure.add_subplot())
    figure.draw_without_rendering()
    assert {"learning rate (0.05 to 0.1)", "validation error (20 to 30)"} <= {*texts(ax)}
    for one in figure.axes:
        assert one.get_tightbbox().x1 <= figure.bbox.x1


def test_a_rate_that_stays_is_not_drawn():
    history = bp.History([1.0, 0.5], evaluated_at=[1, 2], others=[dict(learning_rate=0.1)] * 2)
    assert len(history.plot().figure.axes) == 1
    ax = plots.learning_curve(history, metrics=["learning_rate"])
    assert [one.get_ylabel() for one in ax.figure.axes] == ["loss", "learning rate"]


def test_metrics_that_are_chosen():
    ax = plots.learning_curve(WITH_METRICS, metrics=["validation_error"])
    assert [one.get_ylabel() for one in ax.figure.axes] == ["loss", "accuracy", "validation error"]
    assert len(plots.learning_curve(WITH_METRICS, metrics=[]).figure.axes) == 2
    with pytest.raises(
        ValueError, match="'validation_eror', which was not recorded; did you mean 'validation_error'"
    ):
        plots.learning_curve(WITH_METRICS, metrics=["validation_eror"])
    with pytest.raises(TypeError, match="metrics is 'validation_error', wanted a sequence of names"):
        plots.learning_curve(WITH_METRICS, metrics="validation_error")


def test_several_histories():
    losses = [1.0 / n for n in range(1, 201)]
    ax = plots.learning_curve({"$a$": WITH_METRICS, "b": bp.History(losses)})
    assert texts(ax) == [r"\$a\$", "b", "validation loss", "train accuracy", "validation accuracy"]
    left, right = ax.figure.axes
    colors = [line.get_color() for line in left.lines]
    assert colors == [left.lines[0].get_color()] * 2 + [left.lines[2].get_color(), left.lines[0].get_color()]
    assert {line.get_color() for line in right.lines} == {colors[0]}
    assert len(left.lines[2].get_ydata()) == 197
    ax = plots.learning_curve({"a": WITH_METRICS, "b": WITH_METRICS}, metrics=["validation_f1_macro"])
    assert len(ax.figure.axes[1].lines) == 6
    with pytest.raises(ValueError, match="history has no histories, wanted at least one"):
        plots.learning_curve({})
    with pytest.raises(TypeError, match=r"history\['a'\] is a list, wanted a History"):
        plots.learning_curve({"a": [1.0]})


def test_metrics_below_0_are_seen():
    history = bp.History([1.0], [0.5], [], [], [1], others=[dict(validation_r2=-0.8)])
    right = history.plot().figure.axes[1]
    low, high = right.get_ylim()
    assert low < -0.8
    assert high > 0.5
