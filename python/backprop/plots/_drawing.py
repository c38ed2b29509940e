"""What the pictures share: axes to draw on, colours, room for text, and arguments checked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from backprop.network import Network

# From the palette of Okabe and Ito (2008), which the colour-blind can tell apart: those four of it that have a contrast
# of 3 and more both to white and to black, so that they can be seen in any style.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
# The rest of it, for areas and marks with an edge.
ORANGE, SKY = "#E69F00", "#56B4E9"

POINTS_PER_INCH = 72
# Below this many points a text is left out: nobody can read it.
SMALLEST = 4.0


def axes_for(owner: str, ax: "Axes | None", figsize: tuple[float, float] = (7, 4)) -> "Axes":
    """The axes that were given, or new ones on a figure of their own."""
    try:
        # Not through pyplot, which keeps every figure alive and may open a window.
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'bpcore[plot]'") from error
    if ax is None:
        return Figure(figsize=figsize, layout="constrained").add_subplot()
    if not isinstance(ax, Axes):
        raise TypeError(f"{owner}: ax is a {type(ax).__name__}, wanted matplotlib Axes")
    return ax


def inches(ax: "Axes") -> tuple[float, float]:
    """Width and height of the axes, as the figure has them now; a layout may move them later."""
    box, dpi = ax.get_window_extent(), figure_of(ax).dpi
    return box.width / dpi, box.height / dpi


def figure_of(ax: "Axes") -> "Figure":
    """The whole figure, also of axes in a part of it."""
    return ax.figure.canvas.figure


def font_size(points: float) -> float:
    """Of text that has that much room: the reader's own size, or a smaller one."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties

    return min(points, FontProperties(size=mpl.rcParams["xtick.labelsize"]).get_size_in_points())


def legend_above(ax: "Axes", lines: Sequence[Any], labels: Sequence[str]) -> None:
    """A legend over the upper edge, where it covers no curve; as wide as the axes."""
    size = font_size(np.inf)
    room = POINTS_PER_INCH * inches(ax)[0] / size
    for columns in range(len(labels), 0, -1):
        down = -(-len(labels) // columns)  # matplotlib fills a column before it begins the next
        widths = [0.55 * max(map(len, labels[n : n + down])) + 4 for n in range(0, len(labels), down)]
        if sum(widths) <= room:
            break
    ax.legend(
        lines,
        labels,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns,
        columnspacing=1.0,
        frameon=False,
        fontsize=size,
    )


def a_network(owner: str, net: Any) -> "Network":
    """`net`, if it is one."""
    from backprop.network import Network

    if not isinstance(net, Network):
        raise TypeError(f"{owner}: net is a {type(net).__name__}, wanted a Network")
    return net


def labelled(owner: str, net: "Network", x: ArrayLike, t: ArrayLike) -> tuple[Array, Array]:
    """Samples as rows and their labels as integers, both checked."""
    rows = net._rows(x)
    if not len(rows):
        raise ValueError(f"{owner}: x has 0 rows, wanted at least 1")
    net._classifies(owner)
    labels = net.targets_for(owner, t, len(rows))
    return rows, labels if labels.ndim == 1 else labels.argmax(axis=1)


def class_names(owner: str, labels: Sequence[Any] | None, classes: int) -> list[str]:
    """A name for each class; by default its number."""
    if labels is None:
        return [str(k) for k in range(classes)]
    if isinstance(labels, str) or not hasattr(labels, "__len__"):
        raise TypeError(f"{owner}: labels is {labels!r}, wanted {classes} names, one a class")
    if len(labels) != classes:
        raise ValueError(f"{owner}: labels has {len(labels)} names, wanted {classes}, one a class")
    return [plain(name) for name in labels]


def plain(name: object) -> str:
    """A text as it stands: a dollar sign is no mathematics."""
    return str(name).replace("$", r"\$")


def rows_figure(rows: int) -> tuple[float, float]:
    """Size of a figure with a row an array."""
    return 7, max(2.5, min(1.3 + 0.28 * rows, 20))


def name_rows(ax: "Axes", names: Sequence[str], notes: Sequence[str]) -> None:
    """Rows from top to bottom, each with a name on the left and a note on the right."""
    rows = len(names)
    height = POINTS_PER_INCH * inches(ax)[1] / rows
    every = int(np.ceil(1.5 * SMALLEST / height))
    size = font_size(every * height / 1.5)
    places = range(0, rows, every)
    ax.set_yticks(places, [names[n] for n in places], fontsize=size)
    ax.set_ylim(rows - 0.5, -0.5)
    for n in places:
        ax.annotate(
            notes[n],
            (1, n),
            (6, 0),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            va="center",
            fontsize=size,
            annotation_clip=False,
        )
