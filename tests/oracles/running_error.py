"""How far rounding may move a network's loss and gradients: a running error analysis.

Every intermediate result is carried as its value in float64 with a bound on its distance from what arithmetic of unit
roundoff u gives: what its inputs' errors become, and its own roundings (Higham, chapter 3; the number of roundings of
an activation is that of tests/core/test_twins.py). Nothing is measured, and no path is left out.
"""

from typing import Any, NamedTuple

import numpy as np

import backprop as bp
from tests.bounds import gamma, unit_roundoff


class Rounded(NamedTuple):
    """A value, and how far from it what is computed may be."""

    value: np.ndarray
    error: np.ndarray

    @property
    def most(self) -> np.ndarray:
        """The largest magnitude that what is computed may have."""
        return np.abs(self.value) + self.error


def exactly(value: Any) -> Rounded:
    """A number that nothing was done to."""
    wide = np.asarray(value, dtype=np.float64)
    return Rounded(wide, np.zeros_like(wide))


def times(a: Rounded, b: Rounded, roundings: int, u: float) -> Rounded:
    """Element by element, b made with so many roundings relative to it."""
    error = a.most * b.error + a.error * np.abs(b.value) + (roundings + 1) * u * a.most * b.most
    return Rounded(a.value * b.value, error)


def product(a: Rounded, b: Rounded, terms: int, dtype: Any) -> Rounded:
    """a @ b, a sum of so many terms."""
    error = a.most @ b.error + a.error @ np.abs(b.value) + gamma(terms, dtype) * (a.most @ b.most)
    return Rounded(a.value @ b.value, error)


ROUNDINGS = {"sigmoid": 10, "tanh": 6}


def activated(name: str, x: Rounded, u: float) -> Rounded:
    """What comes out of an activation; the slopes of sigmoid and tanh are at most 1/4 and 1."""
    if name == "relu":
        return Rounded(np.maximum(x.value, 0), x.error)
    y = 1 / (1 + np.exp(-x.value)) if name == "sigmoid" else np.tanh(x.value)
    slope = 0.25 if name == "sigmoid" else 1.0
    return Rounded(y, slope * x.error + ROUNDINGS[name] * u * (np.abs(y) + slope * x.error))


def back_through(name: str, dout: Rounded, y: Rounded, u: float) -> Rounded:
    """dout times the activation's derivative."""
    if name == "relu":
        return Rounded(np.where(y.value > 0, dout.value, 0), dout.error)
    if name == "sigmoid":
        return times(dout, Rounded(y.value * (1 - y.value), y.error + y.error**2), 3, u)
    # 1 − y² is off by what rounding y² costs, absolutely.
    return times(dout, Rounded(1 - y.value**2, 2 * np.abs(y.value) * y.error + y.error**2 + 2 * u), 2, u)


def error_bounds(net: bp.Network, x: Any, t: Any, dtype: Any) -> tuple[float, dict[str, np.ndarray]] | None:
    """Bounds on the errors of loss and gradients in arithmetic of a type; None where a ReLU may switch by rounding."""
    u = unit_roundoff(dtype)
    weights = [(exactly(net.params[f"W{n}"]), exactly(net.params[f"b{n}"])) for n in range(1, len(net.sizes))]
    outs = [exactly(x)]
    for n, (W, b) in enumerate(weights, start=1):
        a = outs[-1]
        scores = product(a, W, len(W.value), dtype)
        # The bias is one more term of the sum.
        scores = Rounded(
            scores.value + b.value, scores.error + gamma(len(W.value) + 1, dtype) * (a.most @ W.most + b.most)
        )
        if n == len(weights):
            break
        if net.activation == "relu" and (np.abs(scores.value) <= scores.error).any():
            return None
        outs.append(activated(net.activation, scores, u))
    loss, dout = head(net, scores, t, u)
    gradients = {}
    for n in range(len(weights), 0, -1):
        a, rows = outs[n - 1], len(dout.value)
        gradients[f"W{n}"] = product(Rounded(a.value.T, a.error.T), dout, rows, dtype).error
        gradients[f"b{n}"] = (dout.error + gamma(rows, dtype) * dout.most).sum(axis=0)
        if n > 1:
            W = weights[n - 1][0]
            back = product(dout, Rounded(W.value.T, W.error.T), W.value.shape[1], dtype)
            dout = back_through(net.activation, back, a, u)
    return loss, gradients


def head(net: bp.Network, scores: Rounded, t: Any, u: float) -> tuple[float, Rounded]:
    """The error of the mean loss, and the gradient of the scores."""
    (rows, classes), error = scores.value.shape, scores.error
    if net.loss_name == "squared_error":
        d = scores.value - np.asarray(t, dtype=np.float64)
        loss = np.abs(d) * error + error**2 / 2 + (4 + classes + rows) * u * (np.abs(d) + error) ** 2
        return float(loss.sum() / rows), Rounded(d / rows, (error + 4 * u * (np.abs(d) + error)) / rows)
    targets = np.eye(classes)[t] if np.ndim(t) == 1 else np.asarray(t, dtype=np.float64)
    weight = targets.sum(axis=1, keepdims=True)
    shifted = scores.value - scores.value.max(axis=1, keepdims=True)
    y = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    # Scores that are off by e change log y by at most 2e. A difference of scores is rounded by u times its size.
    off = 2 * error.max(axis=1, keepdims=True)
    distance = np.abs(shifted).max(axis=1, keepdims=True) + off
    gradient = (y * np.expm1(off) + (distance + 20 + 3 * classes) * u) * weight / rows
    loss = (off + (10 + 2 * classes) * u * (distance + np.log(classes) + 1)) * weight
    return float(loss.sum() / rows), Rounded((y * weight - targets) / rows, gradient)
