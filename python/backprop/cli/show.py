"""Show what is in a saved network, or in a checkpoint."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backprop._util.messages import cut, listed, shown
from backprop.cli import output
from backprop.cli.errors import text_of, user_errors

if TYPE_CHECKING:
    from backprop._util.arrays import Array
    from backprop.network import Network

SUMMARY = "Show what is in a saved network, or in a checkpoint."
# Characters of a value of the metadata.
LONGEST = 100
# How deep settings stand in each other: a schedule may have another, which follows it.
MOST_NESTED = 5
# Options of a loss that are shown apart.
SCALING = ("target_mean", "target_scale")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe `backprop show`."""
    parser.add_argument(
        "model",
        type=Path,
        metavar="MODEL",
        help="a saved network, or a checkpoint as of `backprop train --checkpoint`",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the network, what its file says besides, and of a checkpoint the run."""
    from backprop._util.files import expanded
    from backprop.io import _checkpoint, safetensors

    path = arguments.model
    with user_errors():
        try:
            net, stated, _ = safetensors.read(path)
        except ValueError:
            _checkpoint.read(path)  # which says whether the one before is whole
            raise
        size = expanded(path).stat().st_size
        is_checkpoint = safetensors.CHECKPOINT in stated
        lines = [*str(net.summary()).splitlines(), *_of_network(net)]
        lines += _of_run(path) if is_checkpoint else []
    output.line(f"{path}: {stated['format']}, {size:,} bytes{', a checkpoint' if is_checkpoint else ''}")
    for line in lines:
        output.line(line)
    return 0


def _of_network(net: "Network") -> Iterator[str]:
    """Loss, scaling and metadata."""
    options = {name: value for name, value in net.spec.loss.options.items() if name not in SCALING}
    settings = ", ".join(f"{name}={shown(value)}" for name, value in options.items())
    yield f"loss: {net.loss_name}{f' ({settings})' if settings else ''}"
    yield f"inputs: {net.sizes[0]}, minus {_range(net.input_mean)}, times {_range(net.input_scale)}"
    if any(name in net.spec.loss.options for name in SCALING):
        yield f"targets: minus {_range(net.target_mean)}, times {_range(net.target_scale)}"
    wrong = [key for key, array in net.params.items() if not _is_finite(array)]
    if wrong:
        yield f"not finite, as after a training that diverged: {listed(wrong)}"
    if net.metadata:
        yield "metadata:"
    for name, value in net.metadata.items():
        yield f"  {name}: {cut(_text(value), LONGEST)}"


def _range(numbers: Any) -> str:
    """One number, or the least and the largest of several."""
    import numpy as np

    array = np.asarray(numbers)
    low, high = f"{array.min():.6g}", f"{array.max():.6g}"
    return low if low == high else f"{low} to {high}"


def _is_finite(array: "Array") -> bool:
    import numpy as np

    return bool(np.isfinite(array).all())


def _text(value: Any) -> str:
    """A value of the metadata; of a list in JSON its length and its entries."""
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        value = found if isinstance(found, list) else value
    if isinstance(value, list):
        return f"{len(value)}: {listed(one if isinstance(one, str) else shown(one) for one in value)}"
    return value if isinstance(value, str) else shown(value)


def _of_run(path: Path) -> Iterator[str]:
    """The run of a checkpoint."""
    from backprop._util.files import before
    from backprop.training.checkpoints.state import Saved

    saved = Saved(str(path))
    state = saved.state
    ended = "ended" if saved.has_ended or saved.step == saved.steps else "can go on"
    yield f"run: step {saved.step} of {saved.steps}, by {'epochs' if saved.by_epochs else 'iterations'}, {ended}"
    for name, value in saved.arguments.items():
        if value is not None:
            yield f"  {name}: {_setting(value)}"
    yield from _of_history(state.get("history"), saved.arrays.get("loss"))
    watch = state.get("watch")
    if isinstance(watch, list) and len(watch) == 3 and isinstance(watch[0], float):
        yield f"  best: {watch[0]:.6g} after step {shown(watch[1])}; evaluations since then: {shown(watch[2])}"
    earlier = before(path)
    try:
        step = Saved(str(earlier)).step
    except FileNotFoundError:
        yield "  file: whole, none before it"
    except (OSError, ValueError) as error:
        yield f"  file: whole; the one before: {text_of(error)}"
    else:
        yield f"  file: whole; the one before, {earlier}, too: step {step}"


def _setting(value: Any, most: int = MOST_NESTED) -> str:
    """An argument of `fit` as a checkpoint has it."""
    if isinstance(value, Mapping) and most:
        said = {name: one for name, one in value.items() if one is not None}
        kind = said.pop("kind", None)
        rest = ", ".join(f"{name}={_setting(one, most - 1)}" for name, one in said.items())
        return cut(rest if kind is None else f"{kind} ({rest})" if rest else str(kind), 2 * LONGEST)
    return value if isinstance(value, str) else shown(value)


def _of_history(history: Any, losses: "Array | None") -> Iterator[str]:
    """The last of what was recorded."""
    last: dict[str, Any] = {}
    if losses is not None and losses.size:
        last["loss"] = losses.reshape(-1)[-1]
    for name in ("train_accuracy", "validation_loss", "validation_accuracy"):
        values = history.get(name) if isinstance(history, Mapping) else None
        if isinstance(values, Sequence) and values and isinstance(values[-1], (int, float)):
            last[name.replace("_", " ")] = values[-1]
    if last:
        yield "  last: " + ", ".join(f"{name} {value:.6g}" for name, value in last.items())
