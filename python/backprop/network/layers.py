"""The layers of a network by name, in order, the way through them, and how a new network's are made."""

import copy
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, Self

import numpy as np

from backprop._util.arrays import Array
from backprop._util.names import did_you_mean
from backprop.layers.base import Layer, pass_forward
from backprop.layers.dropout import Dropout
from backprop.layers.elementwise import Activation
from backprop.layers.parameter_discovery import Pass, constants, declared, parameter_names
from backprop.layers.parametric import Affine
from backprop.network.initial_weights import WeightInit, initial_parameters
from backprop.training.lock import register

# Passes of a layer that is not ours after which it is looked at as a whole: what the first has made, the second shows.
LOOKED_AT = 2


class Known(NamedTuple):
    """What passes have shown of a layer that is not ours.

    Attributes
    ----------
    layer : object
    cached : frozenset of str
        Attributes that look like parameters and only belong to a pass.
    passes : int
        How many it has been looked at after.
    type_of_data : dtype or None
        Of all that went through it in the last of these, if these were arrays of one type.
    """

    layer: Any
    cached: frozenset[str]
    passes: int
    type_of_data: np.dtype[Any] | None


class Layers(OrderedDict[str, Any]):
    """An OrderedDict of layers that can be asked whether it is still what it was.

    Attributes
    ----------
    version : object
        Another one after every change, also of what is known of the layers' parameters, and when one is looked up.
    trainer : int or None
        The thread that trains them: see training_lock.py.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.version = object()
        self.trainer: int | None = None
        self._known: dict[str, Known] = {}
        # Whether one of them was seen to replace another, or an array or a number of it, in a pass of a step.
        self.change_in_passes = False
        self._passes: dict[str, Pass] = {}
        # Under which name each object stands; to go through all of them at every assignment would be quadratic.
        self._names: dict[int, str] = {}
        register(self)
        super().__init__()
        self.update(*args, **kwargs)

    def __setitem__(self, key: str, value: Any) -> None:
        self._check({key: value})
        self._put(key, value)

    def __getitem__(self, key: str) -> Any:
        # Whoever gets a layer may give it a `forward` of its own; to look for one at every step would be a tenth of it.
        self.version = object()
        return super().__getitem__(key)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Put layers under names; where one is refused none is."""
        given = dict(*args, **kwargs)
        self._check(given)
        for key, value in given.items():
            self._put(key, value)

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]  # as it is, whatever `|` returns
        self.update(other)
        return self

    def _check(self, given: Mapping[str, Any]) -> None:
        """These are layers, and none would stand under two names: it keeps one pass only."""
        for key, value in given.items():
            a_layer(f"layers[{key!r}]", value)
        names: dict[int, str] = {}
        for key, value in given.items():
            first = names.setdefault(id(value), key)
            stays = self._names.get(id(value), key)
            first = stays if stays not in given else first
            if first != key:
                raise ValueError(
                    f"layers[{key!r}] is the very object of layers[{first!r}], wanted another one: a layer keeps "
                    "one pass for its backward"
                )

    def _put(self, key: str, value: Any) -> None:
        """Put a layer that was checked under a name."""
        self.version = object()
        self._unname(key)
        super().__setitem__(key, value)
        self._names[id(value)] = key

    def _unname(self, key: str) -> None:
        """Note that what stands under a name, if something does, leaves it."""
        if self._names.get(id(self.get(key))) == key:
            del self._names[id(self.get(key))]

    def __delitem__(self, key: str) -> None:
        self.version = object()
        self._unname(key)
        super().__delitem__(key)

    def __missing__(self, key: object) -> NoReturn:
        hint = did_you_mean(key, self)
        raise KeyError(f"{key!r} is not a layer of this network: {', '.join(map(str, self))}{hint}")

    # Not all versions of Python come by the methods above for these.

    def move_to_end(self, key: str, last: bool = True) -> None:
        """Move a layer to one end, as in OrderedDict."""
        self.version = object()
        super().move_to_end(key, last)

    def clear(self) -> None:
        """Remove all layers."""
        self.version = object()
        super().clear()
        self._names = {}

    def pop(self, key: str, *default: Any) -> Any:
        """Remove a layer and return it, or the default."""
        self.version = object()
        self._unname(key)
        return super().pop(key, *default)

    def popitem(self, last: bool = True) -> tuple[str, Any]:
        """Remove the last layer, or the first, and return it with its name."""
        if self:
            self._unname(next(reversed(self) if last else iter(self)))
        self.version = object()
        return super().popitem(last)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the layer under a name; where there is none put `default` there."""
        if key not in self:
            self[key] = default
        return self[key]

    def insert_after(self, before: str, key: str, value: Any) -> None:
        """Put a layer under a new name behind another one.

        Parameters
        ----------
        before : str
            The name of the layer that it stands behind.
        key : str
        value : object with forward and backward

        Raises
        ------
        KeyError
            There is no layer `before`.
        ValueError
            `key` is the name of another layer.
        """
        if before not in self:
            self.__missing__(before)
        self.insert(list(self).index(before) + 1, key, value)

    def insert(self, index: int, key: str, value: Any) -> None:
        """Put a layer under a new name at a place, as `list.insert` does: in front of the one that is there.

        Parameters
        ----------
        index : int
            0 is in front of all; below 0 it counts from the end.
        key : str
        value : object with forward and backward

        Raises
        ------
        ValueError
            `key` is the name of another layer.
        """
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"layers.insert: index is {index!r}, wanted a whole number")
        if key in self:
            raise ValueError(
                f"layers[{key!r}] is there, wanted a new name; layers[{key!r}] = layer replaces it"
            )
        names = list(self)
        self[key] = value
        for name in names[index:]:
            self.move_to_end(name)

    def parameter_names(self, key: str) -> list[str]:
        """The attributes of a layer that are its parameters, as far as is known."""
        layer = self.get(key)
        known = self._known.get(key)
        return parameter_names(layer, known.cached if known is not None and known.layer is layer else None)

    def through(self, x: Any, training: bool) -> Any:
        """Go forward through all layers, and look at those that are not ours."""
        self._passes = {}
        for key, layer in self.items():
            if declared(layer) is None:
                x = self.begin_pass(key, layer).forward(x, training=training)
            else:
                x = pass_forward(layer, x, training=training)
        return x

    def begin_pass(self, key: str, layer: Any) -> Pass:
        """Watch a pass through a layer that is not ours; one through all begins and ends with `clear_cache`."""
        self._passes[key] = one = Pass(layer)
        return one

    def back(self, dout: Any) -> Any:
        """Go back through all layers, and find out which attributes are parameters.

        Raises
        ------
        TypeError
            A layer keeps parameters in a way that nothing trains.
        """
        for key, layer in reversed(self.items()):
            dout = self.back_through_layer(key, layer, dout)
        self.learn()
        return dout

    def back_through_layer(self, key: str, layer: Any, dout: Any) -> Any:
        """Go back through one of them."""
        one = self._passes.get(key)
        return layer.backward(dout) if one is None or one.layer is not layer else one.backward(dout)

    def are_known(self, dtype: np.dtype[Any]) -> bool:
        """Whether those that are not ours were looked at, and arrays of this type alone have gone through them.

        And none of them changes others in a pass.
        """
        if self.change_in_passes:
            return False
        for key, layer in self.items():
            if declared(layer) is None:
                known = self._known.get(key)
                if known is None or known.layer is not layer or known.passes < LOOKED_AT:
                    return False
                if known.type_of_data != dtype:
                    return False
        return True

    def clear_cache(self) -> None:
        """Drop what was seen of a pass."""
        self._passes = {}

    def learn(self) -> None:
        """Take from the last pass which attributes are parameters; look at layers that have had few."""
        if not self._passes:
            return
        before, known = self._known, {}
        for key, one in self._passes.items():
            last = before.get(key)
            last = last if last is not None and last.layer is one.layer else None
            cached = one.cached(frozenset() if last is None else last.cached)
            if last is None or last.cached != cached:
                self.version = object()
            if last is None or last.cached != cached or last.passes < LOOKED_AT:
                passes = 0 if last is None else last.passes
                last = Known(one.layer, cached, passes, one.type_of_data())
            known[key] = last
        # Those that a pass by segments knows are not watched in it.
        self._known = {key: one for key, one in before.items() if self.get(key) is one.layer} | known
        if all(one.passes >= LOOKED_AT for one in known.values()):
            return
        from backprop.layers.untrained import doubt_of, fault_of  # which only layers of users need

        trained = {
            id(getattr(layer, name)) for key, layer in self.items() for name in self.parameter_names(key)
        }
        for key, one in self._passes.items():
            own, where = self.parameter_names(key), f"layers[{key!r}] ({type(one.layer).__name__})"
            if fault := fault_of(one, own, trained):
                raise TypeError(f"{where} would not be trained: {fault}")
            doubt = doubt_of(one, own, trained)
            if doubt and known[key].passes == 0:
                warnings.warn(f"{where}: {doubt}", UserWarning, stacklevel=2)
        self._known |= {key: one._replace(passes=one.passes + 1) for key, one in known.items()}

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy the layers; unlike NumPy's copies, constants stay read-only."""
        for array in constants(self.values()):
            memo[id(array)] = twin = array.copy()
            twin.setflags(write=False)
        new = memo[id(self)] = type(self)()
        vars(new).update(copy.deepcopy(self.__getstate__(), memo))
        for key, layer in self.items():
            new._put(key, copy.deepcopy(layer, memo))
        return new

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies what belongs to a pass; what they keep untrained is said of them anew."""
        known = {key: one._replace(passes=0) for key, one in self._known.items()}
        state = {**self.__dict__, "trainer": None, "_passes": {}, "_known": known}
        del state["_names"]  # which are of these objects
        return state


def a_layer(name: str, value: Any) -> Any:
    """`value`, if it is an object that goes forward; one that never trains needs no backward."""
    if isinstance(value, type):
        raise TypeError(f"{name} is the class {value.__name__}, wanted a layer, such as {value.__name__}()")
    if not hasattr(value, "forward") or isinstance(getattr(value, "layers", None), Layers):
        raise TypeError(f"{name} is a {type(value).__name__}, wanted a layer: forward and backward")
    return value


def initial_layers(
    sizes: tuple[int, ...],
    activations: Sequence[Activation],
    dtype: np.dtype[Any],
    seed: int | None,
    weight_init: WeightInit,
    dropout: Sequence[float] = (),
    outputs: Sequence[Layer] = (),
) -> Layers:
    """Affine layers with their initial weights, an activation between two of them, and `outputs` behind the last.

    `dropout` has the rate of what enters each affine layer, 0 for none.
    """
    dense = initial_parameters(sizes, activations, dtype, seed, weight_init)
    layers = dense_layers(dense, [*activations, *outputs])
    dropped = [n for n, rate in enumerate(dropout) if rate]
    # Apart by more than any seed of a network.
    first = int(np.random.randint(2**32, dtype=np.uint32)) if seed is None and dropped else seed or 0
    for n in dropped:
        layer = Dropout(dropout[n], seed=first + (n << 32))
        if n == 0:
            layers.insert(0, "Dropout0", layer)
        else:
            layers.insert_after(f"{type(activations[n - 1]).__name__}{n}", f"Dropout{n}", layer)
    return layers


def dense_layers(dense: Sequence[tuple[Array, Array]], activations: Sequence[Layer]) -> Layers:
    """Affine layers of these weights and biases, each with an activation behind it, the last if there is one more."""
    layers = Layers()
    for n, (W, b) in enumerate(dense, start=1):
        layers[f"Affine{n}"] = Affine(W, b)
        if n <= len(activations):
            layers[f"{type(activations[n - 1]).__name__}{n}"] = activations[n - 1]
    return layers
