"""A rate that rises once and falls once."""

from typing import Any, ClassVar

import numpy as np

from backprop._util.names import named_arguments
from backprop._util.settings import Check, from_0_to_1, limit, positive
from backprop.training.schedules.arithmetic import Floats, squared_sine
from backprop.training.schedules.base import Integers, Schedule, one_of


class OneCycle(Schedule):
    """The rate rises to `max_rate`, then falls to almost nothing (Smith and Topin 2019): PyTorch's OneCycleLR.

    It begins at `max_rate / div_factor` and ends at the last step at that divided by `final_div_factor`; the highest
    rate stands at `pct_start·T − 1` of the T steps or epochs of the run. Momentum stays as it is (PyTorch's
    `cycle_momentum=False`).

    Parameters
    ----------
    max_rate : float, optional
        By default the optimizer's own rate, which otherwise has no part in it.
    pct_start : float, default 0.3
        The share of the run in which it rises, from 0 to 1.
    div_factor : float, default 25
    final_div_factor : float, default 1e4
    anneal : {"cosine", "linear"}, default "cosine"
        How it goes from one to the next.
    per : {"step", "epoch"}, default "step"
    """

    kind = "one_cycle"
    settings: ClassVar[dict[str, Check]] = {
        "max_rate": limit,
        "pct_start": from_0_to_1,
        "div_factor": positive,
        "final_div_factor": positive,
        "anneal": one_of("cosine", "linear"),
        "per": one_of("step", "epoch"),
    }
    max_rate: float | None
    pct_start: float
    div_factor: float
    final_div_factor: float
    anneal: str

    @named_arguments
    def __init__(
        self,
        max_rate: float | None = None,
        pct_start: float = 0.3,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        anneal: str = "cosine",
        per: str = "step",
    ) -> None:
        super().__init__(
            max_rate=max_rate,
            pct_start=pct_start,
            div_factor=div_factor,
            final_div_factor=final_div_factor,
            anneal=anneal,
            per=per,
        )

    def _at(self, base: float, n: Integers) -> Floats:
        highest = base if self.max_rate is None else self.max_rate
        first = highest / self.div_factor
        last, peak = self._units() - 1, self.pct_start * self._units() - 1
        rising = self._between(first, highest, n, peak)
        falling = self._between(highest, first / self.final_div_factor, n - peak, last - peak)
        return np.where(n <= peak, rising, falling)

    def _between(self, start: float, end: float, n: Any, last: float) -> Floats:
        """From `start` at 0 to `end` at `last`; `end` where there is no way between them."""
        done = np.clip(n / last, 0.0, 1.0) if last > 0 else np.ones(np.shape(n))
        left = 1 - done
        if self.anneal == "cosine":
            return end + (start - end) * squared_sine(left)
        return start * left + end * done
