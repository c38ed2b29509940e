"""What a network is trained on: a data set by its name, or a file."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backprop import data, sampling
from backprop._arrays import Array
from backprop._names import did_you_mean
from backprop.scaling import mean_and_scale


@dataclass
class Source:
    """Samples in two parts, and how a network takes them.

    Attributes
    ----------
    train, test : (x, t)
    mean, scale : float or array
        The network's `input_mean` and `input_scale`.
    metadata : dict of str to str
        What `predict` needs to know: `classes`, and for a file `features` and `target`.
    """

    train: tuple[Array, Array]
    test: tuple[Array, Array]
    mean: float | Array
    scale: float | Array
    metadata: dict[str, str] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        """How many there are."""
        return len(json.loads(self.metadata["classes"]))


IMAGES = {
    "digits": (data.load_digits, 1 / 16),
    "mnist": (data.load_mnist, 1 / 255),
    "fashion-mnist": (data.load_fashion_mnist, 1 / 255),
}


def open_source(name: str, target: str | None, test_fraction: float, seed: int) -> Source:
    """Load a data set by its name or a table by its path."""
    if name in IMAGES:
        if target is not None:
            raise ValueError(f"--target is for files, {name} has its labels")
        return _images(name)
    if Path(name).suffix.lower() in (".csv", ".npz"):
        return _table(name, target, test_fraction, seed)
    hint = did_you_mean(name, IMAGES)
    raise ValueError(f"{name!r} is none of {', '.join(IMAGES)} and no .csv or .npz file{hint}")


def _images(name: str) -> Source:
    load, scale = IMAGES[name]
    train, test = load(normalize=False)
    return Source(train, test, 0.0, scale, {"data": name, "classes": json.dumps([str(n) for n in range(10)])})


def _table(path: str, target: str | None, test_fraction: float, seed: int) -> Source:
    table = data.read_table(path, target)
    count = round(test_fraction * len(table.x))
    if not 1 <= count < len(table.x):
        raise ValueError(
            f"--test-fraction {test_fraction:g} of {len(table.x)} samples leaves {count} to test with and "
            f"{len(table.x) - count} to train with, wanted at least one of each"
        )
    order = sampling.Epochs(np.random.PCG64(seed), len(table.x), len(table.x)).take(1)[0][0]
    test, train = order[:count], order[count:]
    x = table.x[train]
    return Source(
        (x, table.t[train]),
        (table.x[test], table.t[test]),
        *mean_and_scale(path, x),
        {
            "data": Path(path).name,
            "classes": json.dumps(table.classes),
            "features": json.dumps(table.features),
            "target": table.target,
        },
    )
