"""A NumPy twin of the kernels of every loss of numbers, as in reference.py."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]


def squared_error(x: Array, t: Array, dx: Array, threads: int | None = None) -> float:
    """dx = (x − t) / B; returns the mean over the batch of Σ (x − t)² / 2."""
    loss = squared_error_forward(x, t)
    squared_error_backward(x, t, 1.0, dx)
    return loss


def squared_error_forward(x: Array, t: Array, threads: int | None = None) -> float:
    """The mean over the batch of Σ (x − t)² / 2."""
    return float(np.square(x - t).sum() / 2 / len(x))


def squared_error_backward(x: Array, t: Array, dout: float, dx: Array, threads: int | None = None) -> None:
    """dx = dout·(x − t) / B."""
    dx[...] = dout * (x - t) / len(x)


def huber(x: Array, t: Array, delta: float, dx: Array, threads: int | None = None) -> float:
    """dx = clip(x − t, −delta, delta) / B; returns huber_forward."""
    huber_backward(x, t, 1.0, delta, dx)
    return huber_forward(x, t, delta)


def huber_forward(x: Array, t: Array, delta: float, threads: int | None = None) -> float:
    """The mean over the batch of Σ c·(|x − t| − c/2), c = min(|x − t|, delta)."""
    distance = np.abs(x - t)
    c = np.minimum(distance, delta)
    return float((c * (distance - c / 2)).sum() / len(x))


def huber_backward(
    x: Array, t: Array, dout: float, delta: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout·clip(x − t, −delta, delta) / B."""
    dx[...] = dout * np.clip(x - t, -delta, delta) / len(x)


def absolute_error(x: Array, t: Array, dx: Array, threads: int | None = None) -> float:
    """The gradient of absolute_error_forward, which is returned."""
    absolute_error_backward(x, t, 1.0, dx)
    return absolute_error_forward(x, t)


def absolute_error_forward(x: Array, t: Array, threads: int | None = None) -> float:
    """The mean over the batch of Σ |x − t|."""
    return float(np.abs(x - t).sum() / len(x))


def absolute_error_backward(x: Array, t: Array, dout: float, dx: Array, threads: int | None = None) -> None:
    """dx = dout·sign(x − t) / B."""
    dx[...] = dout * np.sign(x - t) / len(x)


def log_cosh(x: Array, t: Array, dx: Array, threads: int | None = None) -> float:
    """The gradient of log_cosh_forward, which is returned."""
    log_cosh_backward(x, t, 1.0, dx)
    return log_cosh_forward(x, t)


def log_cosh_forward(x: Array, t: Array, threads: int | None = None) -> float:
    """The mean over the batch of Σ log(cosh(x − t))."""
    return float((np.logaddexp(x - t, t - x) - np.log(2)).sum() / len(x))


def log_cosh_backward(x: Array, t: Array, dout: float, dx: Array, threads: int | None = None) -> None:
    """dx = dout·tanh(x − t) / B."""
    dx[...] = dout * np.tanh(x - t) / len(x)


def quantile(x: Array, t: Array, quantile: float, dx: Array, threads: int | None = None) -> float:
    """The gradient of quantile_forward, which is returned."""
    quantile_backward(x, t, 1.0, quantile, dx)
    return quantile_forward(x, t, quantile)


def quantile_forward(x: Array, t: Array, quantile: float, threads: int | None = None) -> float:
    """The mean over the batch of Σ max(quantile·(t − x), (1 − quantile)·(x − t))."""
    return float(np.maximum(quantile * (t - x), (1 - quantile) * (x - t)).sum() / len(x))


def quantile_backward(
    x: Array, t: Array, dout: float, quantile: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout·(1 − quantile where x > t, −quantile where x < t, 0 where they are equal) / B."""
    dx[...] = dout * (np.sign(x - t) / 2 + (0.5 - quantile) * (x != t)) / len(x)
