"""JAX's step with an option of the case `options`, compiled as one function that gets its parameters' memory."""

import functools
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda x: x,
    "relu": jax.nn.relu,
    "leaky_relu": jax.nn.leaky_relu,
    "elu": jax.nn.elu,
    "selu": jax.nn.selu,
    "softplus": jax.nn.softplus,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "gelu_tanh": jax.nn.gelu,
    "silu": jax.nn.silu,
    "mish": jax.nn.mish,
    "hardswish": jax.nn.hard_swish,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "hardtanh": jax.nn.hard_tanh,
}
OUTPUTS = {"identity": lambda x: x, "softmax": jax.nn.softmax, "log_softmax": jax.nn.log_softmax}


def huber(y: Any, t: Any) -> Any:
    size = jnp.abs(y - t)
    c = jnp.minimum(size, 1.0)
    return c * (size - c / 2)


def gaussian_nll(y: Any, t: Any) -> Any:
    mean, s = jnp.split(y, 2, axis=1)
    v = jnp.exp(s) + 1e-6
    return (jnp.log(v) + (mean - t) ** 2 / v) / 2


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "squared_error": lambda y, t: (y - t) ** 2 / 2,
    "huber": huber,
    "absolute_error": lambda y, t: jnp.abs(y - t),
    "log_cosh": lambda y, t: jnp.logaddexp(y - t, t - y) - np.log(2),
    "quantile": lambda y, t: jnp.maximum(0.5 * (t - y), 0.5 * (y - t)),
    "binary_cross_entropy": lambda y, t: t * jax.nn.softplus(-y) + (1 - t) * jax.nn.softplus(y),
    "poisson": lambda y, t: jnp.exp(y) - t * y,
    "gaussian_nll": gaussian_nll,
}


def normalised(kind: str, x: Any, gain: Any, shift: Any) -> Any:
    """With the batch's statistics; running ones are left out, which costs JAX less."""
    axis = 0 if kind == "BatchNorm" else 1
    centred = x if kind == "RMSNorm" else x - x.mean(axis, keepdims=True)
    out = centred * jax.lax.rsqrt((centred**2).mean(axis, keepdims=True) + 1e-5) * gain
    return out if kind == "RMSNorm" else out + shift


def cross_entropy(option: Any, shares: Any, y: Any, t: Any) -> Any:
    """Of labels, with what the option makes of them."""
    logs = jax.nn.log_softmax(y)
    if option.weighted:
        return -(jnp.take_along_axis(logs, t[:, None], axis=1)[:, 0] * shares).sum()
    goal = jax.nn.one_hot(t, y.shape[1]) * (1 - option.label_smoothing) + option.label_smoothing / y.shape[1]
    if option.class_weights is None:
        return -(goal * logs).sum() / len(y)
    by_class = jnp.asarray(option.class_weights, jnp.float32)
    return -(goal * logs * by_class).sum() / by_class[t].sum()


def step(
    option: Any, sizes: list[int], x: np.ndarray, t: np.ndarray, weights: np.ndarray, lr: float
) -> Callable[[], Any]:
    """A step on one batch, which ends when its loss is there."""
    limits, hidden = option.limits, len(sizes) - 2
    drop = option.dropout if isinstance(option.dropout, list) else [0.0] + [option.dropout] * hidden
    kind = option.normalised.__name__ if option.normalised else ""
    rng = np.random.default_rng(0)
    params = [
        {
            "W": jnp.asarray(rng.normal(size=shape, scale=shape[0] ** -0.5).astype(np.float32)),
            "b": jnp.zeros(shape[1], jnp.float32),
            **({"gain": jnp.ones(shape[1]), "shift": jnp.zeros(shape[1])} if kind and n < hidden else {}),
        }
        for n, shape in enumerate(pairwise(sizes))
    ]
    shares = jnp.asarray(weights / weights.sum(), jnp.float32)

    def loss_of(params: Any, x: Any, t: Any, key: Any) -> Any:
        for n, one in enumerate(params):
            if drop[n]:
                key, now = jax.random.split(key)
                x = jnp.where(jax.random.bernoulli(now, 1 - drop[n], x.shape), x / (1 - drop[n]), 0)
            x = x @ one["W"] + one["b"]
            if n < hidden:
                if kind:
                    x = normalised(kind, x, one["gain"], one["shift"])
                x = ACTIVATIONS[option.activation](x)
        x = OUTPUTS[option.output](x)
        if option.loss in LOSSES:
            return LOSSES[option.loss](x, t).sum() / len(x)
        return cross_entropy(option, shares, x, t)

    def moved(path: Any, w: Any, g: Any) -> Any:
        is_matrix = w.ndim == 2
        if is_matrix and "l1" in limits:
            g = g + limits["l1"] * jnp.sign(w)
        if is_matrix and "weight_decay" in limits:
            g = g + limits["weight_decay"] * w
        if "clip_value" in limits:
            g = jnp.clip(g, -limits["clip_value"], limits["clip_value"])
        w = w - lr * g
        if is_matrix and "max_norm" in limits:
            norms = jnp.sqrt((w * w).sum(0, keepdims=True))
            w = w * jnp.minimum(1, limits["max_norm"] / (norms + 1e-7))
        return w

    @functools.partial(jax.jit, donate_argnums=(0, 3))
    def compiled(params: Any, x: Any, t: Any, key: Any) -> Any:
        key, now = jax.random.split(key)
        loss, grads = jax.value_and_grad(loss_of)(params, x, t, now)
        if "clip_norm" in limits:
            norm = jnp.sqrt(sum((g * g).sum() for g in jax.tree.leaves(grads)))
            grads = jax.tree.map(lambda g: g * jnp.minimum(1, limits["clip_norm"] / (norm + 1e-6)), grads)
        return jax.tree_util.tree_map_with_path(moved, params, grads), loss, key

    state: list[Any] = [params, jax.random.key(0)]
    rows, targets = jnp.asarray(x), jnp.asarray(t)

    def call() -> Any:
        state[0], loss, state[1] = compiled(state[0], rows, targets, state[1])
        return loss.block_until_ready()

    return call
