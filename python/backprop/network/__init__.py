"""Networks: affine layers and activations with a loss on top, sections 0092 and 0093."""

from backprop.network.network import Network
from backprop.network.two_layer_net import TwoLayerNet

__all__ = ["Network", "TwoLayerNet"]
