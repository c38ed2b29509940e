"""Train a network and save it."""

import argparse
import io
import math
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from backprop._util.files import check_writable, expanded, write_atomically
from backprop.cli import numbers, output
from backprop.cli.errors import UserError, text_of, user_errors

if TYPE_CHECKING:
    from backprop.cli.sources import Source
    from backprop.network import Network


@dataclass(frozen=True)
class Settings:
    """How a network is trained where the command line does not say."""

    lr: float
    batch_size: int
    epochs: int | None = None
    iterations: int | None = None
    weight_init: float | None = None


SUMMARY = "Train a network and save it."
NOTES = Settings(lr=0.1, batch_size=100, iterations=10_000, weight_init=0.01)
SETTINGS = {"digits": Settings(lr=0.3, batch_size=32, epochs=100), "mnist": NOTES, "fashion-mnist": NOTES}
FILES = Settings(lr=0.1, batch_size=32, epochs=100)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop train`."""
    parser.add_argument(
        "data",
        nargs="?",
        default="digits",
        help="digits (default), mnist, fashion-mnist, FILE.csv or FILE.npz",
    )
    parser.add_argument(
        "--hidden", type=numbers.sizes, default=[50], metavar="N[,N…]", help="units of the hidden layers (50)"
    )
    parser.add_argument("--lr", type=numbers.real, help="learning rate (digits 0.3, else 0.1)")
    parser.add_argument("--batch-size", type=numbers.whole, help="samples a step (32; MNIST 100)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=numbers.whole, help="passes over the data (100)")
    length.add_argument(
        "--iterations", type=numbers.whole, help="steps on batches drawn with replacement (MNIST 10000)"
    )
    parser.add_argument(
        "--dtype", choices=("float32", "float64"), default="float32", help="type of the arithmetic"
    )
    parser.add_argument(
        "--seed", type=numbers.whole, default=0, help="of the weights, the order and the split (0)"
    )
    parser.add_argument("--threads", type=numbers.whole, help="threads to use, at most 1024")
    parser.add_argument(
        "--out", type=Path, default=Path("model.safetensors"), help="where the network is saved"
    )
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="replace what is at --out (and --plot) even if the training is interrupted or diverges",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the learning curve")
    parser.add_argument(
        "--target",
        help="of a file: the column (its name; without a header its number, -1 for the last) or key of the labels "
        "(the last; t or y)",
    )
    parser.add_argument(
        "--test-fraction", type=numbers.real, default=0.2, help="of a file: the share to test with (0.2)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, report, save."""
    from backprop.cli.sources import open_source
    from backprop.network import Network
    from backprop.optimizers import SGD

    settings = SETTINGS.get(arguments.data, FILES)
    progress = sys.stderr.isatty()
    with user_errors():
        _check_arguments(arguments)
        if progress:
            _check_bar()
        optimizer = SGD(settings.lr if arguments.lr is None else arguments.lr)
        source = open_source(arguments.data, arguments.target, arguments.test_fraction, arguments.seed)
        sizes = [source.train[0].shape[1], *arguments.hidden, source.classes]
        _check_memory(sizes, arguments.dtype)
        net = Network(
            sizes,
            dtype=arguments.dtype,
            seed=arguments.seed,
            weight_init=settings.weight_init,
            input_mean=source.mean,
            input_scale=source.scale,
        )
    net.metadata = source.metadata
    for line in source.report:
        output.line(line)
    output.flush()

    if arguments.epochs is None and arguments.iterations is None:
        arguments.epochs, arguments.iterations = settings.epochs, settings.iterations
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of a loss that is not finite: `_finish` says so
            net.fit(
                *source.train,
                epochs=arguments.epochs,
                iterations=arguments.iterations,
                batch_size=arguments.batch_size or settings.batch_size,
                optimizer=optimizer,
                validation=source.test,
                seed=arguments.seed,
                threads=arguments.threads,
                progress=progress,
            )
    except KeyboardInterrupt:
        if net.history is not None and net.history.loss:
            _finish(net, source, arguments, interrupted=True)
        else:  # what is there may be a network that has learned something
            output.complain("no step was done, so nothing is saved")
        raise
    return _finish(net, source, arguments)


def _finish(
    net: "Network", source: "Source", arguments: argparse.Namespace, interrupted: bool = False
) -> int:
    """Save and report; exit status 1 where there are numbers that are not finite."""
    import numpy as np

    diverged = _divergence(net)
    if diverged:
        output.complain(f"{diverged}; a lower --lr may help", "warning")
    fate = "" if arguments.overwrite else "interrupted" if interrupted else "diverged" if diverged else ""
    out, plot = _unless_taken(arguments.out, fate), arguments.plot
    with user_errors():
        net.save(out)
        if plot is not None and net.history is not None and net.history.loss:
            from matplotlib.figure import Figure

            figure = Figure(figsize=(7, 4), layout="constrained")
            net.history.plot(figure.add_subplot())
            picture = io.BytesIO()
            figure.savefig(picture, format=plot.suffix.lstrip(".").lower())
            plot = _unless_taken(plot, fate)
            write_atomically(plot, picture.getvalue())
    steps = len(net.history.loss) if net.history is not None else 0
    output.line(f"{arguments.data}: {net!r}, {steps} steps")
    for name, (x, t) in (("train", source.train), ("test", source.test)):
        # Scores that are not finite have no highest.
        share = net.accuracy(x, t) if np.isfinite(net.predict(x)).all() else math.nan
        output.line(f"{name} accuracy {'' if name == 'train' else ' '}{share:.4f} on {len(x)} samples")
    if out != arguments.out:
        output.line(f"{arguments.out} stays as it was; --overwrite replaces it all the same")
    output.line(f"saved to {out}")
    if plot is not None:
        output.line(f"learning curve in {plot}")
    return 1 if diverged else 0


def _unless_taken(path: Path, fate: str) -> Path:
    """Where the result of a training with this fate goes: beside a file that is there, which may be a better one's."""
    if not fate or not expanded(path).exists():
        return path
    names = (f"{path.stem}-{fate}{end}{path.suffix}" for end in chain([""], (f"-{n}" for n in count(2))))
    return next(beside for beside in map(path.with_name, names) if not expanded(beside).exists())


def _divergence(net: "Network") -> str:
    """What is not finite of a training, if something is."""
    import numpy as np

    losses = net.history.loss if net.history is not None else []
    step = next((n for n, loss in enumerate(losses, start=1) if not math.isfinite(loss)), None)
    found = [] if step is None else [f"the loss is {losses[step - 1]} at step {step}"]
    if not all(np.isfinite(array).all() for array in net.params.values()):
        found.append("the weights are not finite")
    return " and ".join(found)


def _check_arguments(arguments: argparse.Namespace) -> None:
    """Refuse before training what would fail after it."""
    from bpcore.threads import MOST_THREADS

    most = {
        "batch_size": numbers.MOST,
        "epochs": numbers.MOST,
        "iterations": numbers.MOST,
        "threads": MOST_THREADS,
    }
    for name, limit in most.items():
        value = getattr(arguments, name)
        if value is not None:
            numbers.require_range(f"--{name.replace('_', '-')}", value, 1, limit)
    numbers.require_range("--seed", arguments.seed, 0, 2**32 - 1)
    if not 0 < arguments.test_fraction < 1:
        raise ValueError(f"--test-fraction is {arguments.test_fraction:g}, wanted a number between 0 and 1")
    outputs = {"--out": arguments.out, "--plot": arguments.plot}
    for option, path in outputs.items():
        if path is not None:
            try:
                check_writable(path)
            except OSError as error:
                raise UserError(f"{option} {text_of(error)}") from None
            if arguments.data not in SETTINGS and _is_same(path, arguments.data):
                raise UserError(f"{option} {path}: is the file to train on, which would be replaced")
    if arguments.plot is not None and _is_same(arguments.plot, arguments.out):
        raise UserError(f"--plot {arguments.plot}: is --out, too")
    if arguments.plot is not None:
        _check_plot(arguments.plot)


def _check_memory(sizes: Sequence[int], dtype: str) -> None:
    """Refuse a network that this machine cannot hold: systems promise more memory than they have."""
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(sizes))
    needed = parameters * {"float32": 4, "float64": 8}[dtype]
    if "SC_PHYS_PAGES" not in os.sysconf_names:
        return
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if needed > memory:
        raise ValueError(
            f"--hidden {','.join(map(str, sizes[1:-1]))} makes {parameters} parameters, {needed / 2**30:.4g} GiB of "
            f"{dtype}; this machine has {memory / 2**30:.4g}"
        )


def _is_same(path: Path, other: str | Path) -> bool:
    """Whether two paths are those of one file."""
    return expanded(path).resolve() == expanded(other).resolve()


def _check_bar() -> None:
    try:
        import tqdm  # noqa: F401  # reads variables of its own
    except ValueError as error:
        raise UserError(f"a variable TQDM_… of the environment cannot be used: {error}") from None


def _check_plot(path: Path) -> None:
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise UserError("--plot needs matplotlib: pip install 'bpcore[plot]'") from None
    if path.suffix.lstrip(".").lower() not in FigureCanvasBase.filetypes:
        raise UserError(f"--plot {path}: the name ends in {path.suffix!r}, wanted .png, .svg or .pdf")
