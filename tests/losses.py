"""What tests know of each loss: its bounds in arithmetic of a type, and the same function in other libraries.

A loss has a row in LOSSES, and nothing else in tests names it: tests loop over the registry. Bounds are those of
tests/network/by_hand.py: u is the unit roundoff of the type, each operation is rounded once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests import reference
from tests.bounds import Bounded, gamma, unit_roundoff
from tests.registry import Table


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss. Every function is given the number that the loss takes, if it takes one, as its last argument.

    Attributes
    ----------
    bounded : callable
        Of scores, targets and a type: the mean loss and the gradient of the scores, with their bounds.
    pytorch, jax : callable
        Of the module `torch` or `jax`, scores and targets: the mean loss. JAX gets labels as rows of weights.
    """

    bounded: Callable[..., tuple[Bounded, Bounded]]
    pytorch: Callable[..., Any]
    jax: Callable[..., Any]


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


def by_difference(value, slope, steepest, curve, roundings, jump=0):
    """A function that makes the mean loss and the gradient of the scores, of Σ value(d), d = x − t.

    `steepest` is the largest slope, `curve` how much that changes with d, but for a jump at 0; a value has so many
    roundings of itself, and one of d.
    """

    def bounded(s, t, dtype, *option):
        u, (B, K) = unit_roundoff(dtype), s.v.shape
        t = np.asarray(t, dtype=np.float64).reshape(B, K)
        d = Bounded(s.v - t, s.e + 2 * u * (s.most + np.abs(t)))  # the targets' type, a difference
        values = value(d.v, *option)
        rows = steepest * d.e + (roundings + K) * u * (np.abs(values) + steepest * d.e)
        near = jump * (np.abs(d.v) <= 2 * d.e)
        # 1/B, its product, and four roundings of a slope.
        e = (curve * d.e + near + 6 * u * steepest) / B + float(np.finfo(dtype).tiny)
        loss = values.sum() / B
        return (
            Bounded(np.float64(loss), rows.sum() / B + gamma(B + 2, float) * abs(loss)),
            Bounded(slope(d.v, *option) / B, e),
        )

    return bounded


def pinball(d, quantile):
    return np.maximum(-quantile * d, (1 - quantile) * d)


def binary_cross_entropy(s, t, dtype):
    """The mean loss and the gradient of the scores."""
    u, (B, K) = unit_roundoff(dtype), s.v.shape
    t = np.asarray(t, dtype=np.float64).reshape(B, K)
    values = t * np.logaddexp(0, -s.v) + (1 - t) * np.logaddexp(0, s.v)
    # Its slope is at most 1, and log(1 + exp) within 8 ULP of terms of at most |x| + log 2; t and 1 − t are rounded.
    terms = s.most + np.log(2)
    loss = values.sum() / B
    rows = s.e + (14 + K) * u * terms
    # The sigmoid within 4 ULP, of slope 1/4 at most; t, a difference, 1/B and its product.
    e = (s.e / 4 + 8 * u) / B + float(np.finfo(dtype).tiny)
    slope = np.exp(-np.logaddexp(0, -s.v)) - t
    return Bounded(np.float64(loss), rows.sum() / B + gamma(B + 2, float) * abs(loss)), Bounded(slope / B, e)


def poisson(s, t, dtype):
    """The mean loss and the gradient of the scores."""
    u, (B, K) = unit_roundoff(dtype), s.v.shape
    t = np.asarray(t, dtype=np.float64).reshape(B, K)
    rates = np.exp(s.v + s.e)
    values = np.exp(s.v) - t * s.v
    # Both terms are off by x's error times their slope; exp within 2 ULP, t, a product, a difference, K additions.
    rows = (rates + t) * s.e + (6 + K) * u * (rates + t * s.most)
    loss = values.sum() / B
    e = (rates * s.e + 6 * u * (rates + t)) / B + float(np.finfo(dtype).tiny)
    return (
        Bounded(np.float64(loss), rows.sum() / B + gamma(B + 2, float) * np.abs(values).sum() / B),
        Bounded((np.exp(s.v) - t) / B, e),
    )


def gaussian_nll(s, t, dtype, least):
    """The mean loss and the gradient of the scores (m, s)."""
    u, (B, K) = unit_roundoff(dtype), s.v.shape
    (mean, of_s), (mean_e, s_e) = np.split(s.v, 2, axis=1), np.split(s.e, 2, axis=1)
    t = np.asarray(t, dtype=np.float64).reshape(B, K // 2)
    floor = np.log(least)
    log_v = np.logaddexp(of_s, floor)
    d, inverse, share = mean - t, np.exp(-log_v), np.exp(of_s - log_v)
    d_e = mean_e + 2 * u * (np.abs(mean) + np.abs(t))
    # log v has slopes of at most 1; the larger term, log(1 + e) within 8 ULP, their sum, and log(least) within 4 ULP.
    log_e = s_e + u * (10 + 5 * np.maximum(np.abs(of_s), abs(floor)))
    # exp of it, a division, a sum: inverse is off by a factor.
    factor = np.expm1(log_e + 8 * u)
    z, z_e = d * d * inverse, (2 * np.abs(d) + d_e) * d_e * inverse
    z_e = z_e + (z + z_e) * (factor + 4 * u)
    rows = ((log_e + z_e) + (4 + K) * u * (np.abs(log_v) + z + z_e)) / 2
    loss = (log_v + z).sum() / 2 / B
    of_mean, of_variance = d * inverse, (1 - z) * share / 2
    mean_error = d_e * inverse + (np.abs(of_mean) + d_e * inverse) * (factor + 6 * u)
    variance_error = (z_e + 2 * u * (1 + z)) * share / 2 + (1 + z + z_e) * share / 2 * (factor + 8 * u)
    e = np.concatenate([mean_error, variance_error], axis=1) / B + float(np.finfo(dtype).tiny)
    return (
        Bounded(np.float64(loss), rows.sum() / B + gamma(B + 2, float) * (np.abs(log_v) + z).sum() / 2 / B),
        Bounded(np.concatenate([of_mean, of_variance], axis=1) / B, e),
    )


def gaussian_of_pytorch(torch, x, t, least):
    """With the variances that our outputs stand for."""
    mean, s = x.chunk(2, dim=1)
    variance = torch.exp(s) + least
    return torch.nn.functional.gaussian_nll_loss(mean, t.to(x.dtype), variance, eps=0, reduction="sum") / len(
        x
    )


def gaussian_of_jax(jax, x, t, least):
    """By its normal distribution's logarithm, with the constant taken out."""
    mean, s = jax.numpy.split(x, 2, axis=1)
    scale = jax.numpy.sqrt(jax.numpy.exp(s) + least)
    density = jax.scipy.stats.norm.logpdf(t, mean, scale) + np.log(2 * np.pi) / 2
    return -density.sum() / len(x)


def huber_of_jax(jax, x, t, delta):
    """By the least of |d| and delta: c·(|d| − c/2)."""
    c = jax.numpy.minimum(abs(x - t), delta)
    return (c * (abs(x - t) - c / 2)).sum() / len(x)


def cross_entropy_of_pytorch(torch, x, t):
    """By labels or weights."""
    if t.ndim == 1:
        return torch.nn.functional.cross_entropy(x, t)
    return -(t * torch.log_softmax(x, dim=1)).sum() / len(x)


LOSSES = Table(
    "loss",
    "tests/losses.py",
    {
        "softmax": Loss(
            bounded=cross_entropy,
            pytorch=cross_entropy_of_pytorch,
            jax=lambda jax, x, t: -(t * jax.nn.log_softmax(x)).sum() / len(x),
        ),
        "squared_error": Loss(
            bounded=of_numbers,
            pytorch=lambda torch, x, t: ((x - t) ** 2).sum() / 2 / len(x),
            jax=lambda jax, x, t: ((x - t) ** 2).sum() / 2 / len(x),
        ),
        "huber": Loss(
            bounded=of_numbers,
            pytorch=lambda torch, x, t, delta: (
                torch.nn.functional.huber_loss(x, t.to(x.dtype), reduction="sum", delta=delta) / len(x)
            ),
            jax=huber_of_jax,
        ),
        "absolute_error": Loss(
            bounded=by_difference(np.abs, np.sign, 1, 0, roundings=1, jump=2),
            pytorch=lambda torch, x, t: (
                torch.nn.functional.l1_loss(x, t.to(x.dtype), reduction="sum") / len(x)
            ),
            jax=lambda jax, x, t: abs(x - t).sum() / len(x),
        ),
        "log_cosh": Loss(
            # log1p of (1 − h)² / (2h), or of h² and two sums with numbers of at most twice the result.
            bounded=by_difference(lambda d: np.logaddexp(d, -d) - np.log(2), np.tanh, 1, 1, roundings=16),
            pytorch=lambda torch, x, t: (torch.logaddexp(x - t, t - x) - np.log(2)).sum() / len(x),
            jax=lambda jax, x, t: (jax.numpy.logaddexp(x - t, t - x) - np.log(2)).sum() / len(x),
        ),
        "quantile": Loss(
            bounded=by_difference(
                pinball,
                lambda d, q: np.where(d > 0, 1 - q, np.where(d < 0, -q, 0)),
                1,
                0,
                roundings=3,
                jump=1,
            ),
            pytorch=lambda torch, x, t, q: torch.maximum(q * (t - x), (1 - q) * (x - t)).sum() / len(x),
            jax=lambda jax, x, t, q: jax.numpy.maximum(q * (t - x), (1 - q) * (x - t)).sum() / len(x),
        ),
        "binary_cross_entropy": Loss(
            bounded=binary_cross_entropy,
            pytorch=lambda torch, x, t: (
                torch.nn.functional.binary_cross_entropy_with_logits(x, t.to(x.dtype), reduction="sum")
                / len(x)
            ),
            jax=lambda jax, x, t: (t * jax.nn.softplus(-x) + (1 - t) * jax.nn.softplus(x)).sum() / len(x),
        ),
        "poisson": Loss(
            bounded=poisson,
            pytorch=lambda torch, x, t: (
                torch.nn.functional.poisson_nll_loss(x, t.to(x.dtype), reduction="sum") / len(x)
            ),
            jax=lambda jax, x, t: (jax.numpy.exp(x) - t * x).sum() / len(x),
        ),
        "gaussian_nll": Loss(bounded=gaussian_nll, pytorch=gaussian_of_pytorch, jax=gaussian_of_jax),
    },
)
