"""What is subtracted from inputs and what they are multiplied by: computed with, and taken from data.

a) A network computes with `(x - input_mean) * input_scale`. The difference is taken in float64 (an integer beyond 2⁵³
   is the float64 nearest to it and a rest), rounded to the network's type, then multiplied by the scale in that type.
   `scaled` does it for the layers and the plan's gather.pxd does the same, bit for bit.
b) Standardising data goes over it twice, block by block, so no copy of it is made in float64. Sums are of differences
   from the first row: a column of one value has the deviation 0, however its mean is rounded.
"""

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import FLOAT64, Array, plural, real_array, samples
from backprop.layers.row_losses import LossOfScaledNumbers
from backprop.network.arguments import checked_sizes, require_scaled
from backprop.network.class_names import names_in

# Numbers of float64 that standardising makes at once.
BLOCK = 1 << 20
# How much of a deviation of the targets rounding may take.
LOST = 2.0**-10


def difference(x: Array, mean: Array, out: Array) -> Array:
    """Write x − mean, taken in float64, to `out`, in its type; returns it."""
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        low = x & 2047  # what is left is a multiple of 2048, which float64 holds
        high, rest = (x - low).astype(np.float64), low.astype(np.float64)
        nearest = high + rest
        rest -= nearest - high
        np.add(nearest - mean, rest, out=out, casting="same_kind")
    else:
        np.subtract(x, mean, out=out, dtype=np.float64, casting="same_kind")
    return out


def scaled(x: Array, mean: Array, scale: Array, dtype: np.dtype[Any]) -> Array:
    """Return (x − mean)·scale as the first layer of a network of type `dtype` gets it."""
    inputs = difference(x, mean, np.empty(x.shape, dtype)) if mean.any() else np.ascontiguousarray(x, dtype)
    return inputs * scale.astype(dtype) if (scale != 1).any() else inputs


class Standardising:
    """The part of a network that scales targets, and the constructor that takes all scaling from data."""

    lastLayer: Any  # noqa: N815  # the notes' name

    @property
    def target_mean(self) -> float | tuple[float, ...]:
        """What targets are shifted by, an option of the loss; 0 where that has none. It may be assigned."""
        return getattr(self.lastLayer, "target_mean", 0.0)

    @target_mean.setter
    def target_mean(self, value: ArrayLike) -> None:
        self._scale_targets("target_mean", value)

    @property
    def target_scale(self) -> float | tuple[float, ...]:
        """What targets are multiplied by then, an option of the loss; 1 where that has none. It may be assigned."""
        return getattr(self.lastLayer, "target_scale", 1.0)

    @target_scale.setter
    def target_scale(self, value: ArrayLike) -> None:
        self._scale_targets("target_scale", value)

    def _scale_targets(self: Any, name: str, value: ArrayLike) -> None:
        require_scaled(name, value, self.lastLayer)
        twin = copy.copy(self.lastLayer)
        setattr(twin, name, value)
        twin.target_table(self.sizes[-1])  # which raises where they are not as many as the outputs
        setattr(self.lastLayer, name, value)

    @classmethod
    def standardised(
        cls, x: ArrayLike, sizes: Sequence[int], t: ArrayLike | None = None, **options: Any
    ) -> Self:
        """Make a network that standardises its inputs by these data: to mean 0 and deviation 1, column by column.

        With t the targets too, where they are numbers; where they are names of classes, the network knows them.

        Constant columns are shifted and not scaled. A column is constant if its values are equal or differ by rounding
        alone: they are not whole numbers, the deviation is at most `(n * 2**-53 + u) * max(abs(x))`, the error of a
        sum over n rows in float64 and that of storing it (u is half the distance from 1 to the next number of x's
        type), and there are no more than `4 * sqrt(n)` different values, as many as that error takes: n roundings of
        half a unit in the last place walk √n halves far, seldom four times that.

        Parameters
        ----------
        x : array of shape (N, I) or (N, …) with I elements a sample, any real type
            At least one row of finite numbers; nothing as large as x is made.
        sizes : sequence of int
            As for `Network`; `sizes[0]` is I.
        t : array of shape (N,) or (N, K), optional
            Targets: numbers, if the loss takes numbers and scales them, or classes.
        **options
            The other arguments of `Network`.

        Returns
        -------
        Network
            Its `input_mean` is the mean of x and its `input_scale` is 1 / deviation, both float64 of shape (I,), and
            so are `target_mean` and `target_scale`. A loss of counts or variances takes the targets as they are.

        Raises
        ------
        ValueError
            x or t has no rows, another number of columns, or something that is not finite; the network's type has not
            the digits of t.

        Examples
        --------
        >>> x = np.array([[20240101, 14.62], [20240103, 14.62]])
        >>> net = bp.Network.standardised(x, [2, 8, 2], seed=0)
        >>> print(net.input_mean, net.input_scale)
        [2.0240102e+07 1.4620000e+01] [1. 1.]
        """
        owner = f"{cls.__name__}.standardised"
        for name in ("input_mean", "input_scale"):
            if name in options:
                raise TypeError(f"{owner}: {name} is given, and is computed from x; wanted one of the two")
        if t is not None:
            for name in ("target_mean", "target_scale"):
                if name in options:
                    raise TypeError(
                        f"{owner}: {name} is given, and is computed from t; wanted one of the two"
                    )
        rows, sizes = samples(owner, x), checked_sizes(sizes)
        if rows.shape[1] != sizes[0]:
            raise ValueError(f"{owner}: x has {plural(rows.shape[1], 'column')}, sizes[0] is {sizes[0]}")
        mean, scale = mean_and_scale(owner, rows)
        net: Any = cls(sizes, input_mean=mean, input_scale=scale, **options)  # type: ignore[call-arg]  # of Network
        if t is not None:
            _take_targets(owner, net, t, len(rows))
        return cast("Self", net)


def _take_targets(owner: str, net: Any, t: ArrayLike, rows: int) -> None:
    """Let a network have the scaling of targets, or the names of classes."""
    names = names_in(owner, t)
    if names is not None and net.classes is None:  # those that are given have an order of their own
        net.classes = names
    targets = net.targets_for(owner, t, rows)
    loss: Any = net.lastLayer
    if not isinstance(net.lastLayer, LossOfScaledNumbers):
        return
    if loss.scales_targets:
        raise TypeError(
            f"{owner}: {loss!r} scales targets, and t is given, which says how; wanted one of the two"
        )
    numbers = real_array(owner, "t", t).reshape(rows, -1)
    mean, scale = mean_and_scale(owner, numbers, "t")
    # Of what is stored in the network's type a rounding is to be small beside the deviation.
    lost = np.abs(targets).max(axis=0) * np.finfo(net.dtype).eps * scale
    if (lost > LOST).any():
        column = int((lost > LOST).argmax())
        raise ValueError(
            f"{owner}: t reaches {np.abs(numbers[:, column]).max():g} and has the deviation {1 / scale[column]:g}, "
            f"whose digits {net.dtype} has not; wanted dtype='float64', or t from another origin"
        )
    loss.target_mean, loss.target_scale = mean, scale


def mean_and_scale(owner: str, x: Array, name: str = "x") -> tuple[Array, Array]:
    """Mean and 1 / deviation of each column, 1 where it is constant as `standardised` says."""
    rows, columns = x.shape
    if not rows:
        raise ValueError(f"{owner}: {name} has 0 rows, wanted at least 1")
    first, total, furthest = x[0].astype(np.float64), np.zeros(columns), np.zeros(columns)
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        for part in _differences(x, first):
            total += part.sum(axis=0)
            np.maximum(furthest, np.abs(part).max(axis=0), out=furthest)
    wrong = ~np.isfinite(total) | ~np.isfinite(furthest)
    if wrong.any():
        raise ValueError(f"{owner}: {_not_finite(x, int(wrong.argmax()), name)}")
    # As shares of the largest, whose squares neither overflow nor vanish.
    center, unit, squares = total / rows, np.where(furthest > 0, furthest, 1), np.zeros(columns)
    for part in _differences(x, first):
        squares += np.square((part - center) / unit).sum(axis=0)
    deviation = unit * np.sqrt(squares / rows)
    constant = _constant(x, deviation, np.abs(first) + furthest)
    with np.errstate(over="ignore"):  # as above
        scale = 1 / np.where(constant, 1, deviation)
    if not np.isfinite(scale).all():
        column = int(np.isfinite(scale).argmin())
        raise ValueError(
            f"{owner}: column {column} of {name} has the deviation {deviation[column]:g}, whose inverse no float64 "
            "holds; write it in a smaller unit"
        )
    return first + center, scale


def _differences(x: Array, first: Array) -> Iterator[Array]:
    """`x − first` block by block, C-contiguous whatever x is, so that sums have one order."""
    rows, columns = x.shape
    step = max(1, BLOCK // max(columns, 1))
    for start in range(0, rows, step):
        part = x[start : start + step]
        yield difference(part, first, np.empty(part.shape, FLOAT64))


def _constant(x: Array, deviation: Array, largest: Array) -> Array:
    """Whether the values of a column are equal, or differ by rounding alone."""
    constant: Array = deviation == 0
    if x.dtype.kind == "f":
        u = float(np.finfo(x.dtype).eps) / 2
        rounding: Array = deviation <= (len(x) * 2.0**-53 + u) * largest
        for column in np.flatnonzero(rounding & ~constant):
            values = x[:, column]
            # Whole numbers below 1/u were not rounded.
            rounded = largest[column] > 1 / u or bool((values != np.rint(values)).any())
            # In many rows the bound is wide, and there may be digits that are resolved well within it.
            constant[column] = rounded and len(np.unique(values)) <= 4 * math.sqrt(len(x))
    return constant


def _not_finite(x: Array, column: int, name: str) -> str:
    """What is wrong with a column."""
    bad = ~np.isfinite(x[:, column])
    if not bad.any():
        return f"column {column} of {name} spreads further than float64 reaches"
    row = int(bad.argmax())
    return f"{name}[{row}, {column}] is {x[row, column]}, wanted finite numbers"
