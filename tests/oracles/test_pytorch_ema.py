"""The moving average of weights inside `fit` beside `torch.optim.swa_utils.AveragedModel`, in float64."""

import copy

import numpy as np
import pytest

import backprop as bp
from backprop.layers.buffers import buffers_of
from tests.oracles.beside_pytorch import FORWARD, assert_close, numbers_of_float64  # noqa: F401  # a fixture

torch = pytest.importorskip("torch")
swa_utils = pytest.importorskip("torch.optim.swa_utils")


def twin_of(net):
    """The network as PyTorch's modules."""
    modules = []
    for layer in net.layers.values():
        if isinstance(layer, bp.Affine):
            one = torch.nn.Linear(*layer.W.shape)
            with torch.no_grad():
                one.weight[:], one.bias[:] = torch.tensor(layer.W.T), torch.tensor(layer.b)
        elif isinstance(layer, bp.BatchNorm):
            one = torch.nn.BatchNorm1d(len(layer.gamma), layer.eps, layer.momentum)
        else:
            one = torch.nn.Tanh()
        modules.append(one)
    return torch.nn.Sequential(*modules)


def arrays_of(model):
    """Parameters in the order of `net.params`, weights as (inputs, outputs); then running statistics."""
    parameters = [one.T if one.ndim == 2 else one for one in model.parameters()]
    return parameters, [one for name, one in model.named_buffers() if "running" in name]


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("normalised", [False, True])
def test_averages(normalised, decay):
    net = bp.Network([6, 9, 7, 3], "tanh", dtype=np.float64, seed=0)
    if normalised:
        net.layers.insert_after("Affine1", "Norm1", bp.BatchNorm(9, dtype=np.float64))
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(40, 6)), rng.integers(0, 3, 40)
    there, ema = twin_of(net), copy.deepcopy(net)
    average = swa_utils.AveragedModel(
        there, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True
    )
    average.update_parameters(there)  # whose first call copies
    rule, given, labels = torch.optim.SGD(there.parameters(), 0.1), torch.tensor(x), torch.tensor(t)
    for _ in range(50):
        rule.zero_grad()
        torch.nn.functional.cross_entropy(there(given), labels).backward()
        rule.step()
        average.update_parameters(there)
    net.fit(x, t, epochs=50, batch_size=40, optimizer=bp.SGD(0.1), seed=0, ema=ema, ema_decay=decay)
    for ours, theirs in ((net, there), (ema, average.module)):
        parameters, statistics = arrays_of(theirs)
        for array, tensor in zip(ours.params.values(), parameters, strict=True):
            assert_close(array, tensor, FORWARD)
        for array, tensor in zip(buffers_of(ours.layers).values(), statistics, strict=True):
            assert_close(array, tensor, FORWARD)
    average.eval()
    assert_close(ema.predict(x), average(given), FORWARD)
