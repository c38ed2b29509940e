"""Data: the digits that come with the package, MNIST and its like, and the user's own tables."""

from backprop._util.names import suggesting_getattr
from backprop.data.digits import load_digits
from backprop.data.idx import read_idx
from backprop.data.mnist import load_fashion_mnist, load_mnist
from backprop.data.tables import Table, read_features, read_table

__all__ = [
    "Table",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "read_features",
    "read_idx",
    "read_table",
]

__getattr__ = suggesting_getattr(__name__, __all__, "DATA")
