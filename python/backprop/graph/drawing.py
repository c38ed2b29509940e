"""`Node.draw` and `Node.frames`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from backprop.graph import markup
from backprop.graph.scene import scene
from backprop.graph.svg import State, svg

if TYPE_CHECKING:
    from backprop.graph.node import Node


class Drawing:
    """A picture of a graph as it was when it was drawn; notebooks show it.

    Attributes
    ----------
    svg, dot, mermaid : str
        As SVG, in Graphviz' language (`dot -Tsvg` draws it), and as a flowchart of Mermaid. Of a frame all but the SVG
        show the whole graph.
    """

    def __init__(self, svg: str, dot: str, mermaid: str) -> None:
        self.svg, self.dot, self.mermaid = svg, dot, mermaid

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it in the format that the name ends in.

        Parameters
        ----------
        path : path
            Ending in `.svg`, `.dot`, `.gv` or `.mmd`. A file of that name is replaced.

        Raises
        ------
        ValueError
            The name ends in something else.
        """
        formats = {".svg": self.svg, ".dot": self.dot, ".gv": self.dot, ".mmd": self.mermaid}
        suffix = Path(path).suffix.lower()
        if suffix not in formats:
            raise ValueError(
                f"draw: path is {os.fspath(path)!r}, wanted a name that ends in {', '.join(formats)}"
            )
        Path(path).write_text(formats[suffix], encoding="utf-8")

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'


def draw(output: "Node", path: str | os.PathLike[str] | None, symbols: bool | str) -> Drawing:
    """See `Node.draw`."""
    drawing = Drawing(svg(scene(output, symbols)), markup.dot(output), markup.mermaid(output))
    if path is not None:
        drawing.save(path)
    return drawing


def frames(output: "Node", folder: str | os.PathLike[str] | None, symbols: bool | str) -> list[Drawing]:
    """See `Node.frames`."""
    laid_out = scene(output, symbols)
    texts = markup.dot(output), markup.mermaid(output)
    drawings = [Drawing(svg(laid_out, state), *texts) for state in states(laid_out.nodes)]
    if folder is not None:
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"frames: there is no folder {os.fspath(folder)!r}")
        digits = len(str(len(drawings)))
        for n, drawing in enumerate(drawings, start=1):
            drawing.save(Path(folder) / f"frame-{n:0{max(digits, 2)}}.svg")
    return drawings


def states(nodes: "list[Node]") -> list[State]:
    """The steps of a computation: the leaves, each operation, then backwards again, and the whole at last."""
    values = {node for node in nodes if node.operation is None}
    steps = [State(set(values), (), ())]
    operations = [node for node in nodes if node.operation is not None]
    for node in operations:
        values.add(node)
        steps.append(State(set(values), (), (), node))
    output = nodes[-1]
    if output.grad is None:
        return [*steps, State(nodes, (), ())]
    passed: set[Node] = set()
    steps.append(State(nodes, {output}, ()))
    for node in reversed(operations):
        if node.flows is None:
            continue
        passed.add(node)
        # A gradient is whole when everything that the value went into has passed its share back.
        whole = {
            one
            for one in nodes
            if one is output or all(other in passed for other in nodes if one in other.inputs)
        }
        steps.append(State(nodes, whole, set(passed), node))
    return [*steps, State(nodes, nodes, nodes)]
