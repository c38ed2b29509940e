"""What the book's networks, layers and trainer are asked for, checked."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, real_array
from backprop._util.names import did_you_mean
from backprop._util.settings import switch
from backprop.network.initial_weights import checked_std

# The variance of weights, times a layer's inputs, by the names that the book has for it.
GAINS = {"relu": 2.0, "he": 2.0, "sigmoid": 1.0, "xavier": 1.0}


def initial_stds(owner: str, value: Any, inputs: Sequence[int], dtype: np.dtype[Any]) -> list[float]:
    """The standard deviation of the weights of each affine layer, which has so many inputs."""
    names = ", ".join(map(repr, GAINS))
    if not isinstance(value, str):
        std = checked_std(owner, "weight_init_std", value, dtype, f", or one of {names}")
        return len(inputs) * [std]
    if value.lower() not in GAINS:
        raise ValueError(
            f"{owner}: weight_init_std is {value!r}, wanted a standard deviation or one of {names}"
            f"{did_you_mean(value, GAINS)}"
        )
    return [float(np.sqrt(GAINS[value.lower()] / count)) for count in inputs]


def checked_units(owner: str, input_size: Any, hidden_size_list: Any, output_size: Any) -> list[int]:
    """Units of each layer from input to output."""
    if isinstance(hidden_size_list, (str, bytes)) or not hasattr(hidden_size_list, "__iter__"):
        raise TypeError(
            f"{owner}: hidden_size_list is {hidden_size_list!r}, wanted a list of whole numbers such as [100, 100]"
        )
    hidden = [whole(owner, f"hidden_size_list[{n}]", size) for n, size in enumerate(hidden_size_list)]
    return [whole(owner, "input_size", input_size), *hidden, whole(owner, "output_size", output_size)]


def checked_pair(owner: str, names: tuple[str, str], x: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
    """Samples and targets as arrays of as many rows, at least one."""
    rows, targets = (real_array(owner, name, value) for name, value in zip(names, (x, t), strict=True))
    if not rows.ndim or not targets.ndim or len(rows) != len(targets) or not len(rows):
        raise ValueError(
            f"{owner}: {names[0]} has shape {rows.shape}, {names[1]} has {targets.shape}, wanted as many rows in both, "
            "at least one"
        )
    return rows, targets


def whole(owner: str, name: str, value: object) -> int:
    """A whole number of at least 1."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or value.__index__() < 1:
        raise ValueError(f"{owner}: {name} is {value!r}, wanted a whole number of at least 1")
    return int(value.__index__())


def told_to_train(owner: str, train_flg: Any, training: bool | None) -> bool:
    """Whether a pass is one of training: what a network says stands before the argument's default."""
    return switch(owner, "train_flg", train_flg) if training is None else training
