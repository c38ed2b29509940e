"""A NumPy twin of the kernels of every loss of numbers, as in reference.py."""

import inspect
from collections.abc import Callable
from typing import Any

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


def binary_cross_entropy(x: Array, t: Array, dx: Array, threads: int | None = None) -> float:
    """The gradient of binary_cross_entropy_forward, which is returned."""
    binary_cross_entropy_backward(x, t, 1.0, dx)
    return binary_cross_entropy_forward(x, t)


def binary_cross_entropy_forward(x: Array, t: Array, threads: int | None = None) -> float:
    """The mean over the batch of Σ −t·log σ(x) − (1 − t)·log(1 − σ(x)), log σ(x) = −log(1 + exp(−x))."""
    return float((t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x)).sum() / len(x))


def binary_cross_entropy_backward(
    x: Array, t: Array, dout: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout·(σ(x) − t) / B."""
    dx[...] = dout * (np.exp(-np.logaddexp(0, -x)) - t) / len(x)


def poisson(x: Array, t: Array, dx: Array, threads: int | None = None) -> float:
    """The gradient of poisson_forward, which is returned."""
    poisson_backward(x, t, 1.0, dx)
    return poisson_forward(x, t)


def poisson_forward(x: Array, t: Array, threads: int | None = None) -> float:
    """The mean over the batch of Σ exp(x) − t·x."""
    return float((np.exp(x) - t * x).sum() / len(x))


def poisson_backward(x: Array, t: Array, dout: float, dx: Array, threads: int | None = None) -> None:
    """dx = dout·(exp(x) − t) / B."""
    dx[...] = dout * (np.exp(x) - t) / len(x)


def gaussian_nll(x: Array, t: Array, min_variance: float, dx: Array, threads: int | None = None) -> float:
    """The gradient of gaussian_nll_forward, which is returned."""
    gaussian_nll_backward(x, t, 1.0, min_variance, dx)
    return gaussian_nll_forward(x, t, min_variance)


def gaussian_nll_forward(x: Array, t: Array, min_variance: float, threads: int | None = None) -> float:
    """The mean over the batch of Σ (log v + (m − t)² / v) / 2, v = exp(s) + min_variance, of x = (m, s)."""
    mean, s = np.split(x, 2, axis=1)
    log_v = np.logaddexp(s, np.log(min_variance))
    return float((log_v + (mean - t) ** 2 * np.exp(-log_v)).sum() / 2 / len(x))


def gaussian_nll_backward(
    x: Array, t: Array, dout: float, min_variance: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout·((m − t) / v, (1 − (m − t)² / v)·exp(s) / (2v)) / B."""
    mean, s = np.split(x, 2, axis=1)
    log_v = np.logaddexp(s, np.log(min_variance))
    d, inverse = mean - t, np.exp(-log_v)
    of_s = (1 - d * d * inverse) * np.exp(s - log_v) / 2
    dx[...] = dout * np.concatenate([d * inverse, of_s], axis=1) / len(x)


def _weighted(kind: str) -> tuple[Callable[..., float], Callable[..., None]]:
    """The twins of a loss by shares of the rows, of those of its mean."""
    forward, backward = globals()[f"{kind}_forward"], globals()[f"{kind}_backward"]

    def weighted_forward(*args: Any, **kwargs: Any) -> float:
        given = inspect.signature(weighted_forward).bind(*args, **kwargs).arguments
        x, t, shares = (given.pop(name) for name in ("x", "t", "shares"))
        rows = np.flatnonzero(shares)
        return float(sum(float(shares[r]) * forward(x[r : r + 1], t[r : r + 1], **given) for r in rows))

    def weighted_backward(*args: Any, **kwargs: Any) -> None:
        given = inspect.signature(weighted_backward).bind(*args, **kwargs).arguments
        shares, dx = given.pop("shares")[:, np.newaxis], given["dx"]
        backward(**given | {"dout": given["dout"] * len(dx)})
        dx[...] = np.where(shares == 0, 0, dx * shares)

    for twin, plain in ((weighted_forward, forward), (weighted_backward, backward)):
        own = [*inspect.signature(plain).parameters.values()]
        shares = own[1].replace(name="shares")
        twin.__signature__ = inspect.Signature([*own[:2], shares, *own[2:]])  # type: ignore[attr-defined]
    return weighted_forward, weighted_backward


for _kind in [name.removesuffix("_forward") for name in [*globals()] if name.endswith("_forward")]:
    globals()[f"weighted_{_kind}_forward"], globals()[f"weighted_{_kind}_backward"] = _weighted(_kind)
