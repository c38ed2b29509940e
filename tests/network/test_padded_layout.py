"""Loops and evaluations with a padded layout of the first layer's parameters give the bits of calls without it."""

import copy

import numpy as np
import pytest

import backprop as bp
from backprop.training.step import train_batches
from tests import registry
from tests.strategies import DTYPES

# Edges of each kind (none, some columns, all columns; so many that they fill a vector), inputs that fill cache lines or
# not, or a few more than a block of the gradient has; several blocks of dot products; first layers that are not padded:
# few inputs, long rows.
SHAPES = [
    [784, 50, 10],
    [783, 49, 11],
    [150, 50, 4],
    [200, 60, 3],
    [128, 24, 4],
    [131, 5, 4],
    [1100, 33, 2],
    [130, 48],
    [17, 16, 2],
    [100, 50, 7],
    [130, 520, 3],
]
RULES = [make(0.02) for make in registry.RULES.values()]


def problem(sizes, dtype, rows=300):
    rng = np.random.default_rng(0)
    return rng.standard_normal((rows, sizes[0])).astype(dtype), rng.integers(0, sizes[-1], rows)


def bits(net):
    return {key: array.tobytes() for key, array in net.params.items()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SHAPES, ids=lambda sizes: "-".join(map(str, sizes)))
@pytest.mark.parametrize("rule", RULES, ids=registry.RULES)
def test_a_loop_is_as_many_single_steps(sizes, dtype, rule):
    x, t = problem(sizes, dtype)
    batches = np.random.default_rng(1).integers(0, len(x), (9, 21))
    loop, steps = (bp.Network(sizes, dtype=dtype, seed=0) for _ in range(2))
    one, other = copy.deepcopy(rule), copy.deepcopy(rule)
    # Padded, then a loop too short for it, then padded again: the optimizer's state has to be copied back each time.
    losses, _ = train_batches(loop, x, t, [batches[:4], batches[4:5], batches[5:]], one)
    singly = [steps.train_step(x[batch], t[batch], other) for batch in batches]
    assert losses == singly
    assert bits(loop) == bits(steps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_over_batches_of_several_k_blocks(dtype):
    x, t = problem([200, 51, 3], dtype)
    batches = np.random.default_rng(1).integers(0, len(x), (4, 1100))
    loop, steps = (bp.Network([200, 51, 3], dtype=dtype, seed=0) for _ in range(2))
    one, other = bp.Adam(0.01), bp.Adam(0.01)
    losses, _ = train_batches(loop, x, t, [batches], one)
    assert losses == [steps.train_step(x[batch], t[batch], other) for batch in batches]
    assert bits(loop) == bits(steps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("width", [60, 150])
def test_layers_that_share_their_weights_are_not_padded(width, dtype):
    x, t = problem([width, width], dtype)
    batches = np.random.default_rng(1).integers(0, len(x), (6, 21))
    loop, steps = (bp.Network([width, width, width], dtype=dtype, seed=0) for _ in range(2))
    for net in (loop, steps):
        net.layers["Affine2"].W = net.layers["Affine1"].W
    losses, _ = train_batches(loop, x, t, [batches], bp.SGD(0.05))
    one_by_one = bp.SGD(0.05)
    assert losses == [steps.train_step(x[batch], t[batch], one_by_one) for batch in batches]
    assert bits(loop) == bits(steps)


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_team_gives_the_bits_of_one_thread(dtype, threads):
    sizes = [783, 349, 11]
    x, t = problem(sizes, dtype)
    alone, team = (bp.Network(sizes, dtype=dtype, seed=0) for _ in range(2))
    for net, count in ((alone, 1), (team, threads)):
        net.fit(x, t, iterations=9, batch_size=64, optimizer=bp.Adam(0.01), seed=0, threads=count)
    assert bits(alone) == bits(team)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sizes", SHAPES, ids=lambda sizes: "-".join(map(str, sizes)))
def test_outputs_of_many_rows_are_those_of_few(sizes, dtype):
    x, t = problem(sizes, dtype, 1100)
    net = bp.Network(sizes, dtype=dtype, seed=0)
    blocks = [net.predict(x[first : first + 100]) for first in range(0, len(x), 100)]
    assert net.predict(x).tobytes() == b"".join(block.tobytes() for block in blocks)
    assert net.accuracy(x, t) == (np.concatenate(blocks).argmax(axis=1) == t).mean()


@pytest.mark.parametrize("offset", range(0, 64, 4))
def test_parameters_may_have_any_alignment(offset):
    x, t = problem([130, 48, 4], np.float32)
    batches = np.random.default_rng(1).integers(0, len(x), (6, 21))
    net, moved = (bp.Network([130, 48, 4], seed=0) for _ in range(2))
    memory = np.zeros(130 * 48 * 4 + 128, np.uint8)
    first = -memory.ctypes.data % 64 + offset
    W = memory[first : first + 130 * 48 * 4].view(np.float32).reshape(130, 48)
    W[...] = net.params["W1"]
    moved.layers["Affine1"].W = W
    for network in (net, moved):
        train_batches(network, x, t, [batches], bp.SGD(0.1))
    assert bits(net) == bits(moved)
    assert not memory[:first].any()
    assert not memory[first + 130 * 48 * 4 :].any()
