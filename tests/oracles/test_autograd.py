"""Loss and gradients of random networks against the automatic differentiation of PyTorch and JAX, in float64.

How far apart they may be is an a-priori bound: that of the network's type, and that of float64 for the other one.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.functions import ACTIVATIONS
from tests.losses import LOSSES
from tests.oracles.networks import Problem, problems
from tests.strategies import DTYPES


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
            x = ACTIVATIONS[kind].pytorch(torch, x)
    loss = LOSSES[net.loss_name].pytorch(torch, x, torch.tensor(problem.t), *net.lastLayer.options().values())
    loss.backward()
    return loss.item(), {key: param.grad.numpy() for key, param in params.items()}


def by_jax(problem: Problem) -> tuple[float, dict[str, np.ndarray]]:
    jax = pytest.importorskip("jax")
    net = problem.net

    def loss(params, x, t):
        for n, kinds in enumerate(net.spec.gaps[1:], start=1):
            x = x @ params[f"W{n}"] + params[f"b{n}"]
            for kind in kinds:
                x = ACTIVATIONS[kind].jax(jax, x)
        return LOSSES[net.loss_name].jax(jax, x, t, *net.lastLayer.options().values())

    t = np.eye(net.sizes[-1])[problem.t] if problem.t.ndim == 1 else problem.t
    with jax.enable_x64(True):
        wide = {key: jax.numpy.asarray(array, "float64") for key, array in net.params.items()}
        value, gradients = jax.value_and_grad(loss)(
            wide, jax.numpy.asarray(problem.x, "float64"), jax.numpy.asarray(t, "float64")
        )
        return float(value), {key: np.asarray(gradient) for key, gradient in gradients.items()}


def agrees(oracle, problem: Problem) -> None:
    """Assert that loss and gradients are within the bounds."""
    bounds = [
        problem.model(kind).loss_and_gradient(problem.x, problem.t) for kind in (problem.net.dtype, float)
    ]
    loss, gradients = oracle(problem)
    back = problem.net.gradient(problem.x, problem.t)
    assert abs(problem.net.lastLayer.loss - loss) <= bounds[0][0].e + bounds[1][0].e
    assert back.keys() == gradients.keys()
    for key, gradient in gradients.items():
        assert (np.abs(back[key] - gradient) <= bounds[0][1][key].e + bounds[1][1][key].e).all(), key


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
    _, gradients = problem.model(np.float64).loss_and_gradient(problem.x, problem.t)
    assert all(gradient.e.max() <= 1e-9 for gradient in gradients.values())
