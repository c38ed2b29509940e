"""The options of `backprop train`: what they are, and their defaults."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backprop.cli import numbers
from backprop.cli.errors import UserError

if TYPE_CHECKING:
    from backprop.optimizers.base import Optimizer


@dataclass(frozen=True)
class Defaults:
    """How a network is trained where nothing else is said."""

    lr: float
    batch_size: int
    epochs: int | None = None
    iterations: int | None = None
    weight_init: float | None = None


NOTES = Defaults(lr=0.1, batch_size=100, iterations=10_000, weight_init=0.01)
DATA_SETS = {"digits": Defaults(lr=0.3, batch_size=32, epochs=100), "mnist": NOTES, "fashion-mnist": NOTES}
FILES = Defaults(lr=0.1, batch_size=32, epochs=100)
# Those that do not depend on the data.
ALWAYS: dict[str, Any] = {
    "data": "digits",
    "hidden": [50],
    "activation": ["relu"],
    "dropout": [0.0],
    "optimizer": "sgd",
    "dtype": "float32",
    "seed": 0,
    "out": Path("model.safetensors"),
    "overwrite": False,
    "resume": False,
    "regression": False,
    "test_fraction": 0.2,
}
LOSSES_OF_NUMBERS = ("squared_error", "huber", "absolute_error", "log_cosh")
# The share of the training data that is watched, where something has to be.
WATCHED = 0.1
# L-BFGS takes all of the data in each of its iterations, so what is about batches and rates has no meaning.
LBFGS, LBFGS_ITERATIONS = "lbfgs", 100
NOT_FOR_LBFGS = (
    "lr", "weight_decay", "batch_size", "epochs", "schedule", "early_stopping", "validation_fraction", "class_weight",
    "checkpoint", "resume",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop train`; what is not given is None, for a file of settings may say it."""
    parser.add_argument(
        "data", nargs="?", help="digits (default), mnist, fashion-mnist, FILE.csv or FILE.npz"
    )
    _add_data(parser.add_argument_group("the data"))
    _add_network(parser.add_argument_group("the network"))
    _add_training(parser)
    _add_files(parser)


def _add_data(group: Any) -> None:
    group.add_argument(
        "--target",
        help="of a file: the column (its name; without a header its number, -1 for the last) or key of the labels "
        "(the last; t or y)",
    )
    group.add_argument(
        "--regression",
        action="store_true",
        default=None,
        help="of a file: the target is numbers to predict, and not classes",
    )
    group.add_argument("--test-fraction", type=numbers.real, help="of a file: the share to test with (0.2)")


def _add_network(group: Any) -> None:
    group.add_argument(
        "--hidden", type=numbers.sizes, metavar="N[,N…]", help="units of the hidden layers (50)"
    )
    group.add_argument(
        "--activation",
        type=numbers.names,
        metavar="NAME[,NAME…]",
        help="of the hidden layers, one for all or one each, such as gelu (relu)",
    )
    group.add_argument(
        "--dropout",
        type=numbers.reals,
        metavar="RATE[,RATE…]",
        help="the share of each hidden layer's units that training drops, or first that of the inputs, then one a "
        "hidden layer (0)",
    )
    group.add_argument(
        "--loss",
        choices=LOSSES_OF_NUMBERS,
        help="with --regression, in deviations of the target (squared_error)",
    )
    group.add_argument("--dtype", choices=("float32", "float64"), help="type of the arithmetic (float32)")


def _add_training(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the training")
    group.add_argument(
        "--optimizer", metavar="NAME", help="such as adam; lbfgs for small tables, with --iterations (sgd)"
    )
    group.add_argument(
        "--lr", type=numbers.real, help="learning rate (sgd: digits 0.3, else 0.1; others: their own)"
    )
    group.add_argument("--weight-decay", type=numbers.real, help="of the optimizer (its own, mostly 0)")
    group.add_argument(
        "--schedule",
        metavar="NAME",
        help="what the learning rate becomes, such as cosine, one_cycle or plateau",
    )
    group.add_argument("--batch-size", type=numbers.whole, help="samples a step (32; MNIST 100)")
    length = group.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=numbers.whole, help="passes over the data (100)")
    length.add_argument(
        "--iterations", type=numbers.whole, help="steps on batches drawn with replacement (MNIST 10000)"
    )
    group.add_argument(
        "--early-stopping",
        type=numbers.whole,
        metavar="N",
        help="stop where N epochs have not lowered the loss of a share of the training data, and take the weights of "
        "the lowest",
    )
    group.add_argument(
        "--validation-fraction",
        type=numbers.real,
        help="that share (0.1 for early stopping and for the schedule plateau)",
    )
    group.add_argument(
        "--class-weight",
        choices=("balanced",),
        help="let all classes weigh the same, however many samples they have",
    )
    group.add_argument("--seed", type=numbers.whole, help="of the weights, the order and the split (0)")
    group.add_argument("--threads", type=numbers.whole, help="threads to use, at most 1024")


def _add_files(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what is written")
    group.add_argument("--out", type=Path, help="where the network is saved (model.safetensors)")
    group.add_argument(
        "--overwrite",
        action="store_true",
        default=None,
        help="replace what is at --out (and --plot) even if the training is interrupted or diverges",
    )
    group.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the learning curve")
    group.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FILE",
        help="where the run is saved after every epoch, to go on from",
    )
    group.add_argument(
        "--resume", action="store_true", default=None, help="go on from --checkpoint, if it is there"
    )
    group.add_argument(
        "--save-settings", type=Path, metavar="FILE.toml", help="write all settings of the run, defaults too"
    )
    group.add_argument(
        "--settings",
        type=Path,
        metavar="FILE.toml",
        help="take the settings of such a file where no option says else",
    )


def with_defaults(given: argparse.Namespace) -> argparse.Namespace:
    """What a run is asked for, with the defaults that depend on nothing but what is given."""
    taken = argparse.Namespace(**vars(given))
    for name, value in ALWAYS.items():
        if getattr(taken, name) is None:
            setattr(taken, name, value)
    if taken.regression:
        taken.loss = LOSSES_OF_NUMBERS[0] if taken.loss is None else taken.loss
    defaults = DATA_SETS.get(taken.data, FILES)
    if taken.optimizer == LBFGS:
        for name in NOT_FOR_LBFGS:
            if getattr(taken, name):
                raise UserError(
                    f"{option(name)} is not for --optimizer lbfgs, which takes all of the data in each of --iterations"
                )
        taken.iterations = LBFGS_ITERATIONS if taken.iterations is None else taken.iterations
        return taken
    if taken.lr is None and taken.optimizer == "sgd":
        taken.lr = defaults.lr
    if taken.batch_size is None:
        taken.batch_size = defaults.batch_size
    if taken.epochs is None and taken.iterations is None:
        taken.epochs, taken.iterations = defaults.epochs, defaults.iterations
    if taken.validation_fraction is None and (
        taken.early_stopping is not None or taken.schedule == "plateau"
    ):
        taken.validation_fraction = WATCHED
    return taken


def option(name: str) -> str:
    """An option as it is written."""
    return f"--{name.replace('_', '-')}"


def optimizer_of(taken: argparse.Namespace) -> "Optimizer | str":
    """The optimizer; its own settings, where none were given, become those that are taken."""
    from backprop.optimizers.base import RULES

    if taken.optimizer == LBFGS:
        return LBFGS
    names = ("lr", "weight_decay")
    made = RULES[taken.optimizer](
        **{name: value for name in names if (value := getattr(taken, name)) is not None}
    )
    taken.lr, taken.weight_decay = (getattr(made, name) for name in names)
    return made
