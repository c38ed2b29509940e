"""What stands where in a drawing, read from its SVG."""

import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import pytest

from backprop.graph.scene import measured, text_width
from backprop.graph.svg import WIDEST

SVG = "{http://www.w3.org/2000/svg}"
# Above and below the base line, in sizes of the type: tallest ascender and lowest descender of the usual sans-serif.
ASCENT, DESCENT = 0.78, 0.22
CUTS = 24  # pieces of a curve


@dataclass(frozen=True)
class Rectangle:
    """Where something is, and what it says."""

    left: float
    top: float
    right: float
    bottom: float
    words: str
    kind: str

    def meets(self, other):
        return (
            min(self.right, other.right) - max(self.left, other.left) > 0
            and min(self.bottom, other.bottom) - max(self.top, other.top) > 0
        )

    def inside(self, piece, margin=0.0):
        """Whether a straight piece (x, y, x, y) comes into it; pieces are short or horizontal."""
        x1, y1, x2, y2 = piece
        return (
            max(x1, x2) > self.left + margin
            and min(x1, x2) < self.right - margin
            and max(y1, y2) > self.top + margin
            and min(y1, y2) < self.bottom - margin
        )


class Picture:
    """A drawing in pieces.

    Attributes
    ----------
    texts, shapes : list of Rectangle
        Words; circles, leaves and branching points.
    edges : list of (x, y, x, y)
        Straight pieces of the edges: horizontal ones, and curves cut up finely.
    paper : Rectangle
    """

    def __init__(self, svg):
        self.root = ET.fromstring(svg)
        number = {key: float(self.root.get(key)) for key in ("width", "height")}
        self.paper = Rectangle(0, 0, number["width"], number["height"], "", "paper")
        self.texts = [text(element) for element in self.root.iter(f"{SVG}text")]
        self.shapes = [shape(e) for e in self.root.iter(f"{SVG}rect") if e.get("class") != "bp-paper"]
        self.edges = [
            piece
            for e in self.root.iter(f"{SVG}path")
            if e.get("class") == "bp-edge"
            for piece in pieces(e.get("d"))
        ]

    def words(self, kind):
        return [one.words for one in self.texts if one.kind == kind]

    def faults(self):
        """Everything that covers, crosses or leaves something else, in words."""
        for one, other in itertools.combinations(self.texts, 2):
            if one.meets(other):
                yield f"{one} covers {other}"
        for one, other in itertools.combinations(self.shapes, 2):
            if one.meets(other):
                yield f"{one} covers {other}"
        for words in self.texts:
            for form in self.shapes:
                within = form.left <= words.left and words.right <= form.right
                if words.meets(form) and not within:
                    yield f"{words} sticks out of {form}"
            if any(words.inside(piece) for piece in self.edges):
                yield f"an edge crosses {words}"
        for form in self.shapes:
            # Edges begin and end at outlines, those of circles inside the square around them.
            if form.kind == "bp-leaf" and any(form.inside(piece, 1.0) for piece in self.edges):
                yield f"an edge crosses {form}"
        for one in (*self.texts, *self.shapes):
            if not (
                one.left >= 0
                and one.top >= 0
                and one.right <= self.paper.right
                and one.bottom <= self.paper.bottom
            ):
                yield f"{one} leaves the paper"


def text(element):
    x, y, size = (float(element.get(key)) for key in ("x", "y", "font-size"))
    assert element.get("text-anchor") == "middle"
    width, fitted = text_width(element.text, size), element.get("textLength")
    if fitted is not None:
        assert float(fitted) == pytest.approx(width, abs=0.05)  # written with one digit
    elif measured(element.text):
        width *= WIDEST  # nothing keeps another typeface from being wider
    return Rectangle(
        x - width / 2,
        y - ASCENT * size,
        x + width / 2,
        y + DESCENT * size,
        element.text,
        element.get("class"),
    )


def shape(element):
    x, y, width, height = (float(element.get(key)) for key in ("x", "y", "width", "height"))
    return Rectangle(x, y, x + width, y + height, "", element.get("class"))


def pieces(path):
    """Straight pieces of a path of the commands M, H and C."""
    x = y = 0.0
    for command, numbers in re.findall(r"([MHC])([-0-9. ]+)", path):
        values = [float(number) for number in numbers.split()]
        if command == "M":
            x, y = values
        elif command == "H":
            yield x, y, values[0], y
            x = values[0]
        else:
            bend = [(x, y), *zip(values[::2], values[1::2], strict=True)]
            for n in range(1, CUTS + 1):
                t = n / CUTS
                weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
                end = tuple(sum(w * point[k] for w, point in zip(weights, bend, strict=True)) for k in (0, 1))
                yield x, y, *end
                x, y = end
