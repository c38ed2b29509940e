"""Predict the classes of a file's samples, or numbers, with a saved network."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backprop.cli import output
from backprop.cli.errors import user_errors

if TYPE_CHECKING:
    from backprop._util.arrays import Array

SUMMARY = "Predict the classes of a file's samples, or numbers, with a saved network."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop predict`."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a saved network, as of `backprop train`")
    parser.add_argument("data", type=Path, metavar="DATA", help="a .csv or .npz file with the features")
    parser.add_argument("--proba", action="store_true", help="print the classes' probabilities as CSV")
    parser.add_argument(
        "--target",
        help="the column to leave out of a CSV file without a header (that of the labels in training)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a line a sample: its class, its probabilities, or the numbers of a network that predicts numbers."""
    from backprop.cli import models
    from backprop.data import read_features
    from backprop.layers.base_loss import classifies

    with user_errors():
        net = models.load(arguments.model)
        features = models.names(arguments.model, net, "features", net.sizes[0])
        target, header = models.target(arguments.model, net)
        if arguments.target is not None:
            target = arguments.target
        classes = None
        if classifies(net.lastLayer):
            classes = models.names(arguments.model, net, "classes", net.sizes[-1])
            models.require_lines(arguments.model, classes)
            _require_letters(classes)
        elif arguments.proba:
            raise ValueError(
                f"--proba is for classes, {arguments.model}: the network's outputs are numbers "
                f"(loss={net.loss_name!r})"
            )
        x = read_features(arguments.data, features, target, header=header, classes=classes)
        scores = models.scores(net, x, arguments.data)
    if classes is None:
        output.write(map(_row, scores))
    elif arguments.proba:
        output.write([",".join(map(_quoted, classes))])
        output.write(map(_row, net.lastLayer.probabilities(scores)))
    else:
        output.write(classes[label] for label in scores.argmax(axis=1))
    return 0


def _row(numbers: "Array") -> str:
    """Numbers as CSV, each with as many digits as give it back in the network's type."""
    return ",".join(map(str, numbers))


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
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"') else name
