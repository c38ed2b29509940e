"""Steps whose gradient is that of several batches, one after the other: gradient accumulation."""

from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.layers.base_loss import has_classes, labels_of_scores, labels_of_targets, row_weights_of
from backprop.layers.counters import Counters
from backprop.optimizers.base import Optimizer
from backprop.training.gradients import loss_and_gradients, take_step
from backprop.training.protocol import Trainable


def accumulated_step(
    net: Trainable,
    x: Array,
    t: Array,
    optimizer: Optimizer,
    losses: list[float],
    sample_weight: Array | None,
    batch_size: int,
) -> int:
    """One step on all of x, of which so many samples at once go through the network; adds its loss to `losses`.

    Loss and gradients are the means over the parts, weighted by what each part's loss was divided by: those of all of x
    at once, but for the order of the sums, and for batch normalisation, which normalises each part for itself.

    Returns
    -------
    int
        How many samples were classified correctly before it.
    """
    counters, counts = Counters(net.layers.values()), has_classes(net.lastLayer, net.sizes[-1])
    total, shares, correct = 0.0, list[tuple[float, float]](), 0
    sums: dict[str, Any] = {}
    try:
        for first in range(0, len(x), batch_size):
            rows = slice(first, first + batch_size)
            weights = None if sample_weight is None else sample_weight[rows]
            loss, grads, scores = net._while_training(
                lambda rows=rows, weights=weights: loss_and_gradients(net, x[rows], t[rows], weights)  # type: ignore[misc]
            )
            row_weights = row_weights_of(net.lastLayer, t[rows], weights)
            share = float(len(x[rows]) if row_weights is None else row_weights[1].sum())
            shares.append((float(loss), share))
            total += share
            for name, grad in grads.items():
                sums[name] = (
                    share * grad if name not in sums else np.add(sums[name], share * grad, out=sums[name])
                )
            if counts and scores is not None:
                found = labels_of_scores(net.lastLayer, scores) == labels_of_targets(net.lastLayer, t[rows])
                correct += int(found.sum())
    except BaseException:
        counters.restore()
        net.clear_cache()
        raise
    total = total or 1.0
    for grad in sums.values():
        grad /= total
    loss = sum(one * share for one, share in shares) / total
    take_step(net, optimizer, sums, loss, losses, counters)
    return correct
