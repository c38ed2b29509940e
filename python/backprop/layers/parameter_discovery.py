"""Which attributes of a layer that is not ours are its parameters: told from a pass through it.

a) A parameter is an array `p` of floating-point numbers beside which backward leaves its gradient as `dp`.
b) It stays where it is. An array that a pass puts in the place of another is what the layer keeps of that pass,
   and one that shares memory with what forward or backward received or returned is somebody's data, whatever its name.
c) Before a layer's first pass its attributes tell: `dp` is None or of p's shape, or W and b are both there. What is
   called as an argument of forward or backward is then left out.

Which layers keep parameters in another way, and so untrained: see untrained.py.
"""

import copy
import inspect
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from backprop._util.arrays import Array, is_floating, shares
from backprop.layers.base import Layer, pass_forward

# Of a layer that has both, also where its backward has not left dW and db yet.
USUAL = ("W", "b")
# Types of attributes in which no layer can be: most are of these.
HOLD_NOTHING = frozenset((np.ndarray, np.float32, np.float64, float, int, bool, str, type(None)))


def declared(layer: Any) -> tuple[str, ...] | None:
    """What a layer of the package says that its parameters are; None if a pass has to show them."""
    return type(layer).parameter_names if isinstance(layer, Layer) else None


def parameter_names(layer: Any, cached: frozenset[str] | None = None) -> list[str]:
    """The attributes of a layer that are its parameters.

    Parameters
    ----------
    layer : object
    cached : frozenset of str, optional
        Which of them only belong to a pass, as the last `Pass` has found. Without it names alone tell.
    """
    ours = declared(layer)
    if ours is not None:
        return list(ours)
    kept = attributes(layer)
    found = [name for name, value in kept.items() if is_floating(value) and _has_room(layer, kept, name)]
    if found != ["W", "b"] and all(isinstance(kept.get(name), np.ndarray) for name in USUAL):
        found = [*USUAL, *(name for name in found if name not in USUAL)]
    if found:
        left_out = _passed(type(layer)) if cached is None else cached  # type: ignore[arg-type]  # hashable
        found = [name for name in found if name not in left_out]
    return found


def attributes(layer: Any) -> dict[str, Any]:
    """What a layer keeps, in its `__dict__` or in slots."""
    kept = dict(getattr(layer, "__dict__", {}))
    for name in _slots(type(layer)):  # type: ignore[arg-type]  # which is hashable
        if hasattr(layer, name):
            kept[name] = getattr(layer, name)
    return kept


def inner_layers(layer: Any) -> Iterator[tuple[str, Any]]:
    """Layers that a layer holds, in its attributes or in lists, tuples and dicts there, and how they are reached."""
    for name, value in attributes(layer).items():
        if type(value) in HOLD_NOTHING:
            continue
        for place, one in ((name, value), *items_of(name, value)):
            if not isinstance(one, type) and all(
                callable(getattr(one, x, None)) for x in ("forward", "backward")
            ):
                yield place, one


def items_of(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What stands in a list, tuple or dict, and how it is reached."""
    if isinstance(value, (list, tuple)):
        yield from ((f"{name}[{n}]", one) for n, one in enumerate(value))
    elif isinstance(value, Mapping):
        yield from ((f"{name}[{key!r}]", one) for key, one in value.items())


class Pass:
    """One pass forward and back through a layer that is not ours.

    Attributes
    ----------
    layer : object
    before : dict of str to object
        The layer's attributes before it.
    inner : list of (str, Pass)
        The same of the layers that it holds.
    """

    def __init__(self, layer: Any, known: tuple[int, ...] = ()) -> None:
        self.layer, self.before = layer, attributes(layer)
        self._inputs: tuple[Any, ...] = ()
        self._data: list[Any] = []
        known = (*known, id(layer))  # a layer may lead back to one that holds it
        self.inner = [(place, Pass(one, known)) for place, one in inner_layers(layer) if id(one) not in known]

    def forward(self, *inputs: Any, training: bool = True) -> Any:
        """Go forward."""
        out = pass_forward(self.layer, *inputs, training=training)
        self._inputs = inputs
        self._data = [*inputs, out]
        return out

    def backward(self, dout: Any) -> Any:
        """Go back."""
        returned = self.layer.backward(dout)
        self._data += [dout, *(returned if isinstance(returned, (tuple, list)) else [returned])]
        return returned

    def is_data(self, value: Any) -> bool:
        """Whether it shares memory with what forward or backward received or returned."""
        return any(shares(value, one) for one in self._data)

    def type_of_data(self) -> np.dtype[Any] | None:
        """The type of all that forward and backward received and returned; None if these are not arrays of one."""
        types = {one.dtype if type(one) is np.ndarray else None for one in self._data}
        return types.pop() if len(types) == 1 else None

    def stayed(self, name: str) -> bool:
        """Whether an attribute is what it was before the pass, and no data."""
        value = attributes(self.layer).get(name)
        return value is not None and self.before.get(name) is value and not self.is_data(value)

    def cached(self, known: frozenset[str] = frozenset()) -> frozenset[str]:
        """Arrays that look like parameters but only belong to the pass; `known` were such in the one before."""
        kept = attributes(self.layer)
        found: set[str] = set()
        new: set[str] = set()
        for name, value in kept.items():
            if not is_floating(value) or not (name in USUAL or has_gradient(self.layer, kept, name)):
                continue
            if self.is_data(value) or (name in known and self.before.get(name) is not value):
                found.add(name)
            elif self.before.get(name) is not value:
                (found if isinstance(self.before.get(name), np.ndarray) else new).add(name)
        if new:
            found |= new - self._staying()
        return frozenset(found)

    def replaced(self) -> frozenset[str]:
        """Attributes that hold something else than before the pass."""
        kept = attributes(self.layer)
        return frozenset(name for name, value in kept.items() if self.before.get(name) is not value)

    def _staying(self) -> set[str]:
        """What another pass leaves where it is: tried on a copy, where arrays have appeared in this one."""
        state = np.random.get_state()
        try:
            twin = copy.deepcopy(self.layer)
            before = attributes(twin)
            out = pass_forward(twin, *copy.deepcopy(self._inputs), training=True)
            twin.backward(np.ones_like(out) if np.ndim(out) else 1.0)
        except TypeError:  # what cannot be copied, an open file say; the next pass will tell
            return set()
        finally:
            np.random.set_state(state)
        return {name for name, value in attributes(twin).items() if before.get(name) is value}


def has_gradient(layer: Any, kept: Mapping[str, Any], name: str) -> bool:
    """Whether there is an attribute for the gradient."""
    return f"d{name}" in kept or hasattr(type(layer), f"d{name}")


def names_of_candidates(layer: Any) -> list[str] | None:
    """The attributes that by their names could be parameters, whatever they are; None if a look at names is too little.

    As it is of a layer with slots, or with layers inside.
    """
    if _slots(type(layer)) or not hasattr(layer, "__dict__"):  # type: ignore[arg-type]  # which is hashable
        return None
    if any(True for _ in inner_layers(layer)):
        return None
    kept = vars(layer)
    return [name for name in kept if name in USUAL or has_gradient(layer, kept, name)]


def _has_room(layer: Any, kept: Mapping[str, Any], name: str) -> bool:
    """Whether there is an attribute for the gradient, with nothing in it yet or with one of the right shape."""
    if not has_gradient(layer, kept, name):
        return False
    gradient = getattr(layer, f"d{name}", None)
    return gradient is None or np.shape(gradient) == kept[name].shape


def constants(layers: Iterable[Any], known: set[int] | None = None) -> Iterator[Array]:
    """The read-only arrays that layers, and those inside them, keep beside the parameters of the outer ones."""
    inside, known = known is not None, set() if known is None else known
    for layer in layers:
        if id(layer) in known:
            continue
        known.add(id(layer))
        own = [] if inside else parameter_names(layer)
        for name, value in attributes(layer).items():
            for _, item in ((name, value), *items_of(name, value)):
                if isinstance(item, np.ndarray) and not item.flags.writeable and name not in own:
                    yield item
        yield from constants((one for _, one in inner_layers(layer)), known)


def convert_arrays(layers: Iterable[Any], dtype: DTypeLike) -> None:
    """Give the arrays of floating-point numbers that layers keep another type.

    These are attributes, what lists and dicts there hold, and those of layers inside. What was one array is one
    afterwards, and constants stay read-only.
    """
    # The arrays that were there are kept, else another one could get the address of one that is gone.
    done: dict[int, tuple[Any, Any]] = {}
    for layer in layers:
        _convert(layer, np.dtype(dtype), done, parameter_names(layer))


def _convert(layer: Any, dtype: np.dtype[Any], done: dict[int, tuple[Any, Any]], own: list[str]) -> None:
    if id(layer) in done:
        return
    done[id(layer)] = layer, layer

    def converted(value: Any, name: str = "") -> Any:
        if not is_floating(value) or value.dtype == dtype:
            return value
        if id(value) not in done:
            array = value.astype(dtype)
            array.setflags(write=bool(value.flags.writeable) or name in own)
            done[id(value)] = value, array
        return done[id(value)][1]

    for name, value in attributes(layer).items():
        if is_floating(value):
            if value.dtype != dtype:
                setattr(layer, name, converted(value, name))
        elif isinstance(value, list) and any(map(is_floating, value)):
            value[:] = map(converted, value)
        elif type(value) is tuple and any(map(is_floating, value)):
            setattr(layer, name, tuple(map(converted, value)))
        elif isinstance(value, dict) and any(map(is_floating, value.values())):
            value.update({key: converted(one) for key, one in value.items()})
    for _, one in list(inner_layers(layer)):
        _convert(one, dtype, done, [])


@lru_cache(maxsize=256)
def _slots(kind: type) -> tuple[str, ...]:
    names: list[str] = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                private = name.startswith("__") and not name.endswith("__")
                names.append(f"_{base.__name__.lstrip('_')}{name}" if private else name)
    return tuple(names)


@lru_cache(maxsize=256)
def _passed(kind: object) -> frozenset[str]:
    """Names that go through a layer: the arguments of forward, and what those of backward are the gradients of."""
    names = {name.removeprefix("d") for name in _arguments(kind, "backward")}
    return frozenset(names.union(_arguments(kind, "forward")))


def _arguments(kind: object, method: str) -> list[str]:
    try:
        return list(inspect.signature(getattr(kind, method)).parameters)[1:]
    except (AttributeError, TypeError, ValueError):  # it is a layer's own attribute, or built in
        return []
