"""Each activation, loss, normalisation and update rule beside PyTorch's, in float64."""

import numpy as np
import pytest

import backprop as bp
from backprop.layers.base import LOSSES as ALL_LOSSES
from tests.functions import ACTIVATIONS, SPECIAL
from tests.losses import LOSSES
from tests.oracles.beside_pytorch import (  # noqa: F401  # a fixture
    BACKWARD,
    FORWARD,
    assert_close,
    numbers_of_float64,
)
from tests.registry import ACTIVATIONS as REGISTERED
from tests.registry import LOSSES_IN_PARTS, LOSSES_OF_NUMBERS, RULES, Table, loss_options, targets

torch = pytest.importorskip("torch")
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
        "amsgrad": lambda w, lr, **given: torch.optim.Adam(w, lr, amsgrad=True, **given),
        "nadam": torch.optim.NAdam,
        "adadelta": torch.optim.Adadelta,
        "lion": None,  # which PyTorch has not: tests/network/test_optimizers.py has the paper's formula
        "rprop": lambda w, lr, weight_decay: torch.optim.Rprop(w, lr),  # which has no weight decay
        "rmsprop_centered": lambda w, lr, **given: torch.optim.RMSprop(w, lr, centered=True, **given),
        "amsgradw": lambda w, lr, **given: torch.optim.AdamW(w, lr, amsgrad=True, **given),
    },
)


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
@pytest.mark.parametrize("kind", LOSSES_OF_NUMBERS | LOSSES_IN_PARTS)
def test_losses_of_numbers(kind, factor):
    option = [factor * number for number in loss_options(kind)]
    rng = np.random.default_rng(0)
    x, t = 3 * rng.normal(size=(40, 26)), targets(kind, rng, 40, 26)
    there, layer = torch.tensor(x, requires_grad=True), ALL_LOSSES[kind](*option)
    wanted = LOSSES[kind].pytorch(torch, there, torch.tensor(t), *option)
    wanted.backward()
    assert_close(np.array(layer.forward(x, t)), wanted, FORWARD)
    assert_close(layer.backward(), there.grad, BACKWARD)


@pytest.mark.parametrize("scale", [1.0, 1e4])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignored", [None, 2, -100])
def test_softmax_with_loss(scale, soft, smoothing, weighted, ignored):
    rng = np.random.default_rng(0)
    x, t = scale * rng.normal(size=(40, 12)), rng.integers(0, 12, 40)
    weights = rng.uniform(0, 3, 12) if weighted else None
    if soft:
        t = rng.dirichlet(np.ones(12), 40)
    elif ignored is not None:
        t[::7] = ignored
    there, layer = torch.tensor(x, requires_grad=True), bp.SoftmaxWithLoss(smoothing, weights, ignored)
    wanted = torch.nn.functional.cross_entropy(
        there,
        torch.tensor(t),
        weight=None if weights is None else torch.tensor(weights),
        ignore_index=-100 if ignored is None or soft else ignored,
        label_smoothing=smoothing,
    )
    wanted.backward()
    assert_close(np.array(layer.forward(x, t)), wanted, FORWARD)
    assert_close(layer.backward(), there.grad, BACKWARD)


@pytest.mark.parametrize("normalise", ["weights", "count"])
@pytest.mark.parametrize("kind", sorted(LOSSES))
def test_sample_weights(kind, normalise):
    option, weights = loss_options(kind), np.random.default_rng(1).uniform(0, 3, 40)
    rng = np.random.default_rng(0)
    x, t = 3 * rng.normal(size=(40, 26)), targets(kind, rng, 40, 26)
    there, layer = torch.tensor(x, requires_grad=True), ALL_LOSSES[kind](*option)
    layer.normalise = normalise
    rows = [
        LOSSES[kind].pytorch(torch, there[n : n + 1], torch.tensor(t[n : n + 1]), *option) for n in range(40)
    ]
    by = weights.sum() if normalise == "weights" else 40
    wanted = sum(weight * row for weight, row in zip(weights, rows, strict=True)) / by
    wanted.backward()
    assert_close(np.array(layer.forward(x, t, weights)), wanted, FORWARD)
    assert_close(layer.backward(), there.grad, BACKWARD)


NORMALISATIONS = {bp.LayerNorm: "layer_norm", bp.RMSNorm: "rms_norm"}


@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("make", NORMALISATIONS)
def test_normalisations(make, size, eps):
    rng = np.random.default_rng(0)
    x, dout = size * (3 + rng.normal(size=(40, 25))), rng.normal(size=(40, 25))
    layer = make(25, eps, np.float64)
    for name in make.parameter_names:
        setattr(layer, name, rng.normal(size=25))
    own = [getattr(layer, name) for name in make.parameter_names]
    there = [torch.tensor(array, requires_grad=True) for array in (x, *own)]
    wanted = getattr(torch.nn.functional, NORMALISATIONS[make])(there[0], (25,), *there[1:], eps=eps)
    wanted.backward(torch.tensor(dout))
    assert_close(layer.forward(x), wanted, FORWARD)
    ours = layer.backward(dout), *(getattr(layer, f"d{name}") for name in make.parameter_names)
    for gradient, tensor in zip(ours, there, strict=True):
        assert_close(gradient, tensor.grad, BACKWARD)


@pytest.mark.parametrize("kind", REGISTERED)
def test_derivatives_by_the_inputs(kind):
    net = bp.Network([6, 9, 7, 4], activation=kind, dtype=np.float64, seed=0, input_scale=3.0)
    x, t = np.random.default_rng(0).normal(size=(20, 6)), np.arange(20) % 4
    weights = [torch.tensor(array) for array in net.params.values()]

    def scores(rows):
        out = 3 * rows
        for n, (W, b) in enumerate(zip(weights[::2], weights[1::2], strict=True), start=1):
            out = out @ W + b
            out = out if n == 3 else ACTIVATIONS[kind].pytorch(torch, out)
        return out

    there = torch.tensor(x, requires_grad=True)
    assert_close(net.jacobian(x), torch.func.vmap(torch.func.jacrev(scores))(there), BACKWARD)
    torch.nn.functional.cross_entropy(scores(there), torch.tensor(t)).backward()
    assert_close(net.input_gradient(x, t), there.grad, BACKWARD)


@pytest.mark.parametrize("momentum", [0.1, 0.7, 1.0])
@pytest.mark.parametrize("eps", [1e-5, 0.1])
@pytest.mark.parametrize("size", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("rows", [2, 3, 40])
def test_batch_norm(rows, size, eps, momentum):
    rng = np.random.default_rng(0)
    layer, there = bp.BatchNorm(25, eps, momentum, np.float64), torch.nn.BatchNorm1d(25, eps, momentum)
    layer.gamma, layer.beta = rng.normal(size=25), rng.normal(size=25)
    with torch.no_grad():
        there.weight[:], there.bias[:] = torch.tensor(layer.gamma), torch.tensor(layer.beta)
    # Three batches in training, then one by the running statistics.
    for training in (True, True, True, False):
        x, dout = size * (3 + rng.normal(size=(rows, 25))), rng.normal(size=(rows, 25))
        there.train(training)
        there.zero_grad()
        given = torch.tensor(x, requires_grad=True)
        wanted = there(given)
        wanted.backward(torch.tensor(dout))
        assert_close(layer.forward(x, training=training), wanted, FORWARD)
        ours = layer.backward(dout), layer.dgamma, layer.dbeta
        for gradient, tensor in zip(ours, (given, there.weight, there.bias), strict=True):
            assert_close(gradient, tensor.grad, BACKWARD)
        assert_close(layer.running_mean, there.running_mean, FORWARD)
        assert_close(layer.running_var, there.running_var, FORWARD)


@pytest.mark.parametrize(
    "column", [[0.0, 0.0, 0.0], [1e5, 1e5, 1e5], [1e-300, 2e-300, -1e-300], [1e150, -1e150, 0.0]]
)
@pytest.mark.parametrize("bad", [None, np.nan, np.inf, -np.inf])
def test_batch_norm_of_extreme_columns(column, bad):
    x = np.array([column, [1.0, 2.0, 4.0]]).T
    if bad is not None:
        x[1, 0] = bad
    layer, there = bp.BatchNorm(2, dtype=float), torch.nn.BatchNorm1d(2)
    given = torch.tensor(x, requires_grad=True)
    wanted = there(given)
    wanted.backward(torch.ones(3, 2) * torch.tensor([[1.0], [2.0], [3.0]]))
    out = layer.forward(x, training=True)
    dx = layer.backward(np.ones((3, 2)) * [[1], [2], [3]])
    for ours, theirs, bound in (
        (out, wanted, FORWARD),
        (dx, given.grad, BACKWARD),
        (layer.running_mean, there.running_mean, FORWARD),
        (layer.running_var, there.running_var, FORWARD),
    ):
        theirs = theirs.detach().numpy()
        finite = np.isfinite(theirs)
        assert np.array_equal(np.isfinite(ours), finite)
        assert (np.abs(ours[finite] - theirs[finite]) <= bound * np.maximum(1, np.abs(theirs[finite]))).all()


MAKE = {
    **RULES,
    "rmsprop_centered": lambda lr: bp.RMSprop(lr, centered=True),
    "amsgradw": lambda lr: bp.AdamW(lr, amsgrad=True),
}


def both(kind, weight_decay=0.0, shape=(50,), lr=0.01):
    """The same parameter here and there, with an optimizer each."""
    w = np.random.default_rng(0).normal(size=shape)
    rule, there = MAKE[kind](lr), torch.tensor(w, requires_grad=True)
    rule.weight_decay, rule.decay_biases = weight_decay, True
    return {"w": w.copy()}, rule, there, OPTIMIZERS[kind]([there], lr, weight_decay=weight_decay)


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("kind", [kind for kind in MAKE if kind != "lion"])
def test_update_rules(kind, weight_decay):
    params, rule, there, optimizer = both(kind, 0.0 if kind == "rprop" else weight_decay)
    for gradient in np.random.default_rng(1).normal(size=(200, 50)):
        there.grad = torch.tensor(gradient)
        optimizer.step()
        rule.update(params, {"w": gradient})
    # 200 steps of numbers of size 0.01, some ten roundings each.
    assert (np.abs(params["w"] - there.detach().numpy()) <= 1e-12).all()


LIMITS = {
    "clip_value": lambda w: torch.nn.utils.clip_grad_value_([w], 0.5),
    "clip_norm": lambda w: torch.nn.utils.clip_grad_norm_([w], 0.5),
}


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("kind", ["sgd", "adam", "rmsprop"])
def test_clipped_gradients(kind, size, name):
    params, rule, there, optimizer = both(kind)
    setattr(rule, name, 0.5)
    for gradient in np.random.default_rng(1).normal(size=(200, 50)) * size:
        there.grad = torch.tensor(gradient)
        LIMITS[name](there)
        optimizer.step()
        rule.update(params, {"w": gradient})
    assert (np.abs(params["w"] - there.detach().numpy()) <= 1e-12).all()


def test_a_penalty_of_absolute_values():
    params, rule, there, optimizer = both("sgd")
    rule.l1 = 0.02
    for gradient in np.random.default_rng(1).normal(size=(200, 50)):
        there.grad = None
        ((there * torch.tensor(gradient)).sum() + 0.02 * there.abs().sum()).backward()
        optimizer.step()
        rule.update(params, {"w": gradient})
    assert (np.abs(params["w"] - there.detach().numpy()) <= 1e-12).all()


def test_columns_of_a_limited_norm():
    params, rule, there, optimizer = both("sgd", shape=(30, 20), lr=0.1)
    rule.max_norm = 4.0
    for gradient in np.random.default_rng(1).normal(size=(200, 30, 20)):
        there.grad = torch.tensor(gradient)
        optimizer.step()
        with torch.no_grad():
            there.copy_(torch.renorm(there, 2, 1, 4.0))
        rule.update(params, {"w": gradient})
    assert (np.abs(params["w"] - there.detach().numpy()) <= 1e-12).all()
    assert (np.linalg.norm(params["w"], axis=0) <= 4).all()
