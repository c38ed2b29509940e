"""A rate that falls along half a cosine, once or again and again."""

from typing import Any, ClassVar

import numpy as np

from backprop._util.names import named_arguments
from backprop._util.settings import MOST_STEPS, Check, from_0_to_1
from backprop.training.schedules.arithmetic import Floats, squared_sine
from backprop.training.schedules.base import Integers, Schedule, length, one_of


def _period(owner: str, name: str, value: Any) -> int | None:
    return None if value is None else length(owner, name, value)


class Cosine(Schedule):
    """The rate falls along half a cosine, with restarts where a period is given (Loshchilov and Hutter 2017, SGDR).

    The factor at n of a period of T is `minimum + (1 − minimum)·(1 + cos(π·n/T)) / 2`: that of PyTorch's
    CosineAnnealingLR with `T_max` the whole run, and of CosineAnnealingWarmRestarts with `T_0` the period.

    Parameters
    ----------
    period : int, optional
        After so many steps or epochs the rate begins anew; by default it falls once, over the whole run.
    period_mult : int, default 1
        Each period is so many times as long as the one before: PyTorch's `T_mult`.
    minimum : float, default 0
        What it falls towards, from 0 to 1, as a share of the optimizer's rate: PyTorch's `eta_min`, divided by that.
    per : {"step", "epoch"}, default "step"

    Examples
    --------
    >>> schedule = bp.schedules.Cosine(minimum=0.01).begin(steps_an_epoch=10, steps=4)
    >>> schedule.rates(0.1, 0, 4).round(6).tolist()
    [0.1, 0.085502, 0.0505, 0.015498]
    """

    kind = "cosine"
    settings: ClassVar[dict[str, Check]] = {
        "period": _period,
        "period_mult": length,
        "minimum": from_0_to_1,
        "per": one_of("step", "epoch"),
    }
    period: int | None
    period_mult: int
    minimum: float

    @named_arguments
    def __init__(
        self, period: int | None = None, period_mult: int = 1, minimum: float = 0.0, per: str = "step"
    ) -> None:
        super().__init__(period=period, period_mult=period_mult, minimum=minimum, per=per)

    def _at(self, base: float, n: Integers) -> Floats:
        period = np.full(n.shape, self.period or self._units(), dtype=np.int64)
        if self.period_mult == 1:
            n = n % period
        while (past := n >= period).any():
            longer = (
                np.minimum(period, MOST_STEPS // self.period_mult) * self.period_mult
            )  # whole numbers of 64 bits
            n, period = np.where(past, n - period, n), np.where(past, longer, period)
        return base * (self.minimum + (1 - self.minimum) * squared_sine((period - n) / period))
