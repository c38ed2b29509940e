"""Arrays that share memory: what is read is what it was before the call."""

import numpy as np
import pytest

import backprop as bp
from bpcore.threads import limited
from tests.registry import RULES


class ByLayers(bp.Network):
    """A network that never uses a plan."""

    def _plan(self):
        return None


def both(sizes, dtype, **options):
    return [kind(sizes, dtype=dtype, seed=0, **options) for kind in (bp.Network, ByLayers)]


# Rows of several blocks, so that scores are written while there is more to read.
ROWS, WIDTH = 3000, 24


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("sizes", [[WIDTH, WIDTH], [WIDTH, 40, WIDTH]])
@pytest.mark.parametrize("offset", [0, 1, WIDTH, 7 * WIDTH + 5, ROWS * WIDTH // 2])
@pytest.mark.parametrize("first", ["x", "out"])
def test_scores_over_their_inputs(first, offset, sizes, dtype):
    net, layered = both(sizes, dtype)
    memory = np.random.default_rng(0).normal(size=ROWS * WIDTH + offset).astype(dtype)
    one, other = (part.reshape(ROWS, WIDTH) for part in (memory[: ROWS * WIDTH], memory[offset:]))
    x, out = (one, other) if first == "x" else (other, one)
    expected = layered.predict(x.copy())
    assert net.predict(x, out=out) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("stored", ["u1", "f4", "i8"])
def test_scores_over_inputs_of_another_type(stored):
    net, layered = both([WIDTH, WIDTH], "float64")
    memory = np.random.default_rng(0).integers(0, 200, ROWS * WIDTH * 8).astype("u1")
    x = memory[: ROWS * WIDTH * np.dtype(stored).itemsize].view(stored).reshape(ROWS, WIDTH)
    x[...] = np.random.default_rng(1).integers(0, 200, x.shape)
    out = memory.view("f8").reshape(ROWS, WIDTH)
    expected = layered.predict(x.copy())
    assert net.predict(x, out=out) is out
    assert np.array_equal(out, expected)


@pytest.mark.parametrize("place", [0, ROWS * WIDTH // 2, (ROWS - WIDTH) * WIDTH])
@pytest.mark.parametrize("key", ["W1", "b1", "W2", "b2"])
def test_scores_over_parameters(key, place):
    net, layered = both([WIDTH, WIDTH, WIDTH], "float64")
    memory, W = np.empty(ROWS * WIDTH), layered.params[key]
    kept = memory[place : place + W.size].reshape(W.shape)
    kept[...] = W
    setattr(net.layers[f"Affine{key[1]}"], key[0], kept)
    x, out = np.random.default_rng(0).normal(size=(ROWS, WIDTH)), memory.reshape(ROWS, WIDTH)
    assert net.params[key] is kept
    assert net.predict(x, out=out) is out
    assert np.array_equal(out, layered.predict(x))


CALLS = {
    "train_step": lambda net, x, optimizer: net.train_step(x, net.params["W2"], optimizer),
    "fit": lambda net, x, optimizer: net.fit(
        x, net.params["W2"], epochs=2, batch_size=100, optimizer=optimizer, seed=0
    ),
}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_training_on_its_own_parameters(call, make, threads):
    net, other = (bp.Network([300, 300, 300], loss="squared_error", seed=0) for _ in range(2))
    with limited(threads):
        call(net, net.params["W1"], make())
        call(other, other.params["W1"].copy(), make())
    for key in net.params:
        assert np.array_equal(net.params[key], other.params[key]), key
