"""Predict the classes of a file's samples with a saved network."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backprop.cli import user_errors

if TYPE_CHECKING:
    from backprop._arrays import Array
    from backprop.network import Network


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop predict`."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="what `backprop train` saved")
    parser.add_argument("data", type=Path, metavar="DATA", help="a .csv or .npz file with the features")
    parser.add_argument("--proba", action="store_true", help="print the classes' probabilities as CSV")
    parser.add_argument(
        "--target",
        help="the column to leave out of a CSV file without a header (that of the labels in training)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print one class a line, or one row of probabilities."""
    from backprop.cli import models
    from backprop.data import read_features

    with user_errors():
        net = models.load(arguments.model)
        features = models.names(arguments.model, net, "features", net.sizes[0])
        classes = models.names(arguments.model, net, "classes", net.sizes[-1])
        target, header = models.target(arguments.model, net)
        if arguments.target is not None:
            target = arguments.target
        x = read_features(arguments.data, features, target, header=header, classes=classes)
        _require_letters(classes)
        scores = _scores(net, x, arguments.data)
    if arguments.proba:
        print(",".join(_quoted(name) for name in classes))
        for row in net.lastLayer.probabilities(scores):
            print(",".join(f"{value:.6g}" for value in row))
    else:
        for label in scores.argmax(axis=1):
            print(classes[label])
    return 0


def _scores(net: "Network", x: "Array", path: Path) -> "Array":
    """The scores of a file's samples, all finite: of others no class is the highest."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # what comes of it is refused below
        scores = net.predict(x)
    finite = np.isfinite(scores).all(axis=1)
    if not finite.all():
        sample = int(finite.argmin())
        raise ValueError(
            f"{path}: the network's scores of sample {sample + 1} are {_shown(scores[sample])}, wanted finite numbers; "
            f"the sample's values reach {np.abs(x[sample]).max():g}"
        )
    return scores


def _shown(row: "Array") -> str:
    few = [f"{value:g}" for value in row[:4]]
    return ", ".join([*few, "..."] if len(row) > 4 else few)


def _require_letters(classes: list[str]) -> None:
    """Refuse names that the output cannot take: what reads it would take escapes for other names."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    for name in classes:
        try:
            name.encode(encoding)
        except UnicodeEncodeError:
            raise ValueError(
                f"the output's encoding {encoding} has not all letters of the class {name!a}; "
                "set PYTHONIOENCODING=utf-8"
            ) from None


def _quoted(name: str) -> str:
    """A cell of a CSV file."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\n') else name
