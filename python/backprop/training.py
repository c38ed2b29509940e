"""The training loop of sections 0092 and 0094: mini-batch, gradient, update, again."""

import math
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import closing
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
                losses, right = train_batches(net, x, t, batches, optimizer)
                if not warned and not np.isfinite(losses).all():
                    warned = True
                    _warn_of_loss(net, x, t, losses, done, optimizer)
                history.loss += losses
                correct += right
                counted += sum(
                    group.size if has_class is None else has_class[group].sum() for group in batches
                )
                chunk = chunk_for(PAUSE, count, time.perf_counter() - before)
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
    return history


def train_step(net: "Network", x: ArrayLike, t: ArrayLike, optimizer: Optimizer) -> float:
    """One step on a whole batch; returns the loss before it."""
    plan = net.plan_for(optimizer)
    if plan is not None:
        assert isinstance(optimizer, Rule)  # plan_for has looked
        loss = None
        # What the rule keeps is made when x and t are known to be right: else a step that is refused would tie it to
        # this network.
        kept = optimizer.kept
        moments = optimizer.bound_to(plan) if kept else None
        plain = type(x) is type(t) is np.ndarray  # others may have a mask, which no plan sees
        if plain and (moments is not None or not kept):
            loss = plan.step(x, t, optimizer.settings(), None, moments)
        if loss is None and len(rows := net._rows(x)):
            rows, wanted = stored(rows, net), net.targets_for("train_step", t, len(rows))
            moments = optimizer.moments_for(plan, net.params)
            loss = plan.step(rows, wanted, optimizer.settings(), None, moments)
        if loss is not None:
            optimizer.count(1)
            if plan.forgets is None:
                net.forget()
            else:
                for forget in plan.forgets:
                    forget()
            return loss
    chosen("train_step", optimizer, names=False)
    return _layered_step(net, x, t, optimizer)[0]


def _layered_step(
    net: "Network", x: ArrayLike, t: ArrayLike, optimizer: Optimizer
) -> tuple[float, Array | None]:
    """One step layer by layer: the loss before it and, where the network's own pass gave them, the scores."""
    scores = None
    if net._overrides("loss") or net._overrides("gradient"):
        # What a subclass calls the loss is what is recorded; only its own gradient has to go forward once more.
        loss = float(net.loss(x, t))
        grads = net.gradient(x, t) if net._overrides("gradient") else net._gradient_of_pass()
    else:
        loss, scores = net._loss_and_scores(x, t)
        grads = net._gradient_of_pass()
    optimizer.update(net.params, grads)
    net.forget()
    return float(loss), scores


def train_batches(
    net: "Network", x: Array, t: Array, batches: list[sampling.Indices], optimizer: Optimizer
) -> tuple[list[float], int]:
    """One step for each row of indices: the losses before the steps, and how many samples were right in them."""
    # Whoever overrides how a step is made, or what is predicted, means that.
    own = net._overrides("train_step") or net._overrides("predict")
    plan = None if own else net.plan_for(optimizer)
    losses: list[float] = []
    correct = 0
    if plan is None:
        for batch in (row for group in batches for row in group):
            loss, right = _counted_step(net, x[batch], t[batch], optimizer, own)
            losses.append(loss)
            correct += right
        return losses, correct
    assert isinstance(optimizer, Rule)  # plan_for has looked
    moments = optimizer.moments_for(plan, net.params)
    for indices in batches:
        step_losses = np.empty(len(indices))
        correct += plan.train(x, t, indices, optimizer.settings(), step_losses, None, moments)
        optimizer.count(len(indices))
        losses += step_losses.tolist()
    net.forget()
    return losses, correct


def _counted_step(net: "Network", x: Array, t: Array, optimizer: Optimizer, own: bool) -> tuple[float, int]:
    """One step, and how many samples of the batch were right before it (0 without classes)."""
    counts = classifies(net.lastLayer)
    own = own or net._overrides("loss") or net._overrides("gradient")
    scores = net.predict(x) if own and counts else None
    if own:
        loss = net.train_step(x, t, optimizer)
    else:
        loss, scores = _layered_step(net, x, t, optimizer)
    right = int((scores.argmax(axis=1) == labels_of(t)).sum()) if counts and scores is not None else 0
    return loss, right


def chunk_for(seconds: float, steps: int, took: float) -> int:
    """How many steps take about `seconds`, if `steps` of them took `took`; at most a hundred times as many."""
    return max(1, min(100 * steps, int(steps * seconds / max(took, 1e-9))))


def _evaluate(
    net: "Network",
    history: History,
    step: int,
    running: float,
    train: tuple[Array, Array] | None,
    validation: tuple[Array, Array] | None,
) -> None:
    history.evaluated_at.append(step)
    classes = classifies(net.lastLayer)
    if classes:
        history.train_accuracy.append(running if train is None else net.accuracy(*train))
    if validation is not None:
        history.validation_loss.append(mean_loss(net, net._overrides("loss"), *validation))
        if classes:
            history.validation_accuracy.append(net.accuracy(*validation))


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
    # Behind the two functions here, `Network.fit` and its check of names.
    warnings.warn(text, RuntimeWarning, stacklevel=6)


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
