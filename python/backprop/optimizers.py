"""Optimizers: how parameters move against their gradients, in place.

`update(params, grads)` works on any two mappings of the same keys, a plain dict of arrays or a network's `params`.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from backprop._arrays import Array, parameter
from bpcore import kernels


class Optimizer(Protocol):
    """Anything with `update(params, grads)`."""

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Change each array of `params` in place by its gradient in `grads`."""


class SGD:
    """Stochastic gradient descent: `w -= lr·g`.

    The learning rate is rounded to the type of w first and the product is rounded before it is subtracted, so
    the result is that of the NumPy line, bit for bit.

    Parameters
    ----------
    lr : float, default 0.01
        Learning rate, a positive finite number.
    """

    def __init__(self, lr: float = 0.01) -> None:
        if not (isinstance(lr, (int, float, np.number)) and 0 < lr < float("inf")):
            raise ValueError(f"SGD: lr is {lr!r}, wanted a positive finite number")
        self.lr = float(lr)

    def update(self, params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
        """Subtract `lr·grads[key]` from `params[key]` for every key of `grads`."""
        for key, grad in grads.items():
            if key not in params:
                raise KeyError(f"SGD.update: grads has {key!r}, params has {', '.join(params)}")
            w = parameter("SGD.update", f"params[{key!r}]", params[key], np.ndim(params[key]))
            if w.shape != np.shape(grad):
                raise ValueError(
                    f"SGD.update: params[{key!r}] has shape {w.shape}, its gradient has {np.shape(grad)}"
                )
            g = np.asarray(grad, dtype=w.dtype, order="C")
            if w.flags.c_contiguous and w.dtype.isnative:
                kernels.sgd_update(w.reshape(-1), g.reshape(-1), self.lr)
            else:
                w -= w.dtype.type(self.lr) * g

    def __repr__(self) -> str:
        return f"SGD(lr={self.lr:g})"
