"""What a drawing of a graph consists of: circles, leaves, the points where values branch, and the labels of edges."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backprop.graph import chain
from backprop.graph.layout import Box, join, place
from backprop.graph.texts import (
    derivative,
    local_derivatives,
    matrix_derivatives,
    number_text,
    operation_text,
    symbol,
)

if TYPE_CHECKING:
    from backprop.graph.node import Node

RADIUS = 19.0
SIZE = 13.0  # of the text on edges
OPERATOR = 15.0  # of the text in circles; signs of one character are larger
ARROW = "← "
# Layers that a node takes: itself, the label behind it, the point where its value branches, the branches' labels.
SPAN = 4


@dataclass(eq=False)
class Label:
    """Texts of one edge: a value above it, a gradient below.

    Attributes
    ----------
    source : Node
        Whose value it is.
    target : Node or None
        The one that it goes into, where the value branches; else the label stands for all of the value.
    value, gradient : str
    """

    source: "Node"
    target: "Node | None"
    value: str
    gradient: str


@dataclass(eq=False)
class Scene:
    """A graph with a place for everything.

    Attributes
    ----------
    output : Node
    nodes : list of Node
        Inputs before what is computed from them.
    boxes : list of Box
        Of kind `circle`, `leaf`, `end` (each with a Node as content), `label` (with a Label), `fork` and `bend`.
    width, height : float
    """

    output: "Node"
    nodes: "list[Node]"
    boxes: list[Box] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def text_width(text: str, size: float) -> float:
    """About the width of a text in a sans-serif typeface; the drawing makes it exact."""
    narrow, wide = "iljtfrI.,:;'|!()[] ·/", "mwMW@×−∂Σ←"
    units = 0.0
    for character in text:
        if ord(character) >= 0x1100:  # Hangul, kana, Chinese characters
            units += 0.62 if 0x2000 <= ord(character) < 0x2300 else 1.0
        else:
            units += 0.33 if character in narrow else 0.86 if character in wide else 0.6
    return units * size


def scene(output: "Node", symbols: bool | str) -> Scene:
    """Lay out what leads to `output`."""
    result = Scene(output, chain.order(output))
    consumers: dict[Node, list[tuple[Node, int]]] = {node: [] for node in result.nodes}
    for node in result.nodes:
        for n, one in enumerate(node.inputs):
            consumers[one].append((node, n))
    depth = depths(result.nodes, consumers)
    texts = Texts(output, symbols, consumers)
    drawn = {node: marked(node, SPAN * depth[node]) for node in result.nodes}

    ends: dict[tuple[Node, int], Box] = {}  # where the edge into an input of a node comes from
    for node in result.nodes:
        tail = drawn[node]
        if texts.own(node):
            label = labelled(Label(node, None, *texts.of_value(node)), tail.layer + 1)
            join(tail, label, straight=True)
            tail = label
        if node is output:
            end = Box(drawn[node].layer + 2, text_width(node.name or "", SIZE) + 14.0, 2 * SIZE, "end", node)
            join(tail, end, straight=True)
        elif len(consumers[node]) == 1:
            ends[consumers[node][0]] = tail
        else:
            fork = Box(drawn[node].layer + 2, 8.0, 8.0, "fork", node)
            join(tail, fork, straight=True)
            for target, n in consumers[node]:
                branch = labelled(Label(node, target, *texts.of_flow(target, n)), fork.layer + 1)
                join(fork, branch)
                ends[target, n] = branch
    for node in result.nodes:  # in the order of the inputs, which the drawing keeps
        for n, entry in enumerate(spread(len(node.inputs))):
            join(ends[node, n], drawn[node], entry, straight=len(node.inputs) == 1)
    result.boxes, result.width, result.height = place(end)
    return result


class Texts:
    """What stands above and below the edges: numbers, or with `symbols` names and derivatives."""

    def __init__(
        self, output: "Node", symbols: bool | str, consumers: "dict[Node, list[tuple[Node, int]]]"
    ) -> None:
        self.symbols = bool(symbols)
        self.final = symbols if isinstance(symbols, str) else output.name or ""
        self.consumers = consumers

    def own(self, node: "Node") -> bool:
        """Whether a label stands behind a node: a constant's value stands in its place already."""
        return not (node.constant and node.name is None)

    def of_value(self, node: "Node") -> tuple[str, str]:
        """Texts for a node's value and its whole gradient."""
        known = node.grad is not None
        if not self.symbols:
            return number_text(node.value), number_text(node.grad) if known else ""
        name = symbol(node) if node.operation is not None else ""
        product = self._product(*self.consumers[node][0]) if len(self.consumers[node]) == 1 else ""
        return name, product or derivative(self.final, symbol(node)) if known else ""

    def of_flow(self, target: "Node", n: int) -> tuple[str, str]:
        """Texts for what one input of `target` is given and gives back."""
        flow = None if target.flows is None else target.flows[n]
        if self.symbols:
            return "", self._product(target, n) if flow is not None else ""
        return number_text(target.inputs[n].value), "" if flow is None else number_text(flow)

    def _product(self, target: "Node", n: int) -> str:
        whole = matrix_derivatives(self.final, target)
        if whole is not None:
            return whole[n]
        dout, factor = derivative(self.final, symbol(target)), local_derivatives(target)[n]
        return f"{dout}·{factor}" if dout and factor else ""


def depths(nodes: "list[Node]", consumers: "dict[Node, list[tuple[Node, int]]]") -> "dict[Node, int]":
    """How many operations lie before each node; leaves stand right before the first that needs them."""
    depth: dict[Node, int] = {}
    for node in nodes:
        depth[node] = max((depth[one] + 1 for one in node.inputs), default=0)
    for node in nodes:
        if node.operation is None and consumers[node]:
            depth[node] = min(depth[target] for target, _ in consumers[node]) - 1
    return depth


def marked(node: "Node", layer: int) -> Box:
    """The circle of an operation, or a leaf with its name or, of a constant, its value."""
    if node.operation is not None:
        width = text_width(operation_text(node.operation), OPERATOR) + 16.0
        return Box(layer, max(width, 2 * RADIUS), 2 * RADIUS, "circle", node)
    text = symbol(node)
    if text:
        return Box(layer, text_width(text, SIZE) + 14.0, 2 * SIZE, "leaf", node)
    return Box(layer, 10.0, 10.0, "leaf", node)


def labelled(label: Label, layer: int) -> Box:
    """The place of a label: as wide as the wider text, with some of the edge showing on both sides."""
    gradient = f"{ARROW}{label.gradient}" if label.gradient else ""
    width = max(text_width(label.value, SIZE), text_width(gradient, SIZE))
    return Box(layer, width + 16.0, 2 * (SIZE + 6.0), "label", label)


def spread(count: int) -> list[float]:
    """Heights, from its middle, at which `count` edges enter a circle."""
    step = min(16.0, 1.5 * RADIUS / max(count - 1, 1))
    return [step * (n - (count - 1) / 2) for n in range(count)]


def entry_x(box: Box, entry: float) -> float:
    """Where an edge at that height meets the left side of a box."""
    if box.kind != "circle":
        return box.x - box.width / 2
    inside: Any = max(RADIUS**2 - entry**2, 0.0)
    return float(box.x - box.width / 2 + RADIUS - inside**0.5)
