"""How far rounding may move a network's loss and gradients: a running error analysis.

Every intermediate result is carried as its value in float64 with a bound on its distance from what arithmetic of unit
roundoff u gives: what its inputs' errors become, and its own roundings (Higham, chapter 3; the number of roundings of
an activation is that of tests/core/test_twins.py). Nothing is measured, and no path is left out.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import backprop as bp
from tests import reference
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


class Function(NamedTuple):
    """An activation: what it and its derivative are, how steep they can be, and their roundings."""

    of: Callable[[np.ndarray], np.ndarray]
    slope: float
    roundings: int
    derivative: Callable[[np.ndarray], np.ndarray]
    curvature: float
    derivative_roundings: int
    absolute: int = 0


def gelu_and_derivative(approximate: bool) -> tuple[Callable[[np.ndarray], np.ndarray], ...]:
    forward, backward = (
        (reference.gelu_tanh_forward, reference.gelu_tanh_backward)
        if approximate
        else (reference.gelu_forward, reference.gelu_backward)
    )

    def filled(function: Callable[..., None], *inputs: np.ndarray) -> np.ndarray:
        out = np.empty_like(inputs[-1])
        function(*inputs, out)
        return out

    return lambda x: filled(forward, x), lambda x: filled(backward, np.ones_like(x), x)


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


GELU, GELU_TANH = gelu_and_derivative(False), gelu_and_derivative(True)
# Slopes and curvatures are the largest there are; the roundings those of tests/core/test_twins.py, relative to the
# value or, of derivatives, to 1. GELU by tanh has 5·|2u| more, of x·exp(−|2u|): at most 2 where they are absolute.
FUNCTIONS = {
    "relu": Function(lambda x: np.maximum(x, 0), 1, 0, lambda x: (x > 0).astype(float), 0, 0),
    "sigmoid": Function(logistic, 0.25, 10, lambda x: logistic(x) * (1 - logistic(x)), 0.0963, 13),
    "tanh": Function(np.tanh, 1, 6, lambda x: 1 - np.tanh(x) ** 2, 0.7699, 14),
    "gelu": Function(GELU[0], 1.13, 8, GELU[1], 0.7979, 8),
    "gelu_tanh": Function(GELU_TANH[0], 1.13, 10, GELU_TANH[1], 0.8, 19, absolute=2),
}


def activated(name: str, x: Rounded, u: float) -> Rounded:
    """What comes out of an activation."""
    f = FUNCTIONS[name]
    y = f.of(x.value)
    roundings = f.roundings * (np.abs(y) + f.slope * x.error) + f.absolute
    return Rounded(y, f.slope * x.error + roundings * u)


def back_through(name: str, dout: Rounded, x: Rounded, u: float) -> Rounded:
    """dout times the activation's derivative at x."""
    f = FUNCTIONS[name]
    derivative = Rounded(f.derivative(x.value), f.curvature * x.error + f.derivative_roundings * u)
    return times(dout, derivative, 1, u)


def error_bounds(net: bp.Network, x: Any, t: Any, dtype: Any) -> tuple[float, dict[str, np.ndarray]] | None:
    """Bounds on the errors of loss and gradients in arithmetic of a type; None where a ReLU may switch by rounding."""
    u = unit_roundoff(dtype)
    weights = [(exactly(net.params[f"W{n}"]), exactly(net.params[f"b{n}"])) for n in range(1, len(net.sizes))]
    outs = [exactly(x)]
    before: list[tuple[str, Rounded]] = []
    for n, (W, b) in enumerate(weights, start=1):
        a = outs[-1]
        scores = product(a, W, len(W.value), dtype)
        # The bias is one more term of the sum.
        scores = Rounded(
            scores.value + b.value, scores.error + gamma(len(W.value) + 1, dtype) * (a.most @ W.most + b.most)
        )
        if n == len(weights):
            break
        (kind,) = net.spec.gaps[n]
        if kind == "relu" and (np.abs(scores.value) <= scores.error).any():
            return None
        before.append((kind, scores))
        outs.append(activated(kind, scores, u))
    loss, dout = head(net, scores, t, u)
    gradients = {}
    for n in range(len(weights), 0, -1):
        a, rows = outs[n - 1], len(dout.value)
        gradients[f"W{n}"] = product(Rounded(a.value.T, a.error.T), dout, rows, dtype).error
        gradients[f"b{n}"] = (dout.error + gamma(rows, dtype) * dout.most).sum(axis=0)
        if n > 1:
            W = weights[n - 1][0]
            back = product(dout, Rounded(W.value.T, W.error.T), W.value.shape[1], dtype)
            kind, x_of = before[n - 2]
            dout = back_through(kind, back, x_of, u)
    return loss, gradients


def head(net: bp.Network, scores: Rounded, t: Any, u: float) -> tuple[float, Rounded]:
    """The error of the mean loss, and the gradient of the scores."""
    (rows, classes), error = scores.value.shape, scores.error
    if not net.lastLayer.classifies:
        # The slope of a loss of numbers is at most |d|, or delta.
        delta = net.lastLayer.options().get("delta", np.inf)
        d = scores.value - np.asarray(t, dtype=np.float64)
        slope = np.minimum(np.abs(d) + error, delta)
        loss = slope * error + (6 + classes + rows) * u * slope * (np.abs(d) + error)
        gradient = Rounded(np.clip(d, -delta, delta) / rows, (error + 4 * u * slope) / rows)
        return float(loss.sum() / rows), gradient
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
