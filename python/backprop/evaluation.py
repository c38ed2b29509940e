"""What a network says of data: scores, probabilities, accuracy, mean loss.

A compiled plan runs where there is one, else shallow copies of the layers, so that theirs keep what they hold.
"""

import copy
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from backprop._arrays import Array, samples, targets
from backprop.plans import NetworkPlan, stored
from bpcore import kernels

if TYPE_CHECKING:
    from backprop.network import Network

# Rows that predict at once when only a count is wanted, so that no full-size temporary is made.
BLOCK = 1 << 14


def predict(net: "Network", plan: NetworkPlan | None, x: ArrayLike, out: Array | None) -> Array:
    """Scores of the last affine layer; the parameters are those of `Network.predict`."""
    if plan is not None and out is None:
        scores = plan.predict(x)
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
            scores = copy.copy(layer).forward(scores)
    else:
        scores = np.empty(shape, dtype=net.dtype)
        if out is not None and out.flags.carray:
            read = (rows, *net.params.values())
            scores = scores if any(np.may_share_memory(out, one) for one in read) else out
        plan.scores(stored(rows, net), scores)
    if out is None or scores is out:
        return scores
    out[...] = scores
    return out


def probabilities(scores: Array) -> Array:
    """Softmax of every row of scores."""
    y = np.empty_like(scores)
    kernels.softmax(scores, y)
    return y


def accuracy(net: "Network", plan: NetworkPlan | None, x: ArrayLike, t: ArrayLike) -> float:
    """Share of samples whose highest score is that of their label; without a plan, `net.predict` is asked."""
    rows, classes = samples("accuracy", x), net.sizes[-1]
    labels = targets("accuracy", t, (len(rows), classes), net.dtype)
    if labels.ndim == 2:
        labels = labels.argmax(axis=1)
    if not len(rows):
        raise ValueError("accuracy: x has 0 rows, wanted at least 1")
    right = 0
    for start in range(0, len(rows), BLOCK):
        x_block, t_block = rows[start : start + BLOCK], labels[start : start + BLOCK]
        if plan is None:
            right += int((net.predict(x_block).argmax(axis=1) == t_block).sum())
        else:
            right += plan.right(stored(net._rows(x_block), net), t_block)
    return right / len(rows)


def mean_loss(net: "Network", x: Array, t: Array, block: int = 4096) -> float:
    """Loss over data of any length, block by block, without touching the layers' memory."""
    loss_layer = type(net.lastLayer)()
    total = 0.0
    for start in range(0, len(x), block):
        scores = net.predict(x[start : start + block])
        total += loss_layer.forward(scores, t[start : start + block]) * len(scores)
    return total / len(x)
