"""A graph as text for other programs: Graphviz' DOT and Mermaid; it says what the drawing says."""

import re
from collections.abc import Iterator

from backprop.graph.scene import ARROW, Mark, Scene, State

HOT = "#c2410c"  # the outline of the node whose turn it is


def marks(scene: Scene) -> dict[str, tuple[str, Mark]]:
    """The nodes by their names in the text, `out` behind the output: circle, leaf or end, and what it says."""
    number = {node: n for n, node in enumerate(scene.nodes)}
    found = {}
    for box in scene.boxes:
        if isinstance(box.content, Mark):
            name = "out" if box.kind == "end" else f"n{number[box.content.node]}"
            found[name] = box.kind, box.content
    order = [f"n{n}" for n in range(len(number))]
    return {name: found[name] for name in [*order, "out"]}


def edges(scene: Scene, state: State) -> Iterator[tuple[str, str, str, str]]:
    """Names of the source and the target, value and gradient of each edge."""
    number = {node: n for n, node in enumerate(scene.nodes)}
    for start, end, labels in scene.edges:
        shown = [state.shown(label) for label in labels]
        values, gradients = [value for value, _ in shown if value], [gradient for _, gradient in shown[-1:]]
        # Symbols stand for a value in front of its branches, what is passed back on each of these.
        yield (
            f"n{number[start]}",
            "out" if end is None else f"n{number[end]}",
            values[-1] if values else "",
            f"{ARROW}{gradients[0]}" if any(gradients) else "",
        )


def dot(scene: Scene, state: State) -> str:
    """Graphviz' language; `dot -Tsvg` draws it."""
    lines = ["digraph {", "  rankdir=LR;"]
    for name, (kind, mark) in marks(scene).items():
        circle = kind == "circle"
        hot = f', color="{HOT}", penwidth=3' if circle and mark.node is state.working else ""
        shape = "circle" if circle else "plaintext"
        lines.append(f"  {name} [shape={shape}, label={quoted(mark.words)}{hot}];")
    for start, end, *texts in edges(scene, state):
        lines.append(f"  {start} -> {end} [label={quoted(chr(10).join(filter(None, texts)))}];")
    return "\n".join([*lines, "}", ""])


def quoted(words: str) -> str:
    """A string of DOT."""
    escaped = words.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def mermaid(scene: Scene, state: State) -> str:
    """Mermaid's flowchart."""
    lines = ["flowchart LR"]
    hot = []
    for name, (kind, mark) in marks(scene).items():
        words = entities(mark.words or " ")
        lines.append(f"  {name}(({words}))" if kind == "circle" else f"  {name}[{words}]")
        if kind == "circle" and mark.node is state.working:
            hot.append(f"  style {name} stroke:{HOT},stroke-width:3px")
    for start, end, *texts in edges(scene, state):
        label = " / ".join(filter(None, texts))
        lines.append(f"  {start} -- {entities(label)} --> {end}" if label else f"  {start} --> {end}")
    return "\n".join([*lines, *hot, ""])


def entities(words: str) -> str:
    """A string of Mermaid, in which what has a meaning there, or begins a list, is written by its number."""
    return '"' + re.sub(r"[^\w ./×÷−·∂←Σ]|\.(?=\s|$)", lambda found: f"#{ord(found[0])};", words) + '"'
