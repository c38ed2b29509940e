"""What losses have in common: targets, weights of rows, and what classes their outputs say."""

from typing import Any, ClassVar

import numpy as np

from backprop._util.arrays import Array, any_targets, class_targets, labels_of, number_targets
from backprop.layers.base import LOSSES, Layer, list_available, takes
from backprop.layers.weighting import RowWeights


class Loss(Layer):
    """The last layer of a network: `forward(x, t)` is the mean loss, `backward(dout)` the gradient of x.

    Attributes
    ----------
    classifies : bool or None
        Whether outputs are classes, which have an accuracy; None if that is not known.
    binary : bool
        Whether each output stands for yes above 0 and no below: one output alone classifies.
    function : str
        What the function of `backprop.graph` for it is called.

    A loss in which rows have weights takes them as an argument, `forward(x, t, sample_weight=None)`.
    """

    caches: ClassVar[tuple[str, ...]] = ("loss", "y", "t")
    classifies: ClassVar[bool | None] = None
    binary: ClassVar[bool] = False
    function: ClassVar[str] = ""
    _registry = LOSSES

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if vars(cls).get("kind"):
            list_available(cls, "losses")

    def checked_targets(self, owner: str, t: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
        """`t` as `forward` takes it for scores of this shape and type; raises if it is something else."""
        return targets_by_class(self.classifies, owner, t, shape, dtype)

    @property
    def weighs(self) -> bool:
        """Whether rows have weights although samples have none."""
        return False

    def row_weights(self, t: Array, sample_weight: Array | None) -> RowWeights | None:
        """The weight and the divisor of each row of checked targets; None where all are 1."""
        return None if sample_weight is None else (sample_weight, sample_weight)

    def target_table(self, outputs: int) -> Array | None:
        """Slope and rest of targets that are made of those given, (2, outputs) float64; None where none are."""
        return None


def weighted(sample_weight: Any) -> dict[str, Any]:
    """Weights of samples as an argument, where there are some: what a user overrides may not take them."""
    return {} if sample_weight is None else {"sample_weight": sample_weight}


def targets_by_class(
    classifies: bool | None, owner: str, t: Any, shape: tuple[int, int], dtype: np.dtype[Any]
) -> Array:
    """Targets of a loss that only says whether it classifies: labels or weights, numbers, or anything of many rows."""
    if classifies is None:
        return any_targets(owner, t, shape[0])
    return (class_targets if classifies else number_targets)(owner, t, shape, dtype)


def loss_of(loss: Any, scores: Any, t: Any, sample_weight: Any = None) -> Any:
    """Go forward through any loss, with weights of samples if there are some."""
    if sample_weight is None:
        return loss.forward(scores, t)
    if not takes(loss.forward, "sample_weight"):
        raise TypeError(
            f"{type(loss).__name__} takes no weights of samples, wanted a loss with "
            "forward(x, t, sample_weight=None)"
        )
    return loss.forward(scores, t, sample_weight=sample_weight)


def classifies(loss: Any) -> bool | None:
    """Whether a loss is over classes, as its attribute `classifies` says; None if it says nothing."""
    said = getattr(loss, "classifies", None)
    return said if isinstance(said, bool) else None


def has_classes(loss: Any, outputs: int) -> bool | None:
    """Whether a network of so many outputs classifies, as its loss says; None if that says nothing."""
    return outputs == 1 if is_binary(loss) else classifies(loss)


def is_binary(loss: Any) -> bool:
    """Whether outputs stand for yes or no, each alone."""
    return getattr(loss, "binary", False) is True


def labels_of_targets(loss: Any, t: Array) -> Array:
    """The classes of checked targets; below 0 where a row has none."""
    return (2 * t[:, 0] > 1).astype(np.int64) if is_binary(loss) else labels_of(t)


def labels_with_a_class(owner: str, loss: Any, t: Array) -> Array:
    """The same; raises where no row has a class, for then there is no accuracy."""
    labels = labels_of_targets(loss, t)
    if not (labels >= 0).any():
        what = "weights of t are 0" if t.ndim == 2 else "labels of t are the ignored one"
        raise ValueError(f"{owner}: all {what}, wanted at least one row with a class")
    return labels


def labels_of_scores(loss: Any, scores: Array) -> Array:
    """The classes that scores say."""
    return (scores[:, 0] > 0).astype(np.int64) if is_binary(loss) else scores.argmax(axis=1)


def row_weights_of(loss: Any, t: Array, sample_weight: Array | None) -> RowWeights | None:
    """The weights of rows of checked targets, of any loss."""
    if isinstance(loss, Loss):
        return loss.row_weights(t, sample_weight)
    return None if sample_weight is None else (sample_weight, sample_weight)


def checked_targets(loss: Any, owner: str, t: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
    """`t` as a loss takes it for scores of this shape and type: checked, and of that type.

    For a loss that does not say what it takes, they stay as they are.
    """
    if isinstance(loss, Loss):
        return type(loss).checked_targets(loss, owner, t, shape, dtype)
    return targets_by_class(classifies(loss), owner, t, shape, dtype)
