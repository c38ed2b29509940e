"""Checkpoints: a run that goes on from a file has the bits of one that was never ended."""

import copy
import csv
import datetime as dt
import os

import numpy as np
import pytest

import backprop as bp
from backprop.optimizers.base import RULES
from tests.training.runs import NETWORKS, T, X, bits, plain, targets

# What files hold.
STORED = {name: made for name, made in NETWORKS.items() if name != "with_own_layer"}
OPTIONS = {
    "sgd": lambda: dict(optimizer=bp.SGD(0.1, momentum=0.9), epochs=4),
    "nothing given": lambda: dict(epochs=4),
    "adam": lambda: dict(optimizer="adam", schedule="cosine", epochs=4),
    "in order": lambda: dict(shuffle=False, epochs=4, optimizer=bp.Lion(0.01)),
    "iterations": lambda: dict(iterations=20, optimizer=bp.RMSprop(0.01, centered=True)),
    "kept for validation": lambda: dict(
        validation_fraction=0.2,
        epochs=4,
        early_stopping=bp.EarlyStopping(50),
        schedule=bp.schedules.Plateau(0.5, patience=0),
    ),
}
COLUMNS = ("loss", "train_accuracy", "validation_loss", "validation_accuracy", "evaluated_at", "others")


class Ends(bp.Callback):
    """Ctrl-C after so many steps."""

    def __init__(self, after):
        self.every = after

    def step(self, run):
        raise KeyboardInterrupt


@pytest.mark.parametrize("made", STORED.values(), ids=STORED)
@pytest.mark.parametrize("name", OPTIONS)
def test_an_interrupted_run_goes_on_to_the_same_bits(made, name, tmp_path):
    path, options = tmp_path / "run.safetensors", dict(batch_size=10, seed=3)
    whole = made()
    t = targets(whole)
    expected = whole.fit(X, t, **options, **OPTIONS[name]())
    # In an epoch, at its end, and again in the second part.
    parts, done = made(), 0
    for after in (4, 10, 17):
        with pytest.raises(KeyboardInterrupt):
            parts.fit(
                X,
                t,
                **options,
                **OPTIONS[name](),
                checkpoint=path,
                resume=True,
                every=3,
                threads=1 + done % 2,
                callbacks=[Ends(after)],
            )
        parts, done = made(), done + 1
        with pytest.raises(KeyboardInterrupt):  # nothing is taken that is not saved
            parts.fit(X, t, resume=path, callbacks=[_at_once()])
        assert len(parts.history.loss) == after
        parts = made()
    history = parts.fit(X, t, **options, **OPTIONS[name](), checkpoint=path, resume=True)
    assert bits(parts) == bits(whole)
    for column in COLUMNS:
        assert getattr(history, column) == getattr(expected, column)
    # The file has the same, and is not written again by a run that has ended.
    assert bits(bp.Network.load(path)) == bits(whole)
    before = path.read_bytes()
    again = made()
    assert again.fit(X, t, resume=True, checkpoint=path).loss == expected.loss
    assert bits(again) == bits(whole)
    assert path.read_bytes() == before


def _at_once():
    class Begins(bp.Callback):
        def begin(self, run):
            raise KeyboardInterrupt

    return Begins()


@pytest.mark.parametrize("kind", RULES)
def test_every_rule(kind, tmp_path):
    path, options = tmp_path / "run.safetensors", dict(epochs=2, batch_size=10, seed=0)
    whole, parts, resumed = plain(), plain(), plain()
    given = RULES[kind](weight_decay=0.01, clip_norm=1.0)
    whole.fit(X, T, optimizer=given, **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(
            X, T, optimizer=RULES[kind](weight_decay=0.01, clip_norm=1.0), checkpoint=path, callbacks=[Ends(5)],
            **options,
        )  # fmt: skip
    own = RULES[kind](weight_decay=0.01, clip_norm=1.0)
    resumed.fit(X, T, optimizer=own, resume=path)
    assert bits(resumed) == bits(whole)
    assert own.steps == given.steps == 12
    for key, arrays in given.state.items():
        assert [one.tobytes() for one in own.state[key]] == [one.tobytes() for one in arrays]


def test_a_moving_average_goes_on(tmp_path):
    path, options = tmp_path / "run.safetensors", dict(epochs=4, batch_size=10, seed=3, ema_decay=0.9)
    whole, parts = plain(), plain()
    averages = copy.deepcopy(whole), copy.deepcopy(parts)
    whole.fit(X, T, ema=averages[0], **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, T, ema=averages[1], checkpoint=path, callbacks=[Ends(8)], **options)
    resumed = plain()
    average = copy.deepcopy(resumed)
    resumed.fit(X, T, ema=average, resume=path)
    assert bits(resumed) == bits(whole)
    assert bits(average) == bits(averages[0])
    with pytest.raises(ValueError, match="has a moving average, and ema is None"):
        plain().fit(X, T, resume=path)


@pytest.mark.parametrize("monitor", ["validation_loss", "loss"])
@pytest.mark.parametrize("averaged", [False, True])
def test_the_best_weights_are_among_what_is_saved(tmp_path, monitor, averaged):
    """Targets that are not learned: the first evaluation is the best."""
    path = tmp_path / "run.safetensors"
    valid = X, np.random.default_rng(4).integers(0, 3, len(X))
    options = dict(epochs=9, batch_size=10, seed=0, optimizer="adam", validation=valid)
    options["early_stopping"] = bp.EarlyStopping(100, monitor=monitor)

    def network():
        net = plain()
        return net, copy.deepcopy(net) if averaged else None

    (whole, average), (parts, other), (resumed, third) = (network() for _ in range(3))
    whole.fit(X, T, ema=average, **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, T, ema=other, checkpoint=path, callbacks=[Ends(32)], **options)
    # As `fit` has left it, the file has it.
    assert bits(bp.Network.load(path)) == bits(parts)
    resumed.fit(X, T, ema=third, resume=path, **options)
    assert bits(resumed) == bits(whole)
    assert averaged is False or bits(third) == bits(average)


def test_a_run_that_was_stopped_does_not_go_on(tmp_path):
    path, options = tmp_path / "run.safetensors", dict(epochs=20, batch_size=10, seed=0)
    net, calls = plain(), []

    def stops(net, history):
        calls.append(1)
        return len(calls) == 3

    history = net.fit(X, T, checkpoint=path, callbacks=[stops], **options)
    other = plain()
    assert other.fit(X, T, resume=path, checkpoint=path, **options).loss == history.loss
    assert bits(other) == bits(net)
    # But for who asks for it.
    whole = plain()
    whole.fit(X, T, epochs=5, batch_size=10, seed=0)
    other.fit(X, T, epochs=2, continue_from=other.history)
    assert bits(other) == bits(whole)


def test_a_run_may_be_made_longer(tmp_path):
    path, options = tmp_path / "run.safetensors", dict(batch_size=10, seed=0)
    whole, parts, resumed = plain(), plain(), plain()
    whole.fit(X, T, epochs=6, **options)
    history = parts.fit(X, T, epochs=2, **options)
    parts.fit(X, T, epochs=2, continue_from=history, checkpoint=path)
    resumed.fit(X, T, epochs=6, resume=path)
    assert bits(resumed) == bits(whole)
    with pytest.raises(ValueError, match="has taken 24 steps, and is to end after 18"):
        plain().fit(X, T, epochs=3, resume=path)
    scheduled = tmp_path / "scheduled.safetensors"
    plain().fit(X, T, epochs=4, schedule="cosine", checkpoint=scheduled, **options)
    with pytest.raises(
        ValueError, match=r"fit: schedule=Cosine\(\) is of the whole run of .*which has 24 steps"
    ):
        plain().fit(X, T, epochs=6, resume=scheduled)


def test_weights_of_classes_and_samples(tmp_path):
    path, weights = tmp_path / "run.safetensors", np.linspace(0.5, 1.5, len(X))
    options = dict(epochs=3, batch_size=10, seed=0, class_weight={0: 2.0, 2: 0.5}, sample_weight=weights)
    whole, parts, resumed = plain(), plain(), plain()
    whole.fit(X, T, **options)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, T, checkpoint=path, callbacks=[Ends(8)], **options)
    resumed.fit(X, T, resume=path, sample_weight=weights)
    assert bits(resumed) == bits(whole)


@pytest.mark.parametrize("every", [None, 4, dt.timedelta(microseconds=1), dt.timedelta(days=1)])
def test_when_they_are_written(tmp_path, every, monkeypatch):
    from backprop.io import _checkpoint

    path, steps, write = tmp_path / "run.safetensors", [], _checkpoint.write

    def counted(path, net, arrays, state, others, keeps):
        steps.append(state["step"])
        write(path, net, arrays, state, others, keeps)

    monkeypatch.setattr(_checkpoint, "write", counted)
    plain().fit(X, T, epochs=3, batch_size=10, checkpoint=path, every=every)
    wanted = {None: [6, 12, 18], 4: [4, 8, 12, 16, 18]}.get(every)
    if every == dt.timedelta(days=1):
        wanted = [18]
    assert steps == wanted or (wanted is None and steps == sorted({*steps}) and steps[-1] == 18)
    assert sorted(os.listdir(tmp_path)) == [
        *(["run.previous.safetensors"] if len(steps) > 1 else []),
        "run.safetensors",
    ]
    if len(steps) > 1:
        resumed = plain()
        assert len(resumed.fit(X, T, resume=tmp_path / "run.previous.safetensors").loss) == 18
        assert bits(resumed) == bits(bp.Network.load(path))


def test_a_seed_that_was_not_given_is_saved(tmp_path):
    path = tmp_path / "run.safetensors"
    whole, resumed = plain(), plain()
    whole.fit(X, T, epochs=3, batch_size=10, checkpoint=path, validation_fraction=0.2)
    resumed.fit(X, T, epochs=3, resume=tmp_path / "run.previous.safetensors")
    assert bits(resumed) == bits(whole)


def test_a_log_goes_on_with_the_run(tmp_path):
    """Rows behind the checkpoint are written again, not twice."""
    path, options = tmp_path / "run.safetensors", dict(epochs=4, batch_size=10, seed=1)

    def rows(name):
        with (tmp_path / name).open() as file:
            return [[*row[:3], *row[4:]] for row in csv.reader(file)]  # not the seconds

    plain().fit(X, T, callbacks=[bp.callbacks.CSVLog(tmp_path / "whole.csv")], **options)
    with pytest.raises(KeyboardInterrupt):
        plain().fit(
            X,
            T,
            checkpoint=path,
            every=4,
            callbacks=[bp.callbacks.CSVLog(tmp_path / "log.csv"), Ends(13)],
            **options,
        )
    before = tmp_path / "run.previous.safetensors"
    plain().fit(X, T, resume=before, callbacks=[bp.callbacks.CSVLog(tmp_path / "log.csv")])
    assert len(rows("log.csv")) == 5
    assert rows("log.csv") == rows("whole.csv")
