"""What `backprop train` saves and says when a training has ended."""

import argparse
import io
import math
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from backprop._util.files import expanded, write_atomically
from backprop.cli import output
from backprop.cli.errors import user_errors

if TYPE_CHECKING:
    from backprop.cli.sources import Source
    from backprop.network import Network


def finish(net: "Network", source: "Source", taken: argparse.Namespace, interrupted: bool = False) -> int:
    """Save and report; exit status 1 where there are numbers that are not finite."""
    diverged = _divergence(net)
    if diverged:
        output.complain(f"{diverged}; a lower --lr may help", "warning")
    fate = "" if taken.overwrite else "interrupted" if interrupted else "diverged" if diverged else ""
    out, plot = _unless_taken(taken.out, fate), taken.plot
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
    output.line(f"{taken.data}: {net!r}, {steps} steps")
    _write_best(net, taken, steps)
    _write_scores(net, source)
    if out != taken.out:
        output.line(f"{taken.out} stays as it was; --overwrite replaces it all the same")
    output.line(f"saved to {out}")
    if plot is not None:
        output.line(f"learning curve in {plot}")
    if taken.checkpoint is not None:
        output.line(f"the run is in {taken.checkpoint}")
    return 1 if diverged else 0


def _write_scores(net: "Network", source: "Source") -> None:
    """The accuracy on both parts of the data; of numbers R² and the error, in the target's units."""
    import numpy as np

    from backprop.training.metrics import r2, root_mean_squared_error

    for name, (x, t) in (("train", source.train), ("test", source.test)):
        y = net.predict(x)
        known = bool(np.isfinite(y).all())  # scores that are not finite have no highest
        space = "" if name == "train" else " "
        if "classes" in source.metadata:
            share = net.accuracy(x, t) if known else math.nan
            output.line(f"{name} accuracy {space}{share:.4f} on {len(x)} samples")
        else:
            share, error = (r2(t, y), root_mean_squared_error(t, y)) if known else (math.nan, math.nan)
            output.line(f"{name} R2 {space}{share:.4f}, RMSE {error:.6g} on {len(x)} samples")


def _write_best(net: "Network", taken: argparse.Namespace, steps: int) -> None:
    """Where the loss of what was watched was the lowest, whose weights the network has."""
    history = net.history
    if taken.early_stopping is None or history is None:
        return
    losses = [math.inf if math.isnan(loss) else loss for loss in history.validation_loss]
    if losses:
        best = losses.index(min(losses))
        output.line(
            f"lowest loss {losses[best]:.4f} on {taken.validation_fraction:g} of the training data after step "
            f"{history.evaluated_at[best]} of {steps}"
        )


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
