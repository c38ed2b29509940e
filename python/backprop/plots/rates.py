"""What a learning-rate range test found."""

from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.names import named_arguments
from backprop.plots._drawing import BLUE, VERMILION
from backprop.plots._figure import axes_for
from backprop.plots._legend import legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.training.rate_range import RateRange


@named_arguments
def rate_range(found: "RateRange", ax: "Axes | None" = None) -> "Axes":
    """Draw the loss of every step and the smoothed one over the learning rate, and the rate that is suggested.

    Parameters
    ----------
    found : RateRange
        What `rate_range_test` returned.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own.

    Returns
    -------
    matplotlib Axes
        The rate is on a logarithmic axis. What explodes behind the best smoothed loss is cut off as high above what
        came before as that is above the lowest loss.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError
        It is no such result.
    """
    from backprop.training.rate_range import RateRange

    owner = "rate_range"
    if not isinstance(found, RateRange):
        raise TypeError(f"{owner}: found is a {type(found).__name__}, wanted a RateRange")
    ax = axes_for(owner, ax)
    plain: dict[str, Any] = dict(color=BLUE, linestyle="-", marker="")
    ax.set_xscale("log")
    lines = ax.plot(
        found.rates, found.losses, alpha=0.3, linewidth=0.8, **plain, label="loss of the step's batch"
    )
    lines += ax.plot(found.rates, found.smoothed, **plain, label="loss, smoothed")
    if found.suggestion is not None:
        label = f"steepest fall, at {found.suggestion:.2g}"
        lines.append(
            ax.axvline(found.suggestion, color=VERMILION, linestyle="--", linewidth=1, marker="", label=label)
        )
    _leave_out_the_explosion(ax, found)
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss")
    legend_above(ax, lines, [str(line.get_label()) for line in lines])
    return ax


def _leave_out_the_explosion(ax: "Axes", found: "RateRange") -> None:
    """Let no exploded loss make the fall before it look flat."""
    smoothed = found.smoothed[np.isfinite(found.smoothed)]
    losses = found.losses[np.isfinite(found.losses)]
    if not len(smoothed):
        return
    fallen = smoothed.argmin() + 1
    low, high = float(losses.min()), float(max(smoothed[:fallen].max(), losses[:fallen].max()))
    if losses.max() > 2 * high - low > high:
        margin = (high - low) / 10
        ax.set_ylim(low - margin, 2 * high - low + margin)
