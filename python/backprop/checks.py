"""Backpropagated gradients beside numerical ones, for every layer of the package and for a network.

The bound: a central difference with step h is off by h²/6·f‴ and by the roundoff of f over h. With h = 1e-5, third
derivatives of at most 1e3 and values of at most 1e3 that is 2e-8 + 3e-8, so 1e-7 leaves a factor of two; it is
taken relatively where gradients are larger than 1. A wrong gradient is off by its own size.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._arrays import Array
from backprop.gradients import numerical_gradient
from backprop.layers import Affine, Relu, Sigmoid, SoftmaxWithLoss
from backprop.nodes import Add, Exp, Multiply, Reciprocal, SigmoidOfNodes

if TYPE_CHECKING:
    from backprop.network import Network

H = 1e-5
BOUND = 1e-7


@dataclass(frozen=True)
class Comparison:
    """One array's gradient, computed both ways.

    Attributes
    ----------
    name, array : str
        The layer and which of its arrays.
    elements, kinks : int
        How many elements the array has, and how many of them were left out because a ReLU switched between the two
        evaluations.
    difference, bound : float
        The largest absolute difference, and what it may be.
    seconds, numerical_seconds : float
        Time of the whole backward pass, and of this array's numerical gradient.
    """

    name: str
    array: str
    elements: int
    kinks: int
    difference: float
    bound: float
    seconds: float
    numerical_seconds: float

    @property
    def passed(self) -> bool:
        """Whether the two agree; a NaN does not."""
        return self.difference <= self.bound and self.kinks < max(self.elements, 2) / 2


def _compared(
    name: str, array: str, back: Array, numerical: Array, kinks: int, seconds: float, started: float
) -> Comparison:
    elapsed = time.perf_counter() - started
    if np.shape(back) != numerical.shape:
        difference = float("inf")
    else:
        difference = float(np.max(np.abs(back - numerical), initial=0))
    bound = BOUND * max(1.0, float(np.max(np.abs(numerical), initial=0)))
    return Comparison(name, array, numerical.size, kinks, difference, bound, seconds, elapsed)


def compare(
    name: str,
    arrays: Mapping[str, Array],
    forward: Callable[[], Any],
    backward: Callable[[Any], Mapping[str, Any]],
    rng: np.random.Generator,
) -> Iterator[Comparison]:
    """Compare the gradients of Σ dout·forward() with respect to each array, for a random dout."""
    started = time.perf_counter()
    dout = rng.uniform(0.5, 2, size=np.shape(forward()))[()]
    back = backward(dout)
    seconds = time.perf_counter() - started
    for array, values in arrays.items():
        started = time.perf_counter()
        numerical = numerical_gradient(lambda _: np.sum(forward() * dout), values, H)
        yield _compared(name, array, back[array], numerical, 0, seconds, started)


def layers(seed: int) -> Iterator[Comparison]:
    """Compare every layer and node of the package on random inputs away from the kinks."""
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> Array:
        return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 3, size=shape)

    x = draw(5, 4)

    def of_one(layer: Any) -> Iterator[Comparison]:
        name = type(layer).__name__
        yield from compare(
            name, {"x": x}, lambda: layer.forward(x), lambda dout: {"x": layer.backward(dout)}, rng
        )

    def of_two(node: Any, y: Array, name: str) -> Iterator[Comparison]:
        def backward(dout: Any) -> dict[str, Any]:
            dx, dy = node.backward(dout)
            return {"x": dx, "y": dy}

        yield from compare(name, {"x": x, "y": y}, lambda: node.forward(x, y), backward, rng)

    def of_loss(t: Array, name: str) -> Iterator[Comparison]:
        layer = SoftmaxWithLoss()
        yield from compare(
            name, {"x": x}, lambda: layer.forward(x, t), lambda dout: {"x": layer.backward(dout)}, rng
        )

    for kind in (Relu, Sigmoid, SigmoidOfNodes, Exp, Reciprocal):
        yield from of_one(kind())
    affine = Affine(draw(4, 3), draw(3))
    yield from compare(
        "Affine",
        {"x": x, "W": affine.W, "b": affine.b},
        lambda: affine.forward(x),
        lambda dout: {"x": affine.backward(dout), "W": affine.dW, "b": affine.db},
        rng,
    )
    yield from of_loss(rng.integers(0, 4, 5), "SoftmaxWithLoss, labels")
    yield from of_loss(rng.dirichlet(np.ones(4), 5), "SoftmaxWithLoss, soft targets")
    for node in (Add, Multiply):
        yield from of_two(node(), draw(5, 4), node.__name__)
        yield from of_two(node(), draw(4), f"{node.__name__}, broadcast")


def network(net: "Network", x: Array, t: Array) -> Iterator[Comparison]:
    """Compare every parameter's gradient of a float64 network's loss, leaving out points at kinks."""
    started = time.perf_counter()
    back = {key: gradient.copy() for key, gradient in net.gradient(x, t).items()}
    seconds = time.perf_counter() - started
    for key, array in net.params.items():
        started = time.perf_counter()
        numerical, kinks = gradient_and_kinks(net, x, t, array)
        smooth = np.where(kinks, back[key], numerical)
        yield _compared(type(net).__name__, key, back[key], smooth, int(kinks.sum()), seconds, started)


def gradient_and_kinks(net: "Network", x: Array, t: Array, array: Array) -> tuple[Array, Array]:
    """Central differences of the loss by one parameter, and where they are none.

    Returns
    -------
    gradient : ndarray of float64, of the shape of `array`
    kinks : ndarray of bool, likewise
        True where the mask of some ReLU differs between the two evaluations: there the loss has a corner between
        them, and the difference is no derivative.
    """
    kinks: list[bool] = []
    masks: list[list[Any]] = []

    def loss(_: Array) -> float:
        value = net.loss(x, t)
        masks.append([layer.mask for layer in net.layers.values() if isinstance(layer, Relu)])
        if len(masks) == 2:
            kinks.append(any(not np.array_equal(above, below) for above, below in zip(*masks, strict=True)))
            masks.clear()
        return value

    gradient = numerical_gradient(loss, array, H)
    return gradient, np.array(kinks, dtype=bool).reshape(array.shape)
