"""A rate that falls where a monitored number does not get better any more."""

from typing import ClassVar

import numpy as np

from backprop._util.names import named_arguments
from backprop._util.settings import Check, finite, non_negative, share, step_count
from backprop.training.schedules.arithmetic import Floats, power
from backprop.training.schedules.base import Integers, Schedule, one_of


class Plateau(Schedule):
    """The rate times `factor` where evaluations have found nothing better for too long: PyTorch's ReduceLROnPlateau.

    A number is better if it is below the best so far by more than `threshold` times the best's size (above it in the
    mode "max"); one that is not finite never is. After more than `patience` evaluations in a row that were not better
    the rate is reduced, and they are counted anew. PyTorch's `cooldown` and `eps` are 0.

    Parameters
    ----------
    factor : float, default 0.1
        Between 0 and 1.
    patience : int, default 10
        Of evaluations: epochs, in `fit`.
    threshold : float, default 1e-4
    min_rate : float, default 0
        The rate is not reduced below it; one that begins below it stays.
    mode : {"min", "max"}, default "min"
        Whether a better number is lower or higher.

    Examples
    --------
    >>> schedule = bp.schedules.Plateau(0.5, patience=1).begin(steps_an_epoch=10, steps=40)
    >>> for step, loss in ((10, 0.8), (20, 0.9), (30, 0.85)):
    ...     schedule.observe(step, loss)
    >>> schedule.rates(0.1, 30, 1).tolist(), schedule.state
    ([0.05], {'waited': 0, 'reductions': 1, 'best': 0.8})
    """

    kind = "plateau"
    per = "step"
    settings: ClassVar[dict[str, Check]] = {
        "factor": share,
        "patience": step_count,
        "threshold": non_negative,
        "min_rate": non_negative,
        "mode": one_of("min", "max"),
    }
    factor: float
    patience: int
    threshold: float
    min_rate: float
    mode: str
    _initial: ClassVar[dict[str, float | int]] = {"waited": 0, "reductions": 0}
    _state_checks: ClassVar[dict[str, Check]] = {
        "waited": step_count,
        "reductions": step_count,
        "best": finite,
    }

    @named_arguments
    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        min_rate: float = 0.0,
        mode: str = "min",
    ) -> None:
        super().__init__(factor=factor, patience=patience, threshold=threshold, min_rate=min_rate, mode=mode)

    def _at(self, base: float, n: Integers) -> Floats:
        reduced = base * power(self.factor, np.full(n.shape, self._state["reductions"], dtype=np.int64))
        return np.maximum(reduced, min(base, self.min_rate))

    def _note(self, step: int, value: float) -> None:
        if self._is_better(value):
            self._state = {**self._state, "waited": 0, "best": value}
            return
        waited, reductions = int(self._state["waited"]) + 1, int(self._state["reductions"])
        over = waited > self.patience
        self._state = {**self._state, "waited": 0 if over else waited, "reductions": reductions + over}

    def _is_better(self, value: float) -> bool:
        if not np.isfinite(value):
            return False
        if "best" not in self._state:
            return True
        best = self._state["best"]
        gain = best - value if self.mode == "min" else value - best
        return bool(gain > self.threshold * abs(best))
