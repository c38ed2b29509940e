"""A network in plain NumPy, in float64, together with how far another one of its parameters may be off.

a) Beside every value v goes e: what a network of unit roundoff u may be off by if it computes as the formula says, each
   operation rounded once (Higham, chapter 3). What is off at first is carried on by the formula's derivative.
b) The model itself is off too, by at most the same: `close` asks for twice e.
c) Below the least normal number rounding is absolute, and far smaller than `tiny`.
"""

import inspect

import numpy as np

from bpcore.plan import RULES
from tests import reference
from tests.bounds import Bounded, gamma, unit_roundoff
from tests.functions import ACTIVATIONS
from tests.losses import LOSSES
from tests.registry import ACTIVATIONS as REGISTERED
from tests.registry import activation_numbers


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
    x = np.asarray(x, dtype=np.float64).reshape(len(x), -1)
    v = (x - mean) * scale
    if np.array_equal(v, x) and np.array_equal(x.astype(dtype), x):
        return Bounded(v, np.zeros_like(v))
    return Bounded(v, gamma(4, dtype) * np.abs(v))


def activate(kind, z, dtype):
    """What leaves an activation: what entered is off by z.e, and its slopes and roundings are in tests/functions.py."""
    if kind == "halve":
        return Bounded(z.v / 2, z.e / 2 + float(np.finfo(dtype).tiny))
    row, v = ACTIVATIONS[kind], np.empty_like(z.v)
    mask = [np.empty(z.v.shape, bool)] if REGISTERED[kind].keeps == "mask" else []
    getattr(reference, f"{kind}_forward")(z.v, *activation_numbers(kind), v, *mask)
    off = row.slope * z.e
    return Bounded(v, off + row.error(np.abs(v) + off, dtype) + row.others(z.v))


def activate_backward(kind, z, out, dout, dtype):
    """The gradient of what enters an activation, by what its backward is given: z, `out`, or where z is above 0."""
    u, tiny = unit_roundoff(dtype), float(np.finfo(dtype).tiny)
    if kind == "halve":
        return Bounded(dout.v / 2, dout.e / 2 + tiny)
    row, keeps = ACTIVATIONS[kind], REGISTERED[kind].keeps
    kept, f = out if keeps == "out" else z, np.empty_like(z.v)
    given = z.v <= 0 if keeps == "mask" else kept.v
    getattr(reference, f"{kind}_backward")(np.ones_like(f), given, *activation_numbers(kind), f)
    # f is the slope, and ef what it is off by: through what is kept, then by its own roundings.
    place = z if row.change_by_x else kept
    ef = row.change(place.v, place.e) + row.others(z.v) + u * row.dx_absolute
    e = dout.e * (np.abs(f) + ef) + np.abs(dout.v) * ef
    if row.dx_relative or row.dx_absolute:
        e = e + row.dx_relative * u * dout.most * (np.abs(f) + ef) + tiny
    return Bounded(np.where(f == 0, 0, dout.v * f), e)


class Model:
    """A network's formulas for given parameters."""

    def __init__(self, params, activations, loss, dtype, mean=0, scale=1, option=()):
        count = len(params) // 2
        self.layers = [
            tuple(params[f"{name}{n}"].astype(np.float64) for name in ("W", "b")) for n in range(1, count + 1)
        ]
        self.activations, self.dtype, self.mean, self.scale = activations, dtype, mean, scale
        self.loss, self.option = LOSSES[loss], option

    def scores(self, x):
        return self._forward(x)[-1][2]

    def loss_and_gradient(self, x, t):
        """The mean loss, and a gradient by the name of each parameter."""
        passed = self._forward(x)
        loss, dout = self.loss.bounded(passed[-1][2], t, self.dtype, *self.option)
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
    """What the twin of the rule makes of the parameters and of what the rule keeps: the very bits."""
    params = {key: value.copy() for key, value in params.items()}
    states, (rule, values) = {}, optimizer.compiled()
    twin = getattr(reference, f"{rule}_update")
    given = dict(zip(RULES[rule], values, strict=True)) | {"step": optimizer.steps + 1}
    given = {name: given[name] for name in inspect.signature(twin).parameters if name in given}
    for key, w in params.items():
        settings = given | ({} if w.ndim == 2 else {"weight_decay": 0.0, "l1": 0.0})
        state = optimizer.state.get(key) or [np.zeros_like(w) for _ in range(optimizer.state_size)]
        states[key] = state = tuple(array.copy() for array in state)
        with np.errstate(all="ignore"):
            twin(w, gradients[key], *state, **settings)
    return params, states
