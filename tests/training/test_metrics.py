"""Metrics by name against scikit-learn's, functions of the user's, and the table of a history."""

import numpy as np
import pytest

import backprop as bp
from backprop.training.metrics import METRICS
from tests.training.runs import T, X, Y, of_numbers, plain

SKLEARN = {
    "balanced_accuracy": "balanced_accuracy_score",
    "mae": "mean_absolute_error",
    "rmse": "root_mean_squared_error",
    "r2": "r2_score",
}


def test_every_metric_has_its_twin():
    assert {*SKLEARN} == {*METRICS}


@pytest.mark.parametrize("name", METRICS)
def test_metrics_are_scikit_learns(name):
    theirs = getattr(pytest.importorskip("sklearn.metrics"), SKLEARN[name])
    rng = np.random.default_rng(1)
    if METRICS[name].of_classes:
        t, y = rng.integers(0, 4, 50), rng.integers(0, 4, 50)
    else:
        t, y = rng.normal(size=(2, 50, 1)), rng.normal(size=(50, 1))
        t = t[0]
    # Sums of 50 numbers in any order.
    assert METRICS[name].function(t, y) == pytest.approx(theirs(t, y), rel=50 * 2.0**-52)


def test_errors_of_several_outputs():
    theirs = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(1)
    t, y = rng.normal(size=(2, 50, 3))
    assert METRICS["r2"].function(t, y) == pytest.approx(theirs.r2_score(t, y), rel=200 * 2.0**-52)
    assert METRICS["mae"].function(t, y) == pytest.approx(
        theirs.mean_absolute_error(t, y), rel=200 * 2.0**-52
    )
    assert METRICS["rmse"].function(t, y) == pytest.approx(np.sqrt(np.mean((y - t) ** 2)), rel=200 * 2.0**-52)


def test_a_constant_target():
    t = np.ones((4, 1))
    assert METRICS["r2"].function(t, t) == 1
    assert METRICS["r2"].function(t, t * [[1], [1], [1], [2]]) == 0


def test_what_is_recorded():
    net, seen = of_numbers(), []

    def worst(t, y):
        seen.append((t.copy(), y.copy()))
        return np.abs(t - y).max()

    history = net.fit(
        X, Y, epochs=2, batch_size=10, seed=0, validation=(X[:9], Y[:9]), metrics=["mae", worst]
    )
    assert [[*row] for row in history.others] == [["learning_rate", "validation_mae", "validation_worst"]] * 2
    np.testing.assert_array_equal(seen[-1][0], Y[:9])
    np.testing.assert_array_equal(seen[-1][1], net.predict(X[:9]))
    assert history.others[-1]["validation_worst"] == np.abs(Y[:9] - net.predict(X[:9])).max()
    table = history.to_dict()
    assert {len(column) for column in table.values()} == {2}
    assert table["step"] == [6, 12]
    assert table["loss"][1] == pytest.approx(np.mean(history.loss[6:]), rel=1e-12)
    assert table["validation_mae"] == [row["validation_mae"] for row in history.others]
    assert table["learning_rate"] == [0.1, 0.1]


def test_labels_are_what_classes_are_measured_by():
    net, seen = plain(), []
    net.fit(
        X, np.eye(3)[T], epochs=1, validation=(X, np.eye(3)[T]),
        metrics=lambda t, y: seen.append((t, y)) or 0.0,
    )  # fmt: skip
    np.testing.assert_array_equal(seen[0][0], T)
    np.testing.assert_array_equal(seen[0][1], net.predict(X).argmax(axis=1))


def test_early_stopping_by_a_metric():
    def error(t, y):
        return float(len(seen) > 4) - len(seen) * (len(seen) <= 4)

    seen = []
    error.highest_is_best = False
    net = plain()
    history = net.fit(
        X, T, epochs=30, validation_fraction=0.2, metrics=error,
        early_stopping=bp.EarlyStopping(3, monitor="validation_error"), callbacks=[lambda *_: seen.append(0)],
    )  # fmt: skip
    assert len(history.evaluated_at) == 5 + 3


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (dict(metrics="mea"), ValueError, "fit: metrics has 'mea'; did you mean 'mae'"),
        (dict(metrics="accuracy"), ValueError, "fit: metrics has 'accuracy', which is recorded anyway"),
        (
            dict(metrics="r2"),
            ValueError,
            "fit: metrics has 'r2', which is for numbers, and the outputs are classes",
        ),
        (dict(metrics=3), TypeError, r"fit: metrics is 3, wanted names or functions f\(t, y\)"),
        (dict(metrics=[3]), TypeError, "fit: metrics has 3, wanted a name or a function"),
        (dict(metrics=["balanced_accuracy"] * 2), ValueError, "fit: metrics has 'balanced_accuracy' twice"),
        (
            dict(metrics="balanced_accuracy", validation=None),
            ValueError,
            "fit: metrics are of validation data",
        ),
        (
            dict(metrics=max, early_stopping=bp.EarlyStopping(monitor="validation_max")),
            ValueError,
            "monitors 'validation_max', a function that does not say what is best",
        ),
    ],
)
def test_metrics_that_cannot_be(given, error, words):
    with pytest.raises(error, match=words):
        plain().fit(X, T, **(dict(epochs=1, validation=(X, T)) | given))


@pytest.mark.parametrize(
    ("name", "t", "y", "wanted"),
    [
        # Recalls of 2/3 and 1/2; errors of 1, 0, 2 and 1, around a mean of 2 with squares 4, 0, 0 and 4.
        ("balanced_accuracy", [0, 0, 0, 1, 1], [0, 0, 1, 1, 0], (2 / 3 + 1 / 2) / 2),
        ("mae", [0.0, 2.0, 2.0, 4.0], [1.0, 2.0, 4.0, 3.0], 1.0),
        ("rmse", [0.0, 2.0, 2.0, 4.0], [1.0, 2.0, 4.0, 3.0], 1.5**0.5),
        ("r2", [0.0, 2.0, 2.0, 4.0], [1.0, 2.0, 4.0, 3.0], 1 - 6 / 8),
    ],
)
def test_metrics_by_hand(name, t, y, wanted):
    assert METRICS[name].function(np.array(t), np.array(y)) == pytest.approx(wanted, rel=4 * 2.0**-53)
