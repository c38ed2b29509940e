"""The training loop of sections 0092 and 0094: mini-batch, gradient, update, again."""

import math
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arguments import seed_number
from backprop._util.arrays import Array, resize_guards
from backprop._util.progress import bar_for
from backprop.layers.base_loss import has_classes, labels_of_targets, labels_with_a_class, row_weights_of
from backprop.layers.weighting import RowWeights
from backprop.optimizers import SGD
from backprop.optimizers.base import Optimizer, UpdateRule, chosen_optimizer
from backprop.training import arguments
from backprop.training.averaging import checked_average, held
from backprop.training.divergence import warn_of_loss, warn_of_parameters, warn_of_validation
from backprop.training.history import History
from backprop.training.lock import exclusive
from backprop.training.protocol import Trainable
from backprop.training.sampling import Epochs, Sampler, WithReplacement
from backprop.training.step import train_batches
from backprop.training.validation import evaluate, evaluate_some
from bpcore.plan import Plan
from bpcore.threads import limited

# Seconds between two looks at Ctrl-C and the progress bar, if steps go on as the last ones went. They may take ten
# times as long where others begin to use the processors.
PAUSE = 0.03

Callback = Callable[[Any, History], Any]


@exclusive
def fit(
    net: Trainable,
    x: ArrayLike,
    t: ArrayLike,
    *,
    epochs: int | None,
    iterations: int | None,
    batch_size: int | None,
    optimizer: Optimizer | str | None,
    sample_weight: ArrayLike | None,
    validation: tuple[ArrayLike, ...] | None,
    seed: int | None,
    threads: int | None,
    progress: bool,
    callbacks: Sequence[Callback],
    track_accuracy: bool,
    ema: Any,
    ema_decay: float | None,
) -> History:
    """Train `net`; the parameters are those of `Network.fit`."""
    average = checked_average(net, ema, ema_decay)
    validated: Trainable = net if average is None else ema
    x, t = arguments.data(net, x, t, validated)
    weights = arguments.weights(sample_weight, len(x))
    checked = arguments.validation_data(net, validation, validated)
    _in_place = [resize_guards(x), resize_guards(checked[0]) if checked is not None else None]
    if (epochs is None) == (iterations is None):
        raise ValueError(f"fit: epochs is {epochs}, iterations is {iterations}; wanted exactly one of them")
    batch_size = arguments.whole("batch_size", 100 if batch_size is None else batch_size)
    optimizer = SGD(0.1) if optimizer is None else chosen_optimizer("fit", optimizer)
    if isinstance(optimizer, UpdateRule):
        optimizer.require_match(net.params)
    called = arguments.functions(callbacks)
    progress = arguments.switch("progress", progress)
    # What a subclass calls the accuracy is not counted along the way.
    counts = has_classes(net.lastLayer, net.sizes[-1])
    tracked = arguments.switch("track_accuracy", track_accuracy) or net._overrides("accuracy")
    if tracked and counts:
        labels_with_a_class("fit", net.lastLayer, t)
    evaluated = (x, t) if tracked else None
    bits = np.random.PCG64(seed_number("fit", seed))
    sampler: Sampler
    if epochs is not None:
        steps_an_epoch = -(-len(x) // batch_size)
        steps = arguments.whole("epochs", epochs) * steps_an_epoch
        sampler = Epochs(bits, len(x), batch_size)
    else:
        steps_an_epoch = max(len(x) // batch_size, 1)
        steps = arguments.whole("iterations", iterations)
        sampler = WithReplacement(bits, len(x), batch_size)
    has_class, row_weights = _as_the_loss_has_them(net, t, weights, bool(counts))

    history = History()
    started = time.perf_counter()
    try:
        with held(average), limited(threads), closing(bar_for(progress, steps)) as bar:
            if checked is not None:
                evaluate_some(validated, checked)
            net.history = history
            done, chunk, correct, counted, warned = 0, 1, 0, 0, False
            while done < steps:
                # Up to the next evaluation, and no longer than Ctrl-C and the progress bar may wait.
                count = min(chunk, steps_an_epoch - done % steps_an_epoch, steps - done)
                before = time.perf_counter()
                batches = sampler.take(count)
                correct += train_batches(
                    net, x, t, batches, optimizer, history.loss, weights, row_weights, average
                )[1]
                losses = history.loss[-count:]
                if not warned and not np.isfinite(losses).all():
                    warned = True
                    warn_of_loss(net, x, t, losses, done, optimizer)
                counted += sum(
                    group.size if has_class is None else has_class[group].sum() for group in batches
                )
                chunk = chunk_for(PAUSE, count, time.perf_counter() - before, chunk)
                done += count
                bar.update(count)
                if done % steps_an_epoch == 0 or done == steps:
                    running = correct / counted if counted else math.nan
                    evaluate(net, history, done, running, evaluated, checked, validated)
                    if not warned and checked is not None and not math.isfinite(history.validation_loss[-1]):
                        warned = True
                        warn_of_validation(validated, history, checked[:2])
                    correct = counted = 0
                    answers = [callback(net, history) for callback in called]
                    if called:  # which may have changed the loss
                        t = net.targets_for("fit", t, len(x))
                        has_class, row_weights = _as_the_loss_has_them(net, t, weights, bool(counts))
                    if any(isinstance(answer, (bool, np.bool_)) and answer for answer in answers):
                        break
            if not warned:
                warn_of_parameters(net, done, optimizer)
        log_threads(net)
    finally:
        history.seconds = time.perf_counter() - started
        if history.loss:
            net.history = history  # a callback may have called `fit`, which left its own
        if average is not None:
            average.catch_up()  # with a step that an interrupt has let be taken
    return history


def _as_the_loss_has_them(
    net: Trainable, t: Array, weights: Array | None, counts: bool
) -> tuple[Array | None, RowWeights | None]:
    """Which samples have a class, None where all have or none is counted, and the weights of the rows."""
    # Samples without a class are left out, as `accuracy` does.
    has_class = labels_of_targets(net.lastLayer, t) >= 0 if counts else None
    return (
        None if has_class is None or has_class.all() else has_class,
        row_weights_of(net.lastLayer, t, weights),
    )


def log_threads(net: Trainable) -> None:
    """Tell the logger "backprop" which numbers of threads were tried, at level DEBUG."""
    logging = sys.modules.get("logging")  # who has not imported it has no handler
    if logging is None or not isinstance(net._planned, Plan):
        return
    logger = logging.getLogger("backprop")
    if not logger.isEnabledFor(logging.DEBUG):
        return
    for rows, tuning in net._planned.tunings.items():
        if tuning.best is None:
            continue  # a fit of so few steps that it was not decided
        tried = ", ".join(
            f"{threads}{f' ({parts} parts of columns)' if parts > 1 else ''}: {1e6 * seconds:.4g} µs"
            for (threads, parts), seconds in tuning.seconds.items()
        )
        logger.debug("fit: batches of %d on %d threads; a step by threads: %s", rows, tuning.best[0], tried)


def chunk_for(seconds: float, steps: int, took: float, last: int) -> int:
    """How many steps take about `seconds`, if `steps` of them took `took`; at most twice as many as the last time.

    Beside others that want the processors a step may take any time, now and then a hundredfold.
    """
    return max(1, min(2 * last, int(steps * seconds / max(took, 1e-9))))
