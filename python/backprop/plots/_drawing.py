"""What the pictures share: colours and marks, room for text, and arguments checked."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import Array
from backprop.layers.base_loss import is_binary, labels_of_targets
from backprop.network.evaluation import require_classes
from backprop.plots._figure import POINTS_PER_INCH, figure_of, inches, label_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from backprop.network import Network

# From the palette of Okabe and Ito (2008), which the colour-blind can tell apart: those four of it that have a contrast
# of 3 and more both to white and to black, so that they can be seen in any style.
BLUE, VERMILION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
# The rest of it, for areas and marks with an edge.
ORANGE, SKY = "#E69F00", "#56B4E9"

# Below this many points a text is left out: nobody can read it.
SMALLEST = 4.0
# A character's width and a line's height, in sizes of the font.
CHARACTER, LINE = 0.64, 1.4
NOTE_GAP = 6.0  # points between the axes and the notes on their right
# Notes move inside before they get smaller than that many times the rows' names, and take at most that share there.
NOTE_SMALL, MOST_INSIDE = 0.7, 0.4


def font_size(points: float) -> float:
    """Of text that has that much room: the reader's own size, or a smaller one."""
    return min(points, label_size())


def marks(color: str, marker: str, size: float = 6.0, filled: bool = True) -> dict[str, Any]:
    """Options of `plot` for marks that no style makes invisible."""
    return dict(
        color=color,
        marker=marker,
        markersize=size,
        markeredgewidth=1.0,
        markeredgecolor=color,
        markerfacecolor=color if filled else "none",
    )


def line_marks(color: str, count: int) -> dict[str, Any]:
    """Options of `plot` for marks that can be told from the line that joins them, twice its width and more.

    One alone is larger: no line leads to it, and it may stand on the frame.
    """
    import matplotlib as mpl

    return marks(color, "o", max(3.0 if count > 1 else 6.0, 2.0 * mpl.rcParams["lines.linewidth"]))


def whole_marks(ax: "Axes", lines: Sequence[Any]) -> None:
    """Let marks at the edge of the axes stand beyond it, and no more: a line is still cut when somebody zooms in."""
    from backprop.plots._boxes import Around, mark_radius

    for line in lines:
        if line.get_marker() not in ("", "None", None, " "):
            line.set_clip_box(Around(ax, mark_radius(line)))


def background(ax: "Axes") -> Array:
    """The colour behind what is drawn: the axes' over the figure's."""
    from matplotlib.colors import to_rgba

    return over(np.array(to_rgba(ax.get_facecolor())), np.array(to_rgba(figure_of(ax).get_facecolor()))[:3])


def over(above: Array, below: Array) -> Array:
    """A colour with its opacity over one without."""
    mixed: Array = above[3] * above[:3] + (1 - above[3]) * below
    return mixed


def ink(color: Array) -> str:
    """Black or white, whichever has the higher contrast with a colour."""
    # The contrast to white is 1.05 / (L + 0.05), that to black (L + 0.05) / 0.05 (WCAG 2).
    return "white" if (luminance(color) + 0.05) ** 2 < 1.05 * 0.05 else "black"


def luminance(color: Array) -> float:
    """How light a colour is, from 0 to 1 (WCAG 2)."""
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


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
    require_classes(net, owner)
    labels = labels_of_targets(net.lastLayer, net.targets_for(owner, t, len(rows)))
    if (labels < 0).any():  # as `accuracy` has it: a sample whose weights are all 0 has no class
        rows, labels = rows[labels >= 0], labels[labels >= 0]
    return rows, labels


def classes_of(net: "Network") -> int:
    """How many classes a network tells apart: one output that says yes or no has two."""
    return 2 if is_binary(net.lastLayer) else net.sizes[-1]


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
    """Rows from top to bottom, each with a name on the left and a note on the right, by an axis that is logarithmic.

    On a figure without a layout, which makes no room on the right, there may be none up to what stands there. Then the
    notes stand inside, beyond limits that are moved for them, or are left out where nobody could read them.
    """
    rows = len(names)
    height = POINTS_PER_INCH * inches(ax)[1] / rows
    every = int(np.ceil(1.5 * SMALLEST / height))
    size = font_size(every * height / 1.5)
    places = range(0, rows, every)
    ax.set_yticks(places, [names[n] for n in places], fontsize=size)
    ax.set_ylim(rows - 0.5, -0.5)

    side, gap = "left", NOTE_GAP
    letters = CHARACTER * max(map(len, notes))
    beside = (
        size if figure_of(ax).get_layout_engine() is not None else (_free_beside(ax) - NOTE_GAP) / letters
    )
    if beside < NOTE_SMALL * size:
        side, gap = "right", -NOTE_GAP
        width = POINTS_PER_INCH * inches(ax)[0]
        beside = min(size, (width * MOST_INSIDE - 2 * NOTE_GAP) / letters)
        if beside < SMALLEST:
            return
        low, high = ax.get_xlim()
        ax.set_xlim(low, low * (high / low) ** (1 / (1 - (beside * letters + 2 * NOTE_GAP) / width)))
    for n in places:
        ax.annotate(
            notes[n],
            (1, n),
            (gap, 0),
            xycoords=ax.get_yaxis_transform(),
            textcoords="offset points",
            ha=side,
            va="center",
            fontsize=min(size, beside),
            annotation_clip=False,
        )


def _free_beside(ax: "Axes") -> float:
    """Points up to the edge of the figure, or to the labels of the axes on the right."""
    figure = figure_of(ax)
    scale = figure.dpi / POINTS_PER_INCH
    # Of axes that have not been drawn on the labels are not known yet.
    labels = (4 * CHARACTER * label_size() + 2 * NOTE_GAP) * scale
    ends = [figure.bbox.x1]
    for other in figure.axes:
        if other.bbox.x0 >= ax.bbox.x1 and other.bbox.y0 < ax.bbox.y1 and other.bbox.y1 > ax.bbox.y0:
            drawn = other.get_tightbbox()
            ends += [other.bbox.x0 - labels] + ([] if drawn is None else [drawn.x0])
    return float(min(ends) - ax.bbox.x1) / scale
