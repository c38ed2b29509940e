"""Keras on JAX: `fit`, an epoch a call."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np

from bench.convergence import Epochs, Task


def epochs(task: Task, threads: int) -> Epochs:
    layers = [keras.layers.Dense(W.shape[1], activation="relu") for W, _ in task.weights[:-1]]
    model = keras.Sequential([keras.Input((task.sizes[0],)), *layers, keras.layers.Dense(task.sizes[-1])])
    rule = (
        keras.optimizers.SGD(task.lr) if task.rule == "sgd" else keras.optimizers.Adam(task.lr, epsilon=1e-8)
    )
    model.compile(rule, keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def begin(weights: list[tuple[np.ndarray, np.ndarray]], seed: int) -> None:
        keras.utils.set_random_seed(seed)
        model.set_weights([array for pair in weights for array in pair])
        for variable in model.optimizer.variables:
            if "learning_rate" not in variable.path:
                variable.assign(np.zeros(variable.shape, variable.dtype))

    def train() -> None:
        model.fit(task.x, task.t, batch_size=task.batch, epochs=1, verbose=0)

    def accuracy() -> float:
        scores = model.predict(task.x_test, batch_size=1000, verbose=0)
        return float((scores.argmax(axis=1) == task.t_test).mean())

    return Epochs(begin, train, accuracy)
