"""Train a network and save it."""

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backprop._util.files import before, expanded
from backprop.cli import checks, options, output, report, settings
from backprop.cli.errors import UserError, text_of, user_errors

if TYPE_CHECKING:
    from backprop.cli.sources import Source
    from backprop.network import Network

SUMMARY = "Train a network and save it."
add_arguments = options.add_arguments
# What `fit` is given by the names of options; what of it a checkpoint has that a run goes on from.
OF_FIT = ("schedule", "early_stopping", "class_weight", "validation_fraction", "checkpoint")
OF_RUN = ("schedule", "early_stopping", "class_weight", "validation_fraction")


def run(arguments: argparse.Namespace) -> int:
    """Train, report, save."""
    from backprop.cli.sources import open_source
    from backprop.network import Network

    progress = sys.stderr.isatty()
    with user_errors():
        taken = options.with_defaults(settings.merged(arguments))
        checks.check(taken)
        if taken.save_settings is not None:
            settings.require_writable(taken)
        if progress:
            checks.check_bar()
        optimizer = options.optimizer_of(taken)
        source = open_source(taken.data, taken.target, taken.test_fraction, taken.seed, taken.regression)
        sizes = [source.train[0].shape[1], *taken.hidden, source.outputs]
        checks.check_memory(sizes, taken.dtype)
        asked: dict[str, Any] = dict(
            activation=taken.activation[0] if len(taken.activation) == 1 else taken.activation,
            dtype=taken.dtype,
            seed=taken.seed,
            weight_init=options.DATA_SETS.get(taken.data, options.FILES).weight_init,
            dropout=taken.dropout[0] if len(taken.dropout) == 1 else taken.dropout,
        )
        if taken.regression:  # whose targets are scaled, too
            x, t = source.train
            net = Network.standardised(x, sizes, t, loss=taken.loss, **asked)
        else:
            net = Network(sizes, input_mean=source.mean, input_scale=source.scale, **asked)
        net.metadata = source.metadata
        if taken.resume:
            source.report += _place_of_run(taken)
        if taken.save_settings is not None:
            settings.write(taken)
    for line in source.report:
        output.line(line)
    output.flush()

    try:
        with warnings.catch_warnings(), _errors_of_fit(net, taken):
            warnings.simplefilter("ignore", RuntimeWarning)  # of a loss that is not finite: `finish` says so
            net.fit(*source.train, optimizer=optimizer, progress=progress, **_arguments_of_fit(taken, source))
    except KeyboardInterrupt:
        if net.history is not None and net.history.loss:
            report.finish(net, source, taken, interrupted=True)
        else:  # what is there may be a network that has learned something
            output.complain("no step was done, so nothing is saved")
        raise
    return report.finish(net, source, taken)


def _arguments_of_fit(taken: argparse.Namespace, source: "Source") -> dict[str, Any]:
    """What `fit` is asked for, besides the data and the optimizer."""
    asked = {
        name: getattr(taken, name) for name in ("epochs", "iterations", "batch_size", "threads", *OF_FIT)
    }
    asked["seed"] = None if taken.optimizer == options.LBFGS else taken.seed
    asked["resume"] = True if taken.resume else None
    # What decides when to stop, or how far steps go, is no data to test with.
    asked["validation"] = source.test if taken.validation_fraction is None else None
    return asked


@contextmanager
def _errors_of_fit(net: "Network", taken: argparse.Namespace) -> Iterator[None]:
    """Take errors for the user's where an option can be the cause: of data, of a checkpoint, of a full disk."""
    asked = [name for name in OF_FIT if getattr(taken, name) is not None]
    try:
        yield
    except (ValueError, TypeError, OSError, ImportError) as error:
        has_begun = net.history is not None
        if isinstance(error, OSError) or (not has_begun and (asked or taken.optimizer == options.LBFGS)):
            raise UserError(text_of(error)) from error
        raise


def _place_of_run(taken: argparse.Namespace) -> list[str]:
    """Where the run of a checkpoint is, if one is there; raises where it was asked for what is not given now."""
    from backprop.training.checkpoints.state import Saved

    own = taken.checkpoint, before(taken.checkpoint)
    path = next((os.fspath(one) for one in map(expanded, own) if one.exists()), None)
    if path is None:
        return []
    saved = Saved(path)
    for name in OF_RUN:
        had = saved.arguments.get(name)
        if had is not None and getattr(taken, name) is None:
            shown = had.get("patience", had.get("kind")) if isinstance(had, dict) else had
            raise UserError(
                f"--resume: the run of {path} has {options.option(name)} {shown}, wanted it as it was"
            )
    return [f"goes on from {path}, after step {saved.step} of {saved.steps}"]
