"""Learning-rate schedules: objects that say the rate of every step of a run.

a) The rates are the same bits on every machine. They are made by +, −, × and ÷ of float64 alone, which IEEE 754 rounds
   in one way; no function of the C library and none of NumPy has a part in them. Powers are products in a fixed order,
   the cosine is a polynomial: arithmetic.py has both.
b) A rate depends on its step and on what was observed, and not on how many are asked for at once.
c) What a user holds never changes by a run: `begin` returns a copy for one run, and that is asked.
d) `per` says what the lengths of a schedule count and where its rate changes: at every step, or at every epoch.
e) Shares of the rate (`minimum`, `start`, `gamma`) are of the one that the optimizer has when the run begins.
"""

from backprop.training.schedules.base import Schedule, schedule_of
from backprop.training.schedules.cosine import Cosine
from backprop.training.schedules.decays import Constant, Exponential, Lambda, StepDecay
from backprop.training.schedules.one_cycle import OneCycle
from backprop.training.schedules.plateau import Plateau
from backprop.training.schedules.warmup import Warmup

__all__ = [
    "Constant",
    "Cosine",
    "Exponential",
    "Lambda",
    "OneCycle",
    "Plateau",
    "Schedule",
    "StepDecay",
    "Warmup",
    "schedule_of",
]
