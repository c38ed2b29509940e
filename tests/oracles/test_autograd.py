"""Loss and gradients of random networks against the automatic differentiation of PyTorch and JAX, in float64.

How far apart they may be is an a-priori bound: that of the network's type, and that of float64 for the other one.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.oracles.networks import Problem, problems
from tests.oracles.running_error import error_bounds
from tests.strategies import DTYPES


def by_pytorch(problem: Problem) -> tuple[float, dict[str, np.ndarray]]:
    torch = pytest.importorskip("torch")
    activations = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    net = problem.net
    params = {
        key: torch.tensor(array, dtype=torch.float64, requires_grad=True) for key, array in net.params.items()
    }
    x = torch.tensor(problem.x, dtype=torch.float64)
    for n, kinds in enumerate(net.spec.gaps[1:], start=1):
        x = x @ params[f"W{n}"] + params[f"b{n}"]
        for kind in kinds:
            x = activations[kind](x)
    t = torch.tensor(problem.t)
    if net.loss_name == "squared_error":
        loss = ((x - t) ** 2).sum() / 2 / len(x)
    elif t.ndim == 1:
        loss = torch.nn.functional.cross_entropy(x, t)
    else:
        loss = -(t * torch.log_softmax(x, dim=1)).sum() / len(x)
    loss.backward()
    return loss.item(), {key: param.grad.numpy() for key, param in params.items()}


def by_jax(problem: Problem) -> tuple[float, dict[str, np.ndarray]]:
    jax = pytest.importorskip("jax")
    net = problem.net
    activations = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jax.numpy.tanh}

    def loss(params, x, t):
        for n, kinds in enumerate(net.spec.gaps[1:], start=1):
            x = x @ params[f"W{n}"] + params[f"b{n}"]
            for kind in kinds:
                x = activations[kind](x)
        if net.loss_name == "squared_error":
            return ((x - t) ** 2).sum() / 2 / len(x)
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
