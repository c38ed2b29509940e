"""Dense neural networks on the CPU: layers, networks and training over the kernels of bpcore.

Each name stands in the `__all__` of the module that has it, and nowhere else. Modules are imported when one of their
names is first asked for: `python -m backprop` runs this one before any other, and what is wrong with the environment or
the installation is then met by the command line, which says it in one line.
"""

from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from backprop._util import forks as _forks  # noqa: F401  # before any module is imported late

if TYPE_CHECKING:
    from backprop import book as book
    from backprop import callbacks as callbacks
    from backprop import data as data
    from backprop import graph as graph
    from backprop import plots as plots
    from backprop import schedules as schedules
    from backprop.data import load_digits as load_digits
    from backprop.data import load_fashion_mnist as load_fashion_mnist
    from backprop.data import load_mnist as load_mnist
    from backprop.functions import *
    from backprop.gradcheck import *
    from backprop.layers.activations import *
    from backprop.layers.batch_norm import *
    from backprop.layers.classification_losses import *
    from backprop.layers.dropout import *
    from backprop.layers.normalisations import *
    from backprop.layers.parametric import *
    from backprop.layers.registration import *
    from backprop.layers.regression_losses import *
    from backprop.layers.softmax import *
    from backprop.network import *
    from backprop.nodes import *
    from backprop.optimizers.rules import *
    from backprop.training.callbacks import Callback as Callback
    from backprop.training.history import History as History
    from backprop.training.rate_range import *
    from backprop.training.stopping import EarlyStopping as EarlyStopping
    from bpcore import __version__ as __version__
    from bpcore import cpu_info as cpu_info
    from bpcore import get_num_threads as get_num_threads
    from bpcore import set_num_threads as set_num_threads

# Where names are looked for, in this order, and which are taken: all of `__all__`, or these.
EXPORTS: dict[str, tuple[str, ...] | None] = {
    "bpcore": ("__version__", "cpu_info", "get_num_threads", "set_num_threads"),
    "backprop.layers.activations": None,
    "backprop.layers.parametric": None,
    "backprop.layers.normalisations": None,
    "backprop.layers.batch_norm": None,
    "backprop.layers.dropout": None,
    "backprop.layers.softmax": None,
    "backprop.layers.classification_losses": None,
    "backprop.layers.regression_losses": None,
    "backprop.layers.registration": None,
    "backprop.optimizers.rules": None,
    "backprop.network": None,
    "backprop.training.history": ("History",),
    "backprop.training.stopping": ("EarlyStopping",),
    "backprop.training.callbacks": ("Callback",),
    "backprop.training.rate_range": None,
    "backprop.data": ("load_digits", "load_fashion_mnist", "load_mnist"),
    "backprop.nodes": None,
    "backprop.functions": None,
    "backprop.gradcheck": None,
}
SUBMODULES = (
    "book",
    "callbacks",
    "data",
    "functions",
    "gradcheck",
    "graph",
    "layers",
    "network",
    "nodes",
    "optimizers",
    "plots",
    "schedules",
    "training",
)

# OpenMP comes with it, and threadpoolctl limits what is loaded. An error is that of the first name that is asked for.
with suppress(ImportError, ValueError):
    import_module("bpcore.plan")


def _names() -> list[str]:
    """All names but those of modules; imports them."""
    return [name for module in EXPORTS for name in _names_of(module)]


def _names_of(module: str) -> tuple[str, ...]:
    return EXPORTS[module] or tuple(import_module(module).__all__)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import one of the names, or a module of the package."""
        if name == "__all__":
            return sorted([*_names(), "graph"])
        if name in SUBMODULES or (not name.startswith("__") and find_spec(f"{__name__}.{name}") is not None):
            return import_module(f"{__name__}.{name}")
        if not name.startswith("_") or name == "__version__":
            for module in EXPORTS:
                if name in _names_of(module):
                    value = globals()[name] = getattr(import_module(module), name)
                    return value
        from backprop._util.names import suggesting_getattr

        known = [] if name.startswith("_") else _names()
        return suggesting_getattr(__name__, {*known, *SUBMODULES}, "MODULE")(name)


def __dir__() -> list[str]:
    """Name also what is not imported yet: for completion, and for Python's advice on `from backprop import …`."""
    return sorted({*globals(), *_names(), *SUBMODULES})
