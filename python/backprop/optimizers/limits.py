"""Penalties and limits, which every update rule takes beside what is its own."""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np

from backprop._util.arrays import Array
from backprop._util.settings import Check, limit, non_negative, switch
from bpcore import kernels


class Limits(TypedDict, total=False):
    """Penalties and limits: arguments and attributes of every optimizer.

    What a rule gets as the gradient is `clip(g) + weight_decay·w + l1·sign(w)`: weight_decay is L2, the gradient of
    `weight_decay·Σw² / 2`, but decoupled in `AdamW` and `Lion`. The loss that is reported is without penalties.

    Attributes
    ----------
    l1 : float, default 0
        At least 0: the gradient of `l1·Σ|w|`.
    clip_value : float or None
        Every number of a gradient is limited to ±clip_value.
    clip_norm : float or None
        All gradients of a step are multiplied by `min(1, clip_norm / (norm + 1e-6))`, norm that of all their numbers
        together. Not with `clip_value`.
    max_norm : float or None
        After a step, each column of a weight, the weights of one unit, whose norm is beyond it is brought back to it:
        multiplied by `max_norm / (norm + 1e-7)`.
    decay_biases : bool, default False
        Whether `weight_decay` and `l1` also act on arrays of fewer than two dimensions: biases, and what multiplies and
        shifts what was normalised. Other libraries' do.
    """

    l1: float
    clip_value: float | None
    clip_norm: float | None
    max_norm: float | None
    decay_biases: bool


LIMITS: dict[str, Check] = {
    "l1": non_negative,
    "clip_value": limit,
    "clip_norm": limit,
    "max_norm": limit,
    "decay_biases": switch,
}


def within_norm(grads: Mapping[str, Array], clip_norm: float) -> dict[str, Array]:
    """The gradients, their norm together at most `clip_norm`; new arrays where that changes them."""
    squares = sum(kernels.squared_norm(np.asarray(g).reshape(-1)) for g in grads.values())
    scale = np.minimum(clip_norm / (np.sqrt(squares) + 1e-6), 1)
    if scale == 1:
        return dict(grads)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):  # as a plan's steps do
        return {key: g * g.dtype.type(scale) for key, g in grads.items()}
