"""All update rules by name: a class each, with its settings, its state and the kernel that runs it."""

from backprop.optimizers.adam import Adam, AdamW, AMSGrad, NAdam
from backprop.optimizers.adaptive import Adadelta, AdaGrad, Adagrad, RMSprop
from backprop.optimizers.descent import SGD, Lion, Momentum, Nesterov, Rprop

__all__ = [
    "SGD",
    "AMSGrad",
    "AdaGrad",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Lion",
    "Momentum",
    "NAdam",
    "Nesterov",
    "RMSprop",
    "Rprop",
]
