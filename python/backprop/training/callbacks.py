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

    @property
    def epoch(self) -> int: ...  # noqa: D102  # Run's
    def stop(self) -> None: ...  # noqa: D102


class Callback:
    """The base of callbacks that are told more than the end of an epoch.

    Attributes
    ----------
    every : int or None
        After how many steps `step` is called, again and again; None for never.
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
