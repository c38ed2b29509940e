"""Graphs that tests draw and differentiate."""

import numpy as np
from hypothesis import strategies as st

from backprop import graph
from tests.registry import ACTIVATIONS

SMOOTH = tuple(getattr(graph, kind) for kind, cls in ACTIVATIONS.items() if cls.keeps != "mask")
UNARY = (*SMOOTH, lambda x: graph.exp(graph.tanh(x)), lambda x: -x, lambda x: x**2)
BINARY = (
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: graph.tanh(x) * y,
    lambda x, y: x / (2 + y**2),
)


def apples():
    """Section 0085's shopping: two apples at 100, three oranges at 150, 10 % tax."""
    apple, count = graph.variable(100, "apple"), graph.variable(2, "count")
    orange, number = graph.variable(150, "orange"), graph.variable(3, "number")
    tax = graph.variable(1.1, "tax")
    price = (apple * count + orange * number) * tax
    price.name = "price"
    return price


def sigmoid():
    """Section 0089's, of four nodes."""
    x = graph.variable(0.5, "x")
    y = 1 / (1 + np.exp(-x))
    y.name = "y"
    return y


def softmax_with_loss():
    """Section 0091's, from exponentials, sums, divisions and logarithms."""
    a = [graph.variable(value, f"a{n}") for n, value in enumerate((0.3, 2.9, 4.0), 1)]
    t = [graph.constant(value, f"t{n}") for n, value in enumerate((0, 1, 0), 1)]
    powers = [graph.exp(one) for one in a]
    total = powers[0] + powers[1] + powers[2]
    terms = [one * graph.log(power / total) for one, power in zip(t, powers, strict=True)]
    loss = -(terms[0] + terms[1] + terms[2])
    loss.name = "L"
    return loss


def chain(length):
    """x + 1 + 1 + …"""
    node = graph.variable(0.0, "x")
    for _ in range(length):
        node = node + 1
    return node


@st.composite
def random_graphs(draw, shape=(), most=12):
    """Smooth functions of some variables, whose nodes are used any number of times."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    nodes = [graph.variable(rng.uniform(-1, 1, shape)[()], f"v{n}") for n in range(draw(st.integers(1, 4)))]
    for _ in range(draw(st.integers(1, most))):
        if draw(st.booleans()):
            nodes.append(draw(st.sampled_from(UNARY))(draw(st.sampled_from(nodes))))
        else:
            nodes.append(
                draw(st.sampled_from(BINARY))(draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes)))
            )
    return nodes[-1]


def busy(count=60):
    """A graph of about that many nodes, in which values go to several places."""
    rng = np.random.default_rng(1)
    nodes = [graph.variable(float(v), f"v{n}") for n, v in enumerate(rng.uniform(0.5, 2, count // 5))]
    ends = list(nodes)
    while len(nodes) + len(ends) < count:
        if rng.uniform() < 0.3:
            node = graph.tanh(nodes[rng.integers(max(0, len(nodes) - 10), len(nodes))])
        else:
            one, other = (nodes[n] for n in rng.integers(max(0, len(nodes) - 10), len(nodes), 2))
            node = one * other if rng.uniform() < 0.5 else one - other
        nodes.append(node)
        ends = [end for end in [*ends, node] if end not in node.inputs]
    output = ends[0]
    for end in ends[1:]:
        output = output + end
    output.name = "out"
    return output
