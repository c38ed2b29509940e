"""A network in plain NumPy, in float64, together with how far another one of its parameters may be off.

a) Beside every value v goes e: what a network of unit roundoff u may be off by if it computes as the formula says, each
   operation rounded once (Higham, chapter 3). What is off at first is carried on by the formula's derivative.
b) The model itself is off too, by at most the same: `close` asks for twice e.
c) Below the least normal number rounding is absolute, and far smaller than `tiny`.
"""

import inspect
from functools import partial
from typing import NamedTuple

import numpy as np

from backprop.layers.base import LAYERS
from bpcore.plan import RULES
from tests import reference
from tests.bounds import gamma, unit_roundoff
from tests.oracles.running_error import FUNCTIONS


class Bounded(NamedTuple):
    """Values and what they may be off by."""

    v: np.ndarray
    e: np.ndarray

    @property
    def most(self):
        """The largest magnitude that may be meant."""
        return np.abs(self.v) + self.e


def close(got, wanted):
    """Whether every number is as near as it has to be; where the model overflows, anything is."""
    with np.errstate(all="ignore"):
        near = np.abs(got - wanted.v) <= 2 * wanted.e
        return bool((near | ~np.isfinite(wanted.v + wanted.e)).all())


def product(x, W, n, dtype):
    """x·W of n terms (with whatever is added), W exact."""
    e = x.e @ np.abs(W) + gamma(n, dtype) * (x.most @ np.abs(W))
    return Bounded(x.v @ W, e)


def enter(x, mean, scale, dtype):
    """(x − mean)·scale: the difference, rounded to float64 and to the type, and scale, rounded, and the product."""
    v = (np.asarray(x, dtype=np.float64).reshape(len(x), -1) - mean) * scale
    return Bounded(v, gamma(4, dtype) * np.abs(v))


def activate(kind, z, dtype):
    """What leaves an activation."""
    u, tiny = unit_roundoff(dtype), float(np.finfo(dtype).tiny)
    if kind == "relu":
        return Bounded(np.maximum(z.v, 0), z.e)
    if kind == "halve":
        return Bounded(z.v / 2, z.e / 2 + tiny)
    f = FUNCTIONS[kind]
    v, moved = f.of(z.v), f.slope * z.e
    return Bounded(v, moved + u * (f.roundings * (np.abs(v) + moved) + f.absolute) + tiny)


def activate_backward(kind, z, out, dout, dtype):
    """The gradient of what enters an activation."""
    u, tiny = unit_roundoff(dtype), float(np.finfo(dtype).tiny)
    if kind == "relu":
        # Where z may have either sign, so may the mask be.
        unsure = (np.abs(z.v) <= 2 * z.e) & (z.e > 0)
        return Bounded(
            np.where(z.v <= 0, 0, dout.v), np.where(unsure, dout.most, np.where(z.v <= 0, 0, dout.e))
        )
    if kind == "halve":
        return Bounded(dout.v / 2, dout.e / 2 + tiny)
    if LAYERS[kind].keeps == "x":
        f, ef = FUNCTIONS[kind].derivative(z.v), FUNCTIONS[kind].curvature * z.e
        ef = ef + FUNCTIONS[kind].derivative_roundings * u
        return Bounded(dout.v * f, dout.e * (np.abs(f) + ef) + np.abs(dout.v) * ef + tiny)
    # f is the slope as a function of what came out, and ef what it is off by: through `out`, then by its own roundings.
    if kind == "sigmoid":
        f, ef = out.v * (1 - out.v), out.e + out.e**2
        ef = ef + 2 * u * (np.abs(f) + ef)
    else:
        f, ef = 1 - out.v**2, 2 * np.abs(out.v) * out.e + out.e**2
        ef = ef + 3 * u * (1 + ef)
    e = dout.e * (np.abs(f) + ef) + np.abs(dout.v) * ef
    return Bounded(dout.v * f, e + 3 * u * dout.most * (np.abs(f) + ef) + tiny)


def softmax(s, dtype):
    """Probabilities. Scores off by E move them by a factor of at most exp(2E), and never by more than 1.

    That 1 becomes 2, for the roundings; these are counted as in test_twins.
    """
    y = np.empty_like(s.v)
    reference.softmax(s.v, y)
    with np.errstate(over="ignore", invalid="ignore"):
        factor = np.expm1(2 * off(s) + roundings_of_softmax(s) * unit_roundoff(dtype))
        return Bounded(y, np.fmin(factor * y + float(np.finfo(dtype).tiny), 2))


def off(s):
    """The most that a score of each row is off by, (B, 1)."""
    return s.e.max(axis=1, keepdims=True)


def range_of(s):
    """How much smaller than their maximum the scores of each row may be, (B, 1)."""
    return np.ptp(s.v, axis=1)[:, np.newaxis] + 2 * off(s)


def roundings_of_softmax(s):
    return range_of(s) + 10 + s.v.shape[1]


def cross_entropy(s, t, dtype):
    """The mean loss and the gradient of the scores."""
    u, (B, K) = unit_roundoff(dtype), s.v.shape
    y, weights = softmax(s, dtype), reference.one_hot(np.asarray(t), K)
    T = weights.sum(axis=1, keepdims=True)
    # y·Σt: the weights' type, K − 1 additions, a product, a difference, 1/B and its product; t: four of them.
    e = T * y.e + (K + 6) * u * T * y.most + 6 * u * weights
    dout = Bounded((y.v * T - weights) / B, e / B + float(np.finfo(dtype).tiny))
    # Each of at most K terms t·log y is off by the scores and their log-sum-exp, and by its own roundings.
    rows = T * (2 * off(s) + (12 + 2 * K) * u * (range_of(s) + np.log(K) + 1))
    loss = reference.softmax_cross_entropy_forward(s.v, np.asarray(t), np.empty_like(s.v))
    return Bounded(np.float64(loss), rows.mean() + gamma(B + 2, float) * abs(loss)), dout


def of_numbers(s, t, dtype, delta=np.inf):
    """The mean loss and the gradient of the scores: squared error, or Huber's."""
    u, (B, K) = unit_roundoff(dtype), s.v.shape
    t = np.asarray(t, dtype=np.float64).reshape(B, K)
    most = s.most + np.abs(t)
    d = Bounded(s.v - t, s.e + 2 * u * most)  # the targets' type, a difference
    # At most its slope, |d| or delta, times |d|: a product, K additions, a half; then the rows. delta is rounded too.
    slope = np.minimum(d.most, delta)
    rows = slope * d.e + (6 + K) * u * slope * d.most
    c = np.minimum(np.abs(d.v), delta)
    loss = (c * (np.abs(d.v) - c / 2)).sum() / B
    e = (d.e + 2 * u * most + u * slope) / B + float(np.finfo(dtype).tiny)
    dout = Bounded(np.clip(d.v, -delta, delta) / B, e)
    return Bounded(np.float64(loss), rows.sum() / B + gamma(B + 2, float) * loss), dout


# By their kinds, as a new layer of them computes.
HEADS = {"softmax": cross_entropy, "squared_error": of_numbers, "huber": partial(of_numbers, delta=1.0)}


class Model:
    """A network's formulas for given parameters."""

    def __init__(self, params, activations, loss, dtype, mean, scale):
        count = len(params) // 2
        self.layers = [
            tuple(params[f"{name}{n}"].astype(np.float64) for name in ("W", "b")) for n in range(1, count + 1)
        ]
        self.activations, self.dtype, self.mean, self.scale = activations, dtype, mean, scale
        self.head = HEADS[loss]

    def scores(self, x):
        return self._forward(x)[-1][2]

    def loss_and_gradient(self, x, t):
        """The mean loss, and a gradient by the name of each parameter."""
        passed = self._forward(x)
        loss, dout = self.head(passed[-1][2], t, self.dtype)
        gradients = {}
        for n in reversed(range(len(self.layers))):
            W, (entered, z, out) = self.layers[n][0], passed[n]
            if n < len(self.activations):
                dout = activate_backward(self.activations[n], z, out, dout, self.dtype)
            B = len(dout.v)
            e = np.abs(entered.v).T @ dout.e + entered.e.T @ dout.most
            e = e + gamma(B + 1, self.dtype) * (entered.most.T @ dout.most)
            gradients[f"W{n + 1}"] = Bounded(entered.v.T @ dout.v, e)
            e = dout.e.sum(axis=0) + gamma(B, self.dtype) * dout.most.sum(axis=0)
            gradients[f"b{n + 1}"] = Bounded(dout.v.sum(axis=0), e)
            dout = product(dout, W.T, W.shape[1] + 1, self.dtype)
        return loss, gradients

    def _forward(self, x):
        """What enters each affine layer, what leaves it, and what leaves its activation."""
        enters, passed = enter(x, self.mean, self.scale, self.dtype), []
        for n, (W, b) in enumerate(self.layers):
            terms = W.shape[0] + 2
            z = product(enters, W, terms, self.dtype)
            z = Bounded(z.v + b, z.e + gamma(terms, self.dtype) * np.abs(b))
            last = n == len(self.layers) - 1
            out = z if last else activate(self.activations[n], z, self.dtype)
            passed.append((enters, z, out))
            enters = out
        return passed


def moved(optimizer, params, gradients):
    """What the NumPy lines make of the parameters and of what the rule keeps: the very bits."""
    params = {key: value.copy() for key, value in params.items()}
    states, step = {}, optimizer.steps + 1
    for key, w in params.items():
        state = optimizer.state.get(key) or [np.zeros_like(w) for _ in range(optimizer.state_size)]
        states[key] = state = tuple(array.copy() for array in state)
        rule, settings = optimizer.compiled()
        twin = getattr(reference, f"{rule}_update")
        named = dict(zip(RULES[rule], settings, strict=True))
        if "step" in inspect.signature(twin).parameters:
            named["step"] = step
        with np.errstate(all="ignore"):
            twin(w, gradients[key], *state, **named)
    return params, states
