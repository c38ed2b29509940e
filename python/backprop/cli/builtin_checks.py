"""Gradient checks of every layer of the package, and of a network, on random inputs away from the kinks."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from backprop._util.arrays import Array
from backprop.gradcheck import GradientReport, check_gradients
from backprop.layers.base import LAYERS, LOSSES, Layer
from backprop.layers.base_loss import Loss
from backprop.layers.elementwise import activations
from backprop.layers.row_losses import LossOfNumbers
from backprop.layers.softmax import row_functions
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

    def draw(*shape: Any) -> Array:
        return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 3, size=shape)

    x = draw(5, 4)
    unary: list[type[Any]] = [
        *activations().values(),
        *row_functions().values(),
        SigmoidOfNodes,
        Exp,
        Reciprocal,
    ]
    for kind in unary:
        yield kind.__name__, check_gradients(kind(), x, seed=seed)
    for layer in (one for one in LAYERS.values() if issubclass(one, Layer) and one.parameter_names):
        shapes = layer.parameter_shapes({}, 4, 3)
        yield (
            layer.__name__,
            check_gradients(
                layer.of({}, {name: draw(*shape) for name, shape in shapes.items()}), x, seed=seed
            ),
        )
    for loss in (one for one in LOSSES.values() if issubclass(one, Loss)):
        for what, t in targets_of(loss, rng, draw):
            yield f"{loss.__name__}{what}", check_gradients(loss(), x, t, seed=seed)
    for node in (Log(), Power(2.5), Sum(axis=0), Max(axis=1)):
        yield repr(node), check_gradients(node, np.abs(x), seed=seed)
    yield "Power(-3)", check_gradients(Power(-3), x, seed=seed)
    yield "Dot", check_gradients(Dot(), x, draw(4, 3), seed=seed)
    # Each input is the larger one in every second place.
    yield "Maximum", check_gradients(Maximum(), x, x + np.resize([1.0, -1.0], x.shape), seed=seed)
    for binary in (Add, Subtract, Multiply, Divide):
        yield binary.__name__, check_gradients(binary(), x, draw(5, 4), seed=seed)
        yield f"{binary.__name__}, broadcast", check_gradients(binary(), x, draw(4), seed=seed)
    net = Network([8, 10, 6, 4], dtype=np.float64, seed=seed)
    yield "Network", check_gradients(net, rng.normal(size=(12, 8)), rng.integers(0, 4, 12), seed=seed)


def targets_of(
    loss: type[Any], rng: np.random.Generator, draw: Callable[..., Array]
) -> list[tuple[str, Array]]:
    """Targets of each kind that a loss takes, and what they are called."""
    if loss.classifies:
        return [(", labels", rng.integers(0, 4, 5)), (", soft targets", rng.dirichlet(np.ones(4), 5))]
    if not issubclass(loss, LossOfNumbers):
        return [("", draw(5, 4))]
    return [("", draw(5, 4 // loss.outputs_per_target).clip(*loss.target_range))]
