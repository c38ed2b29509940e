"""What a training run recorded."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backprop._util.arrays import plural
from backprop._util.names import SuggestsNames

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass
class History(SuggestsNames):
    """The record of one `fit`.

    Attributes
    ----------
    loss : list of float
        Loss of every step's batch, before the step's update.
    train_accuracy : list of float
        For every epoch (with `iterations`: for every N // batch_size steps, and for what is left after them) the
        running accuracy of its batches, each taken before its step; with `track_accuracy=True`, or where a subclass
        has its own `accuracy`, or by L-BFGS, that on all of the training data after the epoch. Empty where the outputs
        are no classes.
    validation_loss, validation_accuracy : list of float
        On all of the validation data after every epoch, of the moving average where `fit` had one; empty without data.
    evaluated_at : list of int
        After how many steps each of them was taken.
    seconds : float
        Time the whole run took.

    Examples
    --------
    >>> (x, t), _ = bp.load_digits()
    >>> history = bp.Network([64, 20, 10], seed=0).fit(x, t, iterations=300, seed=0)
    >>> len(history.loss), history.evaluated_at[-1], history.train_accuracy[-1] > 0.8
    (300, 300, True)
    """

    _table = "OF_HISTORY"

    loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    evaluated_at: list[int] = field(default_factory=list)
    seconds: float = 0.0

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the loss of every step and the accuracies; needs matplotlib (`pip install 'bpcore[plot]'`).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default new axes on a figure of their own.

        Returns
        -------
        matplotlib Axes
            The axes with the loss. The accuracies are on a twin axis on the right.
        """
        from backprop.plots import learning_curve

        return learning_curve(self, ax)

    def __repr__(self) -> str:
        parts = [plural(len(self.loss), "step"), f"{self.seconds:.1f} s"]
        names = ("loss", "train_accuracy", "validation_loss", "validation_accuracy")
        last = {name.replace("_", " "): getattr(self, name)[-1] for name in names if getattr(self, name)}
        parts += [f"{name} {value:.4f}" for name, value in last.items()]
        return f"History({', '.join(parts)})"

    def _repr_html_(self) -> str:
        import math

        from backprop._util.html import sparkline, table

        losses = self.loss
        heading = f"<p>{plural(len(losses), 'step')}, {self.seconds:.1f} s {sparkline(losses)}</p>"
        rows = []
        for name, best in (
            ("loss", min),
            ("validation_loss", min),
            ("train_accuracy", max),
            ("validation_accuracy", max),
        ):
            values = getattr(self, name)
            if values:
                finite = [value for value in values if math.isfinite(value)]
                found = (values[0], best(finite, default=math.nan), values[-1])
                rows.append((name.replace("_", " "), *(f"{value:.4f}" for value in found)))
        return heading + (table(("", "first", "best", "last"), rows) if rows else "")
