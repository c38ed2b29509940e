"""scikit-learn's metrics by the names of its scorers, asked by its public interface; imported when one is asked for.

A scorer asks an estimator for what it needs: here that is one which answers with what the network has predicted.
Of classes it has `predict`, `predict_proba` where the loss has probabilities, and for two classes `decision_function`,
the scores before these, which have no ties at 0 and 1.
"""

import math
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.messages import cut
from backprop.layers.base_loss import is_binary, labels_of_scores

# How the names of scorers of numbers begin; all others are of labels.
OF_NUMBERS = (
    "d2_",
    "explained_variance",
    "max_error",
    "neg_max_error",
    "neg_mean_",
    "neg_median_",
    "neg_root_mean_",
    "r2",
)
# Targets, what the network gives out, and its loss.
Score = Callable[[Array, Array, Any], float]


def is_installed() -> bool:
    """Whether there is scikit-learn, which is not imported for it."""
    return find_spec("sklearn") is not None


def scorer_names() -> list[str]:
    """The names that scikit-learn has."""
    from sklearn.metrics import get_scorer_names

    return list(get_scorer_names())


def is_of_classes(name: str) -> bool:
    """Whether a scorer is of labels. Of numbers are errors, deviances and shares of the variance."""
    if name in ("d2_log_loss_score", "d2_brier_score"):
        return True
    return not name.startswith(OF_NUMBERS)


def score_of(name: str) -> Score:
    """A scorer as a function of targets, outputs and loss; ValueError where scikit-learn has no number of them."""
    from sklearn.metrics import get_scorer

    scorer = get_scorer(name)

    def score(t: Array, y: Array, loss: Any) -> float:
        rows = np.zeros((len(t), 1))  # which nobody looks at: what they are predicted as is known
        if is_of_classes(name):
            return float(scorer(_of_classes(y, loss), rows, t))
        return float(scorer(_of_numbers(y.astype(np.float64)), rows, t.astype(np.float64)))

    return score


def scored(score: Score, t: Array, y: Array, loss: Any) -> float:
    """What a scorer says; NaN where scikit-learn has no number of such outputs, which ends no run."""
    try:
        return score(t, y, loss) if np.isfinite(y).all() else math.nan
    except ValueError:
        return math.nan


def require(name: str, score: Score, t: Array, outputs: int, loss: Any) -> None:
    """Raise where scikit-learn has no number of these targets, not even if they are predicted."""
    if not is_of_classes(name):
        y = t
    elif is_binary(loss):
        y = 2.0 * t[:, np.newaxis] - 1
    else:
        y = np.equal.outer(t, np.arange(outputs)).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            score(t, y, loss)
        except (TypeError, ValueError, AttributeError) as error:
            said = cut(" ".join(str(error).split()), 200)
            raise ValueError(
                f"fit: metrics has {name!r}, which scikit-learn refuses of the validation data: {said}"
            ) from None


def _of_numbers(y: Array) -> Any:
    from sklearn.base import BaseEstimator, RegressorMixin

    class Predicted(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # which are untyped
        """A regressor that has predicted."""

        fitted_ = True

        def predict(self, _: Any) -> Array:
            return y

    return Predicted()


def _of_classes(y: Array, loss: Any) -> Any:
    from sklearn.base import BaseEstimator, ClassifierMixin

    binary = is_binary(loss)

    class Predicted(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """A classifier that has predicted."""

        classes_ = np.arange(2 if binary else y.shape[1])

        def predict(self, _: Any) -> Array:
            return labels_of_scores(loss, y)

    # What an estimator lacks a scorer does without, or says so.
    if hasattr(loss, "probabilities"):

        def predict_proba(self: Any, _: Any) -> Array:
            # In float64, or the probabilities of two classes would not add up to 1.
            p: Array = loss.probabilities(y.astype(np.float64))
            return np.hstack([1 - p, p]) if binary else p

        Predicted.predict_proba = predict_proba
    if len(Predicted.classes_) == 2:

        def decision_function(self: Any, _: Any) -> Array:
            scores = y.astype(np.float64)
            found: Array = scores[:, 0] if binary else scores[:, 1] - scores[:, 0]
            return found

        Predicted.decision_function = decision_function
    return Predicted()
