"""Gradient checks of every layer of the package, and of a network, on random inputs away from the kinks."""

from collections.abc import Iterator

import numpy as np

from backprop._arrays import Array
from backprop.gradcheck import GradientReport, check_gradients
from backprop.layers import Affine, IdentityWithLoss, Relu, Sigmoid, SoftmaxWithLoss, Tanh
from backprop.network import Network
from backprop.nodes import (
    Add,
    Divide,
    Dot,
    Exp,
    Log,
    Max,
    Maximum,
    Multiply,
    Power,
    Reciprocal,
    SigmoidOfNodes,
    Subtract,
    Sum,
)


def reports(seed: int) -> Iterator[tuple[str, GradientReport]]:
    """Check everything that the package differentiates; names and reports."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 3, size=shape)

    x = draw(5, 4)
    for kind in (Relu, Sigmoid, Tanh, SigmoidOfNodes, Exp, Reciprocal):
        yield kind.__name__, check_gradients(kind(), x, seed=seed)
    yield "Affine", check_gradients(Affine(draw(4, 3), draw(3)), x, seed=seed)
    yield "SoftmaxWithLoss, labels", check_gradients(SoftmaxWithLoss(), x, rng.integers(0, 4, 5), seed=seed)
    weights = rng.dirichlet(np.ones(4), 5)
    yield "SoftmaxWithLoss, soft targets", check_gradients(SoftmaxWithLoss(), x, weights, seed=seed)
    yield "IdentityWithLoss", check_gradients(IdentityWithLoss(), x, draw(5, 4), seed=seed)
    for unary in (Log(), Power(2.5), Sum(axis=0), Max(axis=1)):
        yield repr(unary), check_gradients(unary, np.abs(x), seed=seed)
    yield "Power(-3)", check_gradients(Power(-3), x, seed=seed)
    yield "Dot", check_gradients(Dot(), x, draw(4, 3), seed=seed)
    # Each input is the larger one in every second place.
    yield "Maximum", check_gradients(Maximum(), x, x + np.resize([1.0, -1.0], x.shape), seed=seed)
    for node in (Add, Subtract, Multiply, Divide):
        yield node.__name__, check_gradients(node(), x, draw(5, 4), seed=seed)
        yield f"{node.__name__}, broadcast", check_gradients(node(), x, draw(4), seed=seed)
    net = Network([8, 10, 6, 4], dtype=np.float64, seed=seed)
    yield "Network", check_gradients(net, rng.normal(size=(12, 8)), rng.integers(0, 4, 12), seed=seed)
