"""Rates that stay, fall by a factor, or are a user's function."""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from backprop._util.names import named_arguments
from backprop._util.settings import Check, non_negative, positive
from backprop.training.schedules.arithmetic import Floats, power
from backprop.training.schedules.base import Integers, Schedule, length, one_of


class Constant(Schedule):
    """The optimizer's own rate at every step."""

    kind = "constant"
    per = "step"

    @named_arguments
    def __init__(self) -> None:
        super().__init__()

    def _at(self, base: float, n: Integers) -> Floats:
        return np.full(n.shape, base)


class StepDecay(Schedule):
    """The rate times `gamma` after every `step_size` epochs or steps: PyTorch's StepLR.

    Parameters
    ----------
    step_size : int, default 10
    gamma : float, default 0.1
    per : {"epoch", "step"}, default "epoch"

    Examples
    --------
    >>> schedule = bp.schedules.StepDecay(2, gamma=0.5).begin(steps_an_epoch=1, steps=6)
    >>> schedule.rates(0.1, 0, 6).tolist()
    [0.1, 0.1, 0.05, 0.05, 0.025, 0.025]
    """

    kind = "step"
    settings: ClassVar[dict[str, Check]] = {
        "step_size": length,
        "gamma": positive,
        "per": one_of("epoch", "step"),
    }
    step_size: int
    gamma: float

    @named_arguments
    def __init__(self, step_size: int = 10, gamma: float = 0.1, per: str = "epoch") -> None:
        super().__init__(step_size=step_size, gamma=gamma, per=per)

    def _at(self, base: float, n: Integers) -> Floats:
        return base * power(self.gamma, n // self.step_size)


class Exponential(Schedule):
    """The rate times `gamma` after every epoch or step: PyTorch's ExponentialLR.

    Parameters
    ----------
    gamma : float, default 0.95
    per : {"epoch", "step"}, default "epoch"
    """

    kind = "exponential"
    settings: ClassVar[dict[str, Check]] = {"gamma": positive, "per": one_of("epoch", "step")}
    gamma: float

    @named_arguments
    def __init__(self, gamma: float = 0.95, per: str = "epoch") -> None:
        super().__init__(gamma=gamma, per=per)

    def _at(self, base: float, n: Integers) -> Floats:
        return base * power(self.gamma, n)


def _function(owner: str, name: str, value: Any) -> Callable[[int], float]:
    if not callable(value) or isinstance(value, type):
        what = f"the class {value.__name__}" if isinstance(value, type) else repr(value)
        raise TypeError(f"{owner}: {name} is {what}, wanted a function f(step) that returns a factor")
    found: Callable[[int], float] = value
    return found


class Lambda(Schedule):
    """The rate times `function(n)` at step or epoch n, from 0: PyTorch's LambdaLR.

    Parameters
    ----------
    function : callable
        Takes n and returns a finite factor of at least 0, for one n always the same. `settings_of` has its name alone.
    per : {"step", "epoch"}, default "step"

    Examples
    --------
    >>> schedule = bp.schedules.Lambda(lambda step: 1 / (1 + step)).begin(steps_an_epoch=10, steps=4)
    >>> schedule.rates(0.5, 0, 4).tolist()
    [0.5, 0.25, 0.16666666666666666, 0.125]
    """

    kind = "lambda"
    settings: ClassVar[dict[str, Check]] = {"function": _function, "per": one_of("step", "epoch")}
    function: Callable[[int], float]

    @named_arguments
    def __init__(self, function: Callable[[int], float], per: str = "step") -> None:
        super().__init__(function=function, per=per)

    def _at(self, base: float, n: Integers) -> Floats:
        factors = {
            k: non_negative("Lambda", f"function({k})", self.function(k)) for k in dict.fromkeys(n.tolist())
        }
        return base * np.array([factors[k] for k in n.tolist()], dtype=np.float64)
