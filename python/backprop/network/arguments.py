"""What a network is asked for, checked."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arguments import one_of
from backprop._util.arrays import Array, read_only_copy, real_array
from backprop._util.settings import fraction
from backprop.layers.base import LOSSES, kind_of, own_methods
from backprop.layers.base_loss import Loss
from backprop.layers.elementwise import Activation, activations
from backprop.layers.row_losses import LossOfScaledNumbers
from backprop.layers.softmax import RowFunction, row_functions
from backprop.network.layers import a_layer

# Losses with a function of the scores in them.
OF_SCORES = ("softmax", "binary_cross_entropy")
# A name, a class or an object of an activation.
OneActivation: TypeAlias = str | type[Activation] | Activation
# The same, or a function of rows.
OneOutput: TypeAlias = OneActivation | type[RowFunction] | RowFunction


def checked_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Units of each layer, at least two layers."""
    if isinstance(sizes, (str, bytes)) or not hasattr(sizes, "__iter__"):
        raise TypeError(
            f"Network: sizes is {sizes!r}, wanted at least two whole numbers such as [784, 50, 10]"
        )
    whole = [size for size in sizes if hasattr(size, "__index__") and not isinstance(size, bool)]
    if len(whole) != len(list(sizes)) or len(whole) < 2 or min(map(int, whole)) < 1:
        raise ValueError(
            f"Network: sizes is {list(sizes)}, wanted at least two whole numbers of 1 or more, such as [784, 50, 10]"
        )
    return tuple(int(size) for size in whole)


def checked_activations(value: OneActivation | Sequence[OneActivation], hidden: int) -> list[Activation]:
    """A new activation for each hidden layer."""
    if not isinstance(value, (list, tuple)):
        _activation("activation", value)
        return [_activation("activation", value) for _ in range(hidden)]
    if len(value) != hidden:
        raise ValueError(
            f"Network: activation has {len(value)} of the {hidden} entries wanted, one a hidden layer"
        )
    return [_activation(f"activation[{n}]", one) for n, one in enumerate(value)]


def checked_output(value: OneOutput | None, loss: Any) -> list[Activation | RowFunction]:
    """A new layer that makes the outputs, or none."""
    if value is None or value == "identity":
        return []
    made: Activation | RowFunction = _function("output", value, {**activations(), **row_functions()})
    if isinstance(made, RowFunction) and getattr(loss, "outputs_per_target", 1) > 1:
        raise ValueError(
            f"Network: output is {value!r}, and loss={kind_of(loss, LOSSES)!r} has outputs of several kinds in a row; "
            "wanted 'identity', or an activation"
        )
    if kind_of(loss, LOSSES) in OF_SCORES:
        raise ValueError(
            f"Network: output is {value!r}, and loss={kind_of(loss, LOSSES)!r} takes the scores themselves; wanted "
            "None: predict_proba makes probabilities of them"
        )
    return [made]


def checked_dropout(value: Any, hidden: int) -> list[float]:
    """The rate of what enters each affine layer: of the inputs, then of each hidden layer."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(value, (list, tuple)):
        return [0.0, *(fraction("Network", "dropout", value) for _ in range(max(hidden, 1)))][: hidden + 1]
    if len(value) != hidden + 1:
        raise ValueError(
            f"Network: dropout has {len(value)} of the {hidden + 1} entries wanted, one of the inputs and one a hidden "
            "layer"
        )
    return [fraction("Network", f"dropout[{n}]", rate) for n, rate in enumerate(value)]


def _activation(name: str, value: Any) -> Activation:
    """A new activation."""
    cls = value if isinstance(value, type) else type(value)
    if issubclass(cls, RowFunction) and cls.kind:
        raise TypeError(
            f"Network: {name} is {cls.__name__}, a function of the whole row, which outputs may have, not hidden "
            f"layers: output={cls.kind!r}, or net.layers.insert"
        )
    one: Activation = _function(name, value, activations())
    return one


def _function(name: str, value: Any, known: dict[str, Any]) -> Any:
    """A new layer of one of the known kinds: that of a name, a class or an object."""
    if isinstance(value, type) or (isinstance(value, (Activation, RowFunction)) and not own_methods(value)):
        cls = value if isinstance(value, type) else type(value)
        if issubclass(cls, (Activation, RowFunction)) and cls.kind in known:
            options = {} if isinstance(value, type) else value.options()
            return cls.of(options, {})
    if not isinstance(value, str):
        what = f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
        raise TypeError(
            f"Network: {name} is {what}, wanted one of {', '.join(map(repr, known))}, or a class or an object of "
            "these; a layer of your own takes a place in net.layers: net.layers['Relu1'] = Mine()"
        )
    return known[one_of(name, value, known)]()


def checked_loss(
    value: Any, outputs: int, target_mean: ArrayLike | None = None, target_scale: ArrayLike | None = None
) -> Any:
    """The loss of a name, or the one that is given, for so many outputs, and for targets that are scaled so."""
    named = isinstance(value, str)
    loss = LOSSES[one_of("loss", value, LOSSES)]() if named else a_layer("Network: loss", value)
    scaling = {"target_mean": target_mean, "target_scale": target_scale}
    for name, given in scaling.items():
        if given is not None:
            require_scaled(name, given, loss)
            setattr(loss, name, given)
    if isinstance(loss, Loss):
        loss.target_table(outputs)  # which raises where it is for another number of them
    return loss


def require_scaled(name: str, value: Any, loss: Any) -> None:
    """Raise for a scaling of targets that the loss has not."""
    if not isinstance(loss, LossOfScaledNumbers):
        has = [cls.kind for cls in LOSSES.values() if issubclass(cls, LossOfScaledNumbers)]
        kind = kind_of(loss, LOSSES) or type(loss).__name__
        raise ValueError(
            f"Network: {name} is {value!r}, and loss={kind!r} does not scale targets; {', '.join(has)} do"
        )


def per_feature(name: str, value: ArrayLike, inputs: int, dtype: np.dtype[Any]) -> Array:
    """One number or one an input, finite in the network's `dtype`, as read-only float64 that is not rounded to it."""
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        array = np.array(real_array("Network", name, value), dtype=np.float64)
        finite = np.isfinite(array.astype(dtype))
    if array.shape not in ((), (inputs,)):
        raise ValueError(
            f"Network: {name} has shape {array.shape}, wanted one finite number or {inputs}, one an input"
        )
    if not finite.all():
        wrong = int(finite.argmin())
        column = f"[{wrong}]" if array.ndim else ""
        constant = np.isinf(array.flat[wrong]) and name == "input_scale"
        hint = (
            "; Network.standardised does not scale constant columns, whose deviation is 0" if constant else ""
        )
        if np.isfinite(array.flat[wrong]):
            hint = "; float64 holds it" + ("" if name == "input_mean" else ", or write it in a smaller unit")
        raise ValueError(
            f"Network: {name}{column} is {array.flat[wrong]}, wanted finite numbers of {dtype}{hint}"
        )
    return read_only_copy(array)  # a plan has a copy of it
