"""A run that goes on where it was: the same bits as one that was never ended."""

import copy

import numpy as np
import pytest

import backprop as bp
from tests.training.runs import NETWORKS, T, X, bits, plain, targets

OPTIONS = {
    "sgd": dict(optimizer=lambda: bp.SGD(0.1, momentum=0.9)),
    "adam": dict(optimizer=lambda: bp.Adam(0.01)),
    "by name": dict(optimizer=lambda: "nadam"),
    "in order": dict(shuffle=False),
    "kept for validation": dict(validation_fraction=0.2),
    "early stopping": dict(early_stopping=50, validation_fraction=0.2),
}


def options(name, first):
    """Arguments of a call; of the first one also what later ones may not have."""
    made = {key: value() if callable(value) else value for key, value in OPTIONS[name].items()}
    return dict(seed=3, batch_size=10, **made) if first else {}


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("name", OPTIONS)
def test_twice_three_epochs_are_six(made, name):
    whole, parts = made(), made()
    t = targets(whole)
    expected = whole.fit(X, t, epochs=6, **options(name, True))
    history = parts.fit(X, t, epochs=3, **options(name, True))
    first = copy.deepcopy(history)
    history = parts.fit(X, t, epochs=1, continue_from=history)
    history = parts.fit(X, t, epochs=2, continue_from=history)
    assert bits(parts) == bits(whole)
    for column in (
        "loss",
        "train_accuracy",
        "validation_loss",
        "validation_accuracy",
        "evaluated_at",
        "others",
    ):
        assert getattr(history, column) == getattr(expected, column)
        assert getattr(history, column)[: len(getattr(first, column))] == getattr(first, column)
    assert parts.history is history
    assert history.seconds >= first.seconds


def test_iterations_and_a_moving_average_go_on():
    whole, parts = plain(), plain()
    averages = copy.deepcopy(whole), copy.deepcopy(parts)
    whole.fit(X, T, iterations=23, batch_size=7, seed=5, ema=averages[0], ema_decay=0.9)
    history = parts.fit(X, T, iterations=9, batch_size=7, seed=5, ema=averages[1], ema_decay=0.9)
    parts.fit(X, T, iterations=14, continue_from=history)
    assert bits(parts) == bits(whole)
    assert bits(averages[1]) == bits(averages[0])


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("after", [1, 6, 7, 17])
def test_what_a_callback_has_interrupted_goes_on(made, after):
    class Ends(bp.Callback):
        every = after

        def step(self, run):
            raise KeyboardInterrupt

    whole, parts = made(), made()
    t = targets(whole)
    whole.fit(X, t, epochs=4, batch_size=10, seed=2)
    with pytest.raises(KeyboardInterrupt):
        parts.fit(X, t, epochs=4, batch_size=10, seed=2, callbacks=[Ends()])
    assert len(parts.history.loss) == after
    history = parts.fit(X, t, epochs=4 - after // 6, continue_from=parts.history)
    assert bits(parts) == bits(whole)
    assert history.loss == whole.history.loss
    assert history.evaluated_at[-1] == 24


def test_an_error_inside_a_step_leaves_what_was_taken():
    calls = []

    class Fails(bp.SGD):
        def update(self, params, grads):
            calls.append(1)
            if len(calls) == 8:
                raise MemoryError
            super().update(params, grads)

    whole, parts = plain(), plain()
    whole.fit(X, T, epochs=3, batch_size=10, seed=2, optimizer=bp.SGD(0.1))
    with pytest.raises(MemoryError):
        parts.fit(X, T, epochs=3, batch_size=10, seed=2, optimizer=Fails(0.1))
    assert len(parts.history.loss) == 7
    parts.fit(X, T, epochs=2, continue_from=parts.history)
    assert bits(parts) == bits(whole)


def test_early_stopping_goes_on_from_the_last_weights():
    whole, parts = plain(), plain()
    rng = np.random.default_rng(4)
    valid = X, rng.integers(0, 3, len(X))  # nothing is learned of them: the best weights are early ones
    first = dict(batch_size=10, seed=0, early_stopping=bp.EarlyStopping(100))
    whole.fit(X, T, epochs=8, validation=valid, **first)
    history = parts.fit(X, T, epochs=5, validation=valid, **first)
    best = bits(parts)
    history = parts.fit(X, T, epochs=3, validation=valid, continue_from=history)
    assert history.loss == whole.history.loss
    assert bits(parts) == bits(whole)
    # Weights that somebody has changed are gone on with.
    parts.params["W1"][...] = 0
    parts.fit(X, T, epochs=1, validation=valid, continue_from=history)
    assert best is not None
    assert parts.history.loss[len(history.loss)] != whole.history.loss[-1]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (dict(batch_size=10), "fit: batch_size is given, and continue_from goes on with that of its run"),
        (dict(seed=1), "fit: seed is given"),
        (dict(optimizer="adam"), "fit: optimizer is given"),
        (dict(shuffle=False), "fit: shuffle is given"),
        (
            dict(iterations=3, epochs=None),
            "fit: iterations is given, the run of continue_from goes by epochs",
        ),
        (dict(x=X[:50], t=T[:50]), "fit: x has 50 rows, the run of continue_from has 53"),
    ],
)
def test_what_a_run_has_is_not_given_again(given, words):
    net = plain()
    history = net.fit(X, T, epochs=1, batch_size=10, seed=0)
    before = bits(net)
    arguments = dict(x=X, t=T, epochs=1, continue_from=history) | given
    with pytest.raises(ValueError, match=words):
        net.fit(**arguments)
    assert bits(net) == before
    net.fit(X, T, epochs=1, continue_from=history)


def test_a_history_is_continued_once_and_by_its_network():
    net, other = plain(), plain()
    history = net.fit(X, T, epochs=1)
    with pytest.raises(ValueError, match="fit: continue_from is of another network"):
        other.fit(X, T, epochs=1, continue_from=history)
    with pytest.raises(
        ValueError,
        match="fit: continue_from is a copy, merged, loaded from a file, of L",
    ):
        net.fit(X, T, epochs=1, continue_from=copy.deepcopy(history))
    with pytest.raises(TypeError, match="fit: continue_from is a dict, wanted the History of an earlier fit"):
        net.fit(X, T, epochs=1, continue_from={})
    net.fit(X, T, epochs=1, continue_from=history)
    with pytest.raises(ValueError, match="fit: continue_from is continued already"):
        net.fit(X, T, epochs=1, continue_from=history)


def test_a_history_does_not_keep_its_network():
    import gc
    import weakref

    gc.disable()
    try:
        net = plain()
        history = net.fit(X, T, epochs=1, early_stopping=3)
        gone = weakref.ref(net)
        del net
        assert gone() is None
        assert len(history.loss) == 1
    finally:
        gc.enable()
