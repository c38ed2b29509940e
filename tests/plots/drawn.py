"""What stands in a drawn figure."""

import gc
import itertools
import pickle

import matplotlib.style
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.text import Text

# Boxes are whole pixels' and hold a line's descenders; below that much they touch and do not overlap.
TOUCH = 1.0
# Small and large letters, thick lines, dark; the others, which take minutes, are left to .ci/deep.
UNLIKE = ("classic", "dark_background", "fivethirtyeight", "seaborn-v0_8-poster", "Solarize_Light2")
STYLES = [
    "default",
    *UNLIKE,
    *(
        pytest.param(style, marks=pytest.mark.exhaustive)
        for style in matplotlib.style.available
        if style not in UNLIKE
    ),
]


def texts(figure):
    """Every visible text with its box, in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()

    def inside(artist):
        if not artist.get_visible():
            return
        if isinstance(artist, Text) and artist.get_text().strip():
            yield artist
        # Axis objects keep tick labels beyond the limits, which are not drawn.
        for child in ticks(artist) if hasattr(artist, "get_major_locator") else artist.get_children():
            yield from inside(child)

    def ticks(axis):
        yield axis.label
        yield axis.offsetText
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks()[: len(axis.get_majorticklocs())]:
            if low <= tick.get_loc() <= high:
                yield from (tick.label1, tick.label2)

    return {text: text.get_window_extent(renderer) for text in dict.fromkeys(inside(figure))}


def check_legible(figure):
    """No two texts overlap, and none leaves the figure."""
    boxes = texts(figure)
    assert boxes
    for text, box in boxes.items():
        assert np.isfinite(box.extents).all(), text
        assert box.x0 >= -TOUCH, text
        assert box.y0 >= -TOUCH, text
        assert box.x1 <= figure.bbox.x1 + TOUCH, text
        assert box.y1 <= figure.bbox.y1 + TOUCH, text
    for (one, a), (other, b) in itertools.combinations(boxes.items(), 2):
        wide, high = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert wide <= TOUCH or high <= TOUCH, f"{one.get_text()!r} and {other.get_text()!r} overlap"
    return boxes


def check_parts(figure):
    """Of a figure that was drawn: marks can be seen, grids cross no image, legends and borders are whole."""
    for ax in (axes for one in figure.axes for axes in (one, *one.child_axes) if axes.get_visible()):
        grid = [line for axis in (ax.xaxis, ax.yaxis) for line in axis.get_gridlines() if line.get_visible()]
        # On a twin axis they would stand between those of the axes.
        assert not (grid and (ax.images or ax.yaxis.get_label_position() == "right")), "grid lines"
        for line in ax.lines:
            check_marks(line)
            check_whole(line, ax)
        for collection in ax.collections:
            if not collection.get_clip_on():
                assert_inside(collection.get_window_extent(), figure)
        legend = ax.get_legend()
        if legend is not None:
            box = legend.get_window_extent()
            assert_inside(box, figure)
            assert box.y0 >= ax.get_window_extent().y1 - TOUCH
            title = ax.title.get_window_extent()
            apart = title.y0 >= box.y1 - TOUCH or box.y0 >= title.y1 - TOUCH
            assert apart or not ax.title.get_text(), "the title lies over the legend"
            for handle in legend.legend_handles:
                if hasattr(handle, "get_marker"):
                    check_marks(handle)


def check_marks(line):
    """A line's marks have an area or an edge, in the line's colour."""
    if line.get_marker() not in ("", "None", None, " "):
        assert line.get_markersize() >= 3
        if line.get_linestyle() != "None":
            assert line.get_markersize() >= 2 * line.get_linewidth()
            assert line.get_markersize() >= 6 or len(line.get_xdata()) > 1
        edge = line.get_markeredgewidth() > 0 and to_rgba(line.get_markeredgecolor())[3] > 0
        assert edge or to_rgba(line.get_markerfacecolor())[3] > 0
        assert line.get_markerfacecolor() == "none" or line.get_markeredgecolor() == line.get_color()


def check_whole(line, ax):
    """Marks at the edge of the axes are drawn whole, and the line is cut there."""
    if line.get_marker() in ("", "None", None, " "):
        return
    at = ax.transData.transform(line.get_xydata())
    box = ax.get_window_extent()
    within = (at >= box.min - 1e-6) & (at <= box.max + 1e-6)  # of a pixel, for rounding
    at = at[within.all(axis=1)]
    # A diamond stands on a corner.
    half = np.sqrt(0.5) if line.get_marker() == "D" else 0.5
    radius = (half * line.get_markersize() + line.get_markeredgewidth() / 2) * ax.figure.dpi / 72
    assert line.get_clip_on()
    clip = line.get_clip_box()
    assert (at - radius >= clip.min - 1e-6).all()
    assert (at + radius <= clip.max + 1e-6).all()
    assert (clip.size - box.size <= 2 * radius + 1e-6).all()


def assert_inside(box, figure):
    """A box does not leave the figure."""
    assert box.x0 >= -TOUCH
    assert box.y0 >= -TOUCH
    assert box.x1 <= figure.bbox.x1 + TOUCH
    assert box.y1 <= figure.bbox.y1 + TOUCH


def pixels(figure):
    """Red, green and blue from 0 to 1 as they were drawn, row 0 at the bottom."""
    return np.asarray(figure.canvas.buffer_rgba())[::-1, :, :3] / 255


def copied(figure):
    """A copy of a figure, with the collector off: what it frees of a figure leaves the dicts that are being copied."""
    gc.disable()
    try:
        return pickle.loads(pickle.dumps(figure))
    finally:
        gc.enable()


def ink_in_axes(ax):
    """Which pixels of the axes have a line, mark or text, row 0 at the bottom: drawn black on white, without images."""
    figure = copied(ax.figure)
    place = ax.get_window_extent()
    figure.patch.set_facecolor("white")
    for axes in figure.axes:
        axes.set_axis_off()
        axes.set_title("")
        for image in axes.images:
            image.set_visible(False)
        if axes.get_legend() is not None:
            axes.get_legend().set_visible(False)
    FigureCanvasAgg(figure).draw()
    (x0, y0), (x1, y1) = np.floor(place.min).astype(int), np.ceil(place.max).astype(int)
    return (pixels(figure) < 1).any(axis=2)[y0:y1, x0:x1]


def contrast(one, other):
    """Of two colours (WCAG 2)."""

    def luminance(color):
        linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted([luminance(np.asarray(one)), luminance(np.asarray(other))])
    return (light + 0.05) / (dark + 0.05)
