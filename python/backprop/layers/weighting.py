"""How much each row of a batch counts in a loss, and targets that label smoothing and class weights make.

a) Each row has a weight and a divisor, both float64. The loss is Σ weight·loss / Σ divisor; where the sum of the
   divisors is 0 so is the loss. A row of weight 0 has no loss and no gradient of its scores, whatever these and its
   target are.
b) `shares_of`, `made_targets` and `scaled_targets` are twins of the plan's targets.pxd, bit for bit.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import FLOAT64, Array, plural, real_array

# Of each row its weight and its divisor.
RowWeights = tuple[Array, Array]
# The label of a row that has none, which no user has by chance.
NO_LABEL = int(np.iinfo(np.int64).min)
# Sums of so large numbers, and of their products with weights of classes, are finite whatever the batch.
LARGEST = 1e100


def sample_weights(owner: str, value: ArrayLike | None, rows: int) -> Array | None:
    """Weights of samples, (rows,) float64 from 0 on; None for None."""
    if value is None:
        return None
    array = real_array(owner, "sample_weight", value)
    if array.shape != (rows,):
        raise ValueError(
            f"{owner}: x has {plural(rows, 'row')}, sample_weight has shape {array.shape}, wanted {(rows,)}"
        )
    return _weights(owner, "sample_weight", array)


def class_weights(owner: str, name: str, value: Any) -> tuple[float, ...] | None:
    """Weights of classes, at least one of them positive; None for None."""
    if value is None:
        return None
    if isinstance(value, (str, bytes, dict)) or not hasattr(value, "__iter__"):
        raise TypeError(f"{owner}: {name} is {value!r}, wanted a sequence of numbers, one a class")
    array = real_array(owner, name, value)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{owner}: {name} has shape {array.shape}, wanted one number a class")
    found = _weights(owner, name, array)
    if not found.any():
        raise ValueError(f"{owner}: {name} is all 0, wanted at least one positive number")
    return tuple(found.tolist())


def _weights(owner: str, name: str, array: Array) -> Array:
    found = np.ascontiguousarray(array, FLOAT64)
    right = (found >= 0) & (found <= LARGEST)
    if not right.all():
        first = int(right.argmin())
        raise ValueError(
            f"{owner}: {name}[{first}] is {found[first]:g}, wanted a number from 0 to {LARGEST:g}"
        )
    return found


def label_or_none(owner: str, name: str, value: Any) -> int | None:
    """A whole number that int64 holds, or None."""
    if value is None:
        return None
    if isinstance(value, bool) or not hasattr(value, "__index__") or not NO_LABEL < int(value) < 2**63:
        raise ValueError(f"{owner}: {name} is {value!r}, wanted a whole number of 64 bits, or None")
    return int(value)


def normalisation(owner: str, name: str, value: Any) -> str:
    """What the sum of the losses is divided by."""
    if value not in ("weights", "count"):
        raise ValueError(f"{owner}: {name} is {value!r}, wanted 'weights' or 'count'")
    return str(value)


def shares_of(row_weights: RowWeights, dtype: np.dtype[Any]) -> Array:
    """The share of each row of a batch in its loss."""
    rows, divisors = row_weights
    total = np.add.accumulate(divisors)[-1]  # in the order of the rows
    shares = rows / total if total > 0 else np.zeros_like(rows)
    return shares.astype(dtype)


def scaled_targets(t: Array, table: Array, dtype: np.dtype[Any]) -> Array:
    """Targets that are numbers, (B, K): slope·t + rest."""
    slope, rest = table
    scaled: Array = slope * t.astype(FLOAT64) + rest
    return scaled.astype(dtype)


def made_targets(t: Array, table: Array, dtype: np.dtype[Any]) -> Array:
    """Rows of weights, (B, K): slope·t + rest·Σt of rows t of weights, or of the one-hot rows of labels."""
    slope, rest = table
    if t.ndim == 1:
        made = np.empty((len(t), len(rest)))
        made[...] = rest
        labelled = np.flatnonzero(t >= 0)
        made[labelled, t[labelled]] = (slope + rest)[t[labelled]]
    else:
        weights = t.astype(FLOAT64)
        total = np.add.accumulate(weights, axis=1)[:, -1:]
        made = slope * weights + rest * total
    return made.astype(dtype)
