"""NumPy twins of the kernels of batch normalisation: see reference.py."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def batch_norm_forward(
    x: Array,
    weight: Array,
    bias: Array,
    running_mean: Array,
    running_var: Array,
    eps: float,
    momentum: float,
    out: Array,
    z: Array,
    scale: Array,
    threads: int | None = None,
) -> None:
    """scale = 1 / sqrt(variance + eps), z = (x − mean)·scale of each column, out = z·weight + bias.

    running = (1 − momentum)·running + momentum·batch where there are two rows or more, the variance with B − 1.
    """
    rows = max(len(x), 1)
    mean = x.sum(axis=0) / rows
    squares = ((x - mean) ** 2).sum(axis=0)
    scale[...] = 1 / np.sqrt(squares / rows + eps)
    z[...] = (x - mean) * scale
    out[...] = z * weight + bias
    if len(x) > 1:
        running_mean[...] = (1 - momentum) * running_mean + momentum * mean
        running_var[...] = (1 - momentum) * running_var + momentum * (squares / (rows - 1))


def batch_norm_inference(
    x: Array,
    weight: Array,
    bias: Array,
    running_mean: Array,
    running_var: Array,
    eps: float,
    out: Array,
    z: Array,
    scale: Array,
    threads: int | None = None,
) -> None:
    """scale = 1 / sqrt(running_var + eps), z = (x − running_mean)·scale, out = z·weight + bias."""
    scale[...] = 1 / np.sqrt(running_var + eps)
    z[...] = (x - running_mean) * scale
    out[...] = z * weight + bias


def batch_norm_backward(
    dout: Array,
    z: Array,
    scale: Array,
    weight: Array,
    dx: Array,
    dweight: Array,
    dbias: Array,
    threads: int | None = None,
) -> None:
    """dweight = Σ dout·z, dbias = Σ dout, dx = weight·scale·(dout − dbias/B − z·dweight/B)."""
    rows = max(len(dout), 1)
    dweight[...], dbias[...] = (dout * z).sum(axis=0), dout.sum(axis=0)
    dx[...] = weight * scale * (dout - dbias / rows - z * dweight / rows)
