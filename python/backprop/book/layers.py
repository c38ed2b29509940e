"""The nodes of the book's chapter 5, and batch normalisation as its chapter 6 writes it.

`forward(x, train_flg=True)` is the book's. A network that trains and predicts tells a layer by `training`, as it tells
every one that asks for it, so the book's layers can stand in `net.layers` too. Files have no name for them until
`register_layer` gives them one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import (
    Array,
    floats,
    parameter,
    plural,
    real_array,
    require_cache,
    same_shape,
    samples,
)
from backprop._util.names import named_arguments
from backprop._util.settings import from_0_to_1
from backprop.book.arguments import told_to_train
from backprop.layers.base import Layer
from backprop.layers.descriptors import Option
from backprop.nodes import Add, Multiply

EPS = 1e-6  # the book's 10e-7


class MulLayer(Multiply):
    """`Multiply` by the book's name: `forward(x, y)` is their product, `backward(dout)` gives `(dout·y, dout·x)`.

    Examples
    --------
    >>> from backprop.book import MulLayer
    >>> apples, tax = MulLayer(), MulLayer()
    >>> print(tax.forward(apples.forward(100, 2), 1.1))
    220.00000000000003
    >>> dprice, dtax = tax.backward(1)
    >>> print(*apples.backward(dprice), dtax)
    2.2 110.00000000000001 200.0
    """


class AddLayer(Add):
    """`Add` by the book's name: `forward(x, y)` is their sum, `backward(dout)` gives `(dout, dout)`."""


class BatchNormalization(Layer):
    """Batch normalisation (Ioffe and Szegedy 2015) as the book writes it: `out = gamma·xn + beta`.

    In training `xn = (x − mean) / sqrt(var + 1e-6)`, with the mean and variance (divided by B) of each column of the
    batch, and the running ones move: `running = momentum·running + (1 − momentum)·new`. Otherwise xn is made with the
    running ones. Both begin at 0, as in the book: before any training outputs are a thousand times too large.

    Parameters
    ----------
    gamma, beta : ndarray of shape (F,), float32 or float64
        F numbers a sample. The layer keeps these very arrays and reads them at every call.
    momentum : float, default 0.9
        How much of the running mean and variance stays from pass to pass, from 0 to 1. PyTorch's is 1 minus this one.
    running_mean, running_var : array of shape (F,), optional
        What these begin at, copied.

    Attributes
    ----------
    running_mean, running_var : ndarray of shape (F,)
    xn : ndarray of shape (B, F) or None
        The last input, normalised.
    dgamma, dbeta : ndarray or None
        Gradients of gamma and beta, new arrays at every `backward`.

    Notes
    -----
    After a pass without training the book's `backward` goes back through the last one in training; this one goes back
    through the pass that was made.

    Examples
    --------
    >>> from backprop.book import BatchNormalization
    >>> layer = BatchNormalization(np.ones(2), np.zeros(2))
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 6.0]])).round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> layer.running_mean
    array([0.2, 0.4])
    """

    parameter_names, caches, keeps_shape = ("gamma", "beta"), ("xn", "dgamma", "dbeta"), True
    buffers = counters = ("running_mean", "running_var")
    momentum: float = Option(from_0_to_1)  # type: ignore[assignment]  # what a layer has
    gamma: Array
    beta: Array
    running_mean: Array
    running_var: Array

    @named_arguments
    def __init__(
        self,
        gamma: Array,
        beta: Array,
        momentum: float = 0.9,
        running_mean: ArrayLike | None = None,
        running_var: ArrayLike | None = None,
    ) -> None:
        owner = type(self).__name__
        self.gamma, self.beta = parameter(owner, "gamma", gamma, 1), parameter(owner, "beta", beta, 1)
        if len(beta) != len(gamma):
            raise ValueError(
                f"{owner}: gamma has {plural(len(gamma), 'element')}, beta has {plural(len(beta), 'element')}"
            )
        self.momentum = momentum
        self.running_mean = self._running("running_mean", running_mean)
        self.running_var = self._running("running_var", running_var)
        if not (self.running_var >= 0).all():
            raise ValueError(f"{owner}: running_var is {running_var!r}, wanted numbers of at least 0")
        self.xn: Array | None = None
        self.dgamma: Array | None = None
        self.dbeta: Array | None = None
        # What x was divided by, whether its own mean and variance were taken, and the shape that it had.
        self._pass: tuple[Array, bool, tuple[int, ...]] | None = None

    def _running(self, name: str, value: ArrayLike | None) -> Array:
        if value is None:
            return np.zeros_like(self.gamma)
        array = real_array(type(self).__name__, name, value)
        if array.shape != self.gamma.shape:
            raise ValueError(
                f"{type(self).__name__}: {name} has shape {array.shape}, wanted {self.gamma.shape}, that of gamma"
            )
        return np.array(array, self.gamma.dtype)

    def forward(self, x: ArrayLike, train_flg: bool = True, training: bool | None = None) -> Array:
        """Return `gamma·xn + beta` in x's shape.

        Parameters
        ----------
        x : array of shape (B, F) or (B, …) with F elements a sample
        train_flg : bool, default True
            Whether the mean and variance are those of the batch, and the running ones move.
        training : bool, optional
            The same, as networks tell it; it counts where it is given.
        """
        owner = "BatchNormalization.forward"
        in_training = told_to_train(owner, train_flg, training)
        rows = samples(owner, x)
        if rows.shape[1] != len(self.gamma):
            raise ValueError(
                f"{owner}: x has {plural(rows.shape[1], 'column')}, gamma has {plural(len(self.gamma), 'element')}"
            )
        if in_training and not len(rows):
            raise ValueError(f"{owner}: x has 0 rows, which have no mean; wanted at least 1 in training")
        shape = np.shape(x)
        rows, gamma, beta = floats(owner, x=rows, gamma=self.gamma, beta=self.beta)
        if in_training:
            mean = rows.mean(axis=0)
            centred = rows - mean
            var = np.mean(centred**2, axis=0)
            kept, new = self.momentum, 1 - self.momentum
            # New arrays, so that what was there can be put back.
            moved = [
                np.asarray(kept * old + new * one, old.dtype)
                for old, one in ((self.running_mean, mean), (self.running_var, var))
            ]
            self.running_mean, self.running_var = moved
        else:
            mean, var = (np.asarray(one, rows.dtype) for one in (self.running_mean, self.running_var))
            centred = rows - mean
        std = np.sqrt(var + EPS)
        self.xn, self._pass = centred / std, (std, in_training, shape)
        return np.asarray(gamma * self.xn + beta).reshape(shape)

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx` in x's shape; set `dgamma = Σ dout·xn` and `dbeta = Σ dout`.

        In training `dx = (dxn − mean(dxn) − xn·mean(dxn·xn)) / std`, with `dxn = gamma·dout` and means over the batch,
        otherwise `dx = dxn / std`.
        """
        owner = "BatchNormalization.backward"
        xn = require_cache(owner, self.xn)
        std, in_training, shape = require_cache(owner, self._pass)
        xn, gamma, dout = floats(owner, xn=xn, gamma=self.gamma, dout=dout)
        same_shape(owner, dout, shape)
        dout = dout.reshape(xn.shape)
        self.dgamma, self.dbeta = (dout * xn).sum(axis=0), dout.sum(axis=0)
        dx = gamma * dout
        if in_training:
            dx = dx - dx.mean(axis=0) - xn * (dx * xn).mean(axis=0)
        return np.asarray(dx / std).reshape(shape)

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor that are no parameters."""
        running = {"running_mean": self.running_mean.tolist(), "running_var": self.running_var.tolist()}
        return {"momentum": self.momentum, **running}

    @classmethod
    def of(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
        """Make the layer of these."""
        return cls(arrays["gamma"], arrays["beta"], **options)

    def __repr__(self) -> str:
        return f"BatchNormalization({len(self.gamma)}, momentum={self.momentum:g})"
