"""Evaluations between steps: accuracies and validation losses, and how they are recorded."""

import copy

import numpy as np

from backprop._util.arrays import Array, labels_of
from backprop.layers.base import classifies
from backprop.training.history import History
from backprop.training.protocol import Trainable


def evaluate_some(net: Trainable, validation: tuple[Array, Array], rows: int = 100) -> None:
    """Evaluate some of the validation data, so that what goes wrong in it does so before the first step."""
    x, t = validation
    if classifies(net.lastLayer):  # without a class there is no accuracy
        some = np.flatnonzero(labels_of(t) >= 0)[:rows]
        net.accuracy(x[some], t[some])
    mean_loss(net, x[:rows], t[:rows])


def evaluate(
    net: Trainable,
    history: History,
    step: int,
    running: float,
    train: tuple[Array, Array] | None,
    validation: tuple[Array, Array] | None,
) -> None:
    """Add to a history what is recorded after a step; `running` is the running accuracy, unless `train` is given."""
    classes = classifies(net.lastLayer)
    accuracies, val_losses, val_accuracies = [], [], []
    if classes:
        accuracies = [running if train is None else net.accuracy(*train)]
    if validation is not None:
        val_losses = [mean_loss(net, *validation)]
        if classes:
            val_accuracies = [net.accuracy(*validation)]
    # Without a call in between, so that an interrupt leaves lists that belong together.
    history.evaluated_at += [step]
    history.train_accuracy += accuracies
    history.validation_loss += val_losses
    history.validation_accuracy += val_accuracies


def mean_loss(net: Trainable, x: Array, t: Array, block: int = 4096) -> float:
    """Mean over blocks of the loss of data of any length; the layers hold no part of a pass afterwards.

    Where the network's class overrides `loss`, that is asked, else a copy of the loss layer.
    """
    own, loss_layer = net._overrides("loss"), copy.copy(net.lastLayer)
    total = 0.0
    for start in range(0, len(x), block):
        x_block, t_block = x[start : start + block], t[start : start + block]
        loss = net.loss(x_block, t_block) if own else loss_layer.forward(net.predict(x_block), t_block)
        total += float(loss) * len(x_block)
    if own:
        net.clear_cache()
    return total / len(x)
