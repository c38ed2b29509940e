"""Where earlier versions had the losses: their pickles name this module."""

from backprop.layers.classification_losses import SoftmaxWithLoss as SoftmaxWithLoss
from backprop.layers.regression_losses import AbsoluteError as AbsoluteError
from backprop.layers.regression_losses import Huber as Huber
from backprop.layers.regression_losses import IdentityWithLoss as IdentityWithLoss
from backprop.layers.regression_losses import LogCosh as LogCosh
from backprop.layers.regression_losses import Quantile as Quantile
