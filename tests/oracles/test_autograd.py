"""Loss and gradients of random networks against the automatic differentiation of PyTorch and JAX, in float64.

How far apart they may be is an a-priori bound: that of the network's type, and that of float64 for the other one.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import backprop as bp
from tests.oracles.networks import Problem, problems
from tests.oracles.running_error import error_bounds
from tests.registry import ACTIVATIONS, LOSSES, RULES
from tests.strategies import DTYPES


def pytorchs_activations():
    torch = pytest.importorskip("torch")
    gelu = torch.nn.functional.gelu
    return {
        "relu": torch.relu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "gelu": gelu,
        "gelu_tanh": lambda x: gelu(x, approximate="tanh"),
    }


def pytorchs_losses(options):
    """The sums over all elements of the losses of numbers."""
    losses = pytest.importorskip("torch").nn.functional
    return {
        "squared_error": lambda x, t: losses.mse_loss(x, t, reduction="sum") / 2,
        "huber": lambda x, t: losses.huber_loss(x, t, reduction="sum", **options),
    }


def by_pytorch(problem: Problem) -> tuple[float, dict[str, np.ndarray]]:
    torch = pytest.importorskip("torch")
    net = problem.net
    params = {
        key: torch.tensor(array, dtype=torch.float64, requires_grad=True) for key, array in net.params.items()
    }
    x = torch.tensor(problem.x, dtype=torch.float64)
    for n, kinds in enumerate(net.spec.gaps[1:], start=1):
        x = x @ params[f"W{n}"] + params[f"b{n}"]
        for kind in kinds:
            x = pytorchs_activations()[kind](x)
    t = torch.tensor(problem.t)
    if not net.lastLayer.classifies:
        loss = pytorchs_losses(net.lastLayer.options())[net.loss_name](x, t.double()) / len(x)
    elif t.ndim == 1:
        loss = torch.nn.functional.cross_entropy(x, t)
    else:
        loss = -(t * torch.log_softmax(x, dim=1)).sum() / len(x)
    loss.backward()
    return loss.item(), {key: param.grad.numpy() for key, param in params.items()}


def by_jax(problem: Problem) -> tuple[float, dict[str, np.ndarray]]:
    jax = pytest.importorskip("jax")
    net = problem.net
    activations = {
        "relu": jax.nn.relu,
        "sigmoid": jax.nn.sigmoid,
        "tanh": jax.numpy.tanh,
        "gelu": lambda x: jax.nn.gelu(x, approximate=False),
        "gelu_tanh": lambda x: jax.nn.gelu(x, approximate=True),
    }

    def huber(x, t):
        delta = net.lastLayer.delta
        c = jax.numpy.minimum(abs(x - t), delta)
        return (c * (abs(x - t) - c / 2)).sum()

    losses = {"squared_error": lambda x, t: ((x - t) ** 2).sum() / 2, "huber": huber}

    def loss(params, x, t):
        for n, kinds in enumerate(net.spec.gaps[1:], start=1):
            x = x @ params[f"W{n}"] + params[f"b{n}"]
            for kind in kinds:
                x = activations[kind](x)
        if net.loss_name in losses:
            return losses[net.loss_name](x, t) / len(x)
        return -(t * jax.nn.log_softmax(x)).sum() / len(x)

    t = np.eye(net.sizes[-1])[problem.t] if problem.t.ndim == 1 else problem.t
    with jax.enable_x64(True):
        wide = {key: jax.numpy.asarray(array, "float64") for key, array in net.params.items()}
        value, gradients = jax.value_and_grad(loss)(
            wide, jax.numpy.asarray(problem.x, "float64"), jax.numpy.asarray(t, "float64")
        )
        return float(value), {key: np.asarray(gradient) for key, gradient in gradients.items()}


def agrees(oracle, problem: Problem) -> None:
    """Assert that loss and gradients are within the bounds."""
    bounds = [error_bounds(*problem, kind) for kind in (problem.net.dtype, np.float64)]
    assume(None not in bounds)
    loss, gradients = oracle(problem)
    back = problem.net.gradient(problem.x, problem.t)
    assert abs(problem.net.lastLayer.loss - loss) <= bounds[0][0] + bounds[1][0]
    assert back.keys() == gradients.keys()
    for key, gradient in gradients.items():
        assert (np.abs(back[key] - gradient) <= bounds[0][1][key] + bounds[1][1][key]).all(), key


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@given(data=st.data())
def test_pytorch(dtype, data):
    agrees(by_pytorch, data.draw(problems(dtype)))


# JAX compiles every operation for every shape: half a second an example.
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=settings().max_examples // 5)
@given(data=st.data())
def test_jax(dtype, data):
    agrees(by_jax, data.draw(problems(dtype)))


@given(st.data())
def test_the_bound_is_one(data):
    """It is far below the gradients it is for: what it lets pass is no mistake."""
    problem = data.draw(problems(np.float64))
    bounds = error_bounds(*problem, np.float64)
    assume(bounds is not None)
    assert all(bound.max() <= 1e-9 for bound in bounds[1].values())


# What is promised of each function in float64, where the values are of ordinary size.
FORWARD, BACKWARD = 1e-12, 1e-10


def assert_close(ours, theirs, bound):
    theirs = theirs.detach().numpy()
    assert (np.abs(ours - theirs) <= bound * np.maximum(1, np.abs(theirs))).all()


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_each_activation_is_pytorchs(kind):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, dout = 5 * rng.normal(size=(40, 25)), rng.normal(size=(40, 25))
    tensor = torch.tensor(x, requires_grad=True)
    theirs = pytorchs_activations()[kind](tensor)
    theirs.backward(torch.tensor(dout))
    layer = ACTIVATIONS[kind]()
    assert_close(layer.forward(x), theirs, FORWARD)
    assert_close(layer.backward(dout), tensor.grad, BACKWARD)


@pytest.mark.parametrize("delta", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("kind", [kind for kind, loss in LOSSES.items() if loss.classifies is False])
def test_each_loss_of_numbers_is_pytorchs(kind, delta):
    torch = pytest.importorskip("torch")
    options = {"delta": delta} if "delta" in LOSSES[kind]().options() else {}
    rng = np.random.default_rng(0)
    x, t = 3 * rng.normal(size=(40, 25)), rng.normal(size=(40, 25))
    tensor = torch.tensor(x, requires_grad=True)
    theirs = pytorchs_losses(options)[kind](tensor, torch.tensor(t)) / len(x)
    theirs.backward()
    layer = LOSSES[kind](**options)
    assert_close(np.array(layer.forward(x, t)), theirs, FORWARD)
    assert_close(layer.backward(), tensor.grad, BACKWARD)


@pytest.mark.parametrize("eps", [1e-5, 0.1])
def test_layer_normalisation_is_pytorchs(eps):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, dout = 3 + rng.normal(size=(40, 25)), rng.normal(size=(40, 25))
    layer = bp.LayerNorm(25, eps, np.float64)
    layer.gamma, layer.beta = rng.normal(size=25), rng.normal(size=25)
    tensors = [torch.tensor(array, requires_grad=True) for array in (x, layer.gamma, layer.beta)]
    theirs = torch.nn.functional.layer_norm(tensors[0], (25,), *tensors[1:], eps)
    theirs.backward(torch.tensor(dout))
    assert_close(layer.forward(x), theirs, FORWARD)
    ours = layer.backward(dout), layer.dgamma, layer.dbeta
    for gradient, tensor in zip(ours, tensors, strict=True):
        assert_close(gradient, tensor.grad, BACKWARD)


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("kind", RULES)
def test_each_rule_is_pytorchs(kind, weight_decay):
    torch = pytest.importorskip("torch")
    optim = torch.optim
    theirs = {
        "sgd": lambda p: optim.SGD(p, 0.1, weight_decay=weight_decay),
        "momentum": lambda p: optim.SGD(p, 0.1, momentum=0.9, weight_decay=weight_decay),
        "nesterov": lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=weight_decay),
        "adagrad": lambda p: optim.Adagrad(p, 0.1, weight_decay=weight_decay),
        "rmsprop": lambda p: optim.RMSprop(p, 0.1, weight_decay=weight_decay),
        "adam": lambda p: optim.Adam(p, 0.1, weight_decay=weight_decay),
        "adamw": lambda p: optim.AdamW(p, 0.1, weight_decay=weight_decay),
    }
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=50), rng.normal(size=(20, 50))
    tensor, params, rule = torch.tensor(w, requires_grad=True), {"w": w.copy()}, RULES[kind](0.1)
    rule.weight_decay = weight_decay
    optimizer = theirs[kind]([tensor])
    for gradient in gradients:
        tensor.grad = torch.tensor(gradient)
        optimizer.step()
        rule.update(params, {"w": gradient})
    # Twenty steps of numbers of size 1, some ten roundings each.
    assert (np.abs(params["w"] - tensor.detach().numpy()) <= 1e-12).all()
