"""A scene as SVG: one file that needs nothing else, in the colours of the reader's light or dark theme."""

from html import escape

from backprop.graph.layout import Box, Edge
from backprop.graph.scene import (
    ARROW,
    OPERATOR,
    RADIUS,
    SIZE,
    Label,
    Scene,
    State,
    entry_x,
    measured,
    text_width,
)

# The usual typefaces are at most so many times as wide as the one that the layout measures.
WIDEST = 1.2

# Colours that differ in lightness too, and keep a contrast of 4.5 : 1 with their background.
STYLE = """
.bp-graph{background:#fff;font:13px Helvetica,Arial,'Liberation Sans','Noto Sans KR',sans-serif;
font-kerning:none;font-variant-ligatures:none;letter-spacing:0;word-spacing:0;text-rendering:geometricPrecision}
.bp-paper{fill:#fff}
.bp-edge{fill:none;stroke:#7b8794;stroke-width:1.4}
.bp-tip,.bp-fork{fill:#7b8794}
.bp-circle{fill:#eef2f7;stroke:#334155;stroke-width:1.6}
.bp-leaf{fill:#f8fafc;stroke:#cbd5e1}
.bp-hot{stroke:#c2410c;stroke-width:3}
.bp-name,.bp-operator,.bp-value{fill:#0f172a}
.bp-gradient{fill:#b4231f}
@media (prefers-color-scheme:dark){
.bp-graph{background:#151a21}
.bp-paper{fill:#151a21}
.bp-edge{stroke:#8b98a8}
.bp-tip,.bp-fork{fill:#8b98a8}
.bp-circle{fill:#242c37;stroke:#b6c2d1}
.bp-leaf{fill:#1b222b;stroke:#475569}
.bp-hot{stroke:#fb923c}
.bp-name,.bp-operator,.bp-value{fill:#e8edf3}
.bp-gradient{fill:#ff9a92}
}
"""


def svg(scene: Scene, state: State) -> str:
    """Write a scene as it stands in a state."""
    parts = [f'<rect class="bp-paper" width="{scene.width:.0f}" height="{scene.height:.0f}" rx="6"/>']
    for box in scene.boxes:
        for edge in box.after:
            parts += edge_parts(edge)
    for box in scene.boxes:
        parts += box_parts(box, state)
    title = escape(f"Computational graph of {scene.title}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="bp-graph" role="img" width="{scene.width:.0f}" '
        f'height="{scene.height:.0f}" viewBox="0 0 {scene.width:.0f} {scene.height:.0f}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def edge_parts(edge: Edge) -> list[str]:
    """One piece of an edge, with a tip where it arrives at something."""
    start, end = edge.start, edge.end
    x, y = start.x + start.width / 2, start.y
    goal_x, goal_y = entry_x(end, edge.entry), end.y + edge.entry
    middle = (start.right + end.left) / 2
    path = (
        f"M{x:.1f} {y:.1f}H{start.right:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {goal_y:.1f} "
        f"{end.left:.1f} {goal_y:.1f}H{goal_x:.1f}"
    )
    parts = [f'<path class="bp-edge" d="{path}"/>']
    if end.kind in ("circle", "end"):
        tip = f"M{goal_x:.1f} {goal_y:.1f}l-8 -4v8z"
        parts.append(f'<path class="bp-tip" d="{tip}"/>')
    return parts


def box_parts(box: Box, state: State) -> list[str]:
    """What stands in one place."""
    if box.kind == "label":
        return label_parts(box, box.content, state)
    if box.kind == "fork":
        return [f'<circle class="bp-fork" cx="{box.x:.1f}" cy="{box.y:.1f}" r="4"/>']
    if box.kind == "bend":
        return []
    words = box.content.words
    if box.kind == "circle":
        hot = " bp-hot" if box.content.node is state.working else ""
        size = OPERATOR if len(words) > 1 else 1.4 * OPERATOR
        sign = text(words, box, 0.35 * size, size, "bp-operator")
        return [outline(box, f"bp-circle{hot}", RADIUS), sign]
    written = [text(words, box, 4.5, SIZE, "bp-name")] if words else []
    return written if box.kind == "end" else [outline(box, "bp-leaf", 5.0), *written]


def label_parts(box: Box, label: Label, state: State) -> list[str]:
    """The piece of the edge beside its texts, the value above it and the gradient below."""
    left, right = box.x - box.width / 2, box.x + box.width / 2
    parts = [f'<path class="bp-edge" d="M{left:.1f} {box.y:.1f}H{right:.1f}"/>']
    value, gradient = state.shown(label)
    if value:
        parts.append(text(value, box, -5.0, SIZE, "bp-value"))
    if gradient:
        parts.append(text(f"{ARROW}{gradient}", box, SIZE + 3.0, SIZE, "bp-gradient"))
    return parts


def outline(box: Box, kind: str, radius: float) -> str:
    """A rectangle with round corners; a circle where it is as wide as high."""
    return (
        f'<rect class="{kind}" x="{box.x - box.width / 2:.1f}" y="{box.y - box.height / 2:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="{min(radius, box.height / 2):.1f}"/>'
    )


def text(words: str, box: Box, below: float, size: float, kind: str) -> str:
    """Words in the middle of a box, on a line that far below its centre.

    Letters keep their own widths; only words that a wider typeface would carry out of the box are made to fit.
    """
    width = text_width(words, size)
    fitted = ""
    if measured(words) and WIDEST * width > box.width:
        fitted = f' textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs"'
    return (
        f'<text class="{kind}" x="{box.x:.1f}" y="{box.y + below:.1f}" font-size="{size:g}" '
        f'text-anchor="middle"{fitted}>{escape(words)}</text>'
    )
