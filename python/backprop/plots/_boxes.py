"""Boxes that follow the axes, asked for whenever a figure is drawn; imported when one is, since matplotlib is."""

from typing import TYPE_CHECKING

from matplotlib.transforms import BboxBase

from backprop.plots._figure import POINTS_PER_INCH, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop._arrays import Array


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
