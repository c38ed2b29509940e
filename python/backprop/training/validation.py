"""Evaluations between steps: accuracies and validation losses, and how they are recorded."""

import copy
import math
from collections.abc import Sequence

import numpy as np

from backprop._util.arrays import Array
from backprop._util.sums import exact_sum
from backprop.layers.base_loss import has_classes, labels_of_targets, loss_of, row_weights_of, weighted
from backprop.training.history import History
from backprop.training.metrics import Metric, values_of
from backprop.training.protocol import Trainable

# Samples, targets, and weights of the samples, if there are some.
Validation = tuple[Array, Array, Array | None]


def evaluate_some(net: Trainable, validation: Validation, rows: int = 100) -> None:
    """Evaluate some of the validation data, so that what goes wrong in it does so before the first step."""
    x, t, weights = validation
    if has_classes(net.lastLayer, net.sizes[-1]):  # without a class there is no accuracy
        some = np.flatnonzero(labels_of_targets(net.lastLayer, t) >= 0)[:rows]
        net.accuracy(x[some], t[some])
    mean_loss(net, x[:rows], t[:rows], None if weights is None else weights[:rows])


def evaluate(
    net: Trainable,
    history: History,
    step: int,
    running: float,
    train: tuple[Array, Array] | None,
    validation: Validation | None,
    validated: Trainable | None = None,
    metrics: Sequence[Metric] = (),
    rate: float = math.nan,
) -> dict[str, float]:
    """Add to a history what is recorded after a step; returns it by name, with the mean loss since the last time.

    `running` is the running accuracy, unless `train` is given; `validated` is what the validation data is for, if that
    is another network.
    """
    classes = has_classes(net.lastLayer, net.sizes[-1])
    first = history.evaluated_at[-1] if history.evaluated_at else 0
    found = {"loss": exact_sum(history.loss[first:step]) / max(step - first, 1)}
    others = {} if math.isnan(rate) else {"learning_rate": rate}
    accuracies, val_losses, val_accuracies = [], [], []
    if classes:
        accuracies = [running if train is None else net.accuracy(*train)]
        found["train_accuracy"] = accuracies[0]
    if validation is not None:
        validated = net if validated is None else validated
        val_losses = [mean_loss(validated, *validation)]
        found["validation_loss"] = val_losses[0]
        if classes:
            val_accuracies = [validated.accuracy(*validation[:2])]
            found["validation_accuracy"] = val_accuracies[0]
        values = values_of(metrics, validated, *validation[:2])
        others |= {f"validation_{one.name}": value for one, value in zip(metrics, values, strict=True)}
    found |= others
    # Without a call in between, so that an interrupt leaves lists that belong together.
    history.evaluated_at += [step]
    history.train_accuracy += accuracies
    history.validation_loss += val_losses
    history.validation_accuracy += val_accuracies
    history.others += [others]
    return found


def mean_loss(
    net: Trainable, x: Array, t: Array, sample_weight: Array | None = None, block: int = 4096
) -> float:
    """Mean over blocks of the loss of data of any length; the layers hold no part of a pass afterwards.

    Where the network's class overrides `loss`, that is asked, else a copy of the loss layer.
    """
    own, loss_layer = net._overrides("loss"), copy.copy(net.lastLayer)
    total = counted = 0.0
    for start in range(0, len(x), block):
        x_block, t_block = x[start : start + block], t[start : start + block]
        weights = None if sample_weight is None else sample_weight[start : start + block]
        loss = (
            net.loss(x_block, t_block, **weighted(weights))
            if own
            else loss_of(loss_layer, net._scores(x_block), t_block, weights)
        )
        # What the block's loss was divided by.
        rows = row_weights_of(net.lastLayer, t_block, weights)
        count = len(x_block) if rows is None else float(rows[1].sum())
        total += float(loss) * count
        counted += count
    if own:
        net.clear_cache()
    return total / counted if counted else 0.0
