"""What a network is trained on: a data set by its name, or a file."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backprop import data
from backprop._util.arrays import Array
from backprop._util.names import did_you_mean
from backprop.cli.models import require_lines
from backprop.network.scaling import mean_and_scale
from backprop.training.sampling import Epochs


@dataclass
class Source:
    """Samples in two parts, and how a network takes them.

    Attributes
    ----------
    train, test : (x, t)
    mean, scale : float or array
        The network's `input_mean` and `input_scale`.
    metadata : dict of str to str
        What `predict` needs to know: `classes`, unless the targets are numbers, and for a file `features`, `target` and
        `header`.
    report : list of str
        For a file, what was taken for what and what was left out: lines to print.
    """

    train: tuple[Array, Array]
    test: tuple[Array, Array]
    mean: float | Array
    scale: float | Array
    metadata: dict[str, str] = field(default_factory=dict)
    report: list[str] = field(default_factory=list)

    @property
    def outputs(self) -> int:
        """How many a network has: one a class, or a number to predict."""
        t = self.train[1]
        return t.shape[1] if t.ndim == 2 else len(json.loads(self.metadata["classes"]))


# So many columns are put into another order at once.
COLUMNS = 16
# More names than these are not all printed.
MOST_NAMES = 12
# So many different whole numbers may be classes, and more where they have so many samples each.
MOST_NUMBERS, SAMPLES_A_CLASS = 20, 10
WHOLE = re.compile("-?[0-9]+")
IMAGES = {
    "digits": (data.load_digits, 1 / 16),
    "mnist": (data.load_mnist, 1 / 255),
    "fashion-mnist": (data.load_fashion_mnist, 1 / 255),
}


def open_source(
    name: str, target: str | None, test_fraction: float, seed: int, regression: bool = False
) -> Source:
    """Load a data set by its name or a table by its path."""
    if name in IMAGES:
        if target is not None:
            raise ValueError(f"--target is for files, {name} has its labels")
        if regression:
            raise ValueError(f"--regression is for files, {name} has classes")
        return _images(name)
    if Path(name).suffix.lower() in (".csv", ".npz"):
        return _table(name, target, test_fraction, seed, regression)
    hint = did_you_mean(name, IMAGES)
    raise ValueError(f"{name!r} is none of {', '.join(IMAGES)} and no .csv or .npz file{hint}")


def _images(name: str) -> Source:
    load, scale = IMAGES[name]
    train, test = load(normalize=False)
    return Source(train, test, 0.0, scale, {"data": name, "classes": json.dumps([str(n) for n in range(10)])})


def _table(path: str, target: str | None, test_fraction: float, seed: int, regression: bool) -> Source:
    table = data.read_table(path, target, numbers=regression)
    require_lines(path, table.classes)
    count = round(test_fraction * len(table.x))
    if not 1 <= count < len(table.x):
        raise ValueError(
            f"--test-fraction {test_fraction:g} of {len(table.x)} samples leaves {count} to test with and "
            f"{len(table.x) - count} to train with, wanted at least one of each"
        )
    order = Epochs(np.random.PCG64(seed), len(table.x), len(table.x)).take(1)[0][0]
    report = _report(table)
    x, t = table.x, table.t[order]
    for start in range(0, x.shape[1], COLUMNS):  # a copy of all columns at once would need their memory twice
        block = x[:, start : start + COLUMNS]
        block[...] = block[order]
    return Source(
        (x[count:], t[count:]),
        (x[:count], t[:count]),
        *mean_and_scale(path, x[count:]),
        {
            "data": Path(path).name,
            **({} if regression else {"classes": json.dumps(table.classes)}),
            "features": json.dumps(table.features),
            "target": table.target,
            "header": json.dumps(table.has_header),
        },
        report,
    )


def _report(table: data.Table) -> list[str]:
    """What a table's columns were taken for."""
    target = repr(table.target) if table.target else "the last column, which has no name"
    lines = [
        f"target: {target}, {_numbers(table.t)}"
        if not table.classes
        else f"target: {target}, {len(table.classes)} classes: {_some(table.classes)}",
        *_may_be_numbers(table),
        f"features: {len(table.features)}: {_some(table.features)}",
        *table.notes,
    ]
    return lines + [
        f"column {table.features[n]!r} counts the rows: if it is no feature, take it out of the file"
        for n in _counters(table.x)
    ]


def _numbers(t: Array) -> str:
    """What is said of numbers to predict."""
    several = f"{t.shape[1]} numbers a sample" if t.shape[1] > 1 else "numbers"
    return f"{several} from {t.min():g} to {t.max():g}"


def _may_be_numbers(table: data.Table) -> list[str]:
    """A target of many whole numbers, of few samples each, is more likely numbers to predict than classes."""
    classes = len(table.classes)
    if classes <= MOST_NUMBERS or len(table.x) >= SAMPLES_A_CLASS * classes:
        return []
    if not all(map(WHOLE.fullmatch, table.classes)):
        return []
    return [
        "these classes are whole numbers: if they are numbers to predict, --regression takes them for that"
    ]


def _counters(x: Array) -> list[int]:
    """Columns that count the rows, as an index that was given a name."""
    if len(x) < 3:
        return []
    likely = np.flatnonzero((x[1] - x[0] == 1) & (x[2] - x[1] == 1)).tolist()
    return [n for n in likely if (np.diff(x[:, n]) == 1).all()]


def _some(names: Sequence[str]) -> str:
    """The names, or the first and the last of many."""
    return ", ".join(names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES - 1], "...", names[-1]])
