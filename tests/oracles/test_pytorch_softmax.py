"""Softmax and log-softmax as layers beside PyTorch's, in float64."""

import numpy as np
import pytest

import backprop as bp
from tests.oracles.beside_pytorch import BACKWARD, FORWARD, assert_close, numbers_of_float64  # noqa: F401  # a fixture

torch = pytest.importorskip("torch")
PAIRS = {"softmax": (bp.Softmax, torch.softmax), "log_softmax": (bp.LogSoftmax, torch.log_softmax)}
each_pair = pytest.mark.parametrize("kind", PAIRS)


def both(kind, x, dout):
    """What the layer and PyTorch's function make of x, forward and back."""
    layer, function = PAIRS[kind][0](), PAIRS[kind][1]
    there = torch.tensor(x, requires_grad=True)
    wanted = function(there, dim=1)
    wanted.backward(torch.tensor(dout))
    return (layer.forward(x), layer.backward(dout)), (wanted, there.grad)


@each_pair
@pytest.mark.parametrize("K", [1, 2, 10, 64, 65, 300])
@pytest.mark.parametrize("size", [1e-3, 1.0, 30.0, 1e4])
def test_layers(kind, size, K):
    rng = np.random.default_rng(0)
    x, dout = size * rng.normal(size=(40, K)), rng.normal(size=(40, K))
    x[0, :], x[1, :] = 0.0, -0.0
    x[2, 0] = 5e-324
    (y, dx), (wanted, gradient) = both(kind, x, dout)
    assert_close(y, wanted, FORWARD)
    assert_close(dx, gradient, BACKWARD)


INF, NAN = np.inf, np.nan
ROWS = {
    "ten thousand": [1e4, -1e4, 0.0, 1e4],
    "an infinity below": [-INF, 0.0, 1.0, 2.0],
    "all but one": [-INF, -INF, -INF, 2.0],
    "none above": [-INF] * 4,
    "an infinity above": [0.0, INF, 1.0, 2.0],
    "both": [-INF, INF, 0.0, 0.0],
    "no number": [0.0, 1.0, NAN, 2.0],
    "no number first": [NAN, 1.0, -INF, 2.0],
}


@each_pair
@pytest.mark.parametrize("rows", [1, 20])
@pytest.mark.parametrize("name", ROWS)
def test_extremes(name, rows, kind):
    """PyTorch gives what the formulas do in all of these: no list of where it does not."""
    x = np.tile(ROWS[name], (rows, 1))
    dout = np.tile([1.0, 2.0, -3.0, 0.5], (rows, 1))
    ours, theirs = both(kind, x, dout)
    for one, other, bound in zip(ours, theirs, (FORWARD, BACKWARD), strict=True):
        other = other.detach().numpy()
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        with np.errstate(invalid="ignore"):  # of two infinities
            near = np.abs(one - other) <= bound * np.maximum(1, np.abs(other))
        assert (same | near).all(), (one[0], other[0])


@each_pair
def test_networks(kind):
    net = bp.Network([6, 9, 7, 4], "tanh", "squared_error", np.float64, seed=0, output=kind)
    net.layers.insert_after("Affine1", "LogSoftmax1", bp.LogSoftmax())
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(20, 6)), rng.normal(size=(20, 4))
    weights = [torch.tensor(array, requires_grad=True) for array in net.params.values()]

    def outputs(rows):
        out = torch.tanh(torch.log_softmax(rows @ weights[0] + weights[1], dim=-1))
        out = torch.tanh(out @ weights[2] + weights[3])
        return PAIRS[kind][1](out @ weights[4] + weights[5], dim=-1)

    there = torch.tensor(x, requires_grad=True)
    assert_close(net.predict(x), outputs(there), FORWARD)
    assert_close(net.jacobian(x), torch.func.vmap(torch.func.jacrev(outputs))(there), BACKWARD)
    ((outputs(there) - torch.tensor(t)) ** 2).sum(dim=1).mean().div(2).backward()
    assert_close(net.input_gradient(x, t), there.grad, BACKWARD)
    for gradient, weight in zip(net.gradient(x, t).values(), weights, strict=True):
        assert_close(gradient, weight.grad, BACKWARD)
