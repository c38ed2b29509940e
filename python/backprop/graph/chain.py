"""The chain rule over a graph: in what order, what meets where, what is out of date."""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from backprop.graph.node import Node


def order(output: "Node") -> "list[Node]":
    """Every node that leads to `output`, once, inputs before what is computed from them; `output` is last."""
    done: dict[Node, bool] = {}  # a dict keeps the order
    seen = set()
    stack = [(output, False)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            done[node] = True
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((one, False) for one in reversed(node.inputs) if one not in seen)
    return list(done)


def backward(output: "Node", gradient: ArrayLike) -> None:
    """See `Node.backward`. Nothing is changed before all gradients are there."""
    value = output.value
    grads: dict[Node, Any] = {output: output_gradient(gradient, value)}
    flows: dict[Node, tuple[Any, ...]] = {}
    for node in reversed(order(output)):
        if node.operation is None or node not in grads:
            continue
        returned = node.operation.backward(grads[node])
        parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
        parts += [None] * (len(node.inputs) - len(parts))
        flowed: list[Any] = []
        for n, (one, part) in enumerate(zip(node.inputs, parts, strict=True)):
            if one.constant or part is None:
                flowed.append(None)
                continue
            part = in_shape_of(one, part, f"{node!r}: the gradient of input {n + 1}")
            grads[one] = grads[one] + part if one in grads else part
            flowed.append(part)
        flows[node] = tuple(flowed)
    forget(output)
    from backprop.graph.node import fixed

    for node, grad in grads.items():
        node.grad = fixed(grad)
    for node, passed in flows.items():
        node.flows = passed


def output_gradient(gradient: ArrayLike, value: Any) -> Any:
    """The gradient that an output is given, as an array of its shape or a number."""
    from backprop._arrays import real_array

    given = real_array("backward", "gradient", gradient)
    if given.ndim and given.shape != np.shape(value):
        raise ValueError(
            f"backward: gradient has shape {given.shape}, wanted a number or {np.shape(value)}, the value's shape"
        )
    dtype = value.dtype if hasattr(value, "dtype") else np.float64
    return np.full(np.shape(value), given, dtype=dtype)[()]


def in_shape_of(node: "Node", part: Any, what: str) -> Any:
    """A gradient in the type of the value that it belongs to; it has to have its shape."""
    if np.shape(part) != node.shape:
        raise ValueError(f"{what} has shape {np.shape(part)}, wanted {node.shape}")
    dtype = node.value.dtype if hasattr(node.value, "dtype") else np.float64
    return np.asarray(part, dtype=dtype)[()]


def connected(start: "Node") -> "set[Node]":
    """The whole graph that a node belongs to."""
    found, stack = {start}, [start]
    while stack:
        node = stack.pop()
        new = {*node.inputs, *node.consumers} - found
        found |= new
        stack.extend(new)
    return found


def forget(start: "Node") -> None:
    """Drop all gradients of the graph."""
    for node in connected(start):
        node.grad = node.flows = None


def outdate(leaf: "Node") -> None:
    """Drop what no longer follows from a leaf's value: the values that depend on it, and all gradients."""
    stack, found = list(leaf.consumers), set(leaf.consumers)
    while stack:
        node = stack.pop()
        node._value = None
        new = set(node.consumers) - found
        found |= new
        stack.extend(new)
    forget(leaf)


def copied(output: "Node", memo: dict[int, Any]) -> "Node":
    """A copy of what leads to `output`, with its own operations."""
    from backprop.graph.node import Node

    for node in order(output):
        if id(node) in memo:
            continue
        inputs = [memo[id(one)] for one in node.inputs]
        twin = Node(
            node.value, copy.deepcopy(node.operation, memo), inputs, name=node.name, constant=node.constant
        )
        twin.grad, twin.flows = node.grad, node.flows
        memo[id(node)] = twin
    return memo[id(output)]  # type: ignore[no-any-return]
