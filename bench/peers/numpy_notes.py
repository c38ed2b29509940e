"""The notes' own code: NumPy, float64; and the same with float32 weights."""

import numpy as np

from bench.notes.layers import Affine, Relu, SoftmaxWithLoss
from bench.peers import Predictor, Problem, Trainer


def trainers(problem: Problem, threads: int) -> dict[str, Trainer]:
    """The notes' loop over their layers, for networks of any depth; they know no other rule than SGD."""
    if problem.rule != "sgd":
        return {}
    layers = []
    for W, b in problem.weights:
        layers += [Affine(W.copy(), b.copy()), Relu()]
    layers.pop()
    last = SoftmaxWithLoss()
    one_hot = np.eye(problem.sizes[-1], dtype=problem.dtype)[problem.t]

    def train() -> np.ndarray:
        losses = []
        for indices in problem.indices:
            x, t = problem.x[indices], one_hot[indices]
            for layer in layers:
                x = layer.forward(x)
            losses.append(last.forward(x, t))
            dout = last.backward()
            for layer in reversed(layers):
                dout = layer.backward(dout)
            for layer in layers[::2]:
                layer.W -= problem.lr * layer.dW
                layer.b -= problem.lr * layer.db
        return np.array(losses)

    return {"notes' NumPy": train}


def predictors(weights: list[tuple[np.ndarray, np.ndarray]], threads: int) -> dict[str, Predictor]:
    """Products and maxima."""

    def predict(x: np.ndarray) -> np.ndarray:
        for W, b in weights[:-1]:
            x = np.maximum(x @ W + b, 0)
        W, b = weights[-1]
        return x @ W + b

    return {"NumPy": predict}
