"""Pictures, through matplotlib (extra `plot`), imported when one is drawn."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.history import History


def learning_curve(history: "History", ax: "Axes | None" = None) -> "Axes":
    """Draw the loss of every step, its running mean, and the accuracies on a twin axis.

    Parameters
    ----------
    history : History
        With at least one step.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own.

    Returns
    -------
    matplotlib Axes
        The axes with the loss.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    ValueError
        The history is empty.
    """
    if not history.loss:
        raise ValueError("learning_curve: the history has no steps")
    if ax is None:
        ax = _new_axes()
    steps = np.arange(1, len(history.loss) + 1)
    ax.plot(steps, history.loss, color="C0", alpha=0.3, linewidth=0.8, label="loss of the step's batch")
    window = max(len(history.loss) // 50, 1)
    smooth = np.convolve(history.loss, np.ones(window) / window, mode="valid")
    ax.plot(steps[window - 1 :], smooth, color="C0", label=f"loss, mean of {window} steps")
    if history.validation_loss:
        ax.plot(
            history.evaluated_at, history.validation_loss, color="C3", marker=".", label="validation loss"
        )
    ax.set_xlabel("step")
    ax.set_ylabel("loss")
    ax.set_ylim(bottom=0)
    lines, labels = ax.get_legend_handles_labels()

    accuracies = {
        "train accuracy": history.train_accuracy,
        "validation accuracy": history.validation_accuracy,
    }
    if any(accuracies.values()):
        right = ax.twinx()
        right.set_ylabel("accuracy")
        for (name, values), color in zip(accuracies.items(), ("C2", "C1"), strict=True):
            if values:
                right.plot(history.evaluated_at, values, color=color, marker=".", label=name)
        right_lines, right_labels = right.get_legend_handles_labels()
        lines, labels = lines + right_lines, labels + right_labels
    ax.legend(lines, labels, loc="center right")
    return ax


def _new_axes() -> "Axes":
    try:
        # Not through pyplot, which keeps every figure alive and may open a window.
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'bpcore[plot]'") from error
    return Figure(figsize=(7, 4), layout="constrained").add_subplot()
