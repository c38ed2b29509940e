"""How users give their classes of layers and losses a name in files."""

from collections.abc import Callable
from typing import Any, TypeVar

from backprop.layers.base import LAYERS, LOSSES, METHODS, Layer, register
from bpcore.plan import ACTIVATIONS, LOSS_OPTIONS, TRANSFORM_OPTIONS

__all__ = ["register_layer", "register_loss"]

C = TypeVar("C", bound=type)


def register_layer(kind: str) -> Callable[[C], C]:
    """Decorate a class of layers so that networks with them can be saved and loaded.

    Its parameters are found as those of any layer: the arrays `p` beside which backward leaves `dp`. `load` makes the
    object by `cls(**options)` and sets its parameters.

    Parameters
    ----------
    kind : str
        The name that files have for it. Whoever loads one has to register a class under the same name first.

    Raises
    ------
    TypeError
        `kind` is no text, or what is decorated is no class with forward and backward.
    ValueError
        Another class has that name.

    Examples
    --------
    >>> @bp.register_layer("multiplied")
    ... class Multiplied:
    ...     def __init__(self, factor=1.0):
    ...         self.factor = factor
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    ...
    ...     def backward(self, dout):
    ...         return self.factor * dout
    ...
    ...     def options(self):
    ...         return {"factor": self.factor}
    """
    return _registration("register_layer", LAYERS, kind)


def register_loss(kind: str) -> Callable[[C], C]:
    """Decorate a class of losses so that networks with them can be saved and loaded, as `register_layer` does.

    Parameters
    ----------
    kind : str

    Raises
    ------
    TypeError, ValueError
        As `register_layer`.
    """
    return _registration("register_loss", LOSSES, kind)


def _registration(owner: str, registry: dict[str, type[Any]], kind: Any) -> Callable[[C], C]:
    if not isinstance(kind, str):
        what = f"the class {kind.__name__}" if isinstance(kind, type) else repr(kind)
        raise TypeError(f"{owner}: kind is {what}, wanted a name: @backprop.{owner}('name')")
    if not kind.isidentifier():
        raise ValueError(f"{owner}: kind is {kind!r}, wanted a name of letters, digits and underscores")
    # A plan would run its own function of that name.
    if kind in {*ACTIVATIONS, *TRANSFORM_OPTIONS, *LOSS_OPTIONS}:
        raise ValueError(f"{owner}: kind is {kind!r}, which the compiled core has; wanted another name")

    def decorate(cls: C) -> C:
        if not isinstance(cls, type):
            raise TypeError(f"{owner}: {cls!r} is decorated, wanted a class")
        for method in METHODS:
            if not callable(getattr(cls, method, None)):
                raise TypeError(
                    f"{owner}: {cls.__name__} has no {method}, wanted a class with forward and backward"
                )
        register(registry, kind, cls)
        if issubclass(cls, Layer):
            cls.kind = kind
        return cls

    return decorate
