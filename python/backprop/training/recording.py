"""What a run records, watches and schedules: looked at before it begins, or goes on."""

import math
from typing import Any

from backprop._util.names import did_you_mean
from backprop.layers.base_loss import has_classes
from backprop.training.protocol import Scheduled, Trainable
from backprop.training.run import Data, Run
from backprop.training.step import rate_of
from backprop.training.stopping import EarlyStopping, Watch, early_stopping_of


def begin(net: Trainable, run: Run, data: Data, given: dict[str, Any], steps: int) -> None:
    """Let a new run have what it is asked for."""
    run.recorded = _recorded(net, data)
    run.watch = _watch(net, data, given["early_stopping"])
    run.schedule = _schedule(run, given["schedule"], steps)


def go_on(net: Trainable, run: Run, data: Data, steps: int) -> None:
    """Look whether a run can go on with this data to so many steps."""
    if run.recorded != (recorded := _recorded(net, data)):
        raise ValueError(
            f"fit: {', '.join(recorded)} would be recorded, and the run of continue_from has "
            f"{', '.join(run.recorded)}; wanted validation data and metrics as before"
        )
    if run.schedule is not None:
        run.schedule = _longer(run, run.schedule, steps)


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
