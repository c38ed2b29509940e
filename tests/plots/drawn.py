"""What stands in a drawn figure."""

import itertools

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

# Boxes are whole pixels' and hold a line's descenders; below that much they touch and do not overlap.
TOUCH = 1.0


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
