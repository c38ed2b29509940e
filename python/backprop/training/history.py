"""What a training run recorded."""

import math
import os
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backprop._util.arrays import plural
from backprop._util.names import SuggestsNames
from backprop._util.sums import exact_sum

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
    others : list of dict of str to float
        What else was recorded at each evaluation: "learning_rate", and metrics of the validation data, such as
        "validation_mae".
    best_at : int or None
        After how many steps early stopping found the best evaluation; None without it.

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
    others: list[dict[str, float]] = field(default_factory=list)
    best_at: int | None = None
    _run: Any = field(default=None, repr=False, compare=False)  # from which `fit(continue_from=…)` goes on

    def to_dict(self) -> dict[str, list[float]]:
        """Columns with a row for each evaluation, as `pandas.DataFrame` takes them.

        "step", "loss", the mean of the steps since the row above, and what else was recorded: NaN where a row has none.
        """
        starts = [0, *self.evaluated_at]
        parts = [self.loss[first:stop] for first, stop in zip(starts, self.evaluated_at, strict=False)]
        table: dict[str, list[float]] = {
            "step": [*self.evaluated_at],
            "loss": [exact_sum(part) / max(len(part), 1) for part in parts],
        }
        for name in ("train_accuracy", "validation_loss", "validation_accuracy"):
            if values := getattr(self, name):
                table[name] = [*values]
        for name in dict.fromkeys(name for row in self.others for name in row):
            table[name] = [row.get(name, math.nan) for row in self.others]
        return table

    def merged(self, other: "History") -> "History":
        """The record of both this `fit` and a later one: `first + second` is the same.

        Steps and seconds go on where this one ends. What only one of them has recorded is NaN in the other's rows. A
        history of `fit(continue_from=first)` has what `first` has already, and is not merged with it.

        Raises
        ------
        TypeError
            It is no History.
        ValueError
            One goes on with the other's run; or a list has not as many numbers as `evaluated_at`.
        """
        from backprop.training.history_parts import merge

        if not isinstance(other, History):
            raise TypeError(f"merged: other is a {type(other).__name__}, wanted a History")
        result = History()
        merge(self, other, result)
        return result

    def __add__(self, other: object) -> "History":
        if not isinstance(other, History):
            return NotImplemented
        return self.merged(other)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to `path` as JSON; a file that is there is replaced only when the new one is whole.

        Numbers come back as they were: NaN and infinity, which JSON has not, stand as the texts "nan", "inf" and
        "-inf". Names are those of the attributes, beside "format", which is "backprop history 1", and a checksum. The
        run is not in it, so that `fit(continue_from=…)` does not go on from a history that was loaded.

        Raises
        ------
        OSError
            The file cannot be written.
        TypeError, ValueError
            A list has something else than numbers, or not as many as `evaluated_at`.
        """
        from backprop._util.files import write_atomically
        from backprop.training.history_file import content_of

        write_atomically(path, content_of(self))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "History":
        """Read what `save` wrote.

        Raises
        ------
        OSError
            There is no such file, or it cannot be read.
        ValueError
            It is no history, or is damaged; the message says what is wrong.
        """
        from backprop.training.history_file import read

        history = cls()
        read(path, history)
        return history

    def continued(self) -> "History":
        """A history of its own, whose lists begin with what this one has."""
        own = copy(self)
        own.__dict__ |= {name: [*value] for name, value in vars(self).items() if isinstance(value, list)}
        own._run = self._run
        return own

    def __getstate__(self) -> dict[str, Any]:
        """Leave out of copies and pickles what belongs to a network."""
        return self.__dict__ | {"_run": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what a copy or a pickle has; what came later has its default."""
        self.__dict__ |= vars(History()) | state

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the losses, accuracies and metrics; needs matplotlib (`pip install 'bpcore[plot]'`).

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default new axes on a figure of their own.

        Returns
        -------
        matplotlib Axes
            The axes with the loss. Others are on axes on the right: `plots.learning_curve`.
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
        for name in dict.fromkeys(name for row in self.others for name in row):
            values = [row[name] for row in self.others if name in row]
            # Nobody has said which of them is best.
            rows.append((name.replace("_", " "), f"{values[0]:.4g}", "", f"{values[-1]:.4g}"))
        return heading + (table(("", "first", "best", "last"), rows) if rows else "")
