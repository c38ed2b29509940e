"""The libraries that we are compared with; each module has what it can do of `trainers` and `predictors`.

A peer starts from the same weights, takes the same batches in the same order and records the loss of every step. What
is not installed is left out and named.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

NAMES = ("numpy_notes", "pytorch", "jax_", "sklearn_", "onnx_")


@dataclass(frozen=True)
class Problem:
    """What is trained: data, batches, initial weights and the rule."""

    sizes: list[int]
    batch: int
    x: np.ndarray  # (N, inputs)
    t: np.ndarray  # (N,) labels
    indices: np.ndarray  # (steps, batch)
    weights: list[tuple[np.ndarray, np.ndarray]]
    rule: str  # "sgd" or "adam"
    lr: float

    @property
    def dtype(self) -> np.dtype:
        return self.x.dtype


Trainer = Callable[[], np.ndarray]  # runs all steps from where the weights stand; returns their losses
Predictor = Callable[[np.ndarray], np.ndarray]


def all_peers() -> tuple[list, list[str]]:
    """The peers' modules, and the names of those that are not installed."""
    peers, missing = [], []
    for name in NAMES:
        try:
            peers.append(importlib.import_module(f"bench.peers.{name}"))
        except ImportError as error:
            missing.append(error.name or name)
    return peers, missing
