"""What `backprop train` refuses before anything is done, as it would fail after it."""

import argparse
import os
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path

from backprop._util.files import before, check_writable, expanded
from backprop._util.names import did_you_mean
from backprop._util.other_libraries.arguments import SAME, VALUES
from backprop.cli import numbers
from backprop.cli.errors import UserError, text_of
from backprop.cli.options import DATA_SETS, LBFGS, option


def check(taken: argparse.Namespace) -> None:
    """Refuse before training what would fail after it."""
    from bpcore.threads import MOST_THREADS

    most = dict.fromkeys(("batch_size", "epochs", "iterations", "early_stopping"), numbers.MOST)
    for name, limit in {**most, "threads": MOST_THREADS}.items():
        value = getattr(taken, name)
        if value is not None:
            numbers.require_range(option(name), value, 1, limit)
    numbers.require_range("--seed", taken.seed, 0, 2**32 - 1)
    for name in ("test_fraction", "validation_fraction"):
        value = getattr(taken, name)
        if value is not None and not 0 < value < 1:
            raise ValueError(f"{option(name)} is {value:g}, wanted a number between 0 and 1")
    if taken.loss is not None and not taken.regression:
        raise UserError(f"--loss {taken.loss} is for numbers, with --regression")
    if taken.class_weight is not None and taken.regression:
        raise UserError(f"--class-weight {taken.class_weight} is for classes, and --regression is given")
    _check_files(taken)
    _check_names(taken)


def _check_files(taken: argparse.Namespace) -> None:
    names = ("out", "plot", "checkpoint", "save_settings")
    outputs = {option(name): path for name in names if (path := getattr(taken, name)) is not None}
    for name, path in outputs.items():
        try:
            check_writable(path)
        except OSError as error:
            raise UserError(f"{name} {text_of(error)}") from None
        if taken.data not in DATA_SETS and is_same(path, taken.data):
            raise UserError(f"{name} {path}: is the file to train on, which would be replaced")
    if taken.checkpoint is not None:
        outputs["the file before --checkpoint"] = before(taken.checkpoint)
    for (first, path), (second, other) in combinations(outputs.items(), 2):
        if is_same(path, other):
            one, same = (first, second) if second.startswith("the") else (second, first)
            raise UserError(f"{one} {outputs[one]}: is {same}, too")
    if taken.resume and taken.checkpoint is None:
        raise UserError("--resume goes on from --checkpoint FILE, which is not given")
    if taken.checkpoint is not None and not taken.resume and expanded(taken.checkpoint).exists():
        raise UserError(
            f"--checkpoint {taken.checkpoint}: is there, and would be replaced; wanted another path, or --resume to go "
            "on from it"
        )
    if taken.plot is not None:
        _check_plot(taken.plot)


def _check_names(taken: argparse.Namespace) -> None:
    """Refuse names that nothing has, in the words of the command line."""
    from backprop.layers.elementwise import activations
    from backprop.optimizers.base import RULES
    from backprop.training.schedules.base import SCHEDULES

    for name in taken.activation:
        _require_one_of("activation", name, activations())
    if len(taken.activation) not in (1, len(taken.hidden)):
        raise ValueError(
            f"--activation has {len(taken.activation)} names, wanted one, or one for each of the "
            f"{len(taken.hidden)} hidden layers"
        )
    if len(taken.dropout) not in (1, len(taken.hidden) + 1):
        raise ValueError(
            f"--dropout has {len(taken.dropout)} rates, wanted one, or {len(taken.hidden) + 1}: that of the inputs and "
            "one for each hidden layer"
        )
    _require_one_of("optimizer", taken.optimizer, [*RULES, LBFGS])
    if taken.schedule is not None:
        _require_one_of("schedule", taken.schedule, [name for name in SCHEDULES if name != "lambda"])


def _require_one_of(name: str, value: str, known: Iterable[str]) -> None:
    known = list(known)
    if value not in known:
        hint = did_you_mean(value, known, instead=VALUES.get(name), same=SAME)
        raise ValueError(f"--{name} is {value!r}, wanted one of {', '.join(known)}{hint}")


def is_same(path: str | Path, other: str | Path) -> bool:
    """Whether two paths are those of one file."""
    return expanded(path).resolve() == expanded(other).resolve()


def _check_plot(path: Path) -> None:
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        raise UserError("--plot needs matplotlib: pip install 'bpcore[plot]'") from None
    if path.suffix.lstrip(".").lower() not in FigureCanvasBase.filetypes:
        raise UserError(f"--plot {path}: the name ends in {path.suffix!r}, wanted .png, .svg or .pdf")


def check_memory(sizes: Sequence[int], dtype: str) -> None:
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


def check_bar() -> None:
    """Refuse variables that the progress bar would not take."""
    try:
        import tqdm  # noqa: F401  # reads variables of its own
    except ValueError as error:
        raise UserError(f"a variable TQDM_… of the environment cannot be used: {error}") from None
