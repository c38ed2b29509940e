"""Backpropagated against numerical gradients of TwoLayerNet(784, 50, 10) on 10 images, and the time of each."""

import time
from collections.abc import Iterator

import numpy as np

import backprop as bp
from bench.data import mnist_or_digits
from bench.results import Result


def gradient_and_kinks(
    net: bp.Network, x: np.ndarray, t: np.ndarray, array: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Central differences of the loss by one parameter, and where a ReLU switched between the two evaluations."""
    kinks: list[bool] = []
    masks: list[list[np.ndarray]] = []

    def loss(_: np.ndarray) -> float:
        value = net.loss(x, t)
        masks.append([layer.mask for layer in net.layers.values() if isinstance(layer, bp.Relu)])
        if len(masks) == 2:
            kinks.append(any(not np.array_equal(above, below) for above, below in zip(*masks, strict=True)))
            masks.clear()
        return value

    gradient = bp.numerical_gradient(loss, array)
    return gradient, np.array(kinks, dtype=bool).reshape(array.shape)


def run(quick: bool) -> Iterator[Result]:
    """Give mean absolute differences over all seeds, points at ReLU kinks left out and counted."""
    name, (x, t), _ = mnist_or_digits()
    x = x.astype(np.float64)
    differences: dict[str, list[float]] = {key: [] for key in ("W1", "b1", "W2", "b2")}
    kinks, back_seconds, numerical_seconds = 0, 0.0, 0.0
    seeds = range(1 if quick else 5)
    for seed in seeds:
        np.random.seed(seed)
        net = bp.TwoLayerNet(784, 50, 10)
        batch = slice(10 * seed, 10 * seed + 10)
        started = time.perf_counter()
        back = {key: gradient.copy() for key, gradient in net.gradient(x[batch], t[batch]).items()}
        back_seconds += time.perf_counter() - started
        started = time.perf_counter()
        for key in ("b1", "W2", "b2") if quick else differences:
            numerical, at_kink = gradient_and_kinks(net, x[batch], t[batch], net.params[key])
            differences[key] += np.abs(back[key] - numerical)[~at_kink].tolist()
            kinks += int(at_kink.sum())
        numerical_seconds += time.perf_counter() - started
    for key, values in differences.items():
        if values:
            what = f"{name}, {key}: mean absolute difference, {len(values)} points"
            yield Result("gradients", what, float(np.mean(values)), "", "<= 1e-9")
    yield Result("gradients", f"{name}: points at kinks, left out", kinks, "")
    if not quick:
        yield Result(
            "gradients", "backpropagated: time of all gradients", 1e3 * back_seconds / len(seeds), "ms"
        )
        yield Result("gradients", "numerical: time of all gradients", numerical_seconds / len(seeds), "s")
