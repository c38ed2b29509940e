"""What a drawing of a graph consists of: circles, leaves, the points where values branch, and the labels of edges."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from backprop.graph.base import BaseNode, consumers_within, order
from backprop.graph.layout import Box, join, place
from backprop.graph.letters import ADVANCES
from backprop.graph.texts import derivative, gradient_text, number_text, operation_text, readable_name, symbol

RADIUS = 19.0
SIZE = 13.0  # of the text on edges
OPERATOR = 15.0  # of the text in circles; signs of one character are larger
ARROW = "← "
# Layers that a node takes: itself, the label behind it, the point where its value branches, the branches' labels.
SPAN = 4
# Characters that stand above the letter before, or join two.
JOINING = ("Mn", "Me", "Cf")


@dataclass(eq=False)
class Label:
    """Texts of one edge: a value above it, a gradient below.

    Attributes
    ----------
    source : BaseNode
        Whose value it is.
    target : BaseNode or None
        The one that it goes into, where the value branches; else the label stands for all of the value.
    value, gradient : str
    """

    source: BaseNode
    target: BaseNode | None
    value: str
    gradient: str


@dataclass(eq=False)
class Mark:
    """What stands in a circle, beside a leaf or behind the output."""

    node: BaseNode
    words: str


@dataclass(frozen=True)
class State:
    """How far a computation has come: what is shown of it.

    Attributes
    ----------
    values : collection of BaseNode
        Those whose value is known.
    gradients : collection of BaseNode
        Those whose whole gradient is known.
    passed : collection of BaseNode
        Those that have gone back: what they passed on is known.
    working : BaseNode or None
        The one whose turn it is.
    """

    values: Collection[BaseNode]
    gradients: Collection[BaseNode]
    passed: Collection[BaseNode]
    working: BaseNode | None = None

    def shown(self, label: Label) -> tuple[str, str]:
        """Value and gradient of a label; empty where they are not known yet."""
        passed = label.source in self.gradients if label.target is None else label.target in self.passed
        return label.value if label.source in self.values else "", label.gradient if passed else ""


@dataclass(eq=False)
class Scene:
    """A graph with a place for everything. Its words are those of the moment it was made.

    Attributes
    ----------
    output : BaseNode
    nodes : list of BaseNode
        Inputs before what is computed from them.
    consumers : dict of BaseNode to list of (BaseNode, int)
        By which nodes each one is used, and as which input.
    boxes : list of Box
        Of kind `circle`, `leaf`, `end` (each with a Mark as content), `label` (with a Label), `fork` and `bend`.
    edges : list of (BaseNode, BaseNode or None, list of Label)
        From where to where (None behind the output), and what stands on the way: nothing, the label of the value, or
        that and the one of its branch.
    width, height : float
    """

    output: BaseNode
    nodes: list[BaseNode]
    consumers: dict[BaseNode, list[tuple[BaseNode, int]]]
    boxes: list[Box] = field(default_factory=list)
    edges: list[tuple[BaseNode, BaseNode | None, list[Label]]] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0

    def __post_init__(self) -> None:
        self.title = readable_name(self.output.name) or "a value"


def text_width(text: str, size: float) -> float:
    """Width of a text in the drawings' typeface; of letters that it lacks an upper bound."""
    return size * sum(advance(character) for character in text)


def advance(character: str) -> float:
    """Width of a letter in sizes of the type."""
    if unicodedata.category(character) in JOINING:
        return 0.0
    # A pictogram is wider than high, anything else at most a square.
    return ADVANCES.get(without_accent(character), 1.3 if unicodedata.category(character) == "So" else 1.0)


def measured(text: str) -> bool:
    """Whether the typeface has all letters of a text."""
    return all(without_accent(one) in ADVANCES or unicodedata.category(one) in JOINING for one in text)


def without_accent(character: str) -> str:
    """The letter itself, which is as wide; a syllable of Hangul stays whole."""
    wide = unicodedata.east_asian_width(character) in "WF"
    return character if character in ADVANCES or wide else unicodedata.normalize("NFD", character)[0]


def scene(output: BaseNode, symbols: bool | str) -> Scene:
    """Lay out what leads to `output`."""
    nodes = order(output)
    result = Scene(output, nodes, consumers_within(nodes))
    result.boxes, result.width, result.height = place(connected_boxes(result, symbols))
    return result


def connected_boxes(result: Scene, symbols: bool | str) -> Box:
    """Make and connect the boxes of a scene; return the last one."""
    nodes, consumers, output = result.nodes, result.consumers, result.output
    depth = depths(nodes, consumers)
    texts = Texts(output, symbols, consumers)
    drawn = {node: marked(node, SPAN * depth[node]) for node in nodes}
    end = Box(SPAN * depth[output] + 2, 14.0, 2 * SIZE, "end", Mark(output, readable_name(output.name)))
    end.width += text_width(end.content.words, SIZE)
    ends: dict[tuple[BaseNode, int], Box] = {}  # where the edge into an input of a node comes from
    own: dict[BaseNode, list[Label]] = {node: [] for node in nodes}
    branches: dict[tuple[BaseNode, int], list[Label]] = {}
    for node in nodes:
        tail = drawn[node]
        if texts.own(node):
            own[node] = [Label(node, None, *texts.of_value(node))]
            label = labelled(own[node][0], tail.layer + 1)
            join(tail, label, straight=True)
            tail = label
        elif len(consumers[node]) == 1:
            # Nothing stands between a constant's value and the circle that it goes into.
            tail.layer = SPAN * depth[consumers[node][0][0]] - 1
        if node is output:
            join(tail, end, straight=True)
        elif len(consumers[node]) == 1:
            ends[consumers[node][0]] = tail
        else:
            fork = Box(SPAN * depth[node] + 2, 8.0, 8.0, "fork")
            join(tail, fork, straight=True)
            for target, n in consumers[node]:
                branches[target, n] = [Label(node, target, *texts.of_flow(target, n))]
                branch = labelled(branches[target, n][0], fork.layer + 1)
                join(fork, branch)
                ends[target, n] = branch
    for node in nodes:  # in the order of the inputs, which the drawing keeps
        for n, entry in enumerate(spread(len(node.inputs))):
            join(ends[node, n], drawn[node], entry, straight=len(node.inputs) == 1)
            one = node.inputs[n]
            result.edges.append((one, node, own[one] + branches.get((node, n), [])))
    result.edges.append((output, None, own[output]))
    return end


class Texts:
    """What stands above and below the edges: numbers, or with `symbols` names and derivatives."""

    def __init__(
        self, output: BaseNode, symbols: bool | str, consumers: dict[BaseNode, list[tuple[BaseNode, int]]]
    ) -> None:
        self.symbols = bool(symbols)
        found = (node.differentiated for node in consumers)
        source = next((node for node in found if node is not None), output)
        self.final = readable_name(symbols if isinstance(symbols, str) else source.name) or "out"
        self.consumers = consumers

    def own(self, node: BaseNode) -> bool:
        """Whether a label stands behind a node: a constant's value stands in its place already."""
        return not (node.constant and node.name is None)

    def of_value(self, node: BaseNode) -> tuple[str, str]:
        """Texts for a node's value and its whole gradient."""
        known = node.grad is not None
        if not self.symbols:
            return number_text(node.value), number_text(node.grad) if known else ""
        name = symbol(node) if node.operation is not None else ""
        if not known:
            return name, ""
        targets = self.consumers[node]
        alone = len(targets) == 1 and targets[0][0].flows is not None
        product = gradient_text(self.final, *targets[0]) if alone else ""
        return name, product or derivative(self.final, symbol(node))

    def of_flow(self, target: BaseNode, n: int) -> tuple[str, str]:
        """Texts for what one input of `target` is given and gives back."""
        flow = None if target.flows is None else target.flows[n]
        if self.symbols:
            return "", "" if flow is None else gradient_text(self.final, target, n)
        return number_text(target.inputs[n].value), "" if flow is None else number_text(flow)


def depths(
    nodes: list[BaseNode], consumers: dict[BaseNode, list[tuple[BaseNode, int]]]
) -> dict[BaseNode, int]:
    """How many operations lie before each node; leaves stand right before the first that needs them."""
    depth: dict[BaseNode, int] = {}
    for node in nodes:
        depth[node] = max((depth[one] + 1 for one in node.inputs), default=0)
    for node in nodes:
        if node.operation is None and consumers[node]:
            depth[node] = min(depth[target] for target, _ in consumers[node]) - 1
    return depth


def marked(node: BaseNode, layer: int) -> Box:
    """The circle of an operation, or a leaf with its name or, of a constant, its value."""
    if node.operation is not None:
        mark = Mark(node, operation_text(node.operation))
        return Box(
            layer, max(text_width(mark.words, OPERATOR) + 16.0, 2 * RADIUS), 2 * RADIUS, "circle", mark
        )
    mark = Mark(node, symbol(node))
    if mark.words:
        return Box(layer, text_width(mark.words, SIZE) + 14.0, 2 * SIZE, "leaf", mark)
    return Box(layer, 10.0, 10.0, "leaf", mark)


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
