"""For sphinx-gallery: figures of cells that end in axes, which no figure of pyplot has, and pages' small pictures."""

import weakref
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from sphinx_gallery.scrapers import figure_rst

from backprop.graph import Drawing

LAST = "___"  # under this name sphinx-gallery keeps the value of a cell's last expression
shown: weakref.WeakSet[Any] = weakref.WeakSet()  # that value stays when the next cell has none


def of_axes(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save the figure, and return how the page shows it."""
    axes = block_vars["example_globals"].get(LAST)
    if not isinstance(axes, Axes) or axes.figure in shown:
        return ""
    shown.add(axes.figure)
    path = next(block_vars["image_path_iterator"])
    axes.figure.savefig(path, dpi=110, facecolor="white")
    return str(figure_rst([path], gallery_conf["src_dir"]))


def of_drawing(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save a drawing, from which the page's small picture is made; the page itself has it as HTML."""
    drawing = block_vars["example_globals"].get(LAST)
    if isinstance(drawing, Drawing) and drawing not in shown:
        shown.add(drawing)
        drawing.save(Path(next(block_vars["image_path_iterator"])).with_suffix(".svg"))
    return ""
