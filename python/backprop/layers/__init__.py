"""The layers of sections 0088 to 0091, and what a network has to know of any layer."""

from backprop.layers import activations, losses
from backprop.layers.activations import *
from backprop.layers.affine import Affine
from backprop.layers.losses import *
from backprop.layers.registration import register_layer, register_loss

__all__ = ["Affine", "register_layer", "register_loss"]
__all__ += activations.__all__
__all__ += losses.__all__
