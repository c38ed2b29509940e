"""What a network says of data: scores, probabilities, accuracy, mean loss.

A compiled plan runs where there is one, else shallow copies of the layers, so that theirs keep what they hold.
"""

import copy

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, samples
from backprop._util.sparse import is_sparse
from backprop.layers.base import pass_forward
from backprop.layers.base_loss import (
    classifies,
    has_classes,
    is_binary,
    labels_of_scores,
    labels_with_a_class,
)
from backprop.layers.buffers import buffers_of
from backprop.layers.row_losses import LossOfScaledNumbers
from backprop.layers.weighting import scaled_targets
from backprop.network.protocol import NetworkLike
from bpcore.plan import Plan

# Rows that predict at once when only a count is wanted, so that no full-size temporary is made.
BLOCK = 1 << 14
SPARSE_BLOCK = 1 << 10


def scores_of(net: NetworkLike, x: ArrayLike) -> Array:
    """What the loss is computed of: the scores, in its unit; of a subclass's `predict` those that it means."""
    loss = net.lastLayer
    if not isinstance(loss, LossOfScaledNumbers) or not loss.scales_targets:
        return net.predict(x)
    if net._overrides("predict"):
        y = net.predict(x)
        return scaled_targets(y, loss.target_table(y.shape[1]), y.dtype)  # type: ignore[arg-type]  # it has one
    return predict(net, net._plan(), x, None)


def predict(net: NetworkLike, plan: Plan | None, x: ArrayLike, out: Array | None) -> Array:
    """What the last layer gives out; the parameters are those of `Network.predict`."""
    if plan is not None and type(x) is np.ndarray:
        scores = plan.predict(x, out)
        if scores is not None:
            return scores
    sparse = is_sparse(x)
    rows = net._readable_rows(x) if sparse else net._rows(x)
    shape = (len(rows), net.sizes[-1])
    if out is not None and not (
        isinstance(out, np.ndarray) and out.shape == shape and out.dtype == net.dtype
    ):
        got = f"{out.dtype} {out.shape}" if isinstance(out, np.ndarray) else type(out).__name__
        raise ValueError(f"predict: out is {got}, wanted an array of {net.dtype} {shape}")
    if sparse:
        # Block by block: as many rows at once as have a batch's memory between the layers.
        scores = np.empty(shape, dtype=net.dtype)
        for start in range(0, len(rows), SPARSE_BLOCK):
            scores[start : start + SPARSE_BLOCK] = _by_layers(net, rows[start : start + SPARSE_BLOCK])
    elif plan is None:
        scores = _by_layers(net, x)
    else:
        scores = np.empty(shape, dtype=net.dtype)
        if out is not None and out.flags.carray:
            read = (rows, *net.params.values(), *buffers_of(net.layers).values())
            scores = scores if any(np.may_share_memory(out, one) for one in read) else out
        plan.predict_into(net._readable_rows(rows), scores)
    if out is None or scores is out:
        return scores
    out[...] = scores
    return out


def _by_layers(net: NetworkLike, x: ArrayLike) -> Array:
    """Scores by copies of the layers."""
    scores = net._inputs(x)
    for layer in net.layers.values():
        scores = pass_forward(copy.copy(layer), scores, training=False)
    return scores


def predict_proba(net: NetworkLike, x: ArrayLike) -> Array:
    """Probabilities of the classes, as the loss makes them of scores."""
    if not is_binary(net.lastLayer):
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
    if is_binary(net.lastLayer):
        if not has_classes(net.lastLayer, net.sizes[-1]):
            raise TypeError(
                f"{owner}: each of the {net.sizes[-1]} outputs stands for yes or no (loss={net.loss_name!r}); wanted "
                "one output, or compare (net.predict(x) > 0) with t yourself"
            )
        return
    if classes is None:
        raise TypeError(
            f"{owner}: {net.loss_name} does not say whether outputs are classes, wanted classifies = True or False in "
            "its class"
        )
    if not classes:
        raise TypeError(f"{owner}: this network's outputs are numbers (loss={net.loss_name!r}), not classes")


def accuracy(net: NetworkLike, plan: Plan | None, x: ArrayLike, t: ArrayLike) -> float:
    """Share of samples whose highest score is that of their label; without a plan, `net.predict` is asked."""
    if is_sparse(x):
        plan, rows = None, net._readable_rows(x)
    else:
        rows = samples("accuracy", x)
    if not len(rows):
        raise ValueError("accuracy: x has 0 rows, wanted at least 1")
    labels = labels_with_a_class("accuracy", net.lastLayer, net.targets_for("accuracy", t, len(rows)))
    counted = int((labels >= 0).sum())
    correct = 0
    for start in range(0, len(rows), BLOCK):
        x_block, t_block = rows[start : start + BLOCK], labels[start : start + BLOCK]
        if plan is None:
            correct += int((labels_of_scores(net.lastLayer, net.predict(x_block)) == t_block).sum())
        else:
            correct += plan.count_correct(net._readable_rows(x_block), t_block)
    return correct / counted
