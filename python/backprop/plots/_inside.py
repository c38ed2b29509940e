"""Places in the axes where nothing is drawn; imported when one is looked for, since matplotlib is."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.collections import PathCollection
from matplotlib.path import Path
from matplotlib.transforms import Bbox, IdentityTransform

from backprop._util.arrays import Array
from backprop.plots._boxes import mark_radius
from backprop.plots._figure import POINTS_PER_INCH, figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

# The axes are looked at in squares of so many points.
SQUARE = 2.0


def twins(ax: "Axes") -> "list[Axes]":
    """Other axes in the same place that are drawn after these."""
    axes = figure_of(ax).axes
    return [one for one in axes[axes.index(ax) + 1 :] if np.allclose(one.bbox.bounds, ax.bbox.bounds)]


class Taken:
    """Which squares of the axes have a line, a mark or a text in them, of twin axes too."""

    def __init__(self, ax: "Axes") -> None:
        self._scale = figure_of(ax).dpi / POINTS_PER_INCH
        self._box = ax.bbox.frozen()
        sides = np.ptp(self._box.get_points(), axis=0) // (SQUARE * self._scale)
        across, down = np.maximum(sides, 1).astype(int)
        self._squares = np.zeros((down, across), bool)
        for one in (ax, *twins(ax)):
            one.get_xlim()  # computes limits that are due
            self._add(one)
        # The sum over all squares below and left of a corner: that over any box is four of them.
        self._sums = np.pad(self._squares.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def place(self, width: float, height: float) -> tuple[float, Array]:
        """How many squares a box of so many points covers where it covers least, and its corners in pixels.

        Of places that are as good it takes the one nearest to a corner. A box that is larger than the axes covers
        infinitely many.
        """
        down, across = (int(np.ceil(side / SQUARE)) for side in (height, width))
        rows, columns = (1 + n - side for n, side in zip(self._squares.shape, (down, across), strict=True))
        size = np.array([width, height]) * self._scale
        middle = np.mean(self._box.get_points(), axis=0)
        if rows < 1 or columns < 1:
            return np.inf, np.array([middle - size / 2, middle + size / 2])
        sums = self._sums
        covered = (
            sums[down:, across:] - sums[:-down, across:] - sums[down:, :-across] + sums[:-down, :-across]
        )
        row, column = np.arange(rows), np.arange(columns)
        off = np.minimum(row, row[::-1])[:, None] + np.minimum(column, column[::-1])
        at = np.lexsort((off.ravel(), covered.ravel()))[0]
        corner = np.array([at % columns, at // columns]) * SQUARE * self._scale + self._box.min
        return float(covered.ravel()[at]), np.array([corner, corner + size])

    def _add(self, ax: "Axes") -> None:
        for line in ax.lines:
            if line.get_visible():
                path = line.get_transform().transform_path(line.get_path())
                if line.get_linestyle() != "None":
                    self._add_strokes(path)
                if line.get_marker() not in ("", "None", None, " "):
                    self._add_points(path.vertices, mark_radius(line))
        for patch in ax.patches:
            if patch.get_visible():
                self._add_strokes(patch.get_transform().transform_path(patch.get_path()))
        for collection in ax.collections:
            if not collection.get_visible():
                continue
            if isinstance(collection, PathCollection):
                offsets = collection.get_offset_transform().transform(
                    np.ma.filled(collection.get_offsets(), np.nan)
                )
                self._add_points(offsets, float(np.sqrt(np.max(collection.get_sizes(), initial=0.0))) / 2)
            else:
                for path in collection.get_paths():
                    self._add_strokes(collection.get_transform().transform_path(path))
        boxes = [text.get_window_extent() for text in ax.texts if text.get_visible() and text.get_text()]
        boxes += [child.bbox for child in ax.child_axes if child.get_visible()]
        for box in boxes:
            low, high = self._square(np.array([box.min, box.max]))
            self._squares[max(low[1], 0) : max(high[1] + 1, 0), max(low[0], 0) : max(high[0] + 1, 0)] = True

    def _add_strokes(self, path: Path) -> None:
        """Squares along a path in pixels."""
        clipped = path.cleaned(remove_nans=True, clip=self._box.extents, simplify=True, curves=False)
        corners, codes = np.asarray(clipped.vertices), np.asarray(clipped.codes)
        begins = np.flatnonzero(codes[1:] == Path.LINETO)
        if not len(begins):
            return
        start, way = corners[begins], corners[begins + 1] - corners[begins]
        # Two points a square on each stroke.
        counts = 2 + (2 * np.abs(way).max(axis=1) / (SQUARE * self._scale)).astype(int)
        which = np.repeat(np.arange(len(counts)), counts)
        step = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._mark(start[which] + way[which] * (step / (counts - 1)[which])[:, None])

    def _add_points(self, points: Any, radius: float) -> None:
        """Squares under marks, of which points in pixels are the middles and `radius` is in points."""
        points = np.asarray(points, dtype=np.float64)
        points = points[np.isfinite(points).all(axis=1)]
        steps = np.linspace(-radius, radius, 2 + int(2 * radius / SQUARE)) * self._scale
        for dx in steps:
            for dy in steps:
                self._mark(points + np.array([dx, dy]))

    def _mark(self, points: Array) -> None:
        squares = self._square(points)
        rows, columns = self._squares.shape
        inside = ((squares >= 0) & (squares < [columns, rows])).all(axis=1)
        self._squares[squares[inside, 1], squares[inside, 0]] = True

    def _square(self, points: Array) -> Any:
        """Column and row of each point; far away ones are cut to what an integer holds."""
        return np.floor(np.clip((points - self._box.min) / (SQUARE * self._scale), -1e6, 1e6)).astype(int)


class Mover(Artist):
    """Draws nothing, but moves a legend beforehand: limits and curves may have changed since the last time."""

    def __init__(self, legend: "Legend", gap: float) -> None:
        super().__init__()
        self._legend, self._gap = legend, gap
        self.set_in_layout(False)
        self.set_zorder(legend.get_zorder() - 1)
        self.move()

    def draw(self, renderer: Any) -> None:
        """Move the legend."""
        self.move()

    def move(self) -> None:
        """Put the legend, and a gap of so many points around it, where it covers least."""
        ax = self._legend.axes
        if ax is not None:  # it was not removed
            box = self._legend.get_window_extent()
            # Letters are hinted, so that their widths change a little with the resolution.
            width, height = (
                np.ptp(box.get_points(), axis=0) * POINTS_PER_INCH / figure_of(ax).dpi + 2 * self._gap
            )
            _, corners = Taken(ax).place(width, height)
            self._legend.set_bbox_to_anchor(Bbox(corners), IdentityTransform())


class OnTop(Artist):
    """A legend of the axes below, drawn once more over twin axes."""

    def __init__(self, legend: "Legend") -> None:
        super().__init__()
        self._legend = legend
        self.set_in_layout(False)
        self.set_zorder(legend.get_zorder())

    def draw(self, renderer: Any) -> None:
        """Draw the legend, unless it was removed or replaced."""
        owner = self._legend.axes
        if owner is not None and owner.get_legend() is self._legend:
            self._legend.draw(renderer)
