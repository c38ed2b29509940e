"""The layers of sections 0088 to 0091, and what a network has to know of any layer."""

from backprop.layers.activations import *
from backprop.layers.classification_losses import *
from backprop.layers.parametric import *
from backprop.layers.registration import *
from backprop.layers.regression_losses import *
