"""Dropout as the book's chapter 6 writes it, its masks from `np.random`'s global state."""

from collections.abc import Callable
from typing import Any, ClassVar
from weakref import ref

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, require_cache, same_shape
from backprop._util.names import named_arguments
from backprop._util.settings import fraction
from backprop.book.arguments import told_to_train
from backprop.layers.base import Layer
from backprop.layers.descriptors import Option


class Moment:
    """`np.random`'s global state as it is until the next mask is drawn.

    To ask for the state takes as long as a small layer, and a network notes what counts several times a step. So it is
    asked for once, when a mask is about to be drawn and somebody still holds the moment.
    """

    _current: ClassVar[Callable[[], "Moment | None"]] = staticmethod(lambda: None)

    def __init__(self) -> None:
        self._state: Any = None

    @classmethod
    def now(cls) -> "Moment":
        """The moment since the last mask."""
        moment = cls._current()
        if moment is None:
            moment = cls()
            cls._current = ref(moment)
        return moment

    @classmethod
    def ends(cls) -> None:
        """Note the state, if somebody holds this moment: a mask is about to be drawn."""
        moment, cls._current = cls._current(), staticmethod(lambda: None)
        if moment is not None:
            moment._state = np.random.get_state()

    def put_back(self) -> None:
        """Put the global state back to what it was, if masks were drawn since."""
        if self._state is not None:
            np.random.set_state(self._state)


class Dropout(Layer):
    """Dropout (Srivastava et al. 2014) as the book writes it: in training `out = x·mask`, otherwise `x·(1 − ratio)`.

    Each number of the mask is 0 with the probability `dropout_ratio`, else 1. `backprop.Dropout` divides by
    `1 − rate` in training instead (inverted dropout) and passes x through otherwise; in expectation its outputs are
    these, divided by `1 − ratio`.

    Masks come from `np.random`'s global state, as in the book: `np.random.seed` repeats them. Where a gradient is
    checked, or `numerical_gradient` taken, the state is put back after every pass, so that all have the same mask; in
    the book's networks each has another, and the numerical gradient means nothing.

    Parameters
    ----------
    dropout_ratio : float, default 0.5
        The share that is dropped, from 0 to below 1.

    Attributes
    ----------
    mask : ndarray of x's shape, or None
        What the last pass multiplied x by: in training an array of bool.

    Examples
    --------
    >>> from backprop.book import Dropout
    >>> np.random.seed(0)
    >>> layer = Dropout(0.25)
    >>> layer.forward(np.ones(8))
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    >>> layer.forward(np.ones(8), train_flg=False)
    array([0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75])
    """

    parameter_names, caches, keeps_shape = (), ("mask",), True
    counters = ("_random_state",)
    dropout_ratio: float = Option(fraction)  # type: ignore[assignment]  # what a layer has

    @named_arguments
    def __init__(self, dropout_ratio: float = 0.5) -> None:
        self.dropout_ratio = dropout_ratio
        self.mask: Array | None = None

    @property
    def _random_state(self) -> "Moment":
        """The global state, in which passes in training count: all layers have the same."""
        return Moment.now()

    @_random_state.setter
    def _random_state(self, moment: "Moment") -> None:
        moment.put_back()

    def forward(self, x: ArrayLike, train_flg: bool = True, training: bool | None = None) -> Array:
        """Return `x·mask` in training, else `x·(1 − dropout_ratio)`, in x's shape.

        Parameters
        ----------
        x : array_like of real numbers
        train_flg : bool, default True
        training : bool, optional
            The same, as networks tell it; it counts where it is given.
        """
        in_training = told_to_train("Dropout.forward", train_flg, training)
        (x,) = floats("Dropout.forward", x=x)
        if in_training:
            Moment.ends()
            self.mask = np.asarray(np.random.random_sample(x.shape) > self.dropout_ratio)
        else:
            self.mask = np.broadcast_to(np.asarray(1 - self.dropout_ratio, x.dtype), x.shape)
        return np.asarray(x * self.mask)

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx = dout·mask`."""
        mask = require_cache("Dropout.backward", self.mask)
        (dout,) = floats("Dropout.backward", dout=dout)
        same_shape("Dropout.backward", dout, mask.shape)
        return np.asarray(dout * np.asarray(mask, dout.dtype))

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"dropout_ratio": self.dropout_ratio}

    def __repr__(self) -> str:
        return f"Dropout({self.dropout_ratio:g})"
