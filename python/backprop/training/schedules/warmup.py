"""A rate that rises first, before another schedule begins."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from backprop._util.names import named_arguments
from backprop._util.settings import Check, from_0_to_1
from backprop.training.schedules.arithmetic import Floats
from backprop.training.schedules.base import Integers, Schedule, length, one_of, schedule_of
from backprop.training.schedules.decays import Constant


def _then(owner: str, name: str, value: Any) -> Schedule:
    return Constant() if value is None else schedule_of(value, f"{owner}: {name}")


class Warmup(Schedule):
    """The rate rises in equal parts up to the optimizer's own, then another schedule begins.

    The factor at n below `length` is `start + (1 − start)·n/length`: PyTorch's LinearLR, and SequentialLR for what
    follows, whose steps and epochs are counted from the end of the warm-up on.

    Parameters
    ----------
    length : int, default 100
        How many steps or epochs it takes.
    then : Schedule or str, optional
        By default the rate stays.
    start : float, default 0.1
        The first rate as a share of the optimizer's, from 0 to 1; by a rate of 0 nothing moves.
    per : {"step", "epoch"}, default "step"

    Examples
    --------
    >>> schedule = bp.schedules.Warmup(2, then="cosine", start=0.5).begin(steps_an_epoch=10, steps=5)
    >>> schedule.rates(0.1, 0, 5).round(6).tolist()
    [0.05, 0.075, 0.1, 0.075, 0.025]
    """

    kind = "warmup"
    settings: ClassVar[dict[str, Check]] = {
        "length": length,
        "then": _then,
        "start": from_0_to_1,
        "per": one_of("step", "epoch"),
    }
    length: int
    then: Schedule
    start: float

    @named_arguments
    def __init__(
        self, length: int = 100, then: Schedule | str | None = None, start: float = 0.1, per: str = "step"
    ) -> None:
        super().__init__(length=length, then=then, start=start, per=per)

    def begin(self, steps_an_epoch: int, steps: int) -> Self:
        """Return a copy for one run, as all schedules do, with one of what follows for the steps that are left."""
        begun = super().begin(steps_an_epoch, steps)
        # A run that ends before the warm-up asks it for nothing.
        begun.then = self.then.begin(steps_an_epoch, max(steps - begun._warm(), 1))
        return begun

    def _warm(self) -> int:
        """How many steps the warm-up takes."""
        return self.length * self._unit()

    def _over(self, base: float, steps: Integers) -> Floats:
        warm = self._warm()
        low, high = steps[steps < warm] // self._unit(), steps[steps >= warm] - warm
        rising = base * (self.start + (1 - self.start) * (low / self.length))
        return np.concatenate([rising, self.then._over(base, high)]) if len(high) else rising

    def _note(self, step: int, value: float) -> None:
        if step > self._warm():
            self.then._note(step - self._warm(), value)

    @property
    def state(self) -> dict[str, float | int]:
        """That of what follows."""
        return self.then.state

    @state.setter
    def state(self, value: Mapping[str, float | int]) -> None:
        self._begun("Warmup.state")
        self.then.state = value
