"""A graph as text for other programs: Graphviz' DOT and Mermaid."""

import re
from typing import TYPE_CHECKING

from backprop.graph import chain
from backprop.graph.texts import number_text, operation_text, readable_name, symbol

if TYPE_CHECKING:
    from backprop.graph.node import Node


def edges(output: "Node") -> "list[tuple[int, int | None, str, str]]":
    """Number of the source, of the target (None behind the output), value and gradient of each edge."""
    nodes = chain.order(output)
    number = {node: n for n, node in enumerate(nodes)}
    found: list[tuple[int, int | None, str, str]] = []
    for node in nodes:
        for n, one in enumerate(node.inputs):
            flow = None if node.flows is None else node.flows[n]
            value = "" if one.constant and one.name is None else number_text(one.value)
            found.append((number[one], number[node], value, "" if flow is None else number_text(flow)))
    grad = "" if output.grad is None else number_text(output.grad)
    return [*found, (number[output], None, number_text(output.value), grad)]


def dot(output: "Node") -> str:
    """Graphviz' language; `dot -Tsvg` draws it."""
    lines = ["digraph {", "  rankdir=LR;"]
    for n, node in enumerate(chain.order(output)):
        if node.operation is None:
            lines.append(f"  n{n} [shape=plaintext, label={quoted(symbol(node))}];")
        else:
            lines.append(f"  n{n} [shape=circle, label={quoted(operation_text(node.operation))}];")
    lines.append(f"  out [shape=plaintext, label={quoted(readable_name(output.name))}];")
    for start, end, value, gradient in edges(output):
        label = value + (f"\n← {gradient}" if gradient else "")
        lines.append(f"  n{start} -> {'out' if end is None else f'n{end}'} [label={quoted(label)}];")
    return "\n".join([*lines, "}", ""])


def quoted(words: str) -> str:
    """A string of DOT."""
    escaped = words.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def mermaid(output: "Node") -> str:
    """Mermaid's flowchart."""
    lines = ["flowchart LR"]
    for n, node in enumerate(chain.order(output)):
        if node.operation is None:
            lines.append(f"  n{n}[{entities(symbol(node) or ' ')}]")
        else:
            lines.append(f"  n{n}(({entities(operation_text(node.operation))}))")
    lines.append(f"  out[{entities(readable_name(output.name) or ' ')}]")
    for start, end, value, gradient in edges(output):
        label = " / ".join(part for part in (value, f"← {gradient}" if gradient else "") if part)
        arrow = f"-- {entities(label)} -->" if label else "-->"
        lines.append(f"  n{start} {arrow} {'out' if end is None else f'n{end}'}")
    return "\n".join([*lines, ""])


def entities(words: str) -> str:
    """A string of Mermaid, in which what has a meaning there, or begins a list, is written by its number."""
    return '"' + re.sub(r"[^\w ./×÷−·∂←Σ]|\.(?=\s|$)", lambda found: f"#{ord(found[0])};", words) + '"'
