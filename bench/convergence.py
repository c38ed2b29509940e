"""What a contender is asked for where the time to an accuracy is measured: epochs, one after the other."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Weights = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Task:
    """What is learned, by which rule, and when it is done."""

    sizes: list[int]
    batch: int
    rule: str  # "sgd" or "adam"
    lr: float
    threshold: float
    x: np.ndarray
    t: np.ndarray
    x_test: np.ndarray
    t_test: np.ndarray
    weights: Weights


@dataclass(frozen=True)
class Epochs:
    """What begins anew, trains for an epoch, and gives the accuracy on the test samples."""

    begin: Callable[[Weights, int], None]
    train: Callable[[], None]
    accuracy: Callable[[], float]
