"""What `fit` is asked for, all of it checked before anything changes."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array
from backprop._util.sparse import memory_of
from backprop.layers.base_loss import has_classes, labels_with_a_class
from backprop.layers.buffers import buffers_of
from backprop.layers.weighting import sample_weights
from backprop.training.callbacks import Callback
from backprop.training.protocol import Trainable


def data(net: Trainable, x: ArrayLike, t: ArrayLike, other: Trainable) -> tuple[Array, Array]:
    """Samples and targets as they are trained on: a view, and a copy, whose shapes nobody else changes meanwhile.

    `other` is a network that training changes too, or the same.
    """
    rows = net._readable_rows(x)
    if not len(rows):
        raise ValueError("fit: x has 0 rows, wanted at least 1")
    if len(rows) >= 2**32:
        raise ValueError(f"fit: x has {len(rows)} rows, wanted fewer than 2**32")
    changed = [
        array for one in (net, other) for array in (*one.params.values(), *buffers_of(one.layers).values())
    ]
    if any(np.may_share_memory(part, array) for part in memory_of(rows) for array in changed):
        rows = rows.copy()  # training would change it
    return rows.view(), np.array(net.targets_for("fit", t, len(rows)))


def weights(value: ArrayLike | None, rows: int) -> Array | None:
    """Weights of samples, in a copy that nobody else changes meanwhile; None without them."""
    found = sample_weights("fit", value, rows)
    return None if found is None else found.copy()


def validation_data(
    net: Trainable, validation: Any, other: Trainable
) -> tuple[Array, Array, Array | None] | None:
    """The validation data and the weights of its samples, if there are some; None without data."""
    if validation is None:
        return None
    if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
        got = (
            f"has {len(validation)} parts"
            if isinstance(validation, (tuple, list))
            else f"is a {type(validation).__name__}"
        )
        raise TypeError(
            f"fit: validation {got}, wanted a pair of arrays (x, t), which is not split off x, or (x, t, sample_weight)"
        )
    try:
        x, t = data(net, validation[0], validation[1], other)
        if has_classes(net.lastLayer, net.sizes[-1]):
            labels_with_a_class("fit", net.lastLayer, t)
        return x, t, weights(validation[2] if len(validation) == 3 else None, len(x))
    except (TypeError, ValueError) as error:
        text = str(error).removeprefix("fit: ").removeprefix("Network: ")
        raise type(error)(f"fit: validation: {text}") from None


def whole(name: str, value: Any) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"fit: {name} is {value!r}, wanted a whole number of at least 1")
    if value < 1:
        raise ValueError(f"fit: {name} is {value}, wanted a whole number of at least 1")
    return int(value)


def switch(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"fit: {name} is {value!r}, wanted True or False")
    return bool(value)


def functions(callbacks: Any) -> Sequence[Callback | Callable[..., Any]]:
    """A sequence of callbacks, or of callables that take a network and a history."""
    if isinstance(callbacks, str) or not isinstance(callbacks, Iterable):
        raise TypeError(
            f"fit: callbacks is {callbacks!r}, wanted a sequence of callables, such as [function]"
        )
    found = list(callbacks)
    for n, one in enumerate(found):
        if isinstance(one, Callback):
            if one.every is not None:
                whole(f"callbacks[{n}].every", one.every)
            continue
        wanted = "wanted a callable that is called as f(network, history), or a Callback"
        if isinstance(one, type):
            raise TypeError(f"fit: callbacks[{n}] is the class {one.__name__}, {wanted}")
        if not callable(one):
            raise TypeError(f"fit: callbacks[{n}] is {one!r}, {wanted}")
        try:
            signature = inspect.signature(one)
        except (TypeError, ValueError):  # some that are built in have none
            continue
        try:
            signature.bind(None, None)
        except TypeError as error:
            name = getattr(one, "__name__", type(one).__name__)
            raise TypeError(f"fit: callbacks[{n}] is {name}{signature}, {wanted}: {error}") from None
    return found
