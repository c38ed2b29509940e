"""What a network consists of, layer by layer, in numbers."""

import html
import math
from dataclasses import dataclass

import numpy as np

from backprop._util.html import table
from backprop.network.spec import NetworkSpec

HEADER = ("layer", "output", "parameters", "count", "bytes", "operations")


@dataclass(frozen=True)
class LayerSummary:
    """A layer in numbers.

    Attributes
    ----------
    name : str
        Its key in `net.layers`.
    outputs : int or None
        How many numbers a sample has behind it; None where that is not known.
    shapes : dict of str to tuple of int
        Of its parameters.
    parameters : int
        How many numbers these are.
    bytes : int
    operations : int
        Multiply-adds of a sample's products with weights of two dimensions, forwards; a step of training takes three
        times as many, but twice in the first layer. What is done number by number is not counted.
    """

    name: str
    outputs: int | None
    shapes: dict[str, tuple[int, ...]]
    parameters: int
    bytes: int
    operations: int

    def _texts(self) -> tuple[str, ...]:
        shapes = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        outputs = "(B, ?)" if self.outputs is None else f"(B, {self.outputs})"
        return self.name, outputs, shapes, *_numbers(self.parameters, self.bytes, self.operations)


@dataclass(frozen=True)
class Summary:
    """A network in numbers; its text is a table, and so is what notebooks show.

    Attributes
    ----------
    name : str
        What the network is, in a line.
    layers : tuple of LayerSummary
    parameters, bytes, operations : int
        Of all layers.
    """

    name: str
    layers: tuple[LayerSummary, ...]

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def bytes(self) -> int:
        """What they take."""
        return sum(layer.bytes for layer in self.layers)

    @property
    def operations(self) -> int:
        """Multiply-adds of a sample, forwards."""
        return sum(layer.operations for layer in self.layers)

    def _rows(self) -> list[tuple[str, ...]]:
        total = ("total", "", "", *_numbers(self.parameters, self.bytes, self.operations))
        return [HEADER, *(layer._texts() for layer in self.layers), total]

    def __str__(self) -> str:
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if n < 3 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([self.name, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        header, *rows, total = self._rows()
        return f"<p>{html.escape(self.name)}</p>" + table(header, rows, total)


def _numbers(*numbers: int) -> tuple[str, ...]:
    return tuple(f"{number:,}" if number else "" for number in numbers)


def summary_of(spec: NetworkSpec, name: str) -> Summary:
    """The summary of what a spec describes."""
    itemsize = np.dtype(spec.dtype).itemsize
    layers = []
    for layer in spec.layers:
        shapes = {one.name: one.shape for one in layer.parameters}
        numbers = sum(map(math.prod, shapes.values()))
        operations = sum(math.prod(shape) for shape in shapes.values() if len(shape) == 2)
        layers.append(
            LayerSummary(layer.name, layer.outputs, shapes, numbers, numbers * itemsize, operations)
        )
    return Summary(name, tuple(layers))
