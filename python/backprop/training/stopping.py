"""Early stopping: when a run has not improved for long, and the weights at which it was best."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.settings import non_negative, switch, whole_below
from backprop.layers.buffers import buffers_of
from backprop.training.protocol import Trainable


@dataclass(frozen=True)
class EarlyStopping:
    """Stop `fit` where a monitored number has not improved for `patience` evaluations.

    Parameters
    ----------
    patience : int, default 10
        Evaluations without a gain, one an epoch.
    min_delta : float, default 0
        What counts as a gain is more than that.
    monitor : str, optional
        "validation_loss", "validation_accuracy", "loss" (mean of the epoch's steps), "train_accuracy" or the name of a
        metric. By default "validation_loss", without validation data "loss".
    restore : bool, default True
        Whether the network has the weights of the best evaluation when `fit` returns, running statistics too; with
        `ema` and a number of the validation data the average has them, and the network keeps its last.
    """

    patience: int = 10
    min_delta: float = 0.0
    monitor: str | None = None
    restore: bool = True

    def __post_init__(self) -> None:
        owner = type(self).__name__
        if whole_below(2**53)(owner, "patience", self.patience) < 1:
            raise ValueError(f"{owner}: patience is {self.patience}, wanted at least 1")
        non_negative(owner, "min_delta", self.min_delta)
        switch(owner, "restore", self.restore)
        if self.monitor is not None and not isinstance(self.monitor, str):
            raise TypeError(f"{owner}: monitor is {self.monitor!r}, wanted a name such as 'validation_loss'")


def early_stopping_of(value: Any) -> EarlyStopping | None:
    """What `fit(early_stopping=…)` is given: an object, its patience, or None."""
    if value is None or isinstance(value, EarlyStopping):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"fit: early_stopping is {value!r}, wanted EarlyStopping(…) or a number of epochs")
    if value < 1:
        raise ValueError(f"fit: early_stopping is {value}, wanted at least 1 epoch")
    return EarlyStopping(int(value))


class Watch:
    """The monitored number of one run.

    Attributes
    ----------
    best : float
        Its best value; NaN before the first.
    best_step : int
        After how many steps it was taken.
    waited : int
        Evaluations since then.
    """

    def __init__(self, settings: EarlyStopping, monitor: str, highest_is_best: bool) -> None:
        self.settings, self.monitor = settings, monitor
        self.sign = -1.0 if highest_is_best else 1.0
        self.best, self.best_step, self.waited = math.nan, 0, 0
        self.best_arrays: list[Array] = []
        self.last_arrays: list[Array] = []

    def observe(self, step: int, value: float, net: Trainable) -> bool:
        """Take a value; whether it is time to stop. NaN is no gain."""
        gain = self.sign * (self.best - value)
        if (math.isnan(self.best) and not math.isnan(value)) or gain > self.settings.min_delta:
            self.best, self.best_step, self.waited = value, step, 0
            if self.settings.restore:
                self.best_arrays = [array.copy() for array in arrays_of(net)]
        else:
            self.waited += 1
        return self.waited >= self.settings.patience

    def restore(self, net: Trainable) -> None:
        """Give the network the weights of the best evaluation."""
        if self.best_arrays:
            self.last_arrays = [array.copy() for array in arrays_of(net)]
            put(net, self.best_arrays)

    def resume(self, net: Trainable) -> None:
        """Give it back those that it had when `restore` was called, if nobody has changed it since."""
        if self.waited >= self.settings.patience:
            self.waited = 0  # a run that it has ended goes on
        last, self.last_arrays = self.last_arrays, []
        pairs = zip(arrays_of(net), self.best_arrays, strict=True)
        if last and all(one.tobytes() == other.tobytes() for one, other in pairs):
            put(net, last)


def arrays_of(net: Trainable) -> list[Array]:
    """What training changes of a network: its parameters and running statistics."""
    return [*net.params.values(), *buffers_of(net.layers).values()]


def put(net: Trainable, values: list[Array]) -> None:
    """Copy values into the arrays of a network."""
    for array, value in zip(arrays_of(net), values, strict=True):
        array[...] = value
    net.clear_cache()
