"""Which samples `fit` keeps for validation, and what classes weigh."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from backprop._util.arrays import Array, plural
from backprop.training.sampling import Indices


def split(
    labels: Array | None, samples: int, share: float, keys: "np.ndarray[Any, Any]"
) -> tuple[Indices, Indices]:
    """Indices of the samples to train on and of those for validation, each ascending.

    Parameters
    ----------
    labels : (N,) or None
        Classes: each gives its share, to the nearest whole number, largest remainders first, and keeps at least one
        sample to train on. −1 is a class too.
    samples : int
    share : float
        Of validation; at least one sample is on either side.
    keys : (N,) uint64
        Random numbers: of each class those samples are taken that have the smallest.
    """
    wanted = min(max(round(samples * share), 1), samples - 1)
    if wanted < 1:
        raise ValueError(
            f"fit: validation_fraction is {share}, and x has {plural(samples, 'row')}, wanted at least 2"
        )
    groups = (
        [np.arange(samples)]
        if labels is None
        else [np.flatnonzero(labels == one) for one in np.unique(labels)]
    )
    # Largest remainder: what rounding down leaves goes to those that it took most from.
    exact = [len(group) * wanted / samples for group in groups]
    counts = [math.floor(size) for size in exact]
    most = [max(len(group) - 1, 0) if labels is not None else len(group) for group in groups]
    counts = [min(count, limit) for count, limit in zip(counts, most, strict=True)]
    for n in sorted(range(len(groups)), key=lambda n: counts[n] - exact[n]) * 2:
        counts[n] += counts[n] < most[n] and sum(counts) < wanted
    if not sum(counts):
        raise ValueError(f"fit: validation_fraction is {share}, and no class has two samples")
    chosen = [
        group[np.argsort(keys[group], kind="stable")[:count]]
        for group, count in zip(groups, counts, strict=True)
    ]
    held_out = np.zeros(samples, bool)
    held_out[np.concatenate(chosen)] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def fraction_of_data(value: Any) -> float:
    """A share of the samples between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"fit: validation_fraction is {value!r}, wanted a number between 0 and 1")
    if not 0 < value < 1:
        raise ValueError(f"fit: validation_fraction is {value}, wanted a number between 0 and 1")
    return float(value)


def class_weights(value: Any, labels: Array | None, classes: int) -> Array | None:
    """The weight of each sample by its class; None without weights.

    Parameters
    ----------
    value : None, "balanced", mapping of int to float, or sequence of K floats
        "balanced": N / (classes that there are · samples of the class), as scikit-learn's.
    labels : (N,) or None
        None where the outputs are no classes. Samples without a class (−1) weigh 0 with "balanced".
    classes : int
    """
    if value is None:
        return None
    if labels is None:
        raise ValueError(
            "fit: class_weight is given, and the outputs are no classes; sample_weight= takes weights"
        )
    if isinstance(value, str):
        if value != "balanced":
            raise ValueError(f"fit: class_weight is {value!r}, wanted 'balanced' or weights by class")
        counts = np.bincount(labels[labels >= 0], minlength=classes)
        there = np.count_nonzero(counts)
        table = np.array([counts.sum() / (there * count) if count else 0.0 for count in counts])
    else:
        table = _table(value, classes)
    return np.where(labels >= 0, table[np.maximum(labels, 0)], 0.0 if isinstance(value, str) else 1.0)


def _table(value: Any, classes: int) -> Array:
    """Weights by class, of a mapping or of a sequence."""
    wanted = (
        f"wanted 'balanced', a mapping of classes from 0 to {classes - 1} to weights, or {classes} weights"
    )
    table = np.ones(classes)
    if not isinstance(value, Mapping) and (np.ndim(value) != 1 or len(value) != classes):
        raise ValueError(f"fit: class_weight is {value!r}, {wanted}")
    given = value if isinstance(value, Mapping) else dict(enumerate(value))
    for key, weight in given.items():
        if isinstance(key, bool) or not isinstance(key, (int, np.integer)) or not 0 <= key < classes:
            raise ValueError(f"fit: class_weight has the class {key!r}, {wanted}")
        if isinstance(weight, bool) or not isinstance(weight, (int, float, np.integer, np.floating)):
            raise TypeError(f"fit: class_weight[{key}] is {weight!r}, wanted a number of at least 0")
        if not 0 <= weight < math.inf:
            raise ValueError(f"fit: class_weight[{key}] is {weight}, wanted a finite number of at least 0")
        table[key] = weight
    return table
