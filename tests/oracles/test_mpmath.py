"""Softmax with cross-entropy against mpmath, for logits up to ±1e4.

The bounds are absolute: with u the unit roundoff, the loss is within 8u·max(1, |loss|) and each element of the gradient
within 8u. Relative ones cannot be kept near 0: log Σ exp cancels there.
"""

import mpmath
import numpy as np
import pytest

from bpcore import kernels
from tests.bounds import unit_roundoff
from tests.strategies import DTYPES

# Around the processor's vectors, and around 64, up to which rows are taken a vector at a time.
CLASSES = [1, 2, 3, 10, 16, 17, 64, 65, 100]
# A power of two: dividing by it rounds nothing, so that the gradient of a row can be read off.
ROWS = [1, 16]


def logits(rng, rows, classes):
    """Rows of every size from 1e-4 to 1e4, of ties, and of one logit far above or below the others."""
    x = rng.normal(size=(rows, classes)) * 10.0 ** rng.uniform(-4, 4, (rows, 1))
    x[0] = rng.choice([-1e4, 1e4], classes)
    if rows > 3:
        x[1] = 1e4
        x[2], x[2, 0] = -1e4, 1e4
        x[3] = np.round(x[3] / 1e3)
    return np.clip(x, -1e4, 1e4)


def exact(x, weights):
    """Loss and gradient of one row, for dout = 1."""
    numbers = [mpmath.mpf(float(value)) for value in x]
    highest = max(numbers)
    e = [mpmath.exp(number - highest) for number in numbers]
    total = mpmath.fsum(e)
    t = [mpmath.mpf(float(weight)) for weight in weights]
    loss = mpmath.fsum(
        w * (mpmath.log(total) + highest - number) for w, number in zip(t, numbers, strict=True)
    )
    weight = mpmath.fsum(t)
    return loss, [value / total * weight - w for value, w in zip(e, t, strict=True)]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", ["labels", "one-hot", "soft"])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("classes", CLASSES)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_softmax_cross_entropy(dtype, classes, rows, kind, threads):
    rng = np.random.default_rng([classes, rows])
    u = unit_roundoff(dtype)
    x = logits(rng, rows, classes).astype(dtype)
    labels = rng.integers(0, classes, rows)
    weights = np.eye(classes, dtype=dtype)[labels]
    if kind == "soft":
        weights = rng.dirichlet(np.ones(classes), rows).astype(dtype)
    y, dx = np.empty_like(x), np.empty_like(x)
    loss = kernels.softmax_cross_entropy(x, labels if kind == "labels" else weights, y, dx, threads)
    losses, allowed = [], []
    with mpmath.workprec(160):
        for row in range(rows):
            row_loss, gradient = exact(x[row], weights[row])
            losses.append(row_loss)
            allowed.append(max(1, abs(row_loss)))
            for k in range(classes):
                assert abs(mpmath.mpf(float(dx[row, k])) * rows - gradient[k]) <= 8 * u, (row, k)
        assert abs(mpmath.mpf(loss) - mpmath.fsum(losses) / rows) <= 8 * u * mpmath.fsum(allowed) / rows
