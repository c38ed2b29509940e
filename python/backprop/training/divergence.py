"""Warnings of losses and parameters that are not finite, with what the data tell of the cause."""

import sys
import warnings
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop._util.sparse import SparseRows
from backprop.optimizers.base import Optimizer
from backprop.training.history import History
from backprop.training.protocol import Trainable


def warn_of_loss(
    net: Trainable, x: Array, t: Array, losses: list[float], done: int, optimizer: Optimizer | None
) -> None:
    """Say at which step the loss was not finite, and why if the data tells."""
    n = int(np.isfinite(losses).argmin())
    advice = _bad_data(net, x, t) or f"x and t are finite; {_too_large(optimizer)}"
    _warn(f"fit: the loss of step {done + n + 1} is {losses[n]}: {advice}")


def warn_of_validation(net: Trainable, history: History, validation: tuple[Array, Array]) -> None:
    """Say after which step the loss of the validation data was not finite, and why if the data tells."""
    where = f"fit: the validation loss after step {history.evaluated_at[-1]} is {history.validation_loss[-1]}"
    cause = _bad_data(net, *validation)
    _warn(f"{where}: {'in validation, ' + cause if cause else 'its x and t are finite, the outputs are not'}")


def warn_of_parameters(net: Trainable, steps: int, optimizer: Optimizer | None) -> None:
    """Say which parameters the last steps have ruined, whose losses were taken before."""
    ruined = [key for key, array in net.params.items() if not np.isfinite(array).all()]
    if ruined:
        _warn(f"fit: after step {steps} {', '.join(ruined)} are not finite: {_too_large(optimizer)}")


def _bad_data(net: Trainable, x: Array, t: Array) -> str:
    """Which number is not finite and what to do; nothing if all are."""
    cause = not_finite("x", x, net.dtype) or not_finite("t", t, net.dtype)
    return f"{cause}; leave such samples out or fill them in" if cause else ""


def _too_large(optimizer: Optimizer | None) -> str:
    if optimizer is None:  # a method without a learning rate
        return "x may need scaling"
    return f"the learning rate may be too large ({optimizer!r}), or x needs scaling"


def _warn(text: str) -> None:
    # At the line that called the package.
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "backprop":
        frame, level = frame.f_back, level + 1
    warnings.warn(text, RuntimeWarning, stacklevel=level)


def not_finite(name: str, array: Array, dtype: np.dtype[Any], block: int = 4096) -> str:
    """Which is the first number that is not finite in a type, in words; nothing if there is none."""
    for start in range(0, len(array) if array.dtype.kind == "f" else 0, block):
        part = array[start : start + block]
        if isinstance(part, SparseRows):
            if found := _of_sparse(name, start, part, dtype):
                return found
            continue
        with np.errstate(over="ignore"):
            wrong = ~np.isfinite(part.astype(dtype, copy=False))
        if wrong.any():
            place = np.unravel_index(wrong.argmax(), part.shape)
            index = ", ".join(map(str, (start + int(place[0]), *map(int, place[1:]))))
            return f"{name}[{index}] is {part[place]}, no finite number of {dtype}"
    return ""


def _of_sparse(name: str, start: int, rows: SparseRows, dtype: np.dtype[Any]) -> str:
    """The same of sparse rows, the first of which is row `start`."""
    with np.errstate(over="ignore"):
        wrong = ~np.isfinite(rows.data.astype(dtype, copy=False))
    if not wrong.any():
        return ""
    n = int(wrong.argmax())
    row = start + int(np.searchsorted(rows.indptr, n, side="right")) - 1
    return f"{name}[{row}, {rows.indices[n]}] is {rows.data[n]}, no finite number of {dtype}"
