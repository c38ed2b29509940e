"""Boxes that follow the axes, asked for whenever a figure is drawn; imported when one is, since matplotlib is."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.markers import MarkerStyle
from matplotlib.transforms import BboxBase

from backprop.plots._figure import POINTS_PER_INCH, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop._util.arrays import Array


class Around(BboxBase):
    """The axes and some points around them."""

    def __init__(self, ax: "Axes", points: float) -> None:
        super().__init__()
        self._ax, self._points = ax, points

    def get_points(self) -> "Array":
        """Lower left and upper right corner, in pixels."""
        corners: Array = self._ax.bbox.padded(
            self._points * figure_of(self._ax).dpi / POINTS_PER_INCH
        ).get_points()
        return corners


def mark_radius(line: Any) -> float:
    """Points from the middle of a line's mark to where it ends; a diamond reaches further than its size says."""
    mark = MarkerStyle(line.get_marker())
    reach = np.abs(mark.get_path().transformed(mark.get_transform()).vertices).max(initial=0.5)
    return float(reach * line.get_markersize() + line.get_markeredgewidth() / 2)
