"""What layers and the nodes of graphs have in common, and the registries of layers and losses.

a) `forward` leaves in attributes, which `caches` names, what `backward` needs. `backward` can be called again and
   gives the same. Neither writes to what it was given. `clear_cache` drops the attributes; then `backward` raises.
b) A class with a `kind` in its own body registers itself under that name. What others have to know of it is data of
   the class: they loop over the registry and never ask for a class by name.
c) A subclass that overrides nothing of DEFINING is what its base is. One that overrides something computes something
   else: it has no kind, no symbol and no derivative unless it says so itself, and its parameters are found as those of
   any layer (parameter_discovery.py).
d) Classes of users, which inherit from nothing here, are registered by registration.py.
"""

from collections.abc import Mapping
from inspect import signature
from typing import Any, ClassVar

import numpy as np

from backprop._util.arrays import Array
from backprop._util.names import AVAILABLE, SuggestsNames

# What decides what a class computes, and with it whether a subclass is still what its base is.
DEFINING = (
    "forward",
    "backward",
    "options",
    "checked_targets",
    "row_weights",
    "target_table",
    "probabilities",
    "classifies",
    "binary",
)
METHODS = ("forward", "backward")

LAYERS: dict[str, type[Any]] = {}
LOSSES: dict[str, type[Any]] = {}


def defined_alike(cls: type, base: type) -> bool:
    """Whether a class computes what its base does."""
    return all(getattr(cls, name, None) is getattr(base, name, None) for name in DEFINING)


class Operation(SuggestsNames):
    """Something with `forward(*inputs)` and `backward(dout)`.

    Attributes
    ----------
    symbol : str
        What stands in the circle of a drawn graph; without it the class's name does.
    derivatives : tuple of str
        For each input what `backward` passes to it, as a text: `{d}` is the gradient of the output, `{out}` the output,
        and the inputs have the names of forward's arguments.
    broadcasts : bool
        Whether an input may be smaller than the output; its gradient is then a sum.
    """

    _table = "OF_LAYER"
    symbol: ClassVar[str] = ""
    derivatives: ClassVar[tuple[str, ...]] = ()
    broadcasts: ClassVar[bool] = False
    # What a class that computes something else does not inherit, and what it has instead.
    _not_inherited: ClassVar[dict[str, Any]] = {"symbol": "", "derivatives": (), "broadcasts": False}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        base = next(one for one in cls.__mro__[1:] if issubclass(one, Operation))
        if not defined_alike(cls, base):
            for name, value in cls._not_inherited.items():
                if name not in vars(cls):
                    setattr(cls, name, value)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def _repr_html_(self) -> str:
        from backprop._util.html import of_attributes

        return of_attributes(self)


class Layer(Operation):
    """A layer of a network that a name stands for.

    Attributes
    ----------
    kind : str
        Its name in files, plans and arguments; "" of a class that computes something else than the base it has it from.
    parameter_names : tuple of str, or None
        The attributes that are its parameters, each `p` beside a `dp`; None if a pass has to show them.
    caches : tuple of str
        The attributes that a pass leaves, and that are None without one.
    keeps_shape : bool
        Whether what comes out is of the shape of what went in.
    counters : tuple of str
        The attributes in which a pass forward in training counts; with them as they were it gives the same again.
    buffers : tuple of str
        The attributes that are arrays of running statistics: no parameters, but files and copies have them.

    A layer that does something else in training takes it as an argument, `forward(x, training=False)`.
    """

    kind: ClassVar[str] = ""
    parameter_names: ClassVar[tuple[str, ...] | None] = None
    caches: ClassVar[tuple[str, ...]] = ()
    keeps_shape: ClassVar[bool] = False
    counters: ClassVar[tuple[str, ...]] = ()
    buffers: ClassVar[tuple[str, ...]] = ()
    _not_inherited: ClassVar[dict[str, Any]] = {
        **Operation._not_inherited,
        "kind": "",
        "parameter_names": None,
        "keeps_shape": False,
    }
    _registry: ClassVar[dict[str, type[Any]]] = LAYERS

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        kind = vars(cls).get("kind")
        if kind:
            register(cls._registry, kind, cls)

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor that are no parameters, as JSON has them."""
        return {}

    @classmethod
    def parameter_shapes(
        cls, options: Mapping[str, Any], inputs: int | None, outputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of the parameters of a layer of so many inputs and outputs, None standing for any number."""
        return {}

    @classmethod
    def buffer_shapes(
        cls, options: Mapping[str, Any], inputs: int | None
    ) -> dict[str, tuple[int | None, ...]]:
        """The shapes of the buffers of a layer of so many inputs."""
        return {}

    @classmethod
    def of(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
        """Make the layer of these options and parameters."""
        return restored(cls, options, arrays)

    def clear_cache(self) -> None:
        """Drop what the last pass left; `backward` raises until the next `forward`."""
        vars(self).update(dict.fromkeys(self.caches))


def restored(cls: type[Any], options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    """An object made by its options, with these arrays as its parameters.

    Raises
    ------
    ValueError
        The constructor made a parameter of another shape.
    """
    layer = cls(**options)
    for name, array in arrays.items():
        made = getattr(layer, name, None)
        if isinstance(made, np.ndarray) and made.shape != array.shape:
            raise ValueError(f"{name} has shape {array.shape}, its options make {made.shape}")
        setattr(layer, name, array)
        if not hasattr(layer, f"d{name}"):  # what shows that it is a parameter, before the first backward
            setattr(layer, f"d{name}", None)
    return layer


def made_of(cls: type[Any], owner: str, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Any:
    """A layer or a loss of options and parameters that a file has; ValueError for those that it does not take."""
    try:
        return cls.of(options, arrays) if issubclass(cls, Layer) else restored(cls, options, arrays)
    except Exception as error:  # a user's class may raise anything
        raise ValueError(
            f"{owner}: {cls.__name__} cannot be made of {dict(options)!r}: {type(error).__name__}: {error}"
        ) from error


def with_options(layer: Any) -> str:
    """What an activation or a loss is called, with the numbers that it takes."""
    numbers = [f"{name}={getattr(layer, name):g}" for name in layer.option_names]
    return f"{type(layer).__name__}({', '.join(numbers)})"


def register(registry: dict[str, type[Any]], kind: str, cls: type[Any]) -> None:
    """Put a class under a name; the same class may be defined again, as in a notebook."""
    there = registry.get(kind)
    if there is not None and (there.__module__, there.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(
            f"{kind!r} is the kind of {there.__module__}.{there.__qualname__}, wanted another name"
        )
    registry[kind] = cls


def list_available(cls: type[Any], group: str) -> None:
    """List a class among those that errors offer."""
    if cls.__name__ not in AVAILABLE[group]:
        AVAILABLE[group].append(cls.__name__)


# --- What a layer is ------------------------------------------------------------------------------------------


def kind_of(layer: Any, registry: Mapping[str, type[Any]] | None = None) -> str:
    """The registered name of what a layer or a loss computes, in one of the registries if one is given.

    "" if its class, or the object itself, computes something else.
    """
    if own_methods(layer):
        return ""
    if isinstance(layer, Layer):
        kind = type(layer).kind
    else:
        named = {cls: kind for one in (LAYERS, LOSSES) for kind, cls in one.items()}
        cls = next((cls for cls in type(layer).__mro__ if cls in named), None)
        kind = named[cls] if cls is not None and defined_alike(type(layer), cls) else ""
    return kind if registry is None or isinstance(layer, registry.get(kind, ())) else ""


def takes(forward: Any, name: str) -> bool:
    """Whether a function or a method has an argument of this name, or passes it on to one that it wraps."""
    function = getattr(forward, "__func__", forward)
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__"):
        # Without a signature, which takes many times as long as a small layer.
        return name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    try:
        own = signature(forward, follow_wrapped=False).parameters
        passes_on = any(one.kind is one.VAR_KEYWORD for one in own.values())
        return name in own or (passes_on and name in signature(forward).parameters)
    except (TypeError, ValueError):  # built in
        return False


def pass_forward(layer: Any, *inputs: Any, training: bool) -> Any:
    """Go forward through any layer, in training or not: one that asks for it is told."""
    forward = layer.forward
    return forward(*inputs, training=training) if takes(forward, "training") else forward(*inputs)


def own_methods(layer: Any) -> list[str]:
    """The methods that were assigned to an object and stand before those of its class."""
    return [name for name in METHODS if name in getattr(layer, "__dict__", ())]
