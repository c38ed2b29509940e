"""Losses of networks that classify, section 0091: softmax or sigmoid with cross-entropy, as one layer."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array, class_targets, number, require_cache
from backprop._util.names import named_arguments
from backprop._util.settings import fraction
from backprop.layers.descriptors import Option
from backprop.layers.row_losses import LossOfNumbers, LossOfRows
from backprop.layers.weighting import NO_LABEL, RowWeights, class_weights, label_or_none
from bpcore import kernels

__all__ = ["SigmoidWithLoss", "SoftmaxWithLoss"]


class SoftmaxWithLoss(LossOfRows):
    """Softmax and the mean cross-entropy loss, as one layer: `loss = mean(-Σ t·log softmax(x))`.

    Computed by log-sum-exp, so that no score overflows and no epsilon is needed; the gradient is that of the
    loss that is returned, for soft targets too.

    Parameters
    ----------
    label_smoothing : float, default 0
        From 0 to below 1: a target t becomes `(1 - label_smoothing)·t + label_smoothing·Σt / K` (Szegedy et al. 2016).
    class_weights : sequence of float, optional
        One a class, from 0 on: the term of class k in a row's loss is multiplied by `class_weights[k]`. The sum over
        the batch is divided by the weights of the rows' labels; with weights as targets by the number of rows. As
        PyTorch does it.
    ignored_label : int, optional
        Rows with this label count nothing: neither in the loss, nor what it is divided by, nor in the accuracy.
    normalise : "weights" or "count", default "weights"
        Whether the sum of the rows' losses is divided by the sum of their weights or by their number, those with an
        ignored label left out. Where that is 0, the loss and its gradient are. PyTorch's are NaN.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        Softmax of the last scores.
    t : ndarray or None
        The last targets: int64 labels (B,) or weights (B, K) of y's type.
    targets : ndarray or None
        The same, or the weights that label smoothing and class weights have made of them.
    shares : ndarray of shape (B,) or None
        Where rows have weights, what each row's loss was multiplied by.
    classifies : bool
        True: a network with this loss, or one that inherits from it, takes labels or weights and has an accuracy.

    Examples
    --------
    >>> layer = bp.SoftmaxWithLoss()
    >>> layer.forward([[1000.0, 0.0]], [1])
    1000.0
    >>> layer.backward()
    array([[ 1., -1.]])
    >>> bp.SoftmaxWithLoss(class_weights=[1, 3]).forward([[1.0, 0.0], [8.0, 0.0]], [0, 1], [2.0, 0.0])
    0.31326168751822286
    """

    kind, function, classifies = "softmax", "softmax_cross_entropy", True
    derivatives = ("{d}·(softmax({x})−{t})/B", "")
    other_options: ClassVar[dict[str, Any]] = {
        "label_smoothing": 0.0,
        "class_weights": None,
        "ignored_label": None,
        "normalise": "weights",
    }
    label_smoothing: float = Option(fraction)  # type: ignore[assignment]
    class_weights: tuple[float, ...] | None = Option(class_weights)  # type: ignore[assignment]
    ignored_label: int | None = Option(label_or_none)  # type: ignore[assignment]

    @named_arguments
    def __init__(
        self,
        label_smoothing: float = 0.0,
        class_weights: Any = None,
        ignored_label: int | None = None,
        normalise: str = "weights",
    ) -> None:
        super().__init__(normalise)
        self.label_smoothing, self.class_weights = label_smoothing, class_weights
        self.ignored_label = ignored_label

    def forward(self, x: ArrayLike, t: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the loss of scores `x` (B, K) for labels `t` (B,) or weights `t` (B, K).

        `sample_weight` (B,), from 0 on, multiplies the loss of each row, and what their sum is divided by.
        """
        x = self._checked("SoftmaxWithLoss.forward", x, t, sample_weight)
        y, targets = np.empty_like(x), self._targets()
        if self.shares is None:
            self.loss = float(kernels.softmax_cross_entropy_forward(x, targets, y))
        else:
            self.loss = float(kernels.weighted_softmax_cross_entropy_forward(x, targets, self.shares, y))
        self.y = y
        return self.loss

    def backward(self, dout: Any = 1) -> Array:
        """Return `dx = dout·(y·Σt - t) / B`; `dout` is a number, the gradient of the loss.

        Where rows have weights, their shares stand for 1 / B.
        """
        y: Array = require_cache("SoftmaxWithLoss.backward", self.y)
        dout = number("SoftmaxWithLoss.backward", "dout", dout)
        dx = np.empty_like(y)
        if self.shares is None:
            kernels.softmax_cross_entropy_backward(y, self._targets(), dout, dx)
        else:
            kernels.weighted_softmax_cross_entropy_backward(y, self._targets(), self.shares, dout, dx)
        return dx

    def _targets(self) -> Array:
        """What the kernels are given: labels of rows that are left out are any."""
        targets: Array = require_cache("SoftmaxWithLoss.backward", self.targets)
        left_out = targets.ndim == 1 and self.ignored_label is not None
        return np.where(targets < 0, 0, targets) if left_out else targets

    def probabilities(self, scores: Array) -> Array:
        """Softmax of every row of scores: what `predict_proba` returns. Nothing is kept."""
        y = np.empty_like(scores)
        kernels.softmax(scores, y)
        return y

    def checked_targets(self, owner: str, t: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
        """`t` as `forward` takes it; rows with the ignored label have `NO_LABEL`."""
        if self.ignored_label is None or np.ndim(t) != 1:
            return class_targets(owner, t, shape, dtype)
        given = np.asarray(t)
        left_out = (given == self.ignored_label) | (given == NO_LABEL)
        if given.dtype.kind not in "iu" or not left_out.any():
            return class_targets(owner, t, shape, dtype)
        labels = class_targets(owner, np.where(left_out, 0, given), shape, dtype)
        labels[left_out] = NO_LABEL
        return labels

    @property
    def weighs(self) -> bool:
        """Whether rows have weights although samples have none."""
        return self.class_weights is not None or self.ignored_label is not None

    def row_weights(self, t: Array, sample_weight: Array | None) -> RowWeights | None:
        """The weight of each row, and what it adds to the sum that is divided by."""
        if not self.weighs or t.ndim == 2:
            return super().row_weights(t, sample_weight)
        labelled = t >= 0
        rows = (
            labelled.astype(np.float64) if sample_weight is None else np.where(labelled, sample_weight, 0.0)
        )
        if self.normalise == "count":
            return rows, labelled.astype(np.float64)
        if self.class_weights is None:
            return rows, rows
        of_labels = np.array(self.class_weights)[np.where(labelled, t, 0)]
        return rows, rows * of_labels

    def target_table(self, outputs: int) -> Array | None:
        """Slope and rest of targets, as class weights and label smoothing make them."""
        if self.class_weights is None and not self.label_smoothing:
            return None
        weights = np.ones(outputs) if self.class_weights is None else np.array(self.class_weights)
        if len(weights) != outputs:
            raise ValueError(
                f"SoftmaxWithLoss: class_weights has {len(weights)} numbers, wanted {outputs}, one an output"
            )
        return np.array([weights * (1 - self.label_smoothing), weights * (self.label_smoothing / outputs)])


class SigmoidWithLoss(LossOfNumbers):
    """Sigmoid and the binary cross-entropy, as one layer: `loss = mean(Σ -t·log σ(x) - (1 - t)·log(1 - σ(x)))`.

    Each output stands for yes or no, by itself: one for a classifier of two classes, K where a sample may have any of
    K labels. The sum is over the outputs, the mean over the batch. Computed from the scores, so that none overflows.

    Parameters
    ----------
    normalise : "weights" or "count", default "weights"
        Whether weights of samples divide the loss by their sum or by the number of rows.

    Attributes
    ----------
    loss : float or None
        The last loss.
    y : ndarray of shape (B, K) or None
        The last scores.
    t : ndarray of shape (B, K) or None
        The last targets, from 0 to 1, of y's type; given as (B,), also integers or booleans, where K is 1.
    binary : bool
        True: a network of one output with this loss has an accuracy, its class being 1 where the score is above 0.

    Examples
    --------
    >>> layer = bp.SigmoidWithLoss()
    >>> layer.forward([[1000.0], [-1000.0]], [1, 1])
    500.0
    >>> layer.backward()
    array([[ 0. ],
           [-0.5]])
    """

    kind, function, classifies, binary = "binary_cross_entropy", "binary_cross_entropy", False, True
    derivatives = ("{d}·(σ({x})−{t})/B", "")
    target_range = (0.0, 1.0)

    def probabilities(self, scores: Array) -> Array:
        """Sigmoid of every score: what `predict_proba` returns. Nothing is kept."""
        y = np.empty_like(scores)
        kernels.sigmoid_forward(scores.reshape(-1), y.reshape(-1))
        return y
