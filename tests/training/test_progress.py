"""What a run shows while it goes."""

import sys
import types

import pytest

import backprop as bp
from backprop._util import progress
from tests.training.runs import T, X, bits, plain

OPTIONS = dict(batch_size=10, seed=0, validation=(X, T), metrics="balanced_accuracy", progress=True)


def test_the_lines_of_a_log(capsys):
    history = plain().fit(X, T, epochs=5, schedule="cosine", **OPTIONS)
    last = capsys.readouterr().err.splitlines()[-1].split(", ")
    assert last[0] == "step 30 of 30"
    names = [text.rpartition(" ")[0] for text in last[1:6]]
    assert names == [
        *("loss", "validation loss", "validation accuracy", "validation balanced accuracy", "learning rate")
    ]
    # The fourth epoch's, which is the last before the last steps.
    assert last[2] == f"validation loss {history.validation_loss[-2]:.4g}"
    assert last[6].endswith(" samples/s")
    assert last[7].endswith(" steps/s")
    assert last[8:] == ["0.0 s left", last[-1]]


@pytest.mark.parametrize("given", [dict(epochs=4), dict(iterations=24)])
def test_samples_and_steps_a_second(given, monkeypatch, capsys):
    clock = iter(range(10_000))
    monkeypatch.setattr(progress, "time", types.SimpleNamespace(perf_counter=lambda: next(clock)))
    plain().fit(X, T, batch_size=10, seed=0, progress=True, **given)
    for line in capsys.readouterr().err.splitlines():
        parts = line.split(", ")
        step, seconds = int(parts[0].split()[1]), float(parts[-1].split()[0])
        rate = step / seconds
        samples = rate * (53 / 6 if "epochs" in given else 10)
        assert f"{samples:,.0f} samples/s" in parts
        assert f"{rate:,.0f} steps/s" in parts
        assert f"{(24 - step) / rate:.1f} s left" in parts


def test_the_bar_of_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "300")
    history = plain().fit(X, T, epochs=5, schedule="cosine", **OPTIONS)
    last = capsys.readouterr().err.split("\r")[-1]
    assert "100%" in last
    assert f"validation loss {history.validation_loss[-1]:.4g}" in last
    assert "learning rate " in last
    assert " samples/s" in last
    assert last.endswith("\n")


def test_a_bar_in_a_notebook(monkeypatch, capsys):
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    assert progress.in_notebook()
    plain().fit(X, T, epochs=2, **OPTIONS)
    assert "100%" in capsys.readouterr().err
    shell.config.clear()
    assert not progress.in_notebook()


def test_a_bar_is_closed_by_an_error(monkeypatch, capsys):
    closed = []
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr("tqdm.tqdm.close", lambda self: closed.append(self), raising=True)

    def fails(net, history):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        plain().fit(X, T, epochs=2, callbacks=[fails], **OPTIONS)
    assert closed
    monkeypatch.undo()
    closed[0].close()


def test_progress_changes_no_bit(capsys):
    nets = plain(), plain()
    options = OPTIONS | dict(epochs=3)
    nets[0].fit(X, T, **options)
    nets[1].fit(X, T, **options | dict(progress=False))
    assert bits(nets[0]) == bits(nets[1])


def test_lbfgs_says_its_loss(capsys):
    pytest.importorskip("scipy")
    history = plain().fit(X, T, iterations=3, optimizer="lbfgs", progress=True)
    first = capsys.readouterr().err.splitlines()[0]
    assert first.startswith("step 1 of 3, ")
    assert len(history.loss) == 3


def test_no_progress_costs_no_description():
    assert isinstance(progress.bar_for(False, 3, pytest.fail), progress.NoBar)
    assert bp.callbacks.Callback is bp.Callback
