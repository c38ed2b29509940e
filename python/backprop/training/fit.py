"""The training loop of sections 0092 and 0094: what `fit` is asked for, all of it checked, made a run."""

import copy
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arguments import seed_number
from backprop._util.arrays import Array, resize_guards
from backprop.layers.base_loss import has_classes, is_binary, labels_of_targets, labels_with_a_class
from backprop.optimizers import SGD
from backprop.optimizers.base import UpdateRule, chosen_optimizer
from backprop.training import arguments
from backprop.training.averaging import checked_average
from backprop.training.batches import UNKNOWN
from backprop.training.blocks import Blocks, blocks_of, mapping_of
from backprop.training.callbacks import Callback, callbacks_of
from backprop.training.checkpoints.checkpointing import Checkpointing, of_the_run
from backprop.training.fit_batches import NOTHING, run_of_batches
from backprop.training.history import History
from backprop.training.lock import exclusive
from backprop.training.metrics import Metric, metrics_of, require_numbers
from backprop.training.protocol import Trainable
from backprop.training.recording import begin, go_on
from backprop.training.run import Data, Run
from backprop.training.sampling import Epochs, Sampler, Subset, WithReplacement
from backprop.training.splitting import class_weights, fraction_of_data, split
from bpcore.plan import Plan

AnyCallback = Callback | Callable[[Any, History], Any]


@exclusive
def fit(
    net: Trainable,
    /,
    x: ArrayLike,
    t: ArrayLike | None,
    *,
    epochs: int | None,
    iterations: int | None,
    sample_weight: ArrayLike | None,
    validation: tuple[ArrayLike, ...] | None,
    metrics: Any,
    threads: int | None,
    progress: bool,
    callbacks: Sequence[AnyCallback],
    track_accuracy: bool,
    shuffle: bool,
    continue_from: History | None,
    checkpoint: Any,
    every: Any,
    resume: Any,
    **given: Any,
) -> History:
    """Train `net`; the parameters are those of `Network.fit`."""
    started = time.perf_counter()
    earlier = _continued(net, continue_from, given, shuffle)
    files = Checkpointing(checkpoint, every, resume, continue_from)
    given = files.arguments({**given, "shuffle": shuffle, "epochs": epochs, "iterations": iterations})
    shuffle = given["shuffle"]
    ema, decay = (given["ema"], given["ema_decay"]) if earlier is None else earlier.averaged
    average = checked_average(net, ema, decay)
    validated: Trainable = net if average is None else average.network
    checked = arguments.validation_data(net, validation, validated)
    if (epochs is None) == (iterations is None) and (
        epochs is not None or (files.saved is None and t is not None)
    ):
        raise ValueError(f"fit: epochs is {epochs}, iterations is {iterations}; wanted exactly one of them")
    shuffle = arguments.switch("shuffle", shuffle)
    called = callbacks_of(arguments.functions(callbacks))
    progress = arguments.switch("progress", progress)
    tracked = arguments.switch("track_accuracy", track_accuracy)
    measured = metrics_of(metrics, net)
    if t is None:
        of_batches = run_of_batches(
            net, x, earlier, epochs, iterations, sample_weight, tracked, given, files.saved is not None
        )
        run: Run = of_batches
        data = Data(*NOTHING, None, checked, None, measured)
        _require_metrics(net, data)
        files.look_at_batches(of_batches.source)
        _in_place = [resize_guards(checked[0]) if checked is not None else None]
    else:
        if iterations is not None and not shuffle:
            raise ValueError(
                "fit: shuffle is False, and iterations= draws samples with replacement; wanted epochs="
            )
        given_x = x
        x, t = arguments.data(net, x, t, validated)
        weights = arguments.weights(sample_weight, len(x))
        _in_place = [resize_guards(x), resize_guards(checked[0]) if checked is not None else None]
        by_epochs = files.saved.by_epochs if files.saved is not None else epochs is not None
        run = earlier or _new_run(net, t, by_epochs, checked is not None, given, blocks_of(given_x, x))
        if isinstance(run.sampler, Blocks):
            run.sampler.mapping = mapping_of(given_x)
        tracked = tracked or net._overrides("accuracy")
        if tracked and has_classes(net.lastLayer, net.sizes[-1]):
            labels_with_a_class("fit", net.lastLayer, t)
        files.look_at(x, t, weights, checked)
        data = _data(net, run, x, t, weights, checked, tracked, measured)
    if isinstance(run.optimizer, UpdateRule):
        run.optimizer.require_match(net.params)
    steps = _steps(run, epochs, iterations, files)

    if earlier is None:
        begin(net, run, data, given, steps)
        run.given = of_the_run(given, average)
    else:
        go_on(net, run, data, steps)
    history = History() if continue_from is None else continue_from.continued()
    run.averaged, run.steps, run.has_ended = (ema, decay), steps, False
    history = files.begin(net, run, average, history)
    try:
        run.go(net, history, average, data, called, threads, progress, started, files.saver)
    finally:
        run.close()
    log_threads(net)
    return history


def _continued(net: Trainable, history: Any, given: dict[str, Any], shuffle: bool) -> Run | None:
    """The run that a history is of; None without one."""
    if history is None:
        return None
    if not isinstance(history, History):
        raise TypeError(
            f"fit: continue_from is a {type(history).__name__}, wanted the History of an earlier fit"
        )
    run: Run | None = history._run
    if run is not None and run.is_going:
        raise ValueError("fit: continue_from is of a run that has not ended")
    if run is None or not run.has_come_to(history):
        what = (
            "a copy, merged, loaded from a file, of L-BFGS, or was continued already"
            if run is None
            else "continued already"
        )
        raise ValueError(f"fit: continue_from is {what}; wanted what the last fit returned")
    if not run.is_of(net):
        raise ValueError("fit: continue_from is of another network")
    for name, value in given.items():
        if value is not None:
            raise ValueError(f"fit: {name} is given, and continue_from goes on with that of its run")
    if shuffle is not True:
        raise ValueError("fit: shuffle is given, and continue_from goes on with that of its run")
    return run


def _new_run(
    net: Trainable,
    t: Array,
    by_epochs: bool,
    has_validation: bool,
    given: dict[str, Any],
    blocks: tuple[int, int] | None,
) -> Run:
    """A run that has not begun; what it decides is put into `given`."""
    batch_size = given["batch_size"]
    batch_size = arguments.whole("batch_size", 100 if batch_size is None else batch_size)
    parts = 1 if given["accumulate"] is None else arguments.whole("accumulate", given["accumulate"])
    if parts > 1 and net._overrides("train_step"):
        raise ValueError(
            f"fit: accumulate is {parts}, and {type(net).__name__} has a train_step of its own, which takes a batch"
        )
    optimizer = given["optimizer"]
    optimizer = SGD(0.1) if optimizer is None else chosen_optimizer("fit", optimizer)
    seed, shuffle = seed_number("fit", given["seed"]), given["shuffle"]
    if seed is None:
        seed = cast("int", np.random.SeedSequence().entropy)  # what PCG64 would take
    bits = np.random.PCG64(seed)
    samples, chosen, rows = len(t), None, batch_size * parts
    if given["validation_fraction"] is not None:
        share = fraction_of_data(given["validation_fraction"])
        if has_validation:
            raise ValueError("fit: validation and validation_fraction are given; wanted one of the two")
        labels = labels_of_targets(net.lastLayer, t) if has_classes(net.lastLayer, net.sizes[-1]) else None
        chosen = split(labels, samples, share, bits.random_raw(samples))
        samples = len(chosen[0])
    sampler: Sampler
    if by_epochs and shuffle and blocks is not None:
        sampler, steps_an_epoch = Blocks(bits, samples, rows, *blocks), -(-samples // rows)
    elif by_epochs:
        sampler = Epochs(bits if shuffle else None, samples, rows)
        steps_an_epoch = -(-samples // rows)
    else:
        sampler = WithReplacement(bits, samples, rows)
        steps_an_epoch = max(samples // rows, 1)
    if chosen is not None:
        sampler = Subset(sampler, chosen[0])
    run = Run(net, optimizer, sampler, steps_an_epoch)
    run.chosen, run.by_epochs, run.rows = chosen, by_epochs, len(t)
    run.class_weight = copy.deepcopy(given["class_weight"])
    run.part = batch_size if parts > 1 else None
    given |= dict(batch_size=batch_size, accumulate=parts, optimizer=optimizer, seed=seed)
    return run


def _data(
    net: Trainable,
    run: Run,
    x: Array,
    t: Array,
    weights: Array | None,
    checked: Any,
    tracked: bool,
    metrics: Sequence[Metric],
) -> Data:
    """What a call trains on: all has been looked at but what depends on the run."""
    if len(x) != run.rows:
        raise ValueError(f"fit: x has {len(x)} rows, the run of continue_from has {run.rows}")
    counts = has_classes(net.lastLayer, net.sizes[-1])
    labels = labels_of_targets(net.lastLayer, t) if counts else None
    classes = 2 if is_binary(net.lastLayer) else net.sizes[-1]
    given = weights
    if run.class_weight is not None:
        seen = labels
        if seen is not None and run.chosen is not None:
            seen = np.full_like(seen, -1)
            seen[run.chosen[0]] = labels[run.chosen[0]]
        by_class = class_weights(run.class_weight, seen, classes)
        weights = by_class if weights is None else weights * by_class
    if run.chosen is not None:
        if checked is not None:
            raise ValueError("fit: validation is given, and the run keeps some of x for it")
        kept = run.chosen[1]
        checked = x[kept], t[kept], None if given is None else given[kept]
        if counts:
            labels_with_a_class("fit", net.lastLayer, checked[1])
    every = slice(None) if run.chosen is None else run.chosen[0]
    data = Data(x, t, weights, checked, (x[every], t[every]) if tracked else None, metrics)
    _require_metrics(net, data)
    return data


def _require_metrics(net: Trainable, data: Data) -> None:
    if data.metrics and data.validation is None:
        raise ValueError("fit: metrics are of validation data, and there is none")
    if data.validation is not None:
        require_numbers(data.metrics, net, data.validation[1])


def _steps(run: Run, epochs: int | None, iterations: int | None, files: Checkpointing) -> int:
    """After how many steps a run is to end."""
    if files.saved is not None:
        asked = arguments.whole("iterations", iterations) if iterations is not None else None
        asked = arguments.whole("epochs", epochs) if epochs is not None else asked
        return files.steps(asked, run.steps_an_epoch if epochs is not None else 1)
    if (iterations is None) is not run.by_epochs and not (epochs is iterations is None):
        raise ValueError(
            f"fit: {'epochs' if epochs is not None else 'iterations'} is given, the run of continue_from goes by "
            f"{'epochs' if run.by_epochs else 'iterations'}"
        )
    if iterations is not None:
        return run.step + arguments.whole("iterations", iterations)
    if epochs is None:
        return UNKNOWN
    return (run.epoch + arguments.whole("epochs", epochs)) * run.steps_an_epoch


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
