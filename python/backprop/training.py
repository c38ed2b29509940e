"""The training loop of sections 0092 and 0094: mini-batch, gradient, update, again."""

import math
import sys
import time
import warnings
from _thread import get_ident
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import starmap
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from backprop import fit_arguments, sampling
from backprop._arguments import seed_number
from backprop._arrays import Array, held, labels_of
from backprop._progress import Lines
from backprop.description import classifies
from backprop.evaluation import mean_loss, require_a_class
from backprop.history import History
from backprop.optimizers import SGD, Optimizer, Rule, chosen
from backprop.plans import NetworkPlan, stored
from backprop.training_lock import REFUSED, exclusive
from bpcore.threads import limited

if TYPE_CHECKING:
    from backprop.network import Network

# Seconds between two looks at Ctrl-C and the progress bar, if steps go on as the last ones went. They may take ten
# times as long where others begin to use the processors.
PAUSE = 0.03

Callback = Callable[["Network", History], Any]


@exclusive
def fit(
    net: "Network",
    x: ArrayLike,
    t: ArrayLike,
    *,
    epochs: int | None,
    iterations: int | None,
    batch_size: int,
    optimizer: Optimizer | str | None,
    validation: tuple[ArrayLike, ArrayLike] | None,
    seed: int | None,
    threads: int | None,
    progress: bool,
    callbacks: Sequence[Callback],
    track_accuracy: bool,
) -> History:
    """Train `net`; the parameters are those of `Network.fit`."""
    x, t = fit_arguments.data(net, x, t)
    checked = fit_arguments.validation_data(net, validation)
    _in_place = [held(x), held(checked[0]) if checked is not None else None]
    if (epochs is None) == (iterations is None):
        raise ValueError(f"fit: epochs is {epochs}, iterations is {iterations}; wanted exactly one of them")
    batch_size = fit_arguments.whole("batch_size", batch_size)
    optimizer = SGD(0.1) if optimizer is None else chosen("fit", optimizer)
    if isinstance(optimizer, Rule):
        optimizer.require_match(net.params)
    called = fit_arguments.functions(callbacks)
    progress = fit_arguments.switch("progress", progress)
    # What a subclass calls the accuracy is not counted along the way.
    counts = classifies(net.lastLayer)
    tracked = fit_arguments.switch("track_accuracy", track_accuracy) or net._overrides("accuracy")
    if tracked and counts:
        require_a_class("fit", t)
    evaluated = (x, t) if tracked else None
    bits = np.random.PCG64(seed_number("fit", seed))
    sampler: sampling.Sampler
    if epochs is not None:
        steps_an_epoch = -(-len(x) // batch_size)
        steps = fit_arguments.whole("epochs", epochs) * steps_an_epoch
        sampler = sampling.Epochs(bits, len(x), batch_size)
    else:
        steps_an_epoch = max(len(x) // batch_size, 1)
        steps = fit_arguments.whole("iterations", iterations)
        sampler = sampling.WithReplacement(bits, len(x), batch_size)
    # Samples whose weights are all 0 have no class and are left out, as `accuracy` does.
    has_class: Array | None = np.any(t, axis=1) if counts and t.ndim == 2 else None

    history = History()
    started = time.perf_counter()
    try:
        with limited(threads), closing(_bar(progress, steps)) as bar:
            if checked is not None:
                fit_arguments.tried(net, checked)
            net.history = history
            done, chunk, correct, counted, warned = 0, 1, 0, 0, False
            while done < steps:
                # Up to the next evaluation, and no longer than Ctrl-C and the progress bar may wait.
                count = min(chunk, steps_an_epoch - done % steps_an_epoch, steps - done)
                before = time.perf_counter()
                batches = sampler.take(count)
                correct += train_batches(net, x, t, batches, optimizer, history.loss)[1]
                losses = history.loss[-count:]
                if not warned and not np.isfinite(losses).all():
                    warned = True
                    _warn_of_loss(net, x, t, losses, done, optimizer)
                counted += sum(
                    group.size if has_class is None else has_class[group].sum() for group in batches
                )
                chunk = chunk_for(PAUSE, count, time.perf_counter() - before, chunk)
                done += count
                bar.update(count)
                if done % steps_an_epoch == 0 or done == steps:
                    running = correct / counted if counted else math.nan
                    _evaluate(net, history, done, running, evaluated, checked)
                    if not warned and checked is not None and not math.isfinite(history.validation_loss[-1]):
                        warned = True
                        _warn_of_validation(net, history, checked)
                    correct = counted = 0
                    answers = [callback(net, history) for callback in called]
                    if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
                        break
            if not warned:
                _warn_of_parameters(net, done, optimizer)
    finally:
        history.seconds = time.perf_counter() - started
        if history.loss:
            net.history = history  # a callback may have called `fit`, which left its own
    return history


def train_step(net: "Network", x: ArrayLike, t: ArrayLike, optimizer: Optimizer) -> float:
    """One step on a whole batch; returns the loss before it."""
    # As in `exclusive`, whose call would take a twentieth of a small step.
    layers, me = net._layers, get_ident()
    outer = layers.trainer
    if outer is not None and outer != me:
        raise RuntimeError(REFUSED)
    try:
        layers.trainer = me
        plan = net.plan_for(optimizer)
        if plan is not None:
            assert isinstance(optimizer, Rule)  # plan_for has looked
            loss = None
            # What the rule keeps is made when x and t are known to be right: else a step that is refused would tie it
            # to this network.
            kept = optimizer.kept
            moments = optimizer.bound_to(plan) if kept else None
            plain = type(x) is type(t) is np.ndarray  # others may have a mask, which no plan sees
            if plain and (moments is not None or not kept):
                loss = _planned_step(plan, x, t, optimizer, moments)
            if loss is None and len(rows := net._rows(x)):
                rows, wanted = stored(rows, net), net.targets_for("train_step", t, len(rows))
                moments = optimizer.moments_for(plan, net.params)
                loss = _planned_step(plan, rows, wanted, optimizer, moments)
            if loss is not None:
                if plan.forgets is None:
                    net.forget()
                else:
                    for forget in plan.forgets:
                        forget()
                return loss
        chosen("train_step", optimizer, names=False)
        losses: list[float] = []
        _layered_step(net, x, t, optimizer, losses)
        return losses[0]
    finally:
        layers.trainer = outer


def _planned_step(
    plan: NetworkPlan, x: Any, t: Any, optimizer: Rule, moments: list[Any] | None
) -> float | None:
    """One step by a plan: the loss before it; None if it cannot read x or t as they are."""
    # The handler of a signal runs behind a call, and may raise. Here the loop makes the call, and no other comes before
    # the step is counted.
    for loss in starmap(plan.step, ((x, t, optimizer.settings(), None, moments),)):
        if loss is not None:
            optimizer.__dict__["steps"] += 1
        return loss
    return None


def _layered_step(
    net: "Network", x: ArrayLike, t: ArrayLike, optimizer: Optimizer, losses: list[float]
) -> Array | None:
    """One step layer by layer, which adds the loss before it to `losses`.

    Returns the scores, where the network's own pass gave them.
    """
    scores = None
    if net._overrides("loss") or net._overrides("gradient"):
        # What a subclass calls the loss is what is recorded; only its own gradient has to go forward once more.
        loss = float(net.loss(x, t))
        grads = net.gradient(x, t) if net._overrides("gradient") else net._gradient_of_pass()
    else:
        loss, scores = net._loss_and_scores(x, t)
        loss, grads = float(loss), net._gradient_of_pass()
    taken = getattr(optimizer, "steps", None)
    try:
        optimizer.update(net.params, grads)
        losses += (loss,)
    except BaseException:
        # The handler of a signal may raise behind the update's last call: what it has counted is recorded.
        if isinstance(optimizer, Rule) and optimizer.steps != taken:
            losses += (loss,)
        raise
    finally:
        net.forget()
    return scores


def train_batches(
    net: "Network",
    x: Array,
    t: Array,
    batches: list[sampling.Indices],
    optimizer: Optimizer,
    losses: list[float] | None = None,
) -> tuple[list[float], int]:
    """One step for each row of indices: the losses before the steps, and how many samples were right in them.

    The losses are added to `losses`, if it is given, as soon as their steps are taken, also where an interrupt ends the
    call.
    """
    # Whoever overrides how a step is made, or what is predicted, means that.
    own = net._overrides("train_step") or net._overrides("predict")
    plan = None if own else net.plan_for(optimizer)
    losses = [] if losses is None else losses
    correct = 0
    if plan is None:
        for batch in (row for group in batches for row in group):
            correct += _counted_step(net, x[batch], t[batch], optimizer, own, losses)
        return losses, correct
    assert isinstance(optimizer, Rule)  # plan_for has looked
    moments = optimizer.moments_for(plan, net.params)
    try:
        for indices in batches:
            count, step_losses = len(indices), np.empty(len(indices))
            read = step_losses.data
            arguments = x, t, indices, optimizer.settings(), step_losses, None, moments
            # As in `_planned_step`: nothing is called between the steps and their record.
            for right in starmap(plan.train, (arguments,)):
                optimizer.__dict__["steps"] += count
                losses += read
                correct += right
    finally:
        net.forget()
    return losses, correct


def _counted_step(
    net: "Network", x: Array, t: Array, optimizer: Optimizer, own: bool, losses: list[float]
) -> int:
    """One step, and how many samples of the batch were right before it (0 without classes)."""
    counts = classifies(net.lastLayer)
    asked = own or net._overrides("loss") or net._overrides("gradient")
    scores = net.predict(x) if asked and counts else None
    if own:
        losses.append(net.train_step(x, t, optimizer))
    else:
        found = _layered_step(net, x, t, optimizer, losses)
        scores = found if scores is None else scores
    return int((scores.argmax(axis=1) == labels_of(t)).sum()) if counts and scores is not None else 0


def chunk_for(seconds: float, steps: int, took: float, last: int) -> int:
    """How many steps take about `seconds`, if `steps` of them took `took`; at most twice as many as the last time.

    Beside others that want the processors a step may take any time, now and then a hundredfold.
    """
    return max(1, min(2 * last, int(steps * seconds / max(took, 1e-9))))


def _evaluate(
    net: "Network",
    history: History,
    step: int,
    running: float,
    train: tuple[Array, Array] | None,
    validation: tuple[Array, Array] | None,
) -> None:
    classes = classifies(net.lastLayer)
    accuracies, val_losses, val_accuracies = [], [], []
    if classes:
        accuracies = [running if train is None else net.accuracy(*train)]
    if validation is not None:
        val_losses = [mean_loss(net, net._overrides("loss"), *validation)]
        if classes:
            val_accuracies = [net.accuracy(*validation)]
    # Without a call in between, so that an interrupt leaves lists that belong together.
    history.evaluated_at += [step]
    history.train_accuracy += accuracies
    history.validation_loss += val_losses
    history.validation_accuracy += val_accuracies


def _warn_of_loss(
    net: "Network", x: Array, t: Array, losses: list[float], done: int, optimizer: Optimizer
) -> None:
    """Say at which step the loss was not finite, and why if the data tells."""
    n = int(np.isfinite(losses).argmin())
    advice = _bad_data(net, x, t) or f"x and t are finite; {_too_large(optimizer)}"
    _warn(f"fit: the loss of step {done + n + 1} is {losses[n]}: {advice}")


def _warn_of_validation(net: "Network", history: History, validation: tuple[Array, Array]) -> None:
    """Say after which step the loss of the validation data was not finite, and why if the data tells."""
    where = f"fit: the validation loss after step {history.evaluated_at[-1]} is {history.validation_loss[-1]}"
    cause = _bad_data(net, *validation)
    _warn(f"{where}: {'in validation, ' + cause if cause else 'its x and t are finite, the outputs are not'}")


def _warn_of_parameters(net: "Network", steps: int, optimizer: Optimizer) -> None:
    """Say which parameters the last steps have ruined, whose losses were taken before."""
    ruined = [key for key, array in net.params.items() if not np.isfinite(array).all()]
    if ruined:
        _warn(f"fit: after step {steps} {', '.join(ruined)} are not finite: {_too_large(optimizer)}")


def _bad_data(net: "Network", x: Array, t: Array) -> str:
    """Which number is not finite and what to do; nothing if all are."""
    cause = not_finite("x", x, net.dtype) or not_finite("t", t, net.dtype)
    return f"{cause}; leave such samples out or fill them in" if cause else ""


def _too_large(optimizer: Optimizer) -> str:
    return f"the learning rate may be too large ({optimizer!r}), or x needs scaling"


def _warn(text: str) -> None:
    # Behind the two functions here, `exclusive`, `Network.fit` and its check of names.
    warnings.warn(text, RuntimeWarning, stacklevel=7)


def not_finite(name: str, array: Array, dtype: np.dtype[Any], block: int = 4096) -> str:
    """Which is the first number that is not finite in a type, in words; nothing if there is none."""
    for start in range(0, len(array) if array.dtype.kind == "f" else 0, block):
        part = array[start : start + block]
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(part.astype(dtype, copy=False))
        if wrong.any():
            place = np.unravel_index(wrong.argmax(), part.shape)
            index = ", ".join(map(str, (start + int(place[0]), *map(int, place[1:]))))
            return f"{name}[{index}] is {part[place]}, no finite number of {dtype}"
    return ""


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
    if not progress or sys.stderr is None:
        return _NoBar()
    if not sys.stderr.isatty():
        return Lines(steps)
    from tqdm import tqdm

    bar: _Bar = tqdm(total=steps, unit="step")
    return bar
