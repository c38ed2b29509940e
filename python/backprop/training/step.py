"""Steps of training: by a compiled plan; where there is none by segments, or layer by layer."""

import math
from _thread import get_ident
from itertools import starmap
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backprop._util.arrays import Array
from backprop._util.sparse import is_sparse
from backprop.layers.base_loss import (
    has_classes,
    labels_of_scores,
    labels_of_targets,
    row_weights_of,
    weighted,
)
from backprop.layers.counters import Counters
from backprop.layers.weighting import RowWeights, sample_weights
from backprop.optimizers.base import Optimizer, UpdateRule, chosen_optimizer
from backprop.training.averaging import Average
from backprop.training.gradients import loss_and_gradients, take_step
from backprop.training.lock import REFUSED
from backprop.training.protocol import Trainable
from bpcore.plan import Plan

if TYPE_CHECKING:
    from backprop.training.sampling import Indices


def train_step(
    net: Trainable, x: ArrayLike, t: ArrayLike, optimizer: Optimizer, sample_weight: ArrayLike | None
) -> float:
    """One step on a whole batch; returns the loss before it."""
    # As in `exclusive`, whose call would take a twentieth of a small step.
    layers, me = net._layers, get_ident()
    outer = layers.trainer
    if outer is not None and outer != me:
        raise RuntimeError(REFUSED)
    try:
        layers.trainer = me
        if is_sparse(x):
            x = net._readable_rows(x)
        elif net._trains_by_plan(optimizer):
            # The plan as it is: where it no longer fits, it takes no step and is made anew.
            planned, loss = net._planned, None
            plan = planned if isinstance(planned, Plan) else None
            plain = type(x) is type(t) is np.ndarray  # others may have a mask, which no plan sees
            if plain and plan is not None and sample_weight is None:
                update, attributes = optimizer._update, optimizer.__dict__
                if update is None or not update.renew(plan, attributes):
                    update = optimizer.tied_update(plan)
                if update is not None:
                    loss = plan.step(x, t, update, None, update.state, attributes)
            if loss is None:
                plan = net._plan()
                if plan is not None and len(rows := net._readable_rows(x)):
                    wanted = net.targets_for("train_step", t, len(rows))
                    weights = sample_weights("train_step", sample_weight, len(rows))
                    row_weights = row_weights_of(net.lastLayer, wanted, weights)
                    # Behind what looks at x and t: else a step that is refused would tie the state to this network.
                    state = optimizer.state_for(plan, net.params)
                    loss = plan.step(
                        rows, wanted, optimizer.plan_update(), None, state, vars(optimizer), 0, row_weights
                    )
            if plan is not None and loss is not None:
                if plan.caches is None:
                    net.clear_cache()
                return loss
        chosen_optimizer("train_step", optimizer, names=False)
        losses: list[float] = []
        _layered_step(net, x, t, optimizer, losses, sample_weight)
        return losses[0]
    finally:
        layers.trainer = outer


def _layered_step(
    net: Trainable,
    x: ArrayLike,
    t: ArrayLike,
    optimizer: Optimizer,
    losses: list[float],
    sample_weight: ArrayLike | None = None,
) -> Array | None:
    """One step by segments, where the layers between them allow it, else layer by layer; adds the loss to `losses`.

    Returns the scores, where the network's own pass gave them.
    """
    segments = net._sparse_segments(optimizer) if is_sparse(x) else net._segments(optimizer)
    if segments is not None:
        scores = segments.step(net, x, t, optimizer, losses, sample_weight)
        if scores is not None:
            return scores
    counters, planned = Counters(net.layers.values()), net._planned
    loss, grads, scores = net._while_training(lambda: loss_and_gradients(net, x, t, sample_weight))
    have_layers_changed = getattr(planned, "have_layers_changed", None)  # of a network without a plan
    if have_layers_changed is not None and (net._planned is not planned or have_layers_changed()):
        net._layers.change_in_passes = True
    take_step(net, optimizer, grads, loss, losses, counters)
    found: Array | None = scores
    return found


def train_batches(
    net: Trainable,
    x: Array,
    t: Array,
    batches: "list[Indices]",
    optimizer: Optimizer,
    losses: list[float] | None = None,
    sample_weight: Array | None = None,
    row_weights: RowWeights | None = None,
    average: Average | None = None,
    rates: NDArray[np.float64] | None = None,
    correct: list[int] | None = None,
    part: int | None = None,
) -> tuple[list[float], int]:
    """One step for each row of indices: the losses before the steps, and how many samples were classified correctly.

    The losses are added to `losses`, if it is given, as soon as their steps are taken, also where an interrupt ends the
    call. `row_weights` is what the loss makes of t and of the samples' weights, if the caller knows it.
    `average` follows each step. `rates` has the learning rate of each, in the place of the optimizer's. What was
    classified correctly is added to `correct` as losses are. With `part` so many samples at once go through the
    network, and a step has the gradient of all of its samples.
    """
    # Whoever overrides how a step is made, or what is predicted, means that.
    own = net._overrides("train_step") or net._overrides("predict")
    plan = None if own or part is not None else net.plan_for(optimizer)
    samples = net._sparse_rows(x).for_plan(net.input_scale, net.dtype) if plan and is_sparse(x) else x
    losses, correct = [] if losses is None else losses, [] if correct is None else correct
    if average is not None:
        average.begin(losses)
    if plan is None:
        for n, batch in enumerate(row for group in batches for row in group):
            weights = None if sample_weight is None else sample_weight[batch]
            if rates is not None:
                set_rate(optimizer, float(rates[n]))
            try:
                if part is not None:
                    from backprop.training.accumulation import accumulated_step  # which most runs do not need

                    correct += (accumulated_step(net, x[batch], t[batch], optimizer, losses, weights, part),)
                else:
                    correct += (_counted_step(net, x[batch], t[batch], optimizer, own, losses, weights),)
            finally:
                if average is not None:
                    average.catch_up()
        return losses, sum(correct)
    assert isinstance(optimizer, UpdateRule)  # plan_for has looked
    state = optimizer.state_for(plan, net.params)
    if row_weights is None:
        row_weights = row_weights_of(net.lastLayer, t, sample_weight)
    other = None if average is None else average.plan_beside(plan)
    share = 0.0 if other is None or average is None else average.share
    if average is not None and other is None:
        # It follows one step after the other.
        batches = [row[np.newaxis] for group in batches for row in group]
    taken = 0
    if rates is not None and "kind" not in vars(type(optimizer)):
        # A user's class may make another rate of lr, and is asked before each step.
        batches = [row[np.newaxis] for group in batches for row in group]
    try:
        for indices in batches:
            count, step_losses = len(indices), np.empty(len(indices))
            own_rates = None if rates is None else rates[taken : taken + count]
            if own_rates is not None and "kind" not in vars(type(optimizer)):
                set_rate(optimizer, float(own_rates[0]))
                own_rates = None
            taken += count
            read = step_losses.data
            arguments = (
                samples,
                t,
                indices,
                optimizer.plan_update(),
                step_losses,
                None,
                state,
                0,
                row_weights,
                other,
                share,
                own_rates,
            )
            # The handler of a signal runs behind a call, and may raise. Here the loop makes the call, and no other
            # comes before the steps are recorded.
            for count_correct in starmap(plan.train, (arguments,)):
                optimizer.__dict__["steps"] += count
                losses += read
                correct += (count_correct,)
                if average is not None:
                    if other is None:
                        average.catch_up()
                    else:
                        average.__dict__["moves"] += count
    finally:
        net.clear_cache()
    return losses, sum(correct)


def rate_of(optimizer: Optimizer) -> float:
    """The learning rate; NaN where it is no number."""
    rate = getattr(optimizer, "lr", None)
    return float(rate) if isinstance(rate, (int, float, np.integer, np.floating)) else math.nan


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Give an optimizer a learning rate, which for ours has been looked at."""
    if isinstance(optimizer, UpdateRule):
        vars(optimizer)["lr"] = rate
    else:
        optimizer.lr = rate  # type: ignore[attr-defined]  # `fit` has looked


def _counted_step(
    net: Trainable,
    x: Array,
    t: Array,
    optimizer: Optimizer,
    own: bool,
    losses: list[float],
    sample_weight: Array | None,
) -> int:
    """One step, and how many samples of the batch were classified correctly before it (0 without classes)."""
    counts = has_classes(net.lastLayer, net.sizes[-1])
    asked = own or net._overrides("loss") or net._overrides("gradient")
    scores = net.predict(x) if asked and counts else None
    if own:
        losses.append(net.train_step(x, t, optimizer, **weighted(sample_weight)))
    else:
        found = _layered_step(net, x, t, optimizer, losses, sample_weight)
        scores = found if scores is None else scores
    if not counts or scores is None:
        return 0
    return int((labels_of_scores(net.lastLayer, scores) == labels_of_targets(net.lastLayer, t)).sum())
