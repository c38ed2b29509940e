"""How close the two gradients of a check are."""

from typing import TYPE_CHECKING, Any

import numpy as np

from backprop._util.arrays import plural
from backprop._util.names import named_arguments
from backprop.plots._drawing import (
    BLUE,
    GREEN,
    VERMILION,
    marks,
    name_rows,
    plain,
    rows_figure,
    whole_marks,
)
from backprop.plots._figure import axes_for
from backprop.plots._legend import legend_above

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.gradcheck import GradientReport

# Errors are drawn between these: less than float64 can tell apart, and twice the numbers' own size.
FLOOR, CEILING = 1e-18, 10.0
# A row's points are spread over this part of its height.
SPREAD = 0.5


@named_arguments
def gradient_errors(report: "GradientReport", ax: "Axes | None" = None) -> "Axes":
    """Draw the relative error of every point of a gradient check, a row an array.

    Parameters
    ----------
    report : GradientReport
        What `check_gradients` returned, with at least one array.
    ax : matplotlib Axes, optional
        Where to draw; by default new axes on a figure of their own, higher for more arrays.

    Returns
    -------
    matplotlib Axes
        Points that agree, that stand at a kink, and that disagree have marks and colours of their own. Errors below
        1e-18, 0 above all, stand on the left edge, those above 10 and NaN at 10. The dashed line is the
        check's `rtol`; a point beyond it agrees where the numerical derivative is no surer.

    Raises
    ------
    ImportError
        matplotlib is not installed.
    TypeError, ValueError
        It is no report, or nothing was compared.
    """
    from backprop.gradcheck import GradientReport

    owner = "gradient_errors"
    if not isinstance(report, GradientReport):
        raise TypeError(f"{owner}: report is a {type(report).__name__}, wanted a GradientReport")
    if not any(array.points for array in report.arrays):
        raise ValueError(f"{owner}: the report has no points: nothing was compared")
    ax = axes_for(owner, ax, rows_figure(len(report.arrays)))
    kinds: dict[str, tuple[str, str, list[tuple[float, float]]]] = {
        "agrees": (BLUE, "o", []),
        "at a kink": (GREEN, "^", []),
        "disagrees": (VERMILION, "X", []),
    }
    for row, array in enumerate(report.arrays):
        heights = row + SPREAD * (np.arange(len(array.points)) / max(len(array.points) - 1, 1) - 0.5)
        for point, height in zip(array.points, heights, strict=True):
            kind = "disagrees" if not point.passed else "at a kink" if point.kink else "agrees"
            relative = point.relative if np.isfinite(point.relative) else CEILING
            kinds[kind][2].append((min(max(relative, FLOOR), CEILING), float(height)))
    ax.set_xscale("log")
    drawn: list[Any] = []
    for name, (color, marker, places) in kinds.items():
        if places:
            size = 7 if name == "disagrees" else 4
            look = marks(color, marker, size)
            drawn += ax.plot(*zip(*places, strict=True), **look, linestyle="", label=name)
    whole_marks(ax, drawn)
    if report.rtol is not None:
        line = ax.axvline(
            report.rtol,
            color=VERMILION,
            linestyle="--",
            linewidth=1,
            marker="",
            label=f"rtol {report.rtol:g}",
        )
        drawn.append(line)
    ax.set_xlim(FLOOR, CEILING)
    name_rows(
        ax,
        [plain(array.name) for array in report.arrays],
        [plural(len(array.points), "point") for array in report.arrays],
    )
    ax.set_xlabel("relative error")
    legend_above(ax, drawn, [str(one.get_label()) for one in drawn])
    return ax
