"""Where earlier versions had the losses: their pickles name this module."""

from backprop.layers.classification_losses import *  # noqa: F403
from backprop.layers.regression_losses import *  # noqa: F403
