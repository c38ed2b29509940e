"""JAX: a compiled step called from Python, and the whole loop compiled (lax.scan)."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from bench.peers import Predictor, Problem, Trainer

jax.config.update("jax_enable_x64", True)
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def scores_of(params: list, x: jax.Array) -> jax.Array:
    for W, b in params[:-1]:
        x = jax.nn.relu(x @ W + b)
    W, b = params[-1]
    return x @ W + b


def loss_of(params: list, x: jax.Array, t: jax.Array) -> jax.Array:
    scores = scores_of(params, x)
    chosen = jnp.take_along_axis(scores, t[:, None], axis=1)[:, 0]
    return jnp.mean(jax.nn.logsumexp(scores, axis=1) - chosen)


def trainers(problem: Problem, threads: int) -> dict[str, Trainer]:
    x, t = jnp.asarray(problem.x), jnp.asarray(problem.t)
    indices = jnp.asarray(problem.indices)
    params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in problem.weights]
    zeros = jax.tree.map(jnp.zeros_like, params)
    number = functools.partial(jnp.asarray, dtype=problem.dtype)

    def step(state: tuple, batch: jax.Array) -> tuple:
        params, first, second, count = state
        loss, grads = jax.value_and_grad(loss_of)(params, x[batch], t[batch])
        if problem.rule == "sgd":
            params = jax.tree.map(lambda w, g: w - number(problem.lr) * g, params, grads)
        else:
            count = count + 1
            first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, grads)
            second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, grads)
            c1 = number(1 - BETA1**count)
            c2 = number(1 - BETA2**count)
            params = jax.tree.map(
                lambda w, m, v: w - number(problem.lr) * (m / c1) / (jnp.sqrt(v / c2) + number(EPS)),
                params,
                first,
                second,
            )
        return (params, first, second, count), loss

    one, many = jax.jit(step), jax.jit(lambda state, batches: jax.lax.scan(step, state, batches))
    states = {
        "step": (params, zeros, zeros, jnp.asarray(0.0)),
        "scan": (params, zeros, zeros, jnp.asarray(0.0)),
    }

    def by_step() -> np.ndarray:
        losses = []
        for batch in indices:
            states["step"], loss = one(states["step"], batch)
            losses.append(loss)
        return np.array(losses)

    def by_scan() -> np.ndarray:
        states["scan"], losses = many(states["scan"], indices)
        return np.asarray(losses)

    return {"JAX jit": by_step, "JAX scan": by_scan}


def predictors(weights: list[tuple[np.ndarray, np.ndarray]], threads: int) -> dict[str, Predictor]:
    params = [(jnp.asarray(W), jnp.asarray(b)) for W, b in weights]
    compiled = jax.jit(scores_of)
    return {"JAX": lambda x: np.asarray(compiled(params, x))}
