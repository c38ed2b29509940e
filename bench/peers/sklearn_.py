"""scikit-learn: MLPClassifier, a step by partial_fit."""

import warnings

import numpy as np
from sklearn.neural_network import MLPClassifier

from bench.peers import Predictor, Problem, Trainer


def classifier(
    weights: list[tuple[np.ndarray, np.ndarray]], rule: str, lr: float, batch: int
) -> MLPClassifier:
    sizes = [W.shape[0] for W, _ in weights]
    model = MLPClassifier(
        sizes[1:],
        solver=rule,
        learning_rate_init=lr,
        momentum=0,
        nesterovs_momentum=False,
        alpha=0,
        batch_size=batch,
    )
    classes = weights[-1][0].shape[1]
    x = np.zeros((classes, sizes[0]), dtype=weights[0][0].dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.partial_fit(x, np.arange(classes), classes=np.arange(classes))
    model.coefs_ = [W.copy() for W, _ in weights]
    model.intercepts_ = [b.copy() for _, b in weights]
    del model._optimizer  # made anew for these arrays
    return model


def trainers(problem: Problem, threads: int) -> dict[str, Trainer]:
    if problem.sizes[-1] < 3:  # of two classes it has one output
        return {}
    model = classifier(problem.weights, problem.rule, problem.lr, problem.batch)

    def train() -> np.ndarray:
        losses = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for batch in problem.indices:
                model.partial_fit(problem.x[batch], problem.t[batch])
                losses.append(model.loss_)
        return np.array(losses)

    return {"scikit-learn": train}


def predictors(weights: list[tuple[np.ndarray, np.ndarray]], threads: int) -> dict[str, Predictor]:
    return {}
