"""The training loop of sections 0092 and 0094: what `fit` is asked for, all of it checked, made a run."""

import copy
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arguments import seed_number
from backprop._util.arrays import Array, resize_guards
from backprop._util.names import did_you_mean
from backprop.layers.base_loss import has_classes, is_binary, labels_of_targets, labels_with_a_class
from backprop.optimizers import SGD
from backprop.optimizers.base import UpdateRule, chosen_optimizer
from backprop.training import arguments
from backprop.training.averaging import checked_average
from backprop.training.blocks import Blocks, blocks_of, mapping_of
from backprop.training.callbacks import Callback, callbacks_of
from backprop.training.checkpoints.checkpointing import Checkpointing, of_the_run
from backprop.training.history import History
from backprop.training.lock import exclusive
from backprop.training.metrics import Metric, metrics_of
from backprop.training.protocol import Scheduled, Trainable
from backprop.training.run import Data, Run
from backprop.training.sampling import Epochs, Sampler, Subset, WithReplacement
from backprop.training.splitting import class_weights, fraction_of_data, split
from backprop.training.step import rate_of
from backprop.training.stopping import EarlyStopping, Watch, early_stopping_of
from bpcore.plan import Plan

AnyCallback = Callback | Callable[[Any, History], Any]


@exclusive
def fit(
    net: Trainable,
    /,
    x: ArrayLike,
    t: ArrayLike,
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
    given_x = x
    x, t = arguments.data(net, x, t, validated)
    weights = arguments.weights(sample_weight, len(x))
    checked = arguments.validation_data(net, validation, validated)
    _in_place = [resize_guards(x), resize_guards(checked[0]) if checked is not None else None]
    if (epochs is None) == (iterations is None) and (files.saved is None or epochs is not None):
        raise ValueError(f"fit: epochs is {epochs}, iterations is {iterations}; wanted exactly one of them")
    shuffle = arguments.switch("shuffle", shuffle)
    if iterations is not None and not shuffle:
        raise ValueError(
            "fit: shuffle is False, and iterations= draws samples with replacement; wanted epochs="
        )
    called = callbacks_of(arguments.functions(callbacks))
    progress = arguments.switch("progress", progress)
    tracked = arguments.switch("track_accuracy", track_accuracy) or net._overrides("accuracy")
    measured = metrics_of(metrics, net)
    by_epochs = files.saved.by_epochs if files.saved is not None else epochs is not None
    run = earlier or _new_run(net, t, by_epochs, checked is not None, given, blocks_of(given_x, x))
    if isinstance(run.sampler, Blocks):
        run.sampler.mapping = mapping_of(given_x)
    if isinstance(run.optimizer, UpdateRule):
        run.optimizer.require_match(net.params)
    counts = has_classes(net.lastLayer, net.sizes[-1])
    if tracked and counts:
        labels_with_a_class("fit", net.lastLayer, t)
    files.look_at(x, t, weights, checked)
    data = _data(net, run, x, t, weights, checked, tracked, measured)
    steps = _steps(run, epochs, iterations, files)

    if earlier is None:
        run.recorded = _recorded(net, data)
        run.watch = _watch(net, data, given["early_stopping"])
        run.schedule = _schedule(run, given["schedule"], steps)
        run.given = of_the_run(given, average)
    elif run.recorded != (recorded := _recorded(net, data)):
        raise ValueError(
            f"fit: {', '.join(recorded)} would be recorded, and the run of continue_from has "
            f"{', '.join(run.recorded)}; wanted validation data and metrics as before"
        )
    elif run.schedule is not None:
        run.schedule = _longer(run, run.schedule, steps)
    history = History() if continue_from is None else continue_from.continued()
    run.averaged, run.steps, run.has_ended = (ema, decay), steps, False
    history = files.begin(net, run, average, history)
    run.go(net, history, average, data, called, threads, progress, started, files.saver)
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
        what = "a copy, of L-BFGS, or was continued already" if run is None else "continued already"
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
    optimizer = given["optimizer"]
    optimizer = SGD(0.1) if optimizer is None else chosen_optimizer("fit", optimizer)
    seed, shuffle = seed_number("fit", given["seed"]), given["shuffle"]
    if seed is None:
        seed = cast("int", np.random.SeedSequence().entropy)  # what PCG64 would take
    bits = np.random.PCG64(seed)
    samples, chosen = len(t), None
    if given["validation_fraction"] is not None:
        share = fraction_of_data(given["validation_fraction"])
        if has_validation:
            raise ValueError("fit: validation and validation_fraction are given; wanted one of the two")
        labels = labels_of_targets(net.lastLayer, t) if has_classes(net.lastLayer, net.sizes[-1]) else None
        chosen = split(labels, samples, share, bits.random_raw(samples))
        samples = len(chosen[0])
    sampler: Sampler
    if by_epochs and shuffle and blocks is not None:
        sampler, steps_an_epoch = Blocks(bits, samples, batch_size, *blocks), -(-samples // batch_size)
    elif by_epochs:
        sampler = Epochs(bits if shuffle else None, samples, batch_size)
        steps_an_epoch = -(-samples // batch_size)
    else:
        sampler = WithReplacement(bits, samples, batch_size)
        steps_an_epoch = max(samples // batch_size, 1)
    if chosen is not None:
        sampler = Subset(sampler, chosen[0])
    run = Run(net, optimizer, sampler, steps_an_epoch)
    run.chosen, run.by_epochs, run.rows = chosen, by_epochs, len(t)
    run.class_weight = copy.deepcopy(given["class_weight"])
    given |= dict(batch_size=batch_size, optimizer=optimizer, seed=seed)
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
    if metrics and checked is None:
        raise ValueError("fit: metrics are of validation data, and there is none")
    every = slice(None) if run.chosen is None else run.chosen[0]
    return Data(x, t, weights, checked, (x[every], t[every]) if tracked else None, metrics)


def _watch(net: Trainable, data: Data, value: Any) -> Watch | None:
    """What early stopping watches."""
    settings: EarlyStopping | None = early_stopping_of(value)
    if settings is None:
        return None
    own = {f"validation_{one.name}": one.highest_is_best for one in data.metrics}
    better = {name: own.get(name, name.endswith("accuracy")) for name in _recorded(net, data)}
    monitor = settings.monitor or ("loss" if data.validation is None else "validation_loss")
    if monitor not in better:
        hint = did_you_mean(monitor, better) or f"; wanted one of {', '.join(better)}"
        raise ValueError(f"fit: early_stopping monitors {monitor!r}, which is not recorded{hint}")
    if better[monitor] is None:
        raise ValueError(
            f"fit: early_stopping monitors {monitor!r}, a function that does not say what is best; set its attribute "
            "highest_is_best to True or False"
        )
    return Watch(settings, monitor, bool(better[monitor]))


def _recorded(net: Trainable, data: Data) -> tuple[str, ...]:
    """The names of what is recorded after each epoch."""
    classes, validation = has_classes(net.lastLayer, net.sizes[-1]), data.validation is not None
    return (
        "loss",
        *(["train_accuracy"] if classes else []),
        *(["validation_loss"] if validation else []),
        *(["validation_accuracy"] if validation and classes else []),
        *(f"validation_{one.name}" for one in data.metrics),
    )


def _schedule(run: Run, value: Any, steps: int) -> Scheduled | None:
    """The schedule of a run that is to have so many steps."""
    if value is None:
        return None
    from backprop.training.schedules import schedule_of

    schedule, rate = schedule_of(value), getattr(run.optimizer, "lr", None)
    if not math.isfinite(rate_of(run.optimizer)):
        raise TypeError(f"fit: schedule is given, and the optimizer's lr is {rate!r}, wanted a number")
    if getattr(schedule, "mode", "min") == "max":
        raise ValueError(
            f"fit: schedule is {schedule!r}, and what it is told of is a loss; wanted mode='min'"
        )
    begun: Scheduled = schedule.begin(run.steps_an_epoch, steps)
    return begun


def _longer(run: Run, schedule: Scheduled, steps: int) -> Scheduled:
    """The schedule of a run that goes on to so many steps; those that were taken have to have had the same rates."""
    longer = schedule.begin(run.steps_an_epoch, steps)
    longer.state = schedule.state
    base = rate_of(run.optimizer)
    if run.base_rate is not None and base != run.base_rate:
        raise ValueError(
            f"fit: the optimizer's lr is {base}, and schedule={schedule!r} of the run began with {run.base_rate}"
        )
    if (schedule.rates(base, 0, run.step) != longer.rates(base, 0, run.step)).any():
        raise ValueError(
            f"fit: schedule={schedule!r} is of the whole run, which had {run.steps} steps, and is to have {steps}; "
            "wanted one that says its length"
        )
    return longer


def _steps(run: Run, epochs: int | None, iterations: int | None, files: Checkpointing) -> int:
    """After how many steps a run is to end."""
    if files.saved is not None:
        asked = arguments.whole("iterations", iterations) if iterations is not None else None
        asked = arguments.whole("epochs", epochs) if epochs is not None else asked
        return files.steps(asked, run.steps_an_epoch if epochs is not None else 1)
    if (epochs is not None) is not run.by_epochs:
        raise ValueError(
            f"fit: {'epochs' if epochs is not None else 'iterations'} is given, the run of continue_from goes by "
            f"{'epochs' if run.by_epochs else 'iterations'}"
        )
    if iterations is not None:
        return run.step + arguments.whole("iterations", iterations)
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
