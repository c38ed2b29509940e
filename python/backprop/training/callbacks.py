"""What is told of a training run: the protocol of callbacks.

A callback is an object of a subclass of `Callback`, which overrides what it wants to be told, or a plain function
`f(network, history)`, which is called after each epoch. Either may return True to stop the run.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np


class Running(Protocol):
    """What a callback sees of a run: `backprop.training.run.Run` describes it."""

    network: Any
    history: Any
    optimizer: Any
    step: int
    steps: int
    steps_an_epoch: int
    rate: float
    recorded: tuple[str, ...]

    @property
    def epoch(self) -> int: ...  # noqa: D102  # Run's
    @property
    def metrics(self) -> dict[str, float]: ...  # noqa: D102
    @property
    def seconds(self) -> float: ...  # noqa: D102
    def stop(self) -> None: ...  # noqa: D102


class Callback:
    """The base of callbacks that are told more than the end of an epoch.

    Each method is given the run, whose attributes are network, history, optimizer, step (how many are taken), steps
    (how many it takes, if nothing stops it), steps_an_epoch, epoch (how many are complete), rate (the learning rate of
    the last step; it may be set, but not where a schedule sets it), recorded (the names of what is recorded after each
    epoch), metrics (what was recorded last, by name) and seconds (the time so far). `run.stop()`, or True as an answer,
    ends it behind the callback. An error of a callback ends it too, and is raised by `fit`.

    Attributes
    ----------
    every : int or None
        After how many steps `step` is called, again and again; None for never.

    Examples
    --------
    >>> class Halves(bp.Callback):
    ...     every = 100
    ...
    ...     def step(self, run):
    ...         run.rate /= 2
    >>> (x, t), _ = bp.load_digits()
    >>> sgd = bp.SGD(0.4)
    >>> history = bp.Network([64, 20, 10], seed=0).fit(x, t, iterations=250, optimizer=sgd, callbacks=[Halves()])
    >>> sgd.lr
    0.1
    """

    every: int | None = None

    def begin(self, run: Running) -> Any:
        """Before the first step of a `fit`."""

    def step(self, run: Running) -> Any:
        """After each `every` steps, counted from the first step of the run."""

    def epoch(self, run: Running) -> Any:
        """After each epoch, or N // batch_size steps, when what belongs to it is recorded."""

    def end(self, run: Running) -> Any:
        """When `fit` ends, also by an error or an interrupt; what it returns means nothing."""


class _OfFunction(Callback):
    """A plain function of network and history."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self.function = function

    def epoch(self, run: Running) -> Any:
        return self.function(run.network, run.history)


def callbacks_of(found: Sequence[Any]) -> list[Callback]:
    """Callbacks of what `fit` is given, which has been looked at."""
    return [one if isinstance(one, Callback) else _OfFunction(one) for one in found]


def stops(answer: Any) -> bool:
    """Whether a callback's answer is to stop."""
    return isinstance(answer, (bool, np.bool_)) and bool(answer)
