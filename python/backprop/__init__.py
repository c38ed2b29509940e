"""Dense neural networks on the CPU: layers, networks and training over the kernels of bpcore."""

from typing import TYPE_CHECKING, Any

from backprop.gradients import numerical_gradient
from backprop.history import History
from backprop.layers import Affine, IdentityWithLoss, Relu, Sigmoid, SoftmaxWithLoss, Tanh
from backprop.network import Network
from backprop.nodes import Add, Exp, Multiply, Reciprocal, SigmoidOfNodes
from backprop.optimizers import SGD, AdaGrad, Adagrad, Adam, Momentum, Nesterov, RMSprop
from backprop.two_layer_net import TwoLayerNet
from bpcore import __version__, cpu_info, get_num_threads, set_num_threads

if TYPE_CHECKING:
    from backprop.data import load_digits, load_fashion_mnist, load_mnist

__all__ = [
    "SGD",
    "AdaGrad",
    "Adagrad",
    "Adam",
    "Add",
    "Affine",
    "Exp",
    "History",
    "IdentityWithLoss",
    "Momentum",
    "Multiply",
    "Nesterov",
    "Network",
    "RMSprop",
    "Reciprocal",
    "Relu",
    "Sigmoid",
    "SigmoidOfNodes",
    "SoftmaxWithLoss",
    "Tanh",
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


def __getattr__(name: str) -> Any:
    """Import what loads data when it is first asked for: it needs a good part of the standard library."""
    if name.startswith("load_") and name in __all__:
        from backprop import data

        return getattr(data, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
