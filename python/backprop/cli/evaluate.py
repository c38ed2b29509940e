"""Compare what a saved network predicts of a file's samples with what the file says."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from backprop.cli import output
from backprop.cli.errors import user_errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backprop._util.arrays import Array
    from backprop.network import Network

SUMMARY = "Say how well a saved network predicts the classes, or the numbers, that a file has."
# So many classes have a line each.
MOST_CLASSES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop evaluate`."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="a saved network, as of `backprop train`")
    parser.add_argument(
        "data",
        metavar="DATA",
        help="a .csv or .npz file with the features and the target; digits, mnist or fashion-mnist: their test data",
    )
    parser.add_argument(
        "--target",
        help="the column or key of the labels, or numbers (that in training); see `backprop train`",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the loss, and what else is known of predictions like these."""
    from backprop.cli import models
    from backprop.layers.base_loss import has_classes, is_binary, labels_of_scores, labels_of_targets
    from backprop.training.validation import mean_loss

    with user_errors():
        net = models.load(arguments.model)
        classes = None
        if has_classes(net.lastLayer, net.sizes[-1]):
            count = 2 if is_binary(net.lastLayer) else net.sizes[-1]
            classes = models.names(arguments.model, net, "classes", count)
        x, t = _data(arguments, net, classes)
        if classes is not None and is_binary(net.lastLayer):
            t = t.reshape(-1, 1).astype(float)
        scores = models.scores(net, x, arguments.data)
        t = net.targets_for("evaluate", t, len(x))
        loss = mean_loss(net, x, t)
    output.line(f"{arguments.data}: {len(x)} samples")
    rows = {f"loss ({net.loss_name})": loss}
    if classes is None:
        rows |= _of_numbers(net, t, scores)
        _write(rows)
        return 0
    labels, found = labels_of_targets(net.lastLayer, t), labels_of_scores(net.lastLayer, scores)
    _write(rows | _of_classes(labels, found))
    if len(classes) <= MOST_CLASSES:
        _write_recalls(classes, labels, found)
    return 0


def _data(
    arguments: argparse.Namespace, net: "Network", classes: "Sequence[str] | None"
) -> "tuple[Array, Array]":
    """Samples and targets."""
    from backprop.cli import models, sources
    from backprop.data.labelled import read_labelled

    if arguments.data in sources.IMAGES:
        if arguments.target is not None:
            raise ValueError(f"--target is for files, {arguments.data} has its labels")
        return sources.open_source(arguments.data, None, 0.0, 0).test
    features = models.names(arguments.model, net, "features", net.sizes[0])
    target, header = models.target(arguments.model, net)
    target = target if arguments.target is None else arguments.target
    return read_labelled(arguments.data, features, target, header=header, classes=classes)


def _of_classes(labels: "Array", found: "Array") -> dict[str, float]:
    from backprop.training.metrics import balanced_accuracy

    return {
        "accuracy": float((labels == found).mean()),
        "balanced accuracy": balanced_accuracy(labels, found),
    }


def _of_numbers(net: "Network", t: "Array", y: "Array") -> dict[str, float]:
    """What is said of numbers, where the outputs are predictions of them."""
    from backprop.training.metrics import METRICS, NO_PREDICTIONS

    if net.loss_name in NO_PREDICTIONS or t.shape != y.shape:
        return {}
    return {label: METRICS[label.lower()].function(t, y) for label in ("R2", "MAE", "RMSE")}


def _write(rows: dict[str, float]) -> None:
    width = max(map(len, rows))
    for name, value in rows.items():
        output.line(f"{name:<{width}}  {value:.6g}")


def _write_recalls(classes: "Sequence[str]", labels: "Array", found: "Array") -> None:
    """For each class its samples, and the share of them that is recognised."""
    import numpy as np

    names = [output.escaped(name) for name in classes]
    width = max(map(len, ("class", *names)))
    output.line(f"{'class':<{width}}  samples  recall")
    for n, name in enumerate(names):
        own = labels == n
        count = np.count_nonzero(own)
        recall = f"{np.count_nonzero(found[own] == n) / count:.4f}" if count else "none"
        output.line(f"{name:<{width}}  {count:>7}  {recall:>6}")
