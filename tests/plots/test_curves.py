"""Learning curves."""

import sys

import pytest
from matplotlib.figure import Figure

import backprop as bp

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
    assert "matplotlib.pyplot" not in sys.modules


def test_an_empty_history():
    with pytest.raises(ValueError, match="the history has no steps"):
        bp.History().plot()


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
