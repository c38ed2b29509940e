"""Dropout: a layer that does something else in training."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, require_cache, same_shape
from backprop._util.names import named_arguments
from backprop._util.settings import fraction, whole_below
from backprop.layers.base import Layer
from backprop.layers.descriptors import Option
from bpcore import kernels

__all__ = ["Dropout"]

MOST = 2**53  # a kernel takes numbers below it


class Dropout(Layer):
    """Inverted dropout (Srivastava et al. 2014): in training `out = x·mask`, otherwise `out = x`.

    Each number of the mask is 0 with the probability `rate`, else `1 / (1 - rate)`, so that outputs have the same mean
    in training and without. A mask follows from the seed, the step, the row of the batch and the unit alone: it is the
    same on any number of threads, and whether a plan or the layers compute it.

    Parameters
    ----------
    rate : float, default 0.5
        The share that is dropped, from 0 to below 1.
    seed : int, optional
        From 0 to below 2**53. Without it one is drawn from `np.random`'s global state. Layers of one network need
        different seeds; `Network(dropout=…)` gives them.
    step : int, default 0
        How many masks were drawn: each pass forward in training draws the next. What sets it back repeats masks.

    Attributes
    ----------
    mask : ndarray of x's shape, or None
        Of the last pass.

    Examples
    --------
    >>> layer = bp.Dropout(0.5, seed=1)
    >>> layer.forward(np.ones((2, 4)), training=True)
    array([[0., 0., 0., 0.],
           [0., 2., 0., 0.]])
    >>> layer.forward(np.ones((2, 4)))
    array([[1., 1., 1., 1.],
           [1., 1., 1., 1.]])
    """

    kind, parameter_names, caches, keeps_shape = "dropout", (), ("mask",), True
    counters = ("step",)
    derivatives = ("{d}·mask",)
    rate: float = Option(fraction)  # type: ignore[assignment]  # what a layer has
    seed: int = Option(whole_below(MOST))  # type: ignore[assignment]
    step: int = Option(whole_below(MOST))  # type: ignore[assignment]
    mask: Array | None

    @named_arguments
    def __init__(self, rate: float = 0.5, seed: int | None = None, step: int = 0) -> None:
        self.rate = rate
        self.seed = int(np.random.randint(2**32, dtype=np.uint32)) if seed is None else seed
        self.step, self.mask = step, None

    def forward(self, x: ArrayLike, training: bool = False) -> Array:
        """Return `x·mask` in training, else x, in x's shape."""
        (x,) = floats("Dropout.forward", x=x)
        if not training:
            self.mask = np.broadcast_to(np.ones((), x.dtype), x.shape)
            return x.copy()
        rows = x.reshape(len(x) if x.ndim > 1 else 1, -1) if x.size else x.reshape(0, 0)
        out, mask = np.empty_like(rows), np.empty_like(rows)
        kernels.dropout_forward(rows, self.rate, self.seed, self.step + 1, out, mask)
        self.step, self.mask = self.step + 1, mask.reshape(x.shape)
        return out.reshape(x.shape)

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout·mask`."""
        mask = require_cache("Dropout.backward", self.mask)
        dout, mask = floats("Dropout.backward", dout=dout, mask=mask)
        same_shape("Dropout.backward", dout, mask.shape)
        dx = np.empty_like(dout)
        kernels.multiply(dout.reshape(1, -1), mask.reshape(1, -1), dx.reshape(1, -1))
        return dx

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"rate": self.rate, "seed": self.seed, "step": self.step}

    def __repr__(self) -> str:
        return f"Dropout({self.rate:g}, seed={self.seed})"
