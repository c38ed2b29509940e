"""`Node.draw` and `Node.frames`."""

import os
from pathlib import Path

from backprop._util.files import expanded, write_atomically
from backprop.graph import markup
from backprop.graph.base import BaseNode
from backprop.graph.scene import Scene, State, scene
from backprop.graph.svg import svg


class Drawing:
    """A picture of a graph as it was when it was drawn; notebooks show it.

    Attributes
    ----------
    svg, dot, mermaid : str
        It as SVG, in Graphviz' language (`dot -Tsvg` draws it), and as a flowchart of Mermaid; all three say the same.
        Each is written whenever it is asked for.
    """

    def __init__(self, scene: Scene, state: State | None = None) -> None:
        self._scene = scene
        self._state = State(scene.nodes, scene.nodes, scene.nodes) if state is None else state

    @property
    def svg(self) -> str:  # noqa: D102  # described with the class
        return svg(self._scene, self._state)

    @property
    def dot(self) -> str:  # noqa: D102
        return markup.dot(self._scene, self._state)

    @property
    def mermaid(self) -> str:  # noqa: D102
        return markup.mermaid(self._scene, self._state)

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
        OSError
            It cannot be written there.
        """
        formats = {".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid"}
        suffix = Path(path).suffix.lower()
        if suffix not in formats:
            raise ValueError(f"path is {os.fspath(path)!r}, wanted a name that ends in {', '.join(formats)}")
        content: str = getattr(self, formats[suffix])
        write_atomically(path, content.encode())

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x:auto">{self.svg}</div>'


def draw(output: BaseNode, path: str | os.PathLike[str] | None, symbols: bool | str) -> Drawing:
    """See `Node.draw`."""
    drawing = Drawing(scene(output, symbols))
    if path is not None:
        drawing.save(path)
    return drawing


def frames(output: BaseNode, folder: str | os.PathLike[str] | None, symbols: bool | str) -> list[Drawing]:
    """See `Node.frames`."""
    laid_out = scene(output, symbols)
    drawings = [Drawing(laid_out, state) for state in states(laid_out)]
    if folder is not None:
        if not expanded(folder).is_dir():
            raise FileNotFoundError(f"frames: there is no folder {os.fspath(folder)!r}")
        digits = len(str(len(drawings)))
        for n, drawing in enumerate(drawings, start=1):
            drawing.save(Path(folder) / f"frame-{n:0{max(digits, 2)}}.svg")
    return drawings


def states(scene: Scene) -> list[State]:
    """The steps of a computation: the leaves, each operation, then backwards again, and the whole at last."""
    nodes = scene.nodes
    values = {node for node in nodes if node.operation is None}
    steps = [State(set(values), (), ())]
    operations = [node for node in nodes if node.operation is not None]
    for node in operations:
        values.add(node)
        steps.append(State(set(values), (), (), node))
    back = [node for node in reversed(operations) if node.flows is not None]
    if back:
        # A gradient is whole when everything that passes a share of it back has done so.
        missing = {node: sum(n.flows is not None for n, _ in scene.consumers[node]) for node in nodes}
        whole = {node for node, count in missing.items() if not count and node.grad is not None}
        passed: set[BaseNode] = set()
        steps.append(State(nodes, set(whole), ()))
        for node in back:
            passed.add(node)
            for one in node.inputs:
                missing[one] -= 1
                if not missing[one]:
                    whole.add(one)
            steps.append(State(nodes, set(whole), set(passed), node))
    return [*steps, State(nodes, nodes, nodes)]
