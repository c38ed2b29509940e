"""Learning-rate schedules: `net.fit(x, t, epochs=20, schedule=bp.schedules.Cosine())`."""

from backprop._util.names import suggesting_getattr
from backprop.training.schedules import Constant as Constant
from backprop.training.schedules import Cosine as Cosine
from backprop.training.schedules import Exponential as Exponential
from backprop.training.schedules import Lambda as Lambda
from backprop.training.schedules import OneCycle as OneCycle
from backprop.training.schedules import Plateau as Plateau
from backprop.training.schedules import Schedule as Schedule
from backprop.training.schedules import StepDecay as StepDecay
from backprop.training.schedules import Warmup as Warmup
from backprop.training.schedules import __all__ as __all__
from backprop.training.schedules import schedule_of as schedule_of

__getattr__ = suggesting_getattr(__name__, __all__, "SCHEDULES")
