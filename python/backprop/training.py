"""The training loop of sections 0092 and 0094: mini-batch, gradient, update, again."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from backprop import sampling
from backprop._arrays import Array
from backprop.evaluation import mean_loss
from backprop.history import History
from backprop.layers import IdentityWithLoss
from backprop.optimizers import SGD, Optimizer, Rule
from backprop.plans import stored
from bpcore.threads import limited

if TYPE_CHECKING:
    from backprop.network import Network

# Seconds between two looks at Ctrl-C and the progress bar.
PAUSE = 0.05

Callback = Callable[["Network", History], Any]


def fit(
    net: "Network",
    x: ArrayLike,
    t: ArrayLike,
    *,
    epochs: int | None,
    iterations: int | None,
    batch_size: int,
    optimizer: Optimizer | None,
    validation: tuple[ArrayLike, ArrayLike] | None,
    seed: int | None,
    threads: int | None,
    progress: bool,
    callbacks: Sequence[Callback],
    track_accuracy: bool,
) -> History:
    """Train `net`; the parameters are those of `Network.fit`."""
    x, t = _data("fit", net, x, t)
    checked = None if validation is None else _data("fit: validation", net, *validation)
    if (epochs is None) == (iterations is None):
        raise ValueError(f"fit: epochs is {epochs}, iterations is {iterations}; wanted exactly one of them")
    batch_size = _whole("batch_size", batch_size)
    optimizer = SGD(0.1) if optimizer is None else optimizer
    bits = np.random.PCG64(seed)
    sampler: sampling.Sampler
    if epochs is not None:
        steps_an_epoch = -(-len(x) // batch_size)
        steps = _whole("epochs", epochs) * steps_an_epoch
        sampler = sampling.Epochs(bits, len(x), batch_size)
    else:
        steps_an_epoch = max(len(x) // batch_size, 1)
        steps = _whole("iterations", iterations)
        sampler = sampling.WithReplacement(bits, len(x), batch_size)

    history = History()
    started = time.perf_counter()
    try:
        with limited(threads), closing(_bar(progress, steps)) as bar:
            net.history = history
            done, chunk = 0, 1
            while done < steps:
                # Up to the next evaluation, and no longer than Ctrl-C and the progress bar may wait.
                count = min(chunk, steps_an_epoch - done % steps_an_epoch, steps - done)
                before = time.perf_counter()
                history.loss += train_batches(net, x, t, sampler.take(count), optimizer)
                chunk = chunk_for(PAUSE, count, time.perf_counter() - before)
                done += count
                bar.update(count)
                if done % steps_an_epoch == 0 or done == steps:
                    _evaluate(net, history, done, (x, t) if track_accuracy else None, checked)
                    answers = [callback(net, history) for callback in callbacks]
                    if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
                        break
    finally:
        history.seconds = time.perf_counter() - started
    return history


def train_step(net: "Network", x: ArrayLike, t: ArrayLike, optimizer: Optimizer) -> float:
    """One step on a whole batch; returns the loss before it."""
    plan = net.plan_for(optimizer)
    if plan is not None:
        assert isinstance(optimizer, Rule)  # plan_for has looked
        moments = optimizer.moments_for(plan, net.params)
        loss = plan.step(x, t, optimizer.settings(), None, moments)
        if loss is None and len(rows := net._rows(x)):
            wanted = net.targets_for("train_step", t, len(rows))
            loss = plan.step(stored(rows, net), wanted, optimizer.settings(), None, moments)
        if loss is not None:
            optimizer.steps += 1
            if plan.remembering is None:
                net.forget()
            else:
                for remembering in plan.remembering:
                    remembering.forget()
            return loss
    grads = net.gradient(x, t)
    loss = float(net.lastLayer.loss)
    optimizer.update(net.params, grads)
    net.forget()
    return loss


def train_batches(
    net: "Network", x: Array, t: Array, batches: list[sampling.Indices], optimizer: Optimizer
) -> list[float]:
    """One step for each row of indices; returns the losses before the steps."""
    plan = net.plan_for(optimizer)
    if plan is None:
        return [net.train_step(x[batch], t[batch], optimizer) for group in batches for batch in group]
    assert isinstance(optimizer, Rule)  # plan_for has looked
    moments = optimizer.moments_for(plan, net.params)
    losses: list[float] = []
    for indices in batches:
        step_losses = np.empty(len(indices))
        plan.train(x, t, indices, optimizer.settings(), step_losses, None, moments)
        optimizer.steps += len(indices)
        losses += step_losses.tolist()
    net.forget()
    return losses


def chunk_for(seconds: float, steps: int, took: float) -> int:
    """How many steps take about `seconds`, if `steps` of them took `took`; at most a hundred times as many."""
    return max(1, min(100 * steps, int(steps * seconds / max(took, 1e-9))))


def _evaluate(
    net: "Network",
    history: History,
    step: int,
    train: tuple[Array, Array] | None,
    validation: tuple[Array, Array] | None,
) -> None:
    history.evaluated_at.append(step)
    # Also of the loss that may have been put in the place of the first.
    classifies = net.loss_name == "softmax" and type(net.lastLayer) is not IdentityWithLoss
    if train is not None and classifies:
        history.train_accuracy.append(net.accuracy(*train))
    if validation is not None:
        history.validation_loss.append(mean_loss(net, *validation))
        if classifies:
            history.validation_accuracy.append(net.accuracy(*validation))


class _Bar(Protocol):
    def update(self, steps: int) -> object: ...
    def close(self) -> None: ...


class _NoBar:
    """What stands in for a progress bar that nobody asked for."""

    def update(self, steps: int) -> None:
        pass

    def close(self) -> None:
        pass


def _bar(progress: bool, steps: int) -> _Bar:
    if not progress:
        return _NoBar()
    from tqdm import tqdm

    bar: _Bar = tqdm(total=steps, unit="step")
    return bar


def _data(owner: str, net: "Network", x: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
    rows = stored(net._rows(x), net)
    if not len(rows):
        raise ValueError(f"{owner}: x has 0 rows, wanted at least 1")
    if len(rows) >= 2**32:
        raise ValueError(f"{owner}: x has {len(rows)} rows, wanted fewer than 2**32")
    return rows, net.targets_for(owner, t, len(rows))


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"fit: {name} is {value!r}, wanted a whole number of at least 1")
    if value < 1:
        raise ValueError(f"fit: {name} is {value}, wanted a whole number of at least 1")
    return int(value)
