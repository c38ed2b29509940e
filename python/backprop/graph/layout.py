"""Where the boxes of a layered drawing stand: layers from left to right, in each an order, then coordinates.

a) Every box stands in a layer, and so does each label of an edge; an edge that passes a layer has an empty box there
   (Sugiyama, Tagawa & Toda 1981). Nothing but straight horizontal pieces of edges is drawn beside a box, and curves
   only between layers, so no text can be crossed or covered.
b) The order starts as a walk from the output backwards, which draws a tree without a crossing. Where edges cross,
   exchanges of two that stand side by side, and sweeps by the mean position of the neighbours, look for fewer.
c) Heights: each layer in turn as near to its neighbours as its order and the boxes' sizes allow, which is an isotonic
   regression and solved exactly by pooling. Then paths that should be straight are made so where there is room.
"""

import math
from bisect import bisect
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

GAP = 12.0  # between boxes of one layer
SWEEPS = 8
ROUNDS = 60
PASSES = 12
STRAIGHT = 8.0  # how much more a straight edge counts than one that may bend


@dataclass(eq=False)
class Box:
    """Something with a place.

    Attributes
    ----------
    layer : int
    width, height : float
        In pixels, 0 of a bend.
    kind : str
    content : object
        What the drawing knows it by.
    x, y : float
        Of its centre, set by `place`.
    left, right : float
        Where its layer begins and ends.
    """

    layer: int
    width: float
    height: float
    kind: str
    content: Any = None
    x: float = 0.0
    y: float = 0.0
    left: float = 0.0
    right: float = 0.0
    before: "list[Edge]" = field(default_factory=list, repr=False)
    after: "list[Edge]" = field(default_factory=list, repr=False)


@dataclass(eq=False)
class Edge:
    """From one box to another of a later layer; `entry` is where it enters that, below its centre.

    Attributes
    ----------
    straight : bool
        Whether it should not bend.
    """

    start: Box
    end: Box
    entry: float = 0.0
    straight: bool = False


def join(start: Box, end: Box, entry: float = 0.0, straight: bool = False) -> None:
    """Connect two boxes, through an empty box in every layer between them."""
    while start.layer + 1 < end.layer:
        bend = Box(start.layer + 1, 0.0, 0.0, "bend")
        connect(Edge(start, bend, 0.0, True))
        start = bend
    connect(Edge(start, end, entry, straight))


def connect(edge: Edge) -> None:
    """Make an edge known to both of its ends."""
    edge.start.after.append(edge)
    edge.end.before.append(edge)


def place(output: Box, margin: float = 16.0) -> tuple[list[Box], float, float]:
    """Give everything that leads to `output` its place; return the boxes, and the width and height of the drawing."""
    layers = ordered(output)
    heights(layers)
    boxes = [box for layer in layers for box in layer]
    top = min(box.y - box.height / 2 for box in boxes)
    for box in boxes:
        box.y += margin - top
    right = columns(layers, margin)
    return boxes, right + margin, max(box.y + box.height / 2 for box in boxes) + margin


# --- Order ----------------------------------------------------------------------------------------------------------


def ordered(output: Box) -> list[list[Box]]:
    """The boxes by layer, each layer in an order with few crossings."""
    layers: dict[int, list[Box]] = {}
    seen, stack = {output}, [output]
    while stack:
        box = stack.pop()
        layers.setdefault(box.layer, []).append(box)
        for edge in reversed(box.before):
            if edge.start not in seen:
                seen.add(edge.start)
                stack.append(edge.start)
    found = [layers[n] for n in sorted(layers)]
    return fewer_crossings(found)


def crossings(layers: list[list[Box]]) -> int:
    """How many pairs of edges cross."""
    return sum(between(first, second) for first, second in pairwise(layers))


def between(first: list[Box], second: list[Box]) -> int:
    """Crossings of the edges between two layers: pairs that are in the other order at the other end."""
    place = {box: n for n, box in enumerate(second)}
    ends: list[tuple[int, float]] = []
    count = 0
    for box in first:
        mine = sorted((place[edge.end], edge.entry) for edge in box.after)
        for end in mine:
            count += len(ends) - bisect(ends, end)
        ends = sorted(ends + mine)
    return count


def fewer_crossings(layers: list[list[Box]]) -> list[list[Box]]:
    """The best order that exchanges and sweeps, from right to left and back, find."""
    best, least = layers, crossings(layers)
    for sweep in range(SWEEPS):
        if not least:
            break
        layers = [list(layer) for layer in layers]
        if sweep:
            order = range(len(layers) - 2, -1, -1) if sweep % 2 else range(1, len(layers))
            for n in order:
                sort_by_neighbours(layers[n], layers[n - order.step])
        for backwards in (False, True):
            exchange(layers, backwards, ties=True)
            while exchange(layers, backwards):
                pass
        now = crossings(layers)
        if now < least:
            best, least = layers, now
    return best


def sort_by_neighbours(layer: list[Box], fixed: list[Box]) -> None:
    """Sort a layer by the mean position of its boxes' neighbours in the layer beside it."""
    place = {box: float(n) for n, box in enumerate(fixed)}
    mean = {}
    for n, box in enumerate(layer):
        near = [place[e.start] for e in box.before if e.start in place]
        near += [place[e.end] + e.entry / 1000 for e in box.after if e.end in place]
        mean[box] = sum(near) / len(near) if near else n * len(fixed) / len(layer)
    layer.sort(key=mean.__getitem__)


def exchange(layers: list[list[Box]], backwards: bool, ties: bool = False) -> bool:
    """Exchange boxes side by side where that removes crossings, with `ties` also where it adds none.

    Returns whether any crossing went.
    """
    place = {box: float(n) for layer in layers for n, box in enumerate(layer)}
    improved = False
    for layer in reversed(layers) if backwards else layers:
        pairs = range(len(layer) - 1)
        for n in reversed(pairs) if backwards else pairs:
            one, other = layer[n], layer[n + 1]
            gain = turned_pairs(*([place[e.start] for e in box.before] for box in (one, other)))
            gain += turned_pairs(
                *([place[e.end] + e.entry / 1000 for e in box.after] for box in (one, other))
            )
            if gain > 0 or (ties and not gain):
                layer[n], layer[n + 1] = other, one
                place[one], place[other] = place[other], place[one]
                improved = improved or gain > 0
    return improved


def turned_pairs(upper: list[float], lower: list[float]) -> int:
    """How many crossings an exchange removes from edges that go to these places."""
    return sum((a > b) - (a < b) for a in upper for b in lower)


# --- Coordinates ----------------------------------------------------------------------------------------------------


def heights(layers: list[list[Box]]) -> None:
    """Set y of every box."""
    for layer in layers:
        y = 0.0
        for box in layer:
            box.y = y + box.height / 2
            y += box.height + GAP
        for box in layer:
            box.y -= y / 2
    for round_ in range(ROUNDS):
        for layer in layers if round_ % 2 else reversed(layers):
            place_by_pull(layer)
    straighten(layers)


def place_by_pull(layer: list[Box]) -> None:
    """Move the boxes of a layer as near to where their edges want them as their order and sizes allow."""
    offsets, offset = [], 0.0
    for n, box in enumerate(layer):
        if n:
            offset += distance(layer[n - 1], box)
        offsets.append(offset)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for box, offset in zip(layer, offsets, strict=True):
        wanted, weight = pull(box)
        pool = (wanted - offset, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            mean, heavy, count = pools.pop()
            total = heavy + pool[1]
            pool = ((mean * heavy + pool[0] * pool[1]) / total, total, count + pool[2])
        pools.append(pool)
    means = [mean for mean, _, count in pools for _ in range(count)]
    for box, mean, offset in zip(layer, means, offsets, strict=True):
        box.y = mean + offset


def pull(box: Box) -> tuple[float, float]:
    """Where the edges of a box want it, and how strongly."""
    total = weight = 0.0
    for edge in box.before:
        strength = STRAIGHT if edge.straight else 1.0
        total += strength * (edge.start.y - edge.entry)
        weight += strength
    for edge in box.after:
        strength = STRAIGHT if edge.straight else 1.0
        total += strength * (edge.end.y + edge.entry)
        weight += strength
    return (total / weight, weight) if weight else (box.y, 1.0)


def straighten(layers: list[list[Box]]) -> None:
    """Bring every path of straight edges to one height, where its neighbours leave one free."""
    above: dict[Box, Box] = {}
    below: dict[Box, Box] = {}
    for layer in layers:
        for upper, lower in pairwise(layer):
            above[lower], below[upper] = upper, lower
    boxes = [box for layer in layers for box in layer]
    paths = [path_from(box) for box in boxes if not any(edge.straight for edge in box.before)]
    for round_ in range(PASSES):
        for path in paths if round_ % 2 else reversed(paths):
            align(path, above, below)


def align(path: list[Box], above: dict[Box, Box], below: dict[Box, Box]) -> None:
    """Bring a path to one height; where its neighbours leave none, each half of it."""
    low = max((above[b].y + distance(above[b], b) for b in path if b in above), default=-math.inf)
    high = min((below[b].y - distance(b, below[b]) for b in path if b in below), default=math.inf)
    if low <= high:
        height = min(max(wanted(path), low), high)
        for box in path:
            box.y = height
    elif len(path) > 1:
        half = len(path) // 2
        align(path[:half], above, below)
        align(path[half:], above, below)


def path_from(box: Box) -> list[Box]:
    """The boxes that straight edges connect, from the first one."""
    path = [box]
    while following := [edge.end for edge in path[-1].after if edge.straight]:
        path.append(following[0])
    return path


def wanted(path: list[Box]) -> float:
    """The height at which the edges into and out of a path are shortest, in the mean."""
    pulls = [edge.start.y - edge.entry for box in path for edge in box.before if not edge.straight]
    pulls += [edge.end.y + edge.entry for box in path for edge in box.after if not edge.straight]
    heights = pulls or [box.y for box in path]
    return sum(heights) / len(heights)


def distance(upper: Box, lower: Box) -> float:
    """How far apart the centres of two neighbours have to be."""
    return (upper.height + lower.height) / 2 + GAP


def columns(layers: list[list[Box]], margin: float) -> float:
    """Set x of every box; return where the last layer ends."""
    x = margin
    for n, layer in enumerate(layers):
        width = max(box.width for box in layer)
        for box in layer:
            box.left, box.x, box.right = x, x + width / 2, x + width
        x += width
        if n + 1 < len(layers):
            steepest = max(abs(e.end.y + e.entry - e.start.y) for box in layer for e in box.after)
            x += 8.0 + min(0.45 * steepest, 56.0)
    return x
