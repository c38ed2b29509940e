"""Predict the classes of a file's samples with a saved network."""

import argparse
import json
from pathlib import Path

from backprop.cli import user_errors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop predict`."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="what `backprop train` saved")
    parser.add_argument("data", type=Path, metavar="DATA", help="a .csv or .npz file with the features")
    parser.add_argument("--proba", action="store_true", help="print the classes' probabilities as CSV")
    parser.add_argument("--target", help="the column of labels to leave out of a CSV file without a header")


def run(arguments: argparse.Namespace) -> int:
    """Print one class a line, or one row of probabilities."""
    from backprop.data import read_features
    from backprop.network import Network

    with user_errors():
        net = Network.load(arguments.model)
        features = json.loads(net.metadata.get("features", "null")) or [str(n) for n in range(net.sizes[0])]
        classes = json.loads(net.metadata.get("classes", "null")) or [str(n) for n in range(net.sizes[-1])]
        if len(features) != net.sizes[0] or len(classes) != net.sizes[-1]:
            raise ValueError(f"{arguments.model}: the metadata names other numbers of features or classes")
        x = read_features(arguments.data, features, arguments.target)
    if arguments.proba:
        print(",".join(_quoted(name) for name in classes))
        for row in net.predict_proba(x):
            print(",".join(f"{value:.6g}" for value in row))
    else:
        for label in net.predict(x).argmax(axis=1):
            print(classes[label])
    return 0


def _quoted(name: str) -> str:
    """A cell of a CSV file."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\n') else name
