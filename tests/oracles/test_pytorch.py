"""Each activation, loss of numbers, normalisation and update rule beside PyTorch's, in float64."""

import numpy as np
import pytest

import backprop as bp
from tests.functions import ACTIVATIONS, SPECIAL
from tests.losses import LOSSES
from tests.registry import ACTIVATIONS as REGISTERED
from tests.registry import LOSSES_OF_NUMBERS, RULES, Table, loss_options, targets

torch = pytest.importorskip("torch")
# What is promised of float64, relative to numbers above 1.
FORWARD, BACKWARD = 1e-12, 1e-10
OPTIMIZERS = Table(
    "update rule",
    "tests/oracles/test_pytorch.py",
    {
        "sgd": torch.optim.SGD,
        "momentum": lambda w, lr, **given: torch.optim.SGD(w, lr, momentum=0.9, **given),
        "nesterov": lambda w, lr, **given: torch.optim.SGD(w, lr, momentum=0.9, nesterov=True, **given),
        "adagrad": torch.optim.Adagrad,
        "rmsprop": torch.optim.RMSprop,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
    },
)


def assert_close(ours, theirs, bound):
    theirs = theirs.detach().numpy()
    assert (np.abs(ours - theirs) <= bound * np.maximum(1, np.abs(theirs))).all()


@pytest.mark.parametrize("kind", REGISTERED)
def test_activations(kind):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.uniform(-bound, bound, 500) for bound in (1e-3, 1, 10, 40, 1000)])
    x = np.concatenate([x, [one for one in SPECIAL if np.isfinite(one)]])
    dout, layer, there = rng.normal(size=x.size), REGISTERED[kind](), torch.tensor(x, requires_grad=True)
    wanted = ACTIVATIONS[kind].pytorch(torch, there)
    wanted.backward(torch.tensor(dout))
    assert_close(layer.forward(x), wanted, FORWARD)
    assert_close(layer.backward(dout), there.grad, BACKWARD)


@pytest.mark.parametrize("factor", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("kind", LOSSES_OF_NUMBERS)
def test_losses_of_numbers(kind, factor):
    option = [factor * number for number in loss_options(kind)]
    rng = np.random.default_rng(0)
    x, t = 3 * rng.normal(size=(40, 25)), targets(kind, rng, 40, 25)
    there, layer = torch.tensor(x, requires_grad=True), LOSSES_OF_NUMBERS[kind](*option)
    wanted = LOSSES[kind].pytorch(torch, there, torch.tensor(t), *option)
    wanted.backward()
    assert_close(np.array(layer.forward(x, t)), wanted, FORWARD)
    assert_close(layer.backward(), there.grad, BACKWARD)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_normalisation(eps):
    rng = np.random.default_rng(0)
    x, dout = 3 + rng.normal(size=(40, 25)), rng.normal(size=(40, 25))
    layer = bp.LayerNorm(25, eps, np.float64)
    layer.gamma, layer.beta = rng.normal(size=25), rng.normal(size=25)
    there = [torch.tensor(array, requires_grad=True) for array in (x, layer.gamma, layer.beta)]
    wanted = torch.nn.functional.layer_norm(there[0], (25,), *there[1:], eps)
    wanted.backward(torch.tensor(dout))
    assert_close(layer.forward(x), wanted, FORWARD)
    ours = layer.backward(dout), layer.dgamma, layer.dbeta
    for gradient, tensor in zip(ours, there, strict=True):
        assert_close(gradient, tensor.grad, BACKWARD)


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("kind", RULES)
def test_update_rules(kind, weight_decay):
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=50), rng.normal(size=(20, 50))
    there, params, rule = torch.tensor(w, requires_grad=True), {"w": w.copy()}, RULES[kind](0.1)
    rule.weight_decay = weight_decay
    optimizer = OPTIMIZERS[kind]([there], 0.1, weight_decay=weight_decay)
    for gradient in gradients:
        there.grad = torch.tensor(gradient)
        optimizer.step()
        rule.update(params, {"w": gradient})
    # Twenty steps of numbers of size 1, some ten roundings each.
    assert (np.abs(params["w"] - there.detach().numpy()) <= 1e-12).all()
