"""Metrics by the names of scikit-learn's scorers."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop.training import scorers
from tests.training.runs import T, X, Y, of_numbers, plain

# Sums of 53 numbers in any order, in numbers of about 1.
CLOSE = 200 * 2.0**-53
needs_it = pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")


def binary():
    return bp.Network([6, 8, 1], seed=1, loss="binary_cross_entropy")


def recorded(net, name, t, **options):
    """The metric of the validation data after an epoch."""
    history = net.fit(X, t, epochs=1, batch_size=10, seed=0, validation=(X, t), metrics=name, **options)
    return history.others[-1][f"validation_{name}"]


@needs_it
@pytest.mark.parametrize(
    ("name", "function", "options"),
    [
        ("f1_macro", "f1_score", dict(average="macro")),
        ("precision_weighted", "precision_score", dict(average="weighted")),
        ("recall_micro", "recall_score", dict(average="micro")),
        ("matthews_corrcoef", "matthews_corrcoef", {}),
    ],
)
@pytest.mark.filterwarnings("ignore:Precision is ill-defined")
def test_of_labels(name, function, options):
    metrics, net = pytest.importorskip("sklearn.metrics"), plain()
    found = recorded(net, name, T)
    wanted = getattr(metrics, function)(T, net.predict(X).argmax(axis=1), **options)
    assert found == pytest.approx(wanted, rel=CLOSE, abs=CLOSE)


@needs_it
@pytest.mark.parametrize("name", ["roc_auc_ovr", "roc_auc_ovo", "neg_log_loss"])
def test_of_probabilities(name):
    metrics, net = pytest.importorskip("sklearn.metrics"), plain()
    found = recorded(net, name, T)
    scores = net.predict(X).astype(np.float64)
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    wanted = metrics.roc_auc_score(T, p, multi_class=name[-3:]) if "auc" in name else -metrics.log_loss(T, p)
    assert found == pytest.approx(wanted, rel=CLOSE)


@needs_it
@pytest.mark.parametrize("two", [False, True], ids=["one output", "two outputs"])
@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_of_the_scores_of_two_classes(name, two):
    metrics = pytest.importorskip("sklearn.metrics")
    t, net = T % 2, bp.Network([6, 8, 2], seed=1) if two else binary()
    found = recorded(net, name, t)
    scores = net.predict(X).astype(np.float64)
    scores = scores[:, 1] - scores[:, 0] if two else scores[:, 0]
    theirs = metrics.roc_auc_score if name == "roc_auc" else metrics.average_precision_score
    assert found == pytest.approx(theirs(t, scores), rel=CLOSE)


@needs_it
def test_scores_have_no_ties_where_probabilities_do():
    # Sigmoids of these are all 1 in float64.
    y = np.array([[40.0], [50.0], [60.0], [70.0]])
    loss = binary().lastLayer
    assert scorers.score_of("roc_auc")(np.array([0, 0, 1, 1]), y, loss) == 1
    assert scorers.score_of("roc_auc")(np.array([1, 1, 0, 0]), y, loss) == 0


@needs_it
@pytest.mark.parametrize(
    "name", ["neg_mean_absolute_error", "explained_variance", "neg_median_absolute_error"]
)
def test_of_numbers(name):
    metrics, net = pytest.importorskip("sklearn.metrics"), of_numbers()
    found = recorded(net, name, Y)
    functions = {
        "neg_mean_absolute_error": lambda t, y: -metrics.mean_absolute_error(t, y),
        "explained_variance": metrics.explained_variance_score,
        "neg_median_absolute_error": lambda t, y: -metrics.median_absolute_error(t, y),
    }
    assert found == pytest.approx(functions[name](Y.astype(np.float64), net.predict(X)), rel=CLOSE, abs=CLOSE)


@needs_it
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("made", [plain, of_numbers, binary])
def test_every_name_gives_a_number_or_a_sentence(made):
    t = {plain: T, of_numbers: Y, binary: T % 2}[made]
    served = set()
    for name in scorers.scorer_names():
        try:
            value = recorded(made(), name, t)
        except ValueError as error:
            assert str(error).startswith(f"fit: metrics has {name!r}, which "), name
        else:
            assert isinstance(value, float)
            assert np.isfinite(value), name
            served.add(name)
    wanted = {
        plain: {"f1_macro", "roc_auc_ovr", "neg_log_loss", "balanced_accuracy"},
        of_numbers: {"r2", "neg_mean_squared_error", "explained_variance"},
        binary: {"f1", "precision", "recall", "roc_auc", "average_precision", "neg_log_loss"},
    }
    assert wanted[made] <= served


@needs_it
@pytest.mark.parametrize(
    ("made", "name", "words"),
    [
        (
            plain,
            "roc_auc",
            "'roc_auc', which scikit-learn refuses of the validation data: multi_class must be",
        ),
        (plain, "f1", "'f1', which scikit-learn refuses of the validation data: Target is multiclass"),
        (plain, "neg_mean_absolute_error", "is for numbers, and the outputs are classes"),
        (of_numbers, "f1_macro", "is for classes, and the outputs are numbers"),
        (of_numbers, "neg_mean_gamma_deviance", "which scikit-learn refuses of the validation data"),
        (plain, "f1_macr", "'f1_macr'; did you mean 'f1_macro'?"),
        (
            plain,
            "nothing like it",
            "wanted one of balanced_accuracy, .*, of sklearn.metrics.get_scorer_names",
        ),
    ],
)
def test_names_that_are_refused_before_the_first_step(made, name, words):
    net = made()
    before = net.get_flat_params().copy()
    with pytest.raises(ValueError, match=words):
        recorded(net, name, Y if made is of_numbers else T)
    np.testing.assert_array_equal(net.get_flat_params(), before)


@needs_it
def test_outputs_of_which_there_is_no_number():
    score = scorers.score_of("neg_mean_gamma_deviance")
    t, loss = np.ones((4, 1)), of_numbers().lastLayer
    assert scorers.scored(score, t, t, loss) == 0
    assert np.isnan(scorers.scored(score, t, -t, loss))
    assert np.isnan(scorers.scored(score, t, t * np.inf, loss))


@needs_it
def test_early_stopping_takes_the_highest():
    stopping = bp.EarlyStopping(2, monitor="validation_recall_macro")
    history = plain().fit(
        X,
        T,
        epochs=20,
        batch_size=10,
        seed=0,
        validation=(X, T),
        metrics="recall_macro",
        early_stopping=stopping,
    )
    values = [row["validation_recall_macro"] for row in history.others]
    assert history.best_at == history.evaluated_at[values.index(max(values))]


@needs_it
def test_lbfgs_takes_them():
    history = plain().fit(X, T, iterations=2, optimizer="lbfgs", validation=(X, T), metrics="recall_macro")
    assert {*history.others[-1]} == {"validation_recall_macro"}
    with pytest.raises(ValueError, match="'f1', which scikit-learn refuses"):
        plain().fit(X, T, iterations=2, optimizer="lbfgs", validation=(X, T), metrics="f1")


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setattr(scorers, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"'f1_macro'; wanted one of .*: pip install 'bpcore\[sklearn\]'$"):
        recorded(plain(), "f1_macro", T)
    with pytest.raises(ValueError, match="'mea'; did you mean 'mae'"):
        recorded(plain(), "mea", T)


def test_own_names_import_nothing():
    code = (
        "import sys; from tests.training.runs import *; "
        "plain().fit(X, T, epochs=1, validation=(X, T), metrics='balanced_accuracy'); "
        "assert 'sklearn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
