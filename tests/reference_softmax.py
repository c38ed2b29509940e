"""NumPy twins of softmax's backward and of its logarithm."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

__all__ = ["log_softmax", "log_softmax_backward", "softmax_backward"]


def softmax_backward(dout: Array, y: Array, dx: Array, threads: int | None = None) -> None:
    """dx = y·(dout − Σ dout·y) of each row."""
    dx[...] = y * (dout - (dout * y).sum(axis=1, keepdims=True))


def log_softmax(x: Array, y: Array, threads: int | None = None) -> None:
    """y = x − log Σ exp(x) along each row."""
    shifted = x - x.max(axis=1, keepdims=True, initial=-np.inf)
    totals = np.exp(shifted).sum(axis=1, keepdims=True)
    y[...] = shifted - np.log(totals, where=totals != 0, out=np.zeros_like(totals))  # 0 of rows of nothing


def log_softmax_backward(dout: Array, y: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout − exp(y)·Σ dout of each row."""
    dx[...] = dout - np.exp(y) * dout.sum(axis=1, keepdims=True)
