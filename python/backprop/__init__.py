"""Dense neural networks on the CPU: layers, networks and training over the kernels of bpcore."""

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backprop import graph
    from backprop.data import load_digits, load_fashion_mnist, load_mnist
    from backprop.gradcheck import GradientError, GradientReport, assert_gradients, check_gradients
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


# OpenMP comes with it, and threadpoolctl limits what is loaded. An error is that of the first name that is asked for.
with suppress(ImportError, ValueError):
    import_module("bpcore")

# Imported when first asked for. `python -m backprop` runs this module before any other: what is wrong with the
# environment or the installation is then met by the command line, which says it in one line.
MODULES = {
    "backprop.data": ("load_digits", "load_fashion_mnist", "load_mnist"),
    "backprop.gradcheck": ("GradientError", "GradientReport", "assert_gradients", "check_gradients"),
    "backprop.gradients": ("numerical_gradient",),
    "backprop.graph": (),
    "backprop.history": ("History",),
    "backprop.layers": ("Affine", "IdentityWithLoss", "Relu", "Sigmoid", "SoftmaxWithLoss", "Tanh"),
    "backprop.network": ("Network",),
    "backprop.nodes": (
        "Add",
        "Divide",
        "Dot",
        "Exp",
        "Log",
        "Max",
        "Maximum",
        "Multiply",
        "Power",
        "Reciprocal",
        "SigmoidOfNodes",
        "Subtract",
        "Sum",
    ),
    "backprop.optimizers": ("SGD", "AdaGrad", "Adagrad", "Adam", "Momentum", "Nesterov", "RMSprop"),
    "backprop.plots": (),
    "backprop.two_layer_net": ("TwoLayerNet",),
    "bpcore": ("__version__", "cpu_info", "get_num_threads", "set_num_threads"),
}
PLACES = {name: module for module, names in MODULES.items() for name in names}
SUBMODULES = {module.removeprefix("backprop.") for module in MODULES} - {"bpcore"}


def __getattr__(name: str) -> Any:
    """Import one of the names above, or a module of the package."""
    if name in PLACES:
        value = getattr(import_module(PLACES[name]), name)
        globals()[name] = value
        return value
    if not name.startswith("__") and find_spec(f"{__name__}.{name}") is not None:
        return import_module(f"{__name__}.{name}")
    from backprop._names import in_module

    return in_module(__name__, {*__all__, *SUBMODULES}, "MODULE")(name)


def __dir__() -> list[str]:
    """Name also what is not imported yet: for completion, and for Python's advice on `from backprop import …`."""
    return sorted({*globals(), *__all__, *SUBMODULES})
