"""Where a legend stands: above the axes, or inside where it covers nothing."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from backprop.plots._drawing import LINE, SMALLEST
from backprop.plots._figure import POINTS_PER_INCH, figure_of, inches, label_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend
    from matplotlib.transforms import Bbox

# Letters are made smaller by this factor, until they fit.
STEP = 0.85
# In letters of that many times the reader's size a legend still stands above the axes; it moves inside before it gets
# smaller.
SMALL = 0.7
# Distance from the axes above which a legend stands, and around one inside, in sizes of its letters.
ABOVE, AROUND = 0.3, 0.4
# The part of the height that rows may give up for a legend: their names, a line of 1.5 of their sizes each, still have
# the 1.2 that they take.
MOST_ROOM = 0.2


def legend_above(ax: "Axes", handles: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend over the upper edge, where it covers no curve; not wider than the axes, and a title stands above it.

    On a figure without a layout, which moves nothing, there may be no room above for it and a title. There it stands
    inside, where it covers no curve, point or text, and moves with what is drawn; in smaller letters if it has to. Only
    if there is no such place at all it covers as little as it can.
    """
    figure, size = figure_of(ax), label_size()
    width, height = np.multiply(inches(ax), figure.dpi)
    draw = partial(_drawn_above, ax, handles, labels)
    if figure.get_layout_engine() is not None:
        _first_that_fits(draw, len(labels), _sizes(size, SMALLEST), (width, height / 2)) or draw(1, SMALLEST)
    else:
        room = width, _free_above(ax) - _title_height() * figure.dpi / POINTS_PER_INCH
        if not _first_that_fits(draw, len(labels), _sizes(size, SMALL * size), room):
            _stand_inside(ax, handles, labels)
    # A title moves above the axes inside its own, so that an empty one around the legend keeps it off.
    space = ax.inset_axes((0, 1, 1, 0))
    space.set_visible(False)
    space.set_axes_locator(partial(_around_legend, ax))


def _sizes(largest: float, smallest: float) -> list[float]:
    """Of letters, from large to small."""
    sizes = [largest]
    while sizes[-1] > smallest:
        sizes.append(max(STEP * sizes[-1], smallest))
    return sizes


def _first_that_fits(draw: Any, most: int, sizes: list[float], room: tuple[float, float]) -> bool:
    """Draw the legend as large, and in as few lines, as the room in pixels allows; whether it does at all."""
    for size in sizes:
        for columns in range(most, 0, -1):
            legend = draw(columns, size)
            box = legend.get_window_extent()
            if box.width <= room[0]:
                gap = ABOVE * size * legend.get_figure().dpi / POINTS_PER_INCH
                if box.height + gap <= room[1]:
                    return True
                break
    return False


def _drawn_above(
    ax: "Axes", handles: Sequence[Any], labels: Sequence[str], columns: int, size: float
) -> "Legend":
    import matplotlib as mpl

    # Where the style fixes a title's height it stands between the axes and the legend.
    fixed = 0.0 if mpl.rcParams["axes.titley"] is None else _title_height()
    return _drawn(
        ax,
        handles,
        labels,
        columns,
        size,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        frameon=False,
        borderpad=0.0,
        borderaxespad=ABOVE + fixed / size,
    )


def _drawn(
    ax: "Axes", handles: Sequence[Any], labels: Sequence[str], columns: int, size: float, **place: Any
) -> "Legend":
    return ax.legend(
        handles,
        labels,
        ncols=columns,
        columnspacing=1.0,
        labelspacing=0.2,
        fontsize=size,
        numpoints=1,
        scatterpoints=1,
        **place,
    )


def _stand_inside(ax: "Axes", handles: Sequence[Any], labels: Sequence[str]) -> None:
    """The largest legend that covers nothing; else one of small letters where it covers least."""
    from backprop.plots._inside import Mover, OnTop, twins

    # Opaque, since it is drawn twice where twin axes would be drawn over it.
    look: dict[str, Any] = dict(loc="center", frameon=True, framealpha=1.0, borderpad=0.3, borderaxespad=0.0)
    draw: Any = partial(_drawn, ax, handles, labels, **look)
    columns, size, free = _least_covering(ax, draw, len(labels))
    # An axis that goes down is one of named rows.
    crowded = not free or size < SMALL * label_size()
    over = crowded and ax.yaxis_inverted() and _over_rows(ax, draw, len(labels))
    legend: Any = ax.get_legend() if over else draw(columns, size)
    ax.add_artist(Mover(legend, AROUND * legend.get_texts()[0].get_fontsize()))
    for twin in twins(ax):
        twin.add_artist(OnTop(legend))


def _over_rows(ax: "Axes", draw: Any, most: int) -> bool:
    """Move the limits up for a legend over the first row; whether it takes no more room than rows may give up."""
    width, height = np.multiply(inches(ax), figure_of(ax).dpi)
    if not _first_that_fits(
        draw, most, _sizes(label_size(), SMALLEST), (0.9 * width, 0.8 * MOST_ROOM * height)
    ):
        return False
    last, first = ax.get_ylim()
    ax.set_ylim(last, last - (last - first) / (1 - MOST_ROOM))
    return True


def _least_covering(ax: "Axes", draw: Any, most: int) -> tuple[int, float, bool]:
    """Columns and size of letters, and whether nothing is covered then."""
    from backprop.plots._inside import Taken

    taken, scale, small = Taken(ax), POINTS_PER_INCH / figure_of(ax).dpi, SMALL * label_size()
    tried: list[tuple[tuple[float, float], int, float]] = []
    for size in _sizes(label_size(), SMALLEST):
        for columns in range(1, most + 1):
            box = draw(columns, size).get_window_extent()
            covered, _ = taken.place(*(side * scale + 2 * AROUND * size for side in (box.width, box.height)))
            # Small letters, and smaller ones only where those do not even fit into the axes.
            badness = (abs(size - small), covered) if covered < np.inf else (np.inf, size)
            tried.append((badness if covered else (-1.0, 0.0), columns, size))
        if min(tried)[0][0] < 0:
            break
    (best, _), columns, size = min(tried, key=lambda one: one[0])
    return columns, size, best < 0


def _free_above(ax: "Axes") -> float:
    """Pixels up to the edge of the figure, to a text of it, or to the labels of the axes above."""
    figure = figure_of(ax)
    labels = 2 * LINE * label_size() * figure.dpi / POINTS_PER_INCH
    tops = [figure.bbox.y1]
    for other in figure.axes:
        if other.bbox.y0 >= ax.bbox.y1:
            drawn = other.get_tightbbox()
            tops += [other.bbox.y0 - labels] + ([] if drawn is None else [drawn.y0])
    texts = [text.get_window_extent() for text in figure.texts if text.get_visible() and text.get_text()]
    tops += [box.y0 for box in texts if box.y0 >= ax.bbox.y1]
    return float(min(tops) - ax.bbox.y1)


def _around_legend(ax: "Axes", _: "Axes", renderer: Any) -> "Bbox":
    """Where the legend stands, in the figure's coordinates; the axes themselves if it was removed."""
    legend = ax.get_legend()
    box = ax.get_window_extent() if legend is None else legend.get_window_extent(renderer)
    return box.transformed(ax.figure.transSubfigure.inverted())


def _title_height() -> float:
    """Points that a title takes, with its distance from what is below it."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties

    size = FontProperties(size=mpl.rcParams["axes.titlesize"]).get_size_in_points()
    return float(1.2 * size + mpl.rcParams["axes.titlepad"])
