"""A Sphinx extension: drawings of graphs in the colours that the reader has chosen, whatever the system's are.

A drawing follows the system's light or dark theme by itself. The theme's own switch sets an attribute of the page's
body; the same rules under that attribute come before the drawing's.
"""

import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from backprop.graph.svg import STYLE

DARK = re.compile(r"@media \(prefers-color-scheme:dark\)\{(.*)\}\s*", re.DOTALL)


def rules() -> str:
    """The drawings' own rules, once for each choice."""
    (dark,) = DARK.findall(STYLE)
    light = DARK.sub("", STYLE)
    lines = []
    for choice, text in (("light", light), ("dark", dark)):
        for selectors, declarations in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
            chosen = ",".join(f'body[data-theme="{choice}"] {one.strip()}' for one in selectors.split(","))
            lines.append(f"{chosen}{{{declarations}}}\n")
    return "".join(lines)


def write(app: Sphinx, exception: Exception | None) -> None:
    """Write them where the pages look for them."""
    if exception is None and app.builder.format == "html":
        (Path(app.outdir) / "_static" / "graphs.css").write_text(rules(), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Write when everything else stands there."""
    app.connect("build-finished", write)
    app.add_css_file("graphs.css")
    return {"parallel_read_safe": True}
