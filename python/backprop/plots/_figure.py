"""Where pictures are drawn: on axes that were given, or on a figure of their own, which pyplot shows if it can."""

import threading
import weakref
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# The sizes of figures are for labels of so many points; where a style has larger ones, figures grow with them.
USUAL_FONT = 10.0
POINTS_PER_INCH = 72
# Backends that write files and open no window; pyplot keeps their figures until they are closed.
FILE_BACKENDS = {"agg", "cairo", "pdf", "pgf", "ps", "svg"}

_numbers = count()
_made: "weakref.WeakValueDictionary[int, Figure]" = weakref.WeakValueDictionary()


def axes_for(owner: str, ax: "Axes | None", figsize: tuple[float, float] = (7, 4)) -> "Axes":
    """The axes that were given, or new ones on a figure of their own."""
    try:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("plots need matplotlib: pip install 'bpcore[plot]'") from error
    if ax is None:
        larger = max(1.0, label_size() / USUAL_FONT)
        options: dict[str, Any] = dict(figsize=[larger * side for side in figsize], layout="constrained")
        figure = _pyplot_figure(options)
        return (Figure(**options) if figure is None else figure).add_subplot()
    if not isinstance(ax, Axes):
        raise TypeError(f"{owner}: ax is a {type(ax).__name__}, wanted matplotlib Axes")
    return ax


def _pyplot_figure(options: dict[str, Any]) -> "Figure | None":
    """A figure that notebooks and `plt.show` display; None where pyplot has no backend, or none for this thread."""
    try:
        from matplotlib import pyplot as plt

        backend = plt.get_backend().lower()
        in_file, inline = backend in FILE_BACKENDS, backend.endswith("inline")
        # A window opened by another thread than the main one ends the process on some systems.
        if not (in_file or inline or threading.current_thread() is threading.main_thread()):
            return None
        if in_file:
            _close_oldest()
        figure = plt.figure(**options)
    except ImportError:  # of the backend's toolkit, or where there is no display
        return None
    _made[next(_numbers)] = figure
    return figure


def _close_oldest() -> None:
    """Close the oldest figures made here before pyplot has so many that it warns, since nobody looks at these."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    most = mpl.rcParams["figure.max_open_warning"]
    for number, figure in list(_made.items()):
        if not 0 < most <= len(plt.get_fignums()):
            break
        plt.close(figure)
        _made.pop(number, None)


def inches(ax: "Axes") -> tuple[float, float]:
    """Width and height of the axes, as the figure has them now; a layout may move them later."""
    box, dpi = ax.get_window_extent(), figure_of(ax).dpi
    return box.width / dpi, box.height / dpi


def figure_of(ax: "Axes") -> "Figure":
    """The whole figure, also of axes in a part of it."""
    return ax.figure.canvas.figure


def label_size() -> float:
    """Of the labels of ticks in the reader's style, in points."""
    import matplotlib as mpl
    from matplotlib.font_manager import FontProperties

    return FontProperties(size=mpl.rcParams["xtick.labelsize"]).get_size_in_points()
