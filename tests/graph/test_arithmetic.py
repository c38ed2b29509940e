"""What is written as arithmetic is computed as arithmetic."""

import mpmath
import numpy as np
import pytest

import backprop as bp
from backprop import graph
from tests.functions import ACTIVATIONS
from tests.graph.graphs import apples, sigmoid, softmax_with_loss

X, Y = np.array([[0.5, 1.5, 2.0]]), np.array([[2.0], [0.25]])

EXPRESSIONS = {
    "x + y": lambda x, y: x + y,
    "x - y": lambda x, y: x - y,
    "x * y": lambda x, y: x * y,
    "x / y": lambda x, y: x / y,
    "x ** 3": lambda x, y: x**3,
    "x ** -1.5": lambda x, y: x**-1.5,
    "2 + x": lambda x, y: 2 + x,
    "2 - x": lambda x, y: 2 - x,
    "2 * x": lambda x, y: 2 * x,
    "2 / x": lambda x, y: 2 / x,
    "1 / x": lambda x, y: 1 / x,
    "-x": lambda x, y: -x,
    "+x": lambda x, y: +x,
    "Y @ x": lambda x, y: y @ x,
    "an array and a node": lambda x, y: np.array([1.0, 2.0, 3.0]) * x,
    "a NumPy number and a node": lambda x, y: np.float64(2) * x - np.float64(1),
    "NumPy's functions": lambda x, y: np.maximum(np.sqrt(x), np.square(y)) - np.negative(np.reciprocal(x)),
    "NumPy's matmul": lambda x, y: np.matmul(y, x),
    "NumPy's dot": lambda x, y: np.dot(y, x),
    "NumPy's reductions": lambda x, y: np.sum(x, axis=0) * np.max(y) + np.mean(x, keepdims=True),
    "lists": lambda x, y: [[1.0, 2.0, 3.0]] * x + [1.0, 2.0, 3.0],
    "an exponent for each": lambda x, y: x ** [1.0, 2.0, -1.5],
}


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_operators(expression):
    made = expression(graph.variable(X), graph.variable(Y))
    assert isinstance(made, graph.Node)
    exact = expression(X.astype(np.longdouble), Y.astype(np.longdouble))
    # At most three operations, each within a unit in the last place.
    np.testing.assert_allclose(made.value, exact.astype(float), rtol=6 * 2**-53)


def test_assignment_makes_a_new_node():
    x = graph.variable(2.0)
    y = x
    y += 1
    assert (x.value, y.value) == (2, 3)


def test_whole_numbers_as_weights():
    x = graph.variable([[1.0, 2.0]])
    assert graph.affine(x, [[1], [2]], [3]).value.tolist() == [[8]]


def test_functions():
    x = graph.variable([0.5, 1.5])
    values = {
        graph.exp: np.exp,
        graph.log: np.log,
        graph.sum: np.sum,
        graph.max: np.max,
        graph.mean: np.mean,
        graph.sqrt: np.sqrt,
    }
    for function, twin in values.items():
        # Functions of one number are within 4 units in the last place.
        np.testing.assert_allclose(function(x).value, twin(np.array([0.5, 1.5])), rtol=8 * 2**-53)
    for kind, row in ACTIVATIONS.items():
        exact = np.array([float(row.exact(mpmath.mpf(value))) for value in (0.5, 1.5)])
        error = row.error(exact, float) + 2**-53 * exact  # `exact` is rounded once
        assert (np.abs(getattr(graph, kind)(x).value - exact) <= error).all()
    assert [x.sum().value, x.max().value, x.mean().value] == [2, 1.5, 1]
    assert (2.0 ** graph.variable(3.0)).value == pytest.approx(
        8, rel=16 * 2**-53
    )  # exp of 2.08, off by its roundings


def test_the_shopping_of_the_notes():
    price = apples()
    assert all(node.grad is None for node in (price, *price.inputs))
    price.backward()
    sums, tax = price.inputs
    (apple, count), (orange, number) = (fruit.inputs for fruit in sums.inputs)
    got = [node.grad for node in (apple, count, orange, number, tax)]
    # As in tests/layers/test_notes_examples.py.
    assert [price.value, *got] == pytest.approx([715, 2.2, 110, 3.3, 165, 650], rel=4 * 2**-53, abs=0)


def test_the_square_of_a_sum():
    x, y = graph.variable(2, "x"), graph.variable(3, "y")
    t = x + y
    z = t**2
    z.backward()
    assert [z.value, z.grad, t.grad, x.grad, y.grad] == [25, 1, 10, 10, 10]


def test_the_sigmoid_of_the_notes_is_one_node():
    nodes, x = sigmoid(), graph.variable(0.5)
    layer = graph.sigmoid(x)
    nodes.backward()
    layer.backward()
    assert nodes.value == pytest.approx(layer.value, rel=8 * 2**-53)
    (leaf,) = [node for node in graph_leaves(nodes) if not node.constant]
    assert leaf.grad == pytest.approx(x.grad, rel=16 * 2**-53)


def graph_leaves(output):
    found, stack = [], [output]
    while stack:
        node = stack.pop()
        stack += node.inputs
        if not node.inputs:
            found.append(node)
    return found


def test_softmax_with_loss_from_nodes_has_the_difference_as_gradient():
    loss = softmax_with_loss()
    loss.backward()
    a = sorted(
        (node for node in set(graph_leaves(loss)) if not node.constant and node.name), key=lambda n: n.name
    )
    y = np.exp([0.3, 2.9, 4.0]) / np.exp([0.3, 2.9, 4.0]).sum()
    # A sum of three and four operations, none of which loses digits to cancellation beyond 1.
    np.testing.assert_allclose([node.grad for node in a], y - [0, 1, 0], atol=32 * 2**-53)
    one = graph.softmax_cross_entropy(graph.variable([[0.3, 2.9, 4.0]]), [1])
    assert loss.value == pytest.approx(one.value, rel=32 * 2**-53)


def test_losses_take_labels_that_have_no_gradient():
    x = graph.variable([[0.0, 0.0]], "x")
    loss = graph.softmax_cross_entropy(x, [1])
    loss.backward()
    assert x.grad.tolist() == [[0.5, -0.5]]
    assert loss.inputs[1].constant
    assert loss.inputs[1].value.dtype.kind == "i"
    assert loss.inputs[1].grad is None
    error = graph.squared_error(x, [[1.0, 2.0]])
    error.backward()
    assert (error.value, x.grad.tolist()) == (2.5, [[-1, -2]])


def test_types_follow_numpy():
    single = graph.variable(np.ones(2, np.float32))
    assert (2 * single + 1).value.dtype == np.float32
    assert (single * graph.variable(np.ones(2))).value.dtype == np.float64
    product = single * np.ones(2)
    product.backward()
    assert single.grad.dtype == np.float32  # the gradient of a value has its type
    assert graph.variable([1, 2]).value.dtype == np.float64
    assert type(graph.variable(3).value) is float


def test_layers_of_ones_own():
    class Double:
        def forward(self, x):
            self.calls = getattr(self, "calls", 0) + 1
            return 2 * x

        def backward(self, dout):
            return 2 * dout

    layer, x = Double(), graph.variable(3.0)
    once = graph.apply(layer, x, name="once")
    twice = graph.apply(layer, once)
    twice.backward()
    assert (once.name, twice.value, x.grad) == ("once", 12, 4)
    assert not hasattr(layer, "calls")  # copies were used


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: graph.variable("a"), TypeError, "variable: value has dtype <U1, wanted real numbers"),
        (lambda x: graph.variable(None), TypeError, "wanted real numbers"),
        (lambda x: graph.variable(1j), TypeError, "value has dtype complex128"),
        (lambda x: graph.variable(x), TypeError, "value is the node <x = 2>, wanted a number or an array"),
        (lambda x: graph.variable(1, name=3), TypeError, "name is a int, wanted a str"),
        (lambda x: x + "a", TypeError, "value has dtype <U1, wanted real numbers"),
        (lambda x: x + np.ones((2, 2)) + np.ones(3), ValueError, "do not broadcast"),
        (lambda x: np.sin(x), TypeError, r"np.sin has no node.*there are np.add, np.subtract"),
        (lambda x: np.linalg.norm(x), TypeError, "np.norm has no node"),
        (lambda x: np.where(x, 1, 2), TypeError, "np.where has no node"),
        (lambda x: np.sum(x, dtype=float), TypeError, "np.sum has no node, or not with these arguments"),
        (lambda x: [[x, x]] * x, TypeError, "<x = 2> is a node of a graph, which is no array"),
        (lambda x: graph.variable([x, x]), TypeError, "is a node of a graph, which is no array"),
        (lambda x: x**np.nan + x.sum(axis="a"), TypeError, "Sum: axis is 'a', wanted a whole number"),
        (lambda x: x.sum(axis=0.0), TypeError, "Sum: axis is 0.0, wanted a whole number"),
        (lambda x: graph.apply(bp.Relu, x), TypeError, "layer is the class Relu, wanted an object of it"),
        (lambda x: np.add.reduce(x), TypeError, "np.add.reduce has no node"),
        (lambda x: np.add(x, 1, dtype=float), TypeError, "not with these arguments"),
        (lambda x: bool(x), TypeError, "a node has no truth"),
        (
            lambda x: graph.apply(3, x),
            TypeError,
            "layer is a int, wanted something with forward and backward",
        ),
    ],
)
def test_errors(call, error, message):
    with pytest.raises(error, match=message):
        call(graph.variable(2, "x"))


def test_nodes_say_what_they_are():
    x = graph.variable(100.5, "x")
    y = x * np.arange(6.0).reshape(2, 3)
    assert [repr(x), repr(y), repr(graph.constant(1)), repr(graph.variable(-0.0))] == [
        *("<x = 100.5>", "<× = (2, 3)>", "<constant = 1>", "<variable = 0>")
    ]
    y.backward()
    assert repr(x) == "<x = 100.5, grad 15>"
