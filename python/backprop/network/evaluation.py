"""What a network says of data: scores, probabilities, accuracy, mean loss.

A compiled plan runs where there is one, else shallow copies of the layers, so that theirs keep what they hold.
"""

import copy

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, labels_of, samples
from backprop.layers.base import classifies, pass_forward
from backprop.network.protocol import NetworkLike
from bpcore.plan import Plan

# Rows that predict at once when only a count is wanted, so that no full-size temporary is made.
BLOCK = 1 << 14


def predict(net: NetworkLike, plan: Plan | None, x: ArrayLike, out: Array | None) -> Array:
    """Scores of the last affine layer; the parameters are those of `Network.predict`."""
    if plan is not None and type(x) is np.ndarray:
        scores = plan.predict(x, out)
        if scores is not None:
            return scores
    rows = net._rows(x)
    shape = (len(rows), net.sizes[-1])
    if out is not None and not (
        isinstance(out, np.ndarray) and out.shape == shape and out.dtype == net.dtype
    ):
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ValueError(f"predict: out is {got}, wanted an array of {net.dtype} {shape}")
    if plan is None:
        scores = net._inputs(x)
        for layer in net.layers.values():
            scores = pass_forward(copy.copy(layer), scores, training=False)
    else:
        scores = np.empty(shape, dtype=net.dtype)
        if out is not None and out.flags.carray:
            read = (rows, *net.params.values())
            scores = scores if any(np.may_share_memory(out, one) for one in read) else out
        plan.predict_into(net._readable_rows(rows), scores)
    if out is None or scores is out:
        return scores
    out[...] = scores
    return out


def predict_proba(net: NetworkLike, x: ArrayLike) -> Array:
    """Probabilities of the classes, as the loss makes them of scores."""
    require_classes(net, "predict_proba")
    if not hasattr(net.lastLayer, "probabilities"):
        raise TypeError(
            f"predict_proba: {net.loss_name} has no probabilities(scores), wanted a method that makes them of scores"
        )
    y: Array = net.lastLayer.probabilities(net.predict(x))
    return y


def require_classes(net: NetworkLike, owner: str) -> None:
    """Raise for a network whose outputs are no classes, or whose loss does not say whether they are."""
    classes = classifies(net.lastLayer)
    if classes is None:
        raise TypeError(
            f"{owner}: {net.loss_name} does not say whether outputs are classes, wanted classifies = True or False in "
            "its class"
        )
    if not classes:
        raise TypeError(f"{owner}: this network's outputs are numbers (loss={net.loss_name!r}), not classes")


def accuracy(net: NetworkLike, plan: Plan | None, x: ArrayLike, t: ArrayLike) -> float:
    """Share of samples whose highest score is that of their label; without a plan, `net.predict` is asked."""
    rows = samples("accuracy", x)
    labels = labels_of(net.targets_for("accuracy", t, len(rows)))
    if not len(rows):
        raise ValueError("accuracy: x has 0 rows, wanted at least 1")
    counted = int((labels >= 0).sum())
    if not counted:
        raise ValueError("accuracy: all weights of t are 0, wanted at least one row with a class")
    correct = 0
    for start in range(0, len(rows), BLOCK):
        x_block, t_block = rows[start : start + BLOCK], labels[start : start + BLOCK]
        if plan is None:
            correct += int((net.predict(x_block).argmax(axis=1) == t_block).sum())
        else:
            correct += plan.count_correct(net._readable_rows(x_block), t_block)
    return correct / counted
