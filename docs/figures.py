"""For sphinx-gallery: the pages' small pictures, where a drawing of a graph is the first."""

import weakref
from pathlib import Path
from typing import Any

from backprop.graph import Drawing

LAST = "___"  # under this name sphinx-gallery keeps the value of a cell's last expression
shown: weakref.WeakSet[Any] = weakref.WeakSet()  # that value stays when the next cell has none


def of_drawing(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """Save a drawing, from which the page's small picture is made; the page itself has it as HTML."""
    drawing = block_vars["example_globals"].get(LAST)
    if isinstance(drawing, Drawing) and drawing not in shown:
        shown.add(drawing)
        drawing.save(Path(next(block_vars["image_path_iterator"])).with_suffix(".svg"))
    return ""
