"""Threads that share the columns of wide layers, too: every way to divide them gives the bits of one thread."""

import numpy as np
import pytest

import backprop as bp
from backprop.network.plan import make_plan
from tests import teams

RNG = np.random.default_rng(0)
STEPS = 5
# Wide are 2048 bytes: 512 float32 or 256 float64. Columns that are no multiple of a cache line, an edge, one more than
# half of a line; layers that are not wide in between; few terms and many. All are large enough that a loop of batches
# of 9 rows uses threads, and a single step of 100.
SIZES = {
    # The first layer of the last one has the padded layout, and its rows are bytes, which are gathered and scaled.
    "float32": [[140, 600, 520, 7], [520, 514, 40, 1033], [9, 523, 523], [200, 49, 1600, 530]],
    "float64": [[300, 400, 261, 7], [520, 514, 40, 517]],
}
BYTES = 3


def networks(dtype):
    for n, sizes in enumerate(SIZES[dtype]):
        activations = ["relu", "gelu", "tanh"][: len(sizes) - 2]
        loss = "squared_error" if n == 2 else "softmax"
        net = bp.Network(sizes, activation=activations, loss=loss, dtype=dtype, seed=n)
        if n == BYTES:
            net.input_scale = 1 / 255
        if n == 0:
            net.layers.insert_after("Affine1", "LayerNorm1", bp.LayerNorm(sizes[1], dtype=dtype))
            net.layers.insert_after("Affine2", "RMSNorm2", bp.RMSNorm(sizes[2], dtype=dtype))
        yield net


CASES = [(dtype, n) for dtype, sizes in SIZES.items() for n in range(len(sizes))]


def trained(dtype, case, rows, threads, parts, by_steps):
    """Losses, and the parameters, after some steps."""
    net = list(networks(dtype))[case]
    rng = np.random.default_rng(1)
    x = rng.standard_normal((4 * rows, net.sizes[0])).astype(dtype)
    t = rng.integers(0, net.sizes[-1], 4 * rows)
    if case == 2:
        t = rng.standard_normal((4 * rows, net.sizes[-1])).astype(dtype)
    if case == BYTES:
        x = rng.integers(0, 256, x.shape, dtype=np.uint8)
    indices = rng.integers(0, 4 * rows, (STEPS, rows))
    plan, rule = make_plan(net), bp.SGD(0.05)
    losses = np.empty(STEPS)
    if by_steps:
        for n, batch in enumerate(indices):
            losses[n] = plan.step(x[batch], t[batch], rule.plan_update(), threads, None, None, parts)
    else:
        plan.train(x, t, indices, rule.plan_update(), losses, threads, None, parts)
    return [losses, *net.params.values()]


@pytest.mark.parametrize(("dtype", "case"), CASES)
@pytest.mark.parametrize("rows", [9, 37, 100])
def test_bits(dtype, case, rows):
    expected = trained(dtype, case, rows, 1, 1, False)
    with teams.allowed(16):
        for threads, parts in [(2, 1), (2, 2), (3, 2), (3, 3), (4, 2), (5, 5), (7, 3), (16, 4), (16, 16)]:
            found = trained(dtype, case, rows, threads, parts, by_steps=rows == 100)
            for one, other in zip(expected, found, strict=True):
                assert one.tobytes() == other.tobytes(), (threads, parts)


@pytest.mark.parametrize("parts", [1, 8, 64, 100])
def test_bits_on_64_threads(parts):
    expected = trained("float32", 0, 70, 1, 1, False)
    with teams.allowed(64):
        found = trained("float32", 0, 70, 64, parts, False)
    for one, other in zip(expected, found, strict=True):
        assert one.tobytes() == other.tobytes()
