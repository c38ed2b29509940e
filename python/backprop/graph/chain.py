"""The chain rule over a graph: in what order, what meets where, what is out of date."""

import copy
import weakref
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from backprop._util.arrays import real_array
from backprop.graph.base import BaseNode, order
from backprop.graph.values import fixed, gradient_type

N = TypeVar("N", bound=BaseNode)


def backward(output: BaseNode, gradient: ArrayLike) -> None:
    """See `Node.backward`. Nothing is changed before all gradients are there."""
    grads: dict[BaseNode, Any] = {output: output_gradient(gradient, output.value)}
    flows: dict[BaseNode, tuple[Any, ...]] = {}
    for node in reversed(order(output)):
        if node.operation is None or node not in grads:
            continue
        # A copy: the notes' own layers write into what they are given.
        returned = node.operation.backward(np.array(grads[node])[()])
        flows[node] = parts = passed_on(node, returned)
        for one, part in zip(node.inputs, parts, strict=True):
            if part is not None:
                grads[one] = grads[one] + part if one in grads else part
    clear_gradients(output)
    for node, grad in grads.items():
        if not node.constant:
            node.grad, node._output = fixed(grad), weakref.ref(output)
    for node, parts in flows.items():
        node.flows = parts


def passed_on(node: BaseNode, returned: Any) -> tuple[Any, ...]:
    """What `backward` of a node's operation returned, one an input: in its type and shape, or None."""
    parts = list(returned) if isinstance(returned, (tuple, list)) else [returned]
    owner = f"{type(node.operation).__name__}.backward"
    if len(parts) > len(node.inputs):
        raise ValueError(f"{owner} returned {len(parts)} gradients for {len(node.inputs)} inputs")
    parts += [None] * (len(node.inputs) - len(parts))
    return tuple(
        None if one.constant or part is None else fixed(in_shape_of(one, part, owner, n))
        for n, (one, part) in enumerate(zip(node.inputs, parts, strict=True), start=1)
    )


def output_gradient(gradient: ArrayLike, value: Any) -> Any:
    """The gradient that an output is given, as an array of its shape or a number."""
    given = real_array("backward", "gradient", gradient)
    if given.ndim and given.shape != np.shape(value):
        raise ValueError(
            f"backward: gradient has shape {given.shape}, wanted a number or {np.shape(value)}, the value's shape"
        )
    return np.full(np.shape(value), given, dtype=gradient_type(value))[()]


def in_shape_of(node: BaseNode, part: Any, owner: str, n: int) -> Any:
    """A copy of a gradient in the type of the value that it belongs to; it has to have its shape."""
    array = real_array(owner, f"the gradient of input {n}", part)
    if array.shape != node.shape:
        raise ValueError(f"{owner}: the gradient of input {n} has shape {array.shape}, wanted {node.shape}")
    return np.array(array, dtype=gradient_type(node.value))[()]


def connected(start: BaseNode) -> set[BaseNode]:
    """The whole graph that a node belongs to."""
    found, stack = {start}, [start]
    while stack:
        node = stack.pop()
        new = {*node.inputs, *node.consumers} - found
        found |= new
        stack.extend(new)
    return found


def clear_gradients(start: BaseNode) -> None:
    """Drop all gradients of the graph."""
    for node in connected(start):
        node.grad = node.flows = node._output = None


def outdate(leaf: BaseNode) -> None:
    """Drop what no longer follows from a leaf's value: the values that depend on it, and all gradients."""
    stack, found = list(leaf.consumers), set(leaf.consumers)
    while stack:
        node = stack.pop()
        node._value = None
        new = set(node.consumers) - found
        found |= new
        stack.extend(new)
    clear_gradients(leaf)


def copied(output: N, memo: dict[int, Any]) -> N:
    """A copy of what leads to `output`, with its own operations."""
    nodes = order(output)
    for node in nodes:
        if id(node) not in memo:
            memo[id(node)] = type(node)(
                node.value,
                copy.deepcopy(node.operation, memo),
                [memo[id(one)] for one in node.inputs],
                name=node.name,
                constant=node.constant,
            )
    for node in nodes:
        twin, source = memo[id(node)], node.differentiated
        if source is not None and id(source) in memo:
            twin.grad, twin.flows, twin._output = node.grad, node.flows, weakref.ref(memo[id(source)])
    return memo[id(output)]  # type: ignore[no-any-return]
