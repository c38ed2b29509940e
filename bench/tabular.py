"""Fifteen small data sets that scikit-learn ships or makes, each split, standardised and in a network's terms."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn import datasets

Table = tuple[np.ndarray, np.ndarray]


def california_like(rows: int, seed: int) -> Table:
    """Eight features and a price that grows with income, peaks at one place and is noisy, as California's houses."""
    rng = np.random.RandomState(seed)
    x = rng.randn(rows, 8)
    income, age, rooms, area, _, _, latitude, longitude = x.T
    place = np.exp(-2 * ((latitude - 0.5) ** 2 + (longitude + 0.5) ** 2))
    price = 0.8 * income + 0.3 * np.tanh(income * rooms) + 0.2 * age + 1.5 * place
    price += 0.5 * np.sin(2 * latitude) * np.cos(2 * longitude) + 0.3 * rooms * area
    return x, price + 0.35 * rng.randn(rows)


NUMBERS: dict[str, Callable[[int], Table]] = {
    "friedman1": lambda seed: datasets.make_friedman1(500, noise=1.0, random_state=seed),
    "friedman2": lambda seed: datasets.make_friedman2(500, noise=50.0, random_state=seed),
    "friedman3": lambda seed: datasets.make_friedman3(500, noise=0.1, random_state=seed),
    "diabetes": lambda seed: datasets.load_diabetes(return_X_y=True),
    "diabetes, raw targets": lambda seed: datasets.load_diabetes(return_X_y=True),
    "california-like": lambda seed: california_like(20_000, seed),
    "linear": lambda seed: datasets.make_regression(500, 20, n_informative=10, noise=20.0, random_state=seed),
    "swiss roll": lambda seed: datasets.make_swiss_roll(1000, noise=0.5, random_state=seed),
}
CLASSES: dict[str, Callable[[int], Table]] = {
    "digits": lambda seed: datasets.load_digits(return_X_y=True),
    "breast cancer": lambda seed: datasets.load_breast_cancer(return_X_y=True),
    "wine": lambda seed: datasets.load_wine(return_X_y=True),
    "iris": lambda seed: datasets.load_iris(return_X_y=True),
    "clusters": lambda seed: datasets.make_classification(
        1000, n_informative=6, n_classes=3, random_state=seed
    ),
    "moons": lambda seed: datasets.make_moons(500, noise=0.25, random_state=seed),
    "circles": lambda seed: datasets.make_circles(500, noise=0.15, factor=0.6, random_state=seed),
}


@dataclass(frozen=True)
class Split:
    """Three quarters to train, one to test, and the test loss of the best constant prediction."""

    train: Table
    test: Table
    outputs: int
    constant_loss: float


def split(name: str, seed: int) -> Split:
    """Inputs are standardised by the training rows, targets that are numbers too unless `name` calls them raw."""
    x, t = (NUMBERS | CLASSES)[name](seed)
    order = np.random.RandomState(seed).permutation(len(x))
    train, test = np.split(order, [3 * len(x) // 4])
    std = x[train].std(axis=0)
    x = ((x - x[train].mean(axis=0)) / np.where(std > 0, std, 1)).astype(np.float32)
    if name in CLASSES:
        shares = np.bincount(t[train]) / len(train)
        outputs, constant_loss = len(shares), -np.log(shares[t[test]]).mean()
    else:
        if not name.endswith("raw targets"):
            t = (t - t[train].mean()) / t[train].std()
        outputs, constant_loss = 1, 0.5 * np.mean((t[test] - t[train].mean()) ** 2)
        t = t.astype(np.float32)[:, None]
    return Split((x[train], t[train]), (x[test], t[test]), outputs, float(constant_loss))
