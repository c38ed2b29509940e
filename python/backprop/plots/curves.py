"""How a training run went."""

from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.arrays import plural, real_array
from backprop._util.names import named_arguments
from backprop.plots._drawing import BLUE, GREEN, PURPLE, VERMILION, line_marks, whole_marks
from backprop.plots._figure import axes_for
from backprop.plots._legend import legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.training.history import History

# What a history has for each number of `evaluated_at`, or not at all.
EVALUATED = ("train_accuracy", "validation_loss", "validation_accuracy")
# A curve this short is drawn with a mark at every step.
FEW = 20
# The axis of accuracies shows at least that much: a difference of two percentage points looks small.
LEAST_SPAN = 0.2


@named_arguments
def learning_curve(history: "History", ax: "Axes | None" = None) -> "Axes":
    """Draw the loss of every step, its running mean, and the accuracies on a twin axis.

    Parameters
    ----------
    history : History
        With at least one step.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own. The legend stands above them, or inside where it
        covers nothing if a figure without a layout has no room above.

    Returns
    -------
    matplotlib Axes
        The axes with the loss.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        It is no history or an empty one, or its lists do not belong together.
    """
    owner = "learning_curve"
    _check(owner, history)
    ax = axes_for(owner, ax)
    steps = np.arange(1, len(history.loss) + 1)
    window = max(len(history.loss) // 50, 1)
    # What a style's lines have beside a colour would stand for something: each line says it.
    plain: dict[str, Any] = dict(color=BLUE, linestyle="-", marker="")
    raw = plain | dict(label="loss of the step's batch")
    if window == 1:
        lines = ax.plot(
            steps, history.loss, **raw | (line_marks(BLUE, len(steps)) if len(steps) <= FEW else {})
        )
    else:
        lines = ax.plot(steps, history.loss, alpha=0.3, linewidth=0.8, **raw)
        smooth = np.convolve(history.loss, np.ones(window) / window, mode="valid")
        lines += ax.plot(steps[window - 1 :], smooth, **plain, label=f"loss, mean of {window} steps")
    if history.validation_loss:
        lines += ax.plot(
            history.evaluated_at,
            history.validation_loss,
            **line_marks(VERMILION, len(history.evaluated_at)),
            linestyle="-",
            label="validation loss",
        )
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    _whole_steps(ax)
    # From 0, and over steps without a finite loss too; limits that were fixed would not follow a logarithmic scale.
    ax.update_datalim([(1, 0), (len(steps), 0)])
    lines[0].sticky_edges.y.append(0)

    accuracies = {
        "train accuracy": (history.train_accuracy, GREEN),
        "validation accuracy": (history.validation_accuracy, PURPLE),
    }
    if any(values for values, _ in accuracies.values()):
        right = ax.twinx()
        right.set_ylabel("accuracy")
        for name, (values, color) in accuracies.items():
            if values:
                lines += right.plot(
                    history.evaluated_at, values, **line_marks(color, len(values)), linestyle="--", label=name
                )
        right.grid(False)  # the loss has its own, at other heights
        right.set_ylim(_limits(*right.dataLim.intervaly))
    whole_marks(ax, lines)
    if len(lines) > 1:
        legend_above(ax, lines, [str(line.get_label()) for line in lines])
    return ax


def _check(owner: str, history: Any) -> None:
    """That there are steps, numbers, and one evaluation each time; before there is a figure."""
    from backprop.training.history import History

    if not isinstance(history, History):
        raise TypeError(f"{owner}: history is a {type(history).__name__}, wanted a History")
    series = ("loss", *EVALUATED, "evaluated_at")
    for name in series:
        values = real_array(owner, name, getattr(history, name))
        if values.ndim != 1:
            raise ValueError(f"{owner}: {name} has shape {values.shape}, wanted a list of numbers")
    if not len(history.loss):
        raise ValueError(f"{owner}: the history has no steps")
    times = len(history.evaluated_at)
    for name in EVALUATED:
        count = len(getattr(history, name))
        if count not in (0, times):
            raise ValueError(
                f"{owner}: {name} has {plural(count, 'number')}, evaluated_at has {times}; wanted as many, or none"
            )


def _limits(low: float, high: float) -> tuple[float, float]:
    """Limits of an axis of accuracies from `low` to `high`."""
    if not low <= high:  # there is nothing finite
        low, high = 0.0, 1.0
    low = max(min(low - max(LEAST_SPAN - (high - low), 0.0) / 2, 1.0 - LEAST_SPAN), 0.0)
    high = max(low + LEAST_SPAN, high)
    margin = (high - low) / 20
    return low - margin, high + margin


def _whole_steps(ax: "Axes") -> None:
    """No marks between two steps, unless the axis is logarithmic or has marks of its own."""
    from matplotlib.ticker import MaxNLocator

    locator = ax.xaxis.get_major_locator()
    if isinstance(locator, MaxNLocator):
        locator.set_params(integer=True, min_n_ticks=1)
