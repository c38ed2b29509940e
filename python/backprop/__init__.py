"""Dense neural networks on the CPU: layers, networks and training over the kernels of bpcore."""

from backprop.data import load_digits, load_fashion_mnist, load_mnist
from backprop.gradients import numerical_gradient
from backprop.history import History
from backprop.layers import Affine, Relu, Sigmoid, SoftmaxWithLoss
from backprop.network import Network
from backprop.nodes import Add, Exp, Multiply, Reciprocal, SigmoidOfNodes
from backprop.optimizers import SGD
from backprop.two_layer_net import TwoLayerNet
from bpcore import __version__, cpu_info, get_num_threads, set_num_threads

__all__ = [
    "SGD",
    "Add",
    "Affine",
    "Exp",
    "History",
    "Multiply",
    "Network",
    "Reciprocal",
    "Relu",
    "Sigmoid",
    "SigmoidOfNodes",
    "SoftmaxWithLoss",
    "TwoLayerNet",
    "__version__",
    "cpu_info",
    "get_num_threads",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "numerical_gradient",
    "set_num_threads",
]
