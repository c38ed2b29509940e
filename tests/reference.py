"""A NumPy twin of every kernel, with the same name and arguments: slow, short, and plainly right.

Tests hold the two together; read these to know what a kernel computes. They take any floating-point arrays.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference_activations import *  # noqa: F403
from tests.reference_losses import *  # noqa: F403
from tests.reference_normalisations import *  # noqa: F403
from tests.reference_softmax import *  # noqa: F403
from tests.reference_updates import *  # noqa: F403

Array = NDArray[np.floating]
Labels = NDArray[np.int64]
Indices = NDArray[np.int32] | NDArray[np.int64]


def scaled(x: NDArray[Any], mean: Array, scale: Array, out: Array) -> None:
    """out = (x − mean)·scale, as a network takes its inputs. Not a kernel.

    The difference is taken in float64, rounded to out's type and multiplied by scale in that type. An integer beyond
    2⁵³ is the float64 nearest to it and a rest, which is added to the difference.
    """
    nearest, rest = x.astype(np.float64), np.zeros(())
    if x.dtype.kind in "iu" and x.dtype.itemsize == 8:
        low = x & 2047
        rest = low.astype(np.float64) - (nearest - (x - low).astype(np.float64))
    out[...] = ((nearest - mean) + rest).astype(out.dtype) * scale.astype(out.dtype)


def affine_forward(x: Array, W: Array, b: Array, out: Array, threads: int | None = None) -> None:
    """out = x·W + b."""
    out[...] = x @ W + b


def affine_backward_input(dout: Array, W: Array, dx: Array, threads: int | None = None) -> None:
    """dx = dout·Wᵀ."""
    dx[...] = dout @ W.T


def affine_backward_params(x: Array, dout: Array, dW: Array, db: Array, threads: int | None = None) -> None:
    """dW = xᵀ·dout, db = Σ dout over the batch."""
    dW[...] = x.T @ dout
    db[...] = dout.sum(axis=0)


def csr_forward(
    indptr: Indices, indices: Indices, data: Array, W: Array, b: Array, out: Array, threads: int | None = None
) -> None:
    """out = x·W + b, row r of x having data[n] in column indices[n] for n from indptr[r] to indptr[r + 1] − 1."""
    out[...] = dense(indptr, indices, data, len(W)) @ W + b


def csr_backward_params(
    indptr: Indices,
    indices: Indices,
    data: Array,
    dout: Array,
    dW: Array,
    db: Array,
    threads: int | None = None,
) -> None:
    """dW = xᵀ·dout, db = Σ dout over the batch, x as in csr_forward."""
    dW[...] = dense(indptr, indices, data, len(dW)).T @ dout
    db[...] = dout.sum(axis=0)


def dense(indptr: Indices, indices: Indices, data: Array, columns: int) -> Array:
    """A matrix in compressed sparse rows, with its zeros. Not a kernel."""
    x = np.zeros((len(indptr) - 1, columns), data.dtype)
    for r in range(len(x)):
        stored = slice(indptr[r], indptr[r + 1])
        x[r, indices[stored]] = data[stored]
    return x


def blend(p: Array, q: Array, tau: float, threads: int | None = None) -> None:
    """p += tau·(q − p), and p = q where tau is 1."""
    tau = p.dtype.type(tau)
    p[...] = q if tau == 1 else p + tau * (q - p)


def sum_rows(x: Array, out: Array, threads: int | None = None) -> None:
    """out = Σ x over the rows."""
    out[...] = x.sum(axis=0)


def relu_forward(x: Array, out: Array, mask: NDArray[np.bool_], threads: int | None = None) -> None:
    """mask = x <= 0, out = 0 where mask else x."""
    mask[...] = x <= 0
    out[...] = np.where(mask, 0, x)


def relu_backward(dout: Array, mask: NDArray[np.bool_], dx: Array, threads: int | None = None) -> None:
    """dx = 0 where mask else dout."""
    dx[...] = np.where(mask, 0, dout)


def dropout_forward(
    x: Array, rate: float, seed: int, step: int, out: Array, mask: Array, threads: int | None = None
) -> None:
    """mask = 0 where a word of Philox is below rate·2³², else 1 / (1 − rate), out = x·mask."""
    rows, columns = np.indices(x.shape, dtype=np.uint32)
    # Of 64 words the 16·w + l-th is word w of block l.
    group, word, lane = columns // 64, columns % 64 // 16, columns % 16
    counter = [16 * group + lane, rows, np.uint32(step % 2**32), np.uint32(step >> 32)]
    words = philox(counter, [np.uint32(seed % 2**32), np.uint32(seed >> 32)])
    drawn = np.choose(word, words)
    below = min(int(rate * 2**32 + 0.5), 2**32 - 1)
    mask[...] = np.where(drawn < below, 0, x.dtype.type(1 / (1 - rate)))
    out[...] = x * mask


def philox(counter: Any, key: Any) -> list[NDArray[np.uint32]]:
    """The four words of Philox4x32-10 (Salmon et al. 2011). Not a kernel."""
    c = [np.asarray(word, np.uint64) for word in counter]
    k = [np.uint64(word) for word in key]
    low = np.uint64(2**32 - 1)
    for _ in range(10):
        one, other = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [
            (other >> np.uint64(32)) ^ c[1] ^ k[0],
            other & low,
            (one >> np.uint64(32)) ^ c[3] ^ k[1],
            one & low,
        ]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return [word.astype(np.uint32) for word in np.broadcast_arrays(*c)]


def layer_norm_forward(
    x: Array,
    weight: Array,
    bias: Array,
    eps: float,
    out: Array,
    z: Array,
    scale: Array,
    threads: int | None = None,
) -> None:
    """scale = 1 / sqrt(variance + eps), z = (x − mean)·scale of each row, out = z·weight + bias."""
    centred = x - row_means(x)
    scale[...] = 1 / np.sqrt(row_means(centred**2)[:, 0] + eps)
    z[...] = centred * scale[:, None]
    out[...] = z * weight + bias


def layer_norm_backward_input(
    dout: Array, z: Array, scale: Array, weight: Array, dx: Array, threads: int | None = None
) -> None:
    """dx = scale·(g − mean(g) − z·mean(g·z)) of each row, g = dout·weight."""
    g = dout * weight
    dx[...] = scale[:, None] * (g - row_means(g) - z * row_means(g * z))


def rms_norm_forward(
    x: Array, weight: Array, eps: float, out: Array, z: Array, scale: Array, threads: int | None = None
) -> None:
    """scale = 1 / sqrt(mean(x²) + eps), z = x·scale of each row, out = z·weight."""
    scale[...] = 1 / np.sqrt(row_means(x**2)[:, 0] + eps)
    z[...] = x * scale[:, None]
    out[...] = z * weight


def rms_norm_backward_input(
    dout: Array, z: Array, scale: Array, weight: Array, dx: Array, threads: int | None = None
) -> None:
    """dx = scale·(g − z·mean(g·z)) of each row, g = dout·weight."""
    g = dout * weight
    dx[...] = scale[:, None] * (g - z * row_means(g * z))


def rms_norm_backward_params(z: Array, dout: Array, dweight: Array, threads: int | None = None) -> None:
    """dweight = Σ dout·z over the batch."""
    dweight[...] = (dout * z).sum(axis=0)


def row_means(x: Array) -> Array:
    """The mean of each row, (B, 1). Not a kernel."""
    means: Array = x.sum(axis=1, keepdims=True) / x.shape[1]
    return means


def layer_norm_backward_params(
    z: Array, dout: Array, dweight: Array, dbias: Array, threads: int | None = None
) -> None:
    """dweight = Σ dout·z, dbias = Σ dout over the batch."""
    dweight[...] = (dout * z).sum(axis=0)
    dbias[...] = dout.sum(axis=0)


def softmax(x: Array, y: Array, threads: int | None = None) -> None:
    """y = exp(x) / Σ exp(x) along each row."""
    e = np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))
    y[...] = e / e.sum(axis=1, keepdims=True)


def softmax_cross_entropy(
    x: Array, t: Array | Labels, y: Array, dx: Array, threads: int | None = None
) -> float:
    """y = softmax(x), dx = (y·Σt − t) / B; returns the mean over the batch of −Σ t·log y."""
    loss = softmax_cross_entropy_forward(x, t, y)
    softmax_cross_entropy_backward(y, t, 1.0, dx)
    return loss


def softmax_cross_entropy_forward(x: Array, t: Array | Labels, y: Array, threads: int | None = None) -> float:
    """y = softmax(x); returns the mean over the batch of −Σ t·log y over t ≠ 0."""
    softmax(x, y)
    shifted = x - x.max(axis=1, keepdims=True)
    log_y = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    weights = one_hot(t, x.shape[1])
    return float(-np.multiply(weights, log_y, where=weights != 0, out=np.zeros_like(x)).sum() / len(x))


def softmax_cross_entropy_backward(
    y: Array, t: Array | Labels, dout: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout·(y·Σt − t) / B."""
    weights = one_hot(t, y.shape[1])
    dx[...] = dout * (y * weights.sum(axis=1, keepdims=True) - weights) / len(y)


def weighted_softmax_cross_entropy_forward(
    x: Array, t: Array | Labels, shares: Array, y: Array, threads: int | None = None
) -> float:
    """y = softmax(x); returns Σ_r shares_r·l_r, l_r the loss of row r alone."""
    softmax(x, y)
    return sum_by_shares(lambda r: softmax_cross_entropy_forward(x[r], t[r], np.empty_like(x[r])), shares)


def weighted_softmax_cross_entropy_backward(
    y: Array, t: Array | Labels, shares: Array, dout: float, dx: Array, threads: int | None = None
) -> None:
    """dx = dout·shares_r·(y·Σt − t) of each row."""
    softmax_cross_entropy_backward(y, t, dout * len(y), dx)
    dx[...] = np.where(shares[:, np.newaxis] == 0, 0, dx * shares[:, np.newaxis])


def sum_by_shares(loss_of_rows: Callable[[slice], float], shares: Array) -> float:
    """Σ_r shares_r·l_r over shares that are not 0. Not a kernel."""
    rows = np.flatnonzero(shares)
    return float(sum(float(shares[r]) * loss_of_rows(slice(r, r + 1)) for r in rows))


def one_hot(t: Array | Labels, classes: int) -> Array:
    """Labels as rows of weights; weights as they are. Not a kernel."""
    weights: Array = np.zeros((len(t), classes)) if t.ndim == 1 else np.asarray(t, dtype=np.float64)
    if t.ndim == 1:
        weights[np.arange(len(t)), t] = 1
    return weights


def add(x: Array, y: Array, out: Array, threads: int | None = None) -> None:
    """out = x + y."""
    out[...] = x + y


def multiply(x: Array, y: Array, out: Array, threads: int | None = None) -> None:
    """out = x·y."""
    out[...] = x * y


def exp(x: Array, out: Array, threads: int | None = None) -> None:
    """out = exp(x)."""
    out[...] = np.exp(x)


def log(x: Array, out: Array, threads: int | None = None) -> None:
    """out = log(x)."""
    out[...] = np.log(x)


def reciprocal(x: Array, out: Array, threads: int | None = None) -> None:
    """out = 1 / x."""
    out[...] = 1 / x


def reciprocal_backward(dout: Array, out: Array, dx: Array, threads: int | None = None) -> None:
    """dx = −dout·y², y = out."""
    dx[...] = -dout * (out * out)
