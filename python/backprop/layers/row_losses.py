"""What losses have in common that have one of each row, and of the batch their mean by weights."""

import math
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, floats, number, number_targets, require_cache
from backprop._util.names import named_arguments
from backprop._util.settings import numbers, positive_numbers
from backprop.layers.base_loss import Loss
from backprop.layers.descriptors import Option
from backprop.layers.weighting import (
    RowWeights,
    made_targets,
    normalisation,
    sample_weights,
    scaled_targets,
    shares_of,
)
from bpcore import kernels


class LossOfRows(Loss):
    """A loss that has one of each row, and of the batch their mean by weights."""

    # Numbers that the kernels take, and the other arguments of the constructor, each with its default.
    option_names: ClassVar[tuple[str, ...]] = ()
    other_options: ClassVar[dict[str, Any]] = {"normalise": "weights"}
    caches = (*Loss.caches, "targets", "shares")
    normalise: str = Option(normalisation)  # type: ignore[assignment]  # what a layer has

    def __new__(cls, *args: Any, **options: Any) -> Self:
        """Make it with the defaults, which subclasses with a constructor of their own and old pickles do not set."""
        made = super().__new__(cls)
        caches = dict.fromkeys(cls.caches)
        vars(made).update(caches | cls.other_options)
        return made

    def __init__(self, normalise: str = "weights") -> None:
        self.loss: float | None = None
        self.y: Array | None = None
        self.t: Array | None = None
        # What the kernels were given: targets as they were made, and the shares of the rows, if there are some.
        self.targets: Array | None = None
        self.shares: Array | None = None
        self.normalise = normalise

    @property
    def is_weighted(self) -> bool:
        """Whether the last pass was of rows with weights, or of other targets than those given."""
        return self.shares is not None or self.targets is not self.t

    def row_weights(self, t: Array, sample_weight: Array | None) -> RowWeights | None:
        """Weights of samples, divided by their sum, or by the number of rows."""
        if sample_weight is None:
            return None
        return sample_weight, sample_weight if self.normalise == "weights" else np.ones_like(sample_weight)

    def options(self) -> dict[str, Any]:
        """The arguments of the constructor: numbers, and what is not as by default."""
        numbers = dict(zip(self.option_names, self._numbers(), strict=True))
        others = {name: getattr(self, name) for name in self.other_options}
        return numbers | {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in others.items()
            if value != self.other_options[name]
        }

    def _numbers(self) -> list[Any]:
        """What the kernels are given of the options."""
        return [getattr(self, name) for name in self.option_names]

    def _checked(self, owner: str, x: ArrayLike, t: Any, sample_weight: ArrayLike | None) -> Array:
        """Scores, checked; keeps targets and shares as the kernels want them."""
        (x,) = floats(owner, x=x)
        if x.ndim != 2 or 0 in x.shape:
            raise ValueError(
                f"{owner}: x has shape {x.shape}, wanted (batch, {self._outputs_are()}), not empty"
            )
        t = self.checked_targets(owner, t, x.shape, x.dtype)
        weights = self.row_weights(t, sample_weights(owner, sample_weight, len(x)))
        table = self.target_table(x.shape[1])
        self.t, self.targets = t, t if table is None else self._made(t, table, x.dtype)
        self.shares = None if weights is None else shares_of(weights, x.dtype)
        return x

    # What is made of targets, and of the table that says how.
    _made = staticmethod(made_targets)

    def _outputs_are(self) -> str:
        return "classes" if self.classifies else "outputs"

    def __repr__(self) -> str:
        numbers = [f"{name}={getattr(self, name):g}" for name in self.option_names]
        others = [
            f"{name}={value!r}" for name, value in self.options().items() if name not in self.option_names
        ]
        return f"{type(self).__name__}({', '.join(numbers + others)})"


class LossOfNumbers(LossOfRows):
    """A loss of outputs that are numbers, from kernels that its `kind` names.

    Its options are attributes, which the kernels take in the order of `option_names`.

    Attributes
    ----------
    target_range : (low, high)
        Where targets have to lie; NaN lies nowhere then.
    outputs_per_target : int
        How many outputs there are for each target, in parts: all of the first, then all of the second.
    """

    target_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    outputs_per_target: ClassVar[int] = 1

    _kernels: ClassVar[tuple[Callable[..., float], Callable[..., None]]]
    _weighted_kernels: ClassVar[tuple[Callable[..., float], Callable[..., None]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if kind := vars(cls).get("kind"):
            cls._kernels = getattr(kernels, f"{kind}_forward"), getattr(kernels, f"{kind}_backward")
            cls._weighted_kernels = (
                getattr(kernels, f"weighted_{kind}_forward"),
                getattr(kernels, f"weighted_{kind}_backward"),
            )

    def checked_targets(self, owner: str, t: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
        """`t` as `forward` takes it: numbers, within `target_range`."""
        wanted = shape[0], shape[1] // self.outputs_per_target
        found, (low, high) = number_targets(owner, t, wanted, dtype), self.target_range
        if low == -math.inf:
            return found
        right = (found >= low) & (found <= high)
        if not right.all():
            row, column = divmod(int(right.argmin()), wanted[1])
            bounds = f"at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
            raise ValueError(
                f"{owner}: t[{row}, {column}] is {found[row, column]:g}, wanted numbers {bounds}"
            )
        return found

    def forward(self, x: ArrayLike, t: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the loss of outputs `x` (B, K) for targets `t` (B, K), or (B,) where K is 1.

        `sample_weight` (B,), from 0 on, multiplies the loss of each row, and what their sum is divided by. A row of
        weight 0 has no loss and no gradient, whatever its target is, if it is one that the loss takes.
        """
        x = self._checked(f"{type(self).__name__}.forward", x, t, sample_weight)
        if self.shares is None:
            self.loss = float(self._kernels[0](x, self.targets, *self._numbers()))
        else:
            self.loss = float(self._weighted_kernels[0](x, self.targets, self.shares, *self._numbers()))
        self.y = x
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """Return the gradient of x; `dout` is a number, the gradient of the loss."""
        owner = f"{type(self).__name__}.backward"
        y: Array = require_cache(owner, self.y)
        dout = number(owner, "dout", dout)
        dx = np.empty_like(y)
        if self.shares is None:
            self._kernels[1](y, require_cache(owner, self.targets), dout, *self._numbers(), dx)
        else:
            self._weighted_kernels[1](y, self.targets, self.shares, dout, *self._numbers(), dx)
        return dx


class Scaling(Option):
    """An option that scales targets."""

    def __set__(self, layer: Any, value: Any) -> None:
        super().__set__(layer, value)
        held = vars(layer)
        held["scales_targets"] = any(
            held[name] != default for name, default in (("target_mean", 0.0), ("target_scale", 1.0))
        )


class LossOfScaledNumbers(LossOfNumbers):
    """A loss of numbers that may be computed in another unit than that of the targets.

    It is then that of the targets (t - target_mean)·target_scale, and outputs stand for y / target_scale + target_mean.

    Attributes
    ----------
    target_mean, target_scale : float, or tuple of float with one an output
    """

    other_options: ClassVar[dict[str, Any]] = {
        "normalise": "weights",
        "target_mean": 0.0,
        "target_scale": 1.0,
    }
    target_mean: float | tuple[float, ...] = Scaling(numbers)  # type: ignore[assignment]  # what a layer has
    target_scale: float | tuple[float, ...] = Scaling(positive_numbers)  # type: ignore[assignment]
    # Whether it is computed in another unit: kept, since `predict` of a small network asks.
    scales_targets: bool = False
    _made = staticmethod(scaled_targets)

    @named_arguments
    def __init__(
        self, normalise: str = "weights", *, target_mean: ArrayLike = 0.0, target_scale: ArrayLike = 1.0
    ) -> None:
        super().__init__(normalise)
        self.target_mean, self.target_scale = target_mean, target_scale  # type: ignore[assignment]  # made of these

    def target_table(self, outputs: int) -> Array | None:
        """Slope and rest of targets as they are scaled."""
        for name in ("target_mean", "target_scale"):
            value = getattr(self, name)
            if isinstance(value, tuple) and len(value) != outputs:
                raise ValueError(
                    f"{type(self).__name__}: {name} has {len(value)} numbers, wanted {outputs}, one an output"
                )
        if not self.scales_targets:
            return None
        mean, scale = (np.broadcast_to(one, outputs) for one in (self.target_mean, self.target_scale))
        with np.errstate(over="ignore"):  # which is refused
            table = np.array([scale, -np.multiply(mean, scale)], dtype=np.float64)
        if not np.isfinite(table).all():
            raise ValueError(
                f"{type(self).__name__}: target_mean·target_scale is {table[1].min():g}, wanted finite numbers"
            )
        return table

    def in_units_of_targets(self, y: Array, out: Array | None = None) -> Array:
        """Outputs in the targets' unit: y / target_scale + target_mean, in float64, rounded to y's type.

        Parameters
        ----------
        y : ndarray of shape (B, K)
        out : ndarray of the same shape and type, optional
            What takes them; it may be y.
        """
        mean, scale = (np.asarray(one, np.float64) for one in (self.target_mean, self.target_scale))
        with np.errstate(over="ignore", invalid="ignore"):  # infinite then, as other outputs
            found = np.divide(y, scale, dtype=np.float64)
            found += mean
            made = np.empty_like(y) if out is None else out
            made[...] = found
        return made
