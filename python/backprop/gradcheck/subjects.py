"""What can be checked, seen in one way: named float64 arrays, a forward pass over them, and a backward pass.

a) A layer has `forward(*inputs)` and `backward(dout)`, which returns the gradient of its input or a tuple of them, one
   an input. A network has `params`, `loss(x, t)` and `gradient(x, t)`. A function comes as a pair with its gradient.
   What else can be checked is registered in SUBJECTS by the package that has it.
b) A layer is checked as it is in training, where it does something else there, and as if each pass were the same step.
   A copy is checked, in float64 whatever the type of the original, so that nothing of the user's changes.
c) Arrays are perturbed in place and given to the forward pass themselves, so that what is written to them shows; the
   leaves of a graph, which nothing can write to, get copies.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from backprop._util.arrays import Array, is_floating
from backprop.gradcheck.arguments import (
    OWNER,
    as_input,
    batch_of,
    by_input,
    checked_params,
    in_float64,
    input_names,
    no_floats,
    require_floats,
)
from backprop.layers.base import pass_forward
from backprop.layers.counters import counters_held
from backprop.layers.parameter_discovery import Pass, parameter_names


class Subject:
    """One thing to check.

    Attributes
    ----------
    name : str
    source : str
        What is called to go forward.
    arrays : dict of str to ndarray of float64
        What is differentiated by, each writable.
    batch : int
        Rows of the first input, 1 where there are none.
    takes_dout : bool
        Whether `backward` can be given any gradient of the output.
    """

    name: str
    source: str
    arrays: dict[str, Array]
    batch = 1
    takes_dout = True

    def forward(self) -> Any:
        """The output for what the arrays hold now."""
        raise NotImplementedError("a kind of subject says how it goes forward")

    def backward(self, dout: Any) -> dict[str, Any]:
        """The gradients that go back from the last output, by the names of `arrays`."""
        raise NotImplementedError("a kind of subject says how it goes back")

    def owners(self) -> list[Any]:
        """The objects that keep what a forward pass left."""
        return []

    def decisions(self) -> list[Array]:
        """Masks and indices that the last forward pass left: where one changes there is a kink."""
        return [
            value.copy()
            for owner in self.owners()
            for value in vars(owner).values()
            if isinstance(value, np.ndarray) and value.dtype.kind in "bi"
        ]

    def fresh(self) -> "Subject":
        """An independent copy in the same state."""
        return copy.deepcopy(self)


class LayerSubject(Subject):
    """Anything with `forward` and `backward`."""

    def __init__(self, layer: Any, inputs: tuple[Any, ...], params: Mapping[str, str] | None) -> None:
        self.name = type(layer).__name__
        self.source = f"{self.name}.forward"
        self.layer = in_float64(layer)
        names = input_names(layer.forward, len(inputs))
        self.inputs = {name: as_input(name, value) for name, value in zip(names, inputs, strict=True)}
        floating = [name for name, value in self.inputs.items() if is_floating(value)]
        self.batch = batch_of(inputs)
        self.given: list[str] = floating
        self.params = self.paired() if params is None else checked_params(self.layer, params)
        self.arrays = {name: self.inputs[name] for name in floating}
        self.arrays |= {name: getattr(self.layer, name) for name in self.params}
        require_arrays(self)

    def paired(self) -> dict[str, str]:
        """The parameters: arrays `W` of the layer beside which a backward pass leaves `dW`."""
        trial = Pass(copy.deepcopy(self.layer))
        try:
            out = trial.forward(*copy.deepcopy(list(self.inputs.values())))
        except Exception as error:
            if not self.given:  # which may be why
                error.add_note(f"{OWNER}: {no_floats(self.inputs)}")
            raise
        if self.given:
            require_floats(self.source, out)
        returned = trial.backward(np.ones_like(out) if np.ndim(out) else 1.0)
        gradients = by_input(f"{self.name}.backward", list(self.inputs), list(self.inputs), returned)
        if not self.given and any(value is not None for value in gradients.values()):
            raise TypeError(f"{OWNER}: {self.name}.backward returns a gradient, but {no_floats(self.inputs)}")
        return {name: f"d{name}" for name in parameter_names(trial.layer, trial.cached())}

    def forward(self) -> Any:  # noqa: D102
        with counters_held([self.layer]):
            return pass_forward(self.layer, *self.inputs.values(), training=True)

    def backward(self, dout: Any) -> dict[str, Any]:  # noqa: D102
        returned = self.layer.backward(dout)
        gradients = by_input(f"{self.name}.backward", list(self.inputs), self.given, returned)
        found = {name: value for name, value in gradients.items() if value is not None}
        # Inputs that a tuple leaves out, targets above all, have no gradient; a layer that returns nothing forgot it.
        for name in self.given if returned is not None else self.given[1:]:
            if name not in found:
                self.arrays.pop(name, None)
        return {name: value for name, value in found.items() if name in self.arrays} | {
            name: getattr(self.layer, gradient) for name, gradient in self.params.items()
        }

    def owners(self) -> list[Any]:  # noqa: D102
        return [self.layer] if hasattr(self.layer, "__dict__") else []


class NetworkSubject(Subject):
    """Anything with `params`, `loss(x, t)` and `gradient(x, t)`."""

    takes_dout = False

    def __init__(self, net: Any, inputs: tuple[Any, ...], params: Mapping[str, str] | None) -> None:
        if params is not None:
            raise TypeError(f"{OWNER}: params names a layer's attributes; a network has its own params")
        if len(inputs) != 2:
            raise TypeError(f"{OWNER}: a network is checked with x and t, {len(inputs)} inputs were given")
        self.name = type(net).__name__
        self.source = f"{self.name}.loss"
        self.net = net.astype(np.float64) if hasattr(net, "astype") else copy.deepcopy(net)
        self.x, self.t = (as_input(name, value) for name, value in zip("xt", inputs, strict=True))
        self.batch = batch_of(inputs)
        self.net.gradient(
            self.x, self.t
        )  # a layer may have its gradients, and so its parameters, only from then on
        self.arrays = dict(self.net.params)
        for key, array in self.arrays.items():
            if array.dtype != np.float64:
                raise TypeError(f"{OWNER}: params[{key!r}] has dtype {array.dtype}, wanted float64")

    def forward(self) -> Any:  # noqa: D102
        with counters_held(self.owners()):
            return getattr(self.net, "_training_loss", self.net.loss)(self.x, self.t)

    def backward(self, dout: Any) -> dict[str, Any]:  # noqa: D102
        with counters_held(self.owners()):
            return dict(self.net.gradient(self.x, self.t))

    def owners(self) -> list[Any]:  # noqa: D102
        layers = getattr(self.net, "layers", {})
        return list(layers.values()) if isinstance(layers, Mapping) else list(layers)


class FunctionSubject(Subject):
    """A pair (f, gradient): `f(*inputs)` is a number, `gradient(*inputs)` the gradient of each input."""

    takes_dout = False

    def __init__(
        self, pair: tuple[Any, Any], inputs: tuple[Any, ...], params: Mapping[str, str] | None
    ) -> None:
        if params is not None:
            raise TypeError(f"{OWNER}: params names a layer's attributes; a function has inputs only")
        self.f, self.gradient = pair
        self.name = self.source = getattr(self.f, "__name__", type(self.f).__name__)
        names = input_names(self.f, len(inputs))
        self.inputs = {name: as_input(name, value) for name, value in zip(names, inputs, strict=True)}
        self.batch = batch_of(inputs)
        self.arrays = {name: value for name, value in self.inputs.items() if is_floating(value)}
        self.given = list(self.arrays)
        require_arrays(self)

    def forward(self) -> Any:  # noqa: D102
        value = self.f(*self.inputs.values())
        if np.ndim(value):
            raise ValueError(f"{OWNER}: {self.name} returned shape {np.shape(value)}, wanted a number")
        return value

    def backward(self, dout: Any) -> dict[str, Any]:  # noqa: D102
        returned = self.gradient(*self.inputs.values())
        source = f"the gradient of {self.name}"
        found = by_input(source, list(self.inputs), self.given, returned)
        for name in [name for name, value in found.items() if value is None]:
            self.arrays.pop(name, None)
        return {name: value for name, value in found.items() if name in self.arrays}


# What is checked in a way of its own, by its class: the nodes of backprop.graph, if that was imported.
SUBJECTS: dict[type, Callable[[Any, tuple[Any, ...], Mapping[str, str] | None], Subject]] = {}


def subject_of(target: Any, inputs: tuple[Any, ...], params: Mapping[str, str] | None) -> Subject:
    """See `target` as a subject, by what it has."""
    if isinstance(target, tuple) and len(target) == 2 and all(map(callable, target)):
        return FunctionSubject(target, inputs, params)
    for kind, subject in SUBJECTS.items():
        if isinstance(target, kind):
            return subject(target, inputs, params)
    # A network may go forward and back like a layer.
    if all(hasattr(target, name) for name in ("params", "loss", "gradient")):
        return NetworkSubject(target, inputs, params)
    if all(hasattr(target, name) for name in ("forward", "backward")):
        return LayerSubject(target, inputs, params)
    raise TypeError(
        f"{OWNER}: target is a {type(target).__name__}, wanted a layer (forward, backward), a network (params, loss, "
        "gradient), a node of a graph, or a pair of a function and its gradient"
    )


def require_arrays(subject: "LayerSubject | FunctionSubject") -> None:
    """Raise where there is nothing to differentiate by."""
    if not subject.arrays:
        raise TypeError(f"{OWNER}: {subject.name} cannot be checked: {no_floats(subject.inputs)}")
