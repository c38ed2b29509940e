"""Predict the classes of a file's samples with a saved network."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from backprop._json import parsed
from backprop.cli import user_errors

if TYPE_CHECKING:
    from backprop.network import Network


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
        features = names(arguments.model, net, "features", net.sizes[0])
        classes = names(arguments.model, net, "classes", net.sizes[-1])
        x = read_features(arguments.data, features, arguments.target)
        _require_letters(classes)
    if arguments.proba:
        print(",".join(_quoted(name) for name in classes))
        for row in net.predict_proba(x):
            print(",".join(f"{value:.6g}" for value in row))
    else:
        for label in net.predict(x).argmax(axis=1):
            print(classes[label])
    return 0


def names(path: Path, net: "Network", key: str, count: int) -> list[str]:
    """What a file calls its features or classes; their numbers if it does not say."""
    try:
        found = net.metadata.get(key)
        found = parsed(found) if isinstance(found, str) else found
    except ValueError as error:
        raise ValueError(f"{path}: the metadata's {key} are damaged: {error}") from None
    if found is None:
        return [str(n) for n in range(count)]
    if not isinstance(found, list) or len(found) != count or not all(map(_is_text, found)):
        raise ValueError(f"{path}: the metadata's {key} are {found!r}, wanted a list of {count} names")
    return found


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


def _is_text(name: object) -> bool:
    """Whether it can be printed: JSON can write half a surrogate pair, no encoding can."""
    return isinstance(name, str) and name == name.encode(errors="replace").decode()


def _quoted(name: str) -> str:
    """A cell of a CSV file."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\n') else name
