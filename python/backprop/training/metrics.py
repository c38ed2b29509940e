"""Metrics that `fit` records after every epoch, by name; each is a function of targets and what the network says.

Sums are exact, so that a metric has the same bits on every machine, and early stopping stops there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.names import did_you_mean
from backprop._util.sums import exact_sum
from backprop.layers.base_loss import has_classes, labels_of_scores, labels_of_targets
from backprop.training import scorers
from backprop.training.protocol import Trainable

AnyMetric = str | Callable[[Array, Array], float]


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes
    ----------
    name : str
    function : callable
        `function(t, y)`: targets and predictions, both labels (N,), or numbers in one shape.
    highest_is_best : bool or None
        None where nobody has said.
    of_classes : bool or None
        Whether it is for labels; None for either.
    score : callable or None
        In the place of the function: `score(t, y, loss)` of what the network gives out.
    """

    name: str
    function: Callable[..., Any]
    highest_is_best: bool | None
    of_classes: bool | None
    score: scorers.Score | None = None


def balanced_accuracy(t: Array, y: Array) -> float:
    """The mean, over the classes that t has, of the share of their samples that is recognised."""
    classes = np.unique(t)
    recalls = [np.count_nonzero(y[t == one] == one) / np.count_nonzero(t == one) for one in classes]
    return exact_sum(recalls) / len(recalls)


def mean_absolute_error(t: Array, y: Array) -> float:
    """The mean of |y − t|."""
    return exact_sum(np.abs(y.astype(float) - t).reshape(-1)) / t.size


def root_mean_squared_error(t: Array, y: Array) -> float:
    """The root of the mean of (y − t)²."""
    return math.sqrt(exact_sum(np.square(y.astype(float) - t).reshape(-1)) / t.size)


def r2(t: Array, y: Array) -> float:
    """1 − Σ(y − t)² / Σ(t − mean)², the mean of it over the outputs. A constant t gives 1 where y is t, else 0."""
    found = []
    for own, other in zip(
        t.reshape(len(t), -1).T.astype(float), y.reshape(len(t), -1).T.astype(float), strict=True
    ):
        residual = exact_sum(np.square(other - own))
        total = exact_sum(np.square(own - exact_sum(own) / len(own)))
        found.append(1 - residual / total if total else float(residual == 0))
    return exact_sum(found) / len(found)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("balanced_accuracy", balanced_accuracy, True, True),
        Metric("mae", mean_absolute_error, False, False),
        Metric("rmse", root_mean_squared_error, False, False),
        Metric("r2", r2, True, False),
    )
}
# Losses whose outputs are a logarithm, means and variances, or scores of yes and no.
NO_PREDICTIONS = ("poisson", "gaussian_nll", "binary_cross_entropy")
ALREADY = {"accuracy": "validation_accuracy", "loss": "validation_loss", "log_loss": "validation_loss"}


def metrics_of(value: Any, net: Trainable) -> list[Metric]:
    """What `fit(metrics=…)` is given: names, functions `f(t, y)`, or a list of these."""
    given = [value] if isinstance(value, str) or callable(value) else value
    if not isinstance(given, Sequence):
        raise TypeError(f"fit: metrics is {value!r}, wanted names or functions f(t, y)")
    classes = bool(has_classes(net.lastLayer, net.sizes[-1]))
    loss = getattr(type(net.lastLayer), "kind", None)
    found = [_metric(one, classes, loss) for one in given]
    names = [metric.name for metric in found]
    if len({*names}) < len(names):
        raise ValueError(f"fit: metrics has {max(names, key=names.count)!r} twice")
    return found


def _metric(one: Any, classes: bool, loss: Any) -> Metric:
    if isinstance(one, str):
        if one in ALREADY:
            raise ValueError(f"fit: metrics has {one!r}, which is recorded anyway, as {ALREADY[one]}")
        metric = METRICS.get(one) or _of_scikit_learn(one)
        if metric.of_classes is not classes:
            kinds = ("numbers", "classes")
            raise ValueError(
                f"fit: metrics has {one!r}, which is for {kinds[bool(metric.of_classes)]}, and the outputs are "
                f"{kinds[classes]}"
            )
        if not classes and loss in NO_PREDICTIONS:
            raise ValueError(
                f"fit: metrics has {one!r}, and outputs of the loss {loss!r} are no predictions of t; wanted a "
                "function f(t, y) that knows them"
            )
        return metric
    if not callable(one):
        raise TypeError(f"fit: metrics has {one!r}, wanted a name or a function f(t, y)")
    name = getattr(one, "__name__", type(one).__name__)
    if name in ALREADY:
        raise ValueError(
            f"fit: metrics has a function called {name!r}, which {ALREADY[name]} is; give it another name"
        )
    return Metric(name, one, getattr(one, "highest_is_best", None), None)


def _of_scikit_learn(name: str) -> Metric:
    """The metric of one of scikit-learn's names, all of whose scorers are highest at their best."""
    wanted = f"; wanted one of {', '.join(METRICS)}, "
    if not scorers.is_installed():
        hint = did_you_mean(name, METRICS) or (
            f"{wanted}or a function f(t, y); scikit-learn's names are taken where it is: pip install 'bpcore[sklearn]'"
        )
        raise ValueError(f"fit: metrics has {name!r}{hint}")
    names = scorers.scorer_names()
    if name not in names:
        hint = did_you_mean(name, [*METRICS, *names]) or (
            f"{wanted}of sklearn.metrics.get_scorer_names(), or a function f(t, y)"
        )
        raise ValueError(f"fit: metrics has {name!r}{hint}")
    score = scorers.score_of(name)
    return Metric(name, score, True, scorers.is_of_classes(name), score)


def require_numbers(metrics: Sequence[Metric], net: Trainable, t: Array) -> None:
    """Raise where a metric of scikit-learn's has no number of these validation targets."""
    for metric in metrics:
        if metric.score is not None:
            labels = labels_of_targets(net.lastLayer, t) if metric.of_classes else None
            targets = t.reshape(len(t), -1) if labels is None else labels[labels >= 0]
            scorers.require(metric.name, metric.score, targets, net.sizes[-1], net.lastLayer)


def values_of(metrics: Sequence[Metric], net: Trainable, x: Array, t: Array) -> list[float]:
    """Each metric of some data."""
    if not metrics:
        return []
    outputs = y = net.predict(x)
    if has_classes(net.lastLayer, net.sizes[-1]):
        labels = labels_of_targets(net.lastLayer, t)
        t, outputs = labels[labels >= 0], outputs[labels >= 0]
        y = labels_of_scores(net.lastLayer, outputs)
    else:
        t = t.reshape(y.shape).copy() if t.size == y.size else t.copy()  # for functions of others
    return [
        float(metric.function(t, y))
        if metric.score is None
        else scorers.scored(metric.score, t, outputs, net.lastLayer)
        for metric in metrics
    ]
