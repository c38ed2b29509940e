"""What the scripts of *Deep Learning from Scratch* (Saito), chapters 3 to 6, import, in one module.

What the rest of the package has under the book's names stands here too, so that `from backprop.book import …`, or
`import *`, takes the place of their imports from `common` and `dataset`. Only what is asked for imports it.
"""

from typing import TYPE_CHECKING

import numpy as np

from backprop._util.names import suggesting_getattr
from backprop.book.dropout import Dropout
from backprop.book.functions import shuffle_dataset, sigmoid_grad, smooth_curve
from backprop.book.layers import AddLayer, BatchNormalization, MulLayer
from backprop.book.networks import MultiLayerNet, MultiLayerNetExtend
from backprop.book.trainer import Trainer
from backprop.data import load_mnist
from backprop.functions import cross_entropy_error, mean_squared_error, relu, sigmoid, softmax
from backprop.gradcheck import numerical_gradient
from backprop.layers.activations import Relu, Sigmoid
from backprop.layers.losses import SoftmaxWithLoss
from backprop.layers.parametric import Affine
from backprop.network import TwoLayerNet
from backprop.optimizers.rules import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSprop

__all__ = [
    "SGD",
    "AdaGrad",
    "Adam",
    "AddLayer",
    "Affine",
    "BatchNormalization",
    "Dropout",
    "Momentum",
    "MulLayer",
    "MultiLayerNet",
    "MultiLayerNetExtend",
    "Nesterov",
    "RMSprop",
    "Relu",
    "Sigmoid",
    "SoftmaxWithLoss",
    "Trainer",
    "TwoLayerNet",
    "cross_entropy_error",
    "load_mnist",
    "mean_squared_error",
    "np",  # the book's modules hand it on with `import *`, and optimizer_compare_mnist.py has it from there
    "numerical_gradient",
    "relu",
    "shuffle_dataset",
    "sigmoid",
    "sigmoid_grad",
    "smooth_curve",
    "softmax",
]

if not TYPE_CHECKING:
    __getattr__ = suggesting_getattr(__name__, __all__, "MODULE")
