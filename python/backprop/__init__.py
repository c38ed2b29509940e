"""Dense neural networks on the CPU: layers, networks and training over the kernels of bpcore."""

from typing import TYPE_CHECKING, Any

from backprop.gradients import numerical_gradient
from backprop.history import History
from backprop.layers import Affine, IdentityWithLoss, Relu, Sigmoid, SoftmaxWithLoss, Tanh
from backprop.network import Network
from backprop.nodes import (
    Add,
    Divide,
    Dot,
    Exp,
    Log,
    Max,
    Maximum,
    Multiply,
    Power,
    Reciprocal,
    SigmoidOfNodes,
    Subtract,
    Sum,
)
from backprop.optimizers import SGD, AdaGrad, Adagrad, Adam, Momentum, Nesterov, RMSprop
from backprop.two_layer_net import TwoLayerNet
from bpcore import __version__, cpu_info, get_num_threads, set_num_threads

if TYPE_CHECKING:
    from backprop import graph
    from backprop.data import load_digits, load_fashion_mnist, load_mnist
    from backprop.gradcheck import GradientError, GradientReport, assert_gradients, check_gradients

__all__ = [
    "SGD",
    "AdaGrad",
    "Adagrad",
    "Adam",
    "Add",
    "Affine",
    "Divide",
    "Dot",
    "Exp",
    "GradientError",
    "GradientReport",
    "History",
    "IdentityWithLoss",
    "Log",
    "Max",
    "Maximum",
    "Momentum",
    "Multiply",
    "Nesterov",
    "Network",
    "Power",
    "RMSprop",
    "Reciprocal",
    "Relu",
    "Sigmoid",
    "SigmoidOfNodes",
    "SoftmaxWithLoss",
    "Subtract",
    "Sum",
    "Tanh",
    "TwoLayerNet",
    "__version__",
    "assert_gradients",
    "check_gradients",
    "cpu_info",
    "get_num_threads",
    "graph",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "numerical_gradient",
    "set_num_threads",
]


# Imported when first asked for: what loads data needs a good part of the standard library, and not everyone checks.
LATER = {
    "data": ("load_digits", "load_fashion_mnist", "load_mnist"),
    "gradcheck": ("GradientError", "GradientReport", "assert_gradients", "check_gradients"),
    "graph": (),
    "plots": (),
}


def __getattr__(name: str) -> Any:
    """Import one of LATER's names, or the module itself."""
    for module, names in LATER.items():
        if name in names:
            import importlib

            return getattr(importlib.import_module(f"backprop.{module}"), name)
    if name in LATER:
        import importlib

        return importlib.import_module(f"backprop.{name}")
    from backprop._names import in_module

    return in_module(__name__, {*__all__, *LATER}, "MODULE")(name)


def __dir__() -> list[str]:
    """Name also what is not imported yet: for completion, and for Python's advice on `from backprop import …`."""
    return sorted({*globals(), *__all__, *LATER})
