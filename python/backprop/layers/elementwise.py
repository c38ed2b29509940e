"""What activations have in common: a function of each element, from a pair of kernels.

An activation is a class that says its `kind`, which names the kernels `{kind}_forward` and `{kind}_backward`, and what
its backward needs. Everything else, tests and documents too, takes it from the registry.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, require_cache, same_shape
from backprop.layers.base import LAYERS, Layer, list_available, with_options
from bpcore import kernels
from bpcore.plan import ACTIVATION_NUMBERS


class Activation(Layer):
    """A function of each element.

    Attributes
    ----------
    keeps : {"x", "out", "mask"}
        What backward needs, and the attribute that has it: what went in, what came out, or what the forward kernel
        writes to a mask.
    label : str
        How a text calls it.
    signed : bool
        Whether outputs may be below 0.
    initial_gain : float
        By default the initial weights and biases in front of it are uniform within ± this over √inputs.
    option_names : tuple of str
        The numbers that it takes, attributes that are arguments of the constructor, in the kernels' order.
    """

    parameter_names = ()
    keeps_shape = True
    keeps: ClassVar[str] = "x"
    label: ClassVar[str] = ""
    signed: ClassVar[bool] = True
    initial_gain: ClassVar[float] = 1.0
    option_names: ClassVar[tuple[str, ...]] = ()
    # What errors call the methods, the kernels, and `keeps`: looked up at once, since small arrays take no longer.
    _forward_by: ClassVar[tuple[str, Callable[..., None], str]]
    _backward_by: ClassVar[tuple[str, Callable[..., None], str]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            cls.caches, cls.option_names = (cls.keeps,), ACTIVATION_NUMBERS.get(kind, ())
            cls.symbol, cls.label = cls.symbol or kind, cls.label or kind
            forward, backward = getattr(kernels, f"{kind}_forward"), getattr(kernels, f"{kind}_backward")
            cls._forward_by = f"{cls.__name__}.forward", forward, cls.keeps
            cls._backward_by = f"{cls.__name__}.backward", backward, cls.keeps
            list_available(cls, "activations")

    def __init__(self) -> None:
        Layer.clear_cache(self)  # a subclass may have its own, for attributes that come later

    def forward(self, x: ArrayLike) -> Array:
        """Return the function of each element, in x's shape."""
        owner, kernel, keeps = self._forward_by
        (x,) = floats(owner, x=x)
        out = np.empty_like(x)
        if keeps == "mask":
            kept: Array = np.empty(x.shape, dtype=bool)
            kernel(x.reshape(-1), out.reshape(-1), kept.reshape(-1))
        else:
            kernel(x.reshape(-1), *self._numbers(), out.reshape(-1))
            kept = x if keeps == "x" else out
        self.__dict__[keeps] = kept
        return out

    def backward(self, dout: ArrayLike) -> Array:
        """Return `dx`: `dout` times the derivative of each element."""
        owner, kernel, keeps = self._backward_by
        kept = require_cache(owner, self.__dict__.get(keeps))
        if keeps == "mask":
            (dout,) = floats(owner, dout=dout)
        else:
            dout, kept = floats(owner, dout=dout, kept=kept)
        same_shape(owner, dout, kept.shape)
        dx = np.empty_like(dout)
        kernel(dout.reshape(-1), kept.reshape(-1), *self._numbers(), dx.reshape(-1))
        return dx

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return dict(zip(self.option_names, self._numbers(), strict=True))

    def _numbers(self) -> list[Any]:
        """What the kernels are given of the options."""
        return [getattr(self, name) for name in self.option_names] if self.option_names else []

    def __repr__(self) -> str:
        return with_options(self)


def activations() -> dict[str, type[Activation]]:
    """All activations by their kinds."""
    return {kind: cls for kind, cls in LAYERS.items() if issubclass(cls, Activation)}
