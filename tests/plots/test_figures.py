"""A picture's figure is pyplot's where that can show it, and nothing of pyplot's where axes are given."""

import os
import subprocess
import sys
from threading import Thread

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots

HISTORY = bp.History(loss=[2.3, 1.9, 1.2], train_accuracy=[0.5], evaluated_at=[3])
X, T = np.random.default_rng(0).normal(size=(12, 4)), np.arange(12) % 3
NET, PLANE = bp.Network([4, 3], seed=0), bp.Network([2, 3], seed=0)
RATES = bp.RateRange(np.array([0.1, 0.2, 0.4]), np.array([2.3, 1.9, 1.2]), np.array([2.3, 2.1, 1.8]), 0.2)
DRAW = {
    "learning_curve": lambda ax: HISTORY.plot(ax),
    "rate_range": lambda ax: RATES.plot(ax),
    "weight_images": lambda ax: plots.weight_images(NET, ax=ax),
    "confusion_matrix": lambda ax: plots.confusion_matrix(NET, X, T, ax),
    "gradient_flow": lambda ax: plots.gradient_flow(NET, X, T, ax),
    "gradient_errors": lambda ax: bp.check_gradients(bp.Sigmoid(), X).plot(ax),
    "decision_regions": lambda ax: plots.decision_regions(PLANE, X[:, :2], T, ax, resolution=5),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAW)
def test_what_everybody_types_first(name, tmp_path):
    ax = DRAW[name](None)
    assert plt.gcf() is ax.figure
    plt.savefig(tmp_path / "picture.png")
    picture = plt.imread(tmp_path / "picture.png")
    assert len(np.unique(picture.reshape(-1, picture.shape[-1]), axis=0)) > 2  # not blank


@pytest.mark.parametrize("name", DRAW)
def test_axes_that_are_given_make_no_figure(name):
    DRAW[name](Figure().add_subplot())
    assert plt.get_fignums() == []


def test_a_loop_warns_of_nothing_and_keeps_what_is_not_ours():
    own = plt.figure()
    figures = [HISTORY.plot().figure for _ in range(2 * plt.rcParams["figure.max_open_warning"])]
    assert plt.fignum_exists(own.number)
    assert plt.gcf() is figures[-1]
    assert len(plt.get_fignums()) == plt.rcParams["figure.max_open_warning"]
    assert all(figure.axes for figure in figures)


def test_a_limit_of_0_keeps_every_figure():
    with plt.rc_context({"figure.max_open_warning": 0}):
        for _ in range(25):
            HISTORY.plot()
    assert len(plt.get_fignums()) == 25


def test_a_notebook_keeps_every_figure_of_its_cell(monkeypatch):
    monkeypatch.setattr(plt, "get_backend", lambda: "module://matplotlib_inline.backend_inline")
    with plt.rc_context({"figure.max_open_warning": 3}):
        for _ in range(3):
            HISTORY.plot()
        with pytest.warns(RuntimeWarning, match="More than 3 figures have been opened"):
            HISTORY.plot()
    assert len(plt.get_fignums()) == 4


@pytest.mark.parametrize(("backend", "known"), [("TkAgg", 0), ("agg", 1), ("inline", 1)])
def test_only_the_main_thread_opens_windows(backend, known, monkeypatch):
    monkeypatch.setattr(plt, "get_backend", lambda: backend)
    drawn = []
    thread = Thread(target=lambda: drawn.append(HISTORY.plot()))
    thread.start()
    thread.join()
    assert len(plt.get_fignums()) == known
    assert len(drawn[0].lines) == 1


def test_a_backend_that_cannot_be_loaded(tmp_path):
    code = (
        "import backprop as bp; ax = bp.History(loss=[2.0, 1.0]).plot(); "
        "ax.figure.savefig('curve.png'); import matplotlib.pyplot as plt; print(plt.get_fignums())"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "MPLBACKEND": "module://backends_of_nobody"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


class Broken(bp.Network):
    def _stop(self, *_):
        raise KeyboardInterrupt

    predict = predict_proba = gradient = _stop


WRONG = {
    "too few evaluations": lambda: bp.History([1.0, 2.0], [0.1, 0.2], [], [], [2]).plot(),
    "losses of no time": lambda: bp.History([1.0, 2.0], [], [0.1], [0.2]).plot(),
    "losses that are none": lambda: bp.History([1.0, "low"]).plot(),
    "losses of a matrix": lambda: bp.History([[1.0, 2.0]]).plot(),
    "no rates": lambda: plots.rate_range(HISTORY),
    "no history": lambda: plots.learning_curve(None),
    "weights that are none": lambda: plots.weight_images(np.array([[1.0, "a"]])),
    "units that are not there": lambda: plots.weight_images(NET, units=[5]),
    "no whole columns": lambda: plots.weight_images(NET, columns=1.5),
    "confusion_matrix": lambda: plots.confusion_matrix(Broken([4, 3], seed=0), X, T),
    "gradient_flow": lambda: plots.gradient_flow(Broken([4, 3], seed=0), X, T),
    "gradient_errors": lambda: plots.gradient_errors(bp.GradientReport("f", 0)),
    "decision_regions": lambda: plots.decision_regions(Broken([2, 3], seed=0), X[:, :2], T),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_leaves_no_figure(name):
    with pytest.raises((TypeError, ValueError, KeyboardInterrupt)):
        WRONG[name]()
    assert plt.get_fignums() == []


def test_figures_grow_with_the_letters_of_a_style():
    usual = HISTORY.plot().figure.get_size_inches()
    with plt.rc_context({"xtick.labelsize": 16}):
        assert HISTORY.plot().figure.get_size_inches() == pytest.approx(1.6 * usual, rel=1e-15)
    with plt.rc_context({"xtick.labelsize": 6}):
        assert HISTORY.plot().figure.get_size_inches().tolist() == usual.tolist()
