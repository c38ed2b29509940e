"""A NumPy twin of every update rule's kernel, of the limits of whole arrays, and what they have in common."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bpcore import kernels

Array = NDArray[np.floating]


def sgd_update(
    w: Array,
    g: Array,
    lr: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """w -= lr·g."""
    w -= rounded_lr(w, lr) * penalised(w, g, weight_decay, l1, clip_value)


def penalised(w: Array, g: Array, weight_decay: float, l1: float, clip_value: float) -> Array:
    """clip(g) + weight_decay·w + l1·sign(w): what a rule gets. Not a kernel."""
    number = w.dtype.type
    if clip_value:
        limit = np.maximum(rounded_lr(w, clip_value), np.finfo(w.dtype).tiny)
        g = np.clip(g, -limit, limit)
    g = g + rounded_lr(w, weight_decay) * w if rounded_lr(w, weight_decay) else g
    return g + rounded_lr(w, l1) * np.sign(w) if number(l1) else g


def rounded_lr(w: Array, lr: float) -> Any:
    """`lr` in the type of w, the largest finite number at most. Not a kernel."""
    largest = float(np.finfo(w.dtype).max)
    return w.dtype.type(np.clip(lr, -largest, largest))


def rounded_decay(w: Array, decay: float) -> Any:
    """`decay` in the type of w; from below 1 it does not become 1. Not a kernel."""
    rounded = w.dtype.type(decay)
    return np.nextafter(rounded, rounded * 0) if decay < 1 <= rounded else rounded


def rounded_eps(w: Array, eps: float) -> Any:
    """`eps` in the type of w, the least normal number at least. Not a kernel."""
    return np.maximum(w.dtype.type(eps), np.finfo(w.dtype).tiny)


def flushed(mean: Array, times: int) -> Array:
    """A decaying mean, 0 where it is below so many times the least normal number. Not a kernel."""
    return np.where(np.abs(mean) < times * np.finfo(mean.dtype).tiny, 0, mean)


def momentum_update(
    w: Array,
    g: Array,
    v: Array,
    lr: float,
    momentum: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """v = momentum·v + g, w -= lr·v."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    v[...] = flushed(rounded_decay(w, momentum) * v + g, 2**26)
    w -= rounded_lr(w, lr) * v


def nesterov_update(
    w: Array,
    g: Array,
    v: Array,
    lr: float,
    momentum: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """v = momentum·v + g, w -= lr·(momentum·v + g)."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    decay = rounded_decay(w, momentum)
    v[...] = flushed(decay * v + g, 2**26)
    w -= rounded_lr(w, lr) * (decay * v + g)


def adagrad_update(
    w: Array,
    g: Array,
    h: Array,
    lr: float,
    eps: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """h += g², w -= lr·g / (sqrt(h) + eps)."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    h += g * g
    w -= rounded_lr(w, lr) * g / (np.sqrt(h) + rounded_eps(w, eps))


def rmsprop_update(
    w: Array,
    g: Array,
    h: Array,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """h = alpha·h + (1 − alpha)·g², w -= lr·g / (sqrt(h) + eps)."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    h[...] = flushed(rounded_decay(w, alpha) * h + w.dtype.type(1 - alpha) * (g * g), 1)
    w -= rounded_lr(w, lr) * g / (np.sqrt(h) + rounded_eps(w, eps))


def adam_update(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """m = beta1·m + (1 − beta1)·g, v = beta2·v + (1 − beta2)·g², w -= lr·(m/c1) / (sqrt(v/c2) + eps)."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    c1, c2 = 1 - power(beta1, step), np.sqrt(1 - power(beta2, step))
    number = w.dtype.type
    m[...] = flushed(rounded_decay(w, beta1) * m + number(1 - beta1) * g, 2**26)
    v[...] = flushed(rounded_decay(w, beta2) * v + number(1 - beta2) * (g * g), 1)
    w -= rounded_lr(w, lr * c2 / c1) * m / (np.sqrt(v) + rounded_eps(w, eps * c2))


def adamw_update(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """w *= 1 − lr·weight_decay, then Adam's step."""
    g = penalised(w, g, 0, l1, clip_value)
    w *= rounded_lr(w, 1 - lr * weight_decay)
    adam_update(w, g, m, v, lr, beta1, beta2, eps, step)


def rmsprop_centered_update(
    w: Array,
    g: Array,
    h: Array,
    m: Array,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """h and m running means of g² and g, w -= lr·g / (sqrt(max(h − m², 0)) + eps)."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    decay, rest = rounded_decay(w, alpha), w.dtype.type(1 - alpha)
    h[...] = flushed(decay * h + rest * (g * g), 1)
    m[...] = flushed(decay * m + rest * g, 2**26)
    w -= rounded_lr(w, lr) * g / (np.sqrt(np.maximum(h - m * m, 0)) + rounded_eps(w, eps))


def amsgrad_update(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """Adam's with largest = max(largest, v) in the place of v."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    c1, c2 = 1 - power(beta1, step), np.sqrt(1 - power(beta2, step))
    means(w, g, m, v, beta1, beta2)
    largest[...] = np.maximum(largest, v)
    w -= rounded_lr(w, lr * c2 / c1) * m / (np.sqrt(largest) + rounded_eps(w, eps * c2))


def amsgradw_update(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    largest: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    step: int,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """w *= 1 − lr·weight_decay, then AMSGrad's step."""
    g = penalised(w, g, 0, l1, clip_value)
    w *= rounded_lr(w, 1 - lr * weight_decay)
    amsgrad_update(w, g, m, v, largest, lr, beta1, beta2, eps, step)


def nadam_update(
    w: Array,
    g: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    momentum_decay: float,
    step: int,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """m and v as Adam's, w -= lr·((1 − mu)·g/(1 − M) + mu'·m/(1 − M')) / (sqrt(v/c2) + eps).

    mu = beta1·(1 − 0.96^(t·momentum_decay) / 2) at step t, mu' that of the next, M and M' the products up to each.
    """
    g = penalised(w, g, weight_decay, l1, clip_value)
    c2, unit = np.sqrt(1 - power(beta2, step)), np.array([np.log(0.96) * momentum_decay])
    kernels.exp(unit, unit)  # whose bits are the same everywhere, as those of np.exp are not
    mu, after = (beta1 * (1 - 0.5 * power(unit[0], t)) for t in (step, step + 1))
    means(w, g, m, v, beta1, beta2)
    of_g = rounded_lr(w, lr * c2 * (1 - mu) / (1 - momenta(beta1, unit[0], step)))
    of_m = rounded_lr(w, lr * c2 * after / (1 - momenta(beta1, unit[0], step + 1)))
    w -= (of_g * g + of_m * m) / (np.sqrt(v) + rounded_eps(w, eps * c2))


def momenta(beta1: float, unit: float, steps: int) -> float:
    """The product of NAdam's momenta, or 0 where 1 minus it is 1. Not a kernel."""
    product = decay = 1.0
    for t in range(steps):
        decay = decay * unit
        product = product * (beta1 * (1 - 0.5 * decay))
        if product < 1e-17:
            return 0.0
        if decay < 1e-17:
            return product * power(beta1, steps - t - 1)
    return product


def means(w: Array, g: Array, m: Array, v: Array, beta1: float, beta2: float) -> None:
    """m = beta1·m + (1 − beta1)·g, v = beta2·v + (1 − beta2)·g². Not a kernel."""
    number = w.dtype.type
    m[...] = flushed(rounded_decay(w, beta1) * m + number(1 - beta1) * g, 2**26)
    v[...] = flushed(rounded_decay(w, beta2) * v + number(1 - beta2) * (g * g), 1)


def adadelta_update(
    w: Array,
    g: Array,
    h: Array,
    d: Array,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """h running mean of g², s = g·sqrt(d + eps) / sqrt(h + eps), d that of s², w -= lr·s."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    decay, rest, least = rounded_decay(w, alpha), w.dtype.type(1 - alpha), rounded_eps(w, eps)
    h[...] = flushed(decay * h + rest * (g * g), 1)
    s = g * np.sqrt(d + least) / np.sqrt(h + least)
    w -= rounded_lr(w, lr) * s
    d[...] = flushed(decay * d + rest * (s * s), 1)


def lion_update(
    w: Array,
    g: Array,
    m: Array,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """w = w·(1 − lr·weight_decay) − lr·sign(beta1·m + (1 − beta1)·g), m = beta2·m + (1 − beta2)·g."""
    g, number = penalised(w, g, 0, l1, clip_value), w.dtype.type
    w *= rounded_lr(w, 1 - lr * weight_decay)
    w -= rounded_lr(w, lr) * np.sign(rounded_decay(w, beta1) * m + number(1 - beta1) * g)
    m[...] = flushed(rounded_decay(w, beta2) * m + number(1 - beta2) * g, 2**26)


def rprop_update(
    w: Array,
    g: Array,
    last: Array,
    size: Array,
    lr: float,
    eta_minus: float,
    eta_plus: float,
    min_step: float,
    max_step: float,
    weight_decay: float = 0,
    l1: float = 0,
    clip_value: float = 0,
    threads: int | None = None,
) -> None:
    """Size grows where g has the sign of the last and shrinks, g = 0, where it changed; w -= sign(g)·size."""
    g = penalised(w, g, weight_decay, l1, clip_value)
    agrees = np.sign(g) * np.sign(last)
    factor = np.where(
        agrees > 0, rounded_lr(w, eta_plus), np.where(agrees < 0, rounded_decay(w, eta_minus), 1)
    )
    grown = np.where(size == 0, rounded_lr(w, lr), size) * factor.astype(w.dtype)
    size[...] = np.minimum(np.maximum(grown, rounded_eps(w, min_step)), rounded_lr(w, max_step))
    last[...] = np.where(agrees < 0, 0, g)
    w -= np.sign(last) * size


def squared_norm(g: Array, threads: int | None = None) -> float:
    """Σ g², in float64."""
    return float(np.square(g.astype(np.float64)).sum())


def limit_columns(W: Array, max_norm: float, threads: int | None = None) -> None:
    """Multiply each column whose norm is beyond max_norm by max_norm / (norm + 1e-7)."""
    norms = np.sqrt(np.square(W.astype(np.float64)).sum(axis=0))
    scale = np.divide(max_norm, norms + 1e-7, where=norms > max_norm, out=np.ones_like(norms))
    W *= scale.astype(W.dtype)


def power(base: float, exponent: int) -> float:
    """base^exponent by squaring, with the kernels' multiplications. Not a kernel."""
    result = 1.0
    while exponent > 0:
        if exponent & 1:
            result *= base
        base, exponent = base * base, exponent >> 1
    return result
