"""The chain rule: once through a shared node, sums where paths meet, nothing that is out of date."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop import graph
from tests.graph.graphs import apples, chain, random_graphs, softmax_with_loss
from tests.registry import ACTIVATIONS, LOSSES, LOSSES_OF_NUMBERS


def proven(output, **options):
    """Check a graph drawn at random; x − x has a gradient of 0, which is right and proves nothing."""
    report = bp.check_gradients(output, **options)
    assert {finding.name for finding in report.findings} <= {"all gradients are zero"}, report


@given(random_graphs())
def test_gradients_of_numbers(output):
    proven(output, seed=1)


@given(random_graphs(shape=(3, 2), most=8))
def test_gradients_of_arrays(output):
    proven(output, points=8)


def test_gradients_of_every_function():
    rng = np.random.default_rng(0)
    x, W, b = (graph.variable(rng.uniform(0.5, 2, shape), name) for name, shape in SHAPES.items())
    hidden = graph.relu(graph.affine(x, W, b) - 4.0)
    parts = [
        graph.softmax_cross_entropy(hidden, [0, 2, 1, 1]),
        graph.mean(graph.log(x), axis=0).max(),
        graph.sum(graph.exp(graph.tanh(W)) / W, axis=(0, 1)),
        graph.maximum(graph.sigmoid(x), 0.7).sum(),
        *(getattr(graph, kind)(x - 1).sum() for kind in ACTIVATIONS),
        *(getattr(graph, loss.function)(x @ W, np.zeros((4, 3))) for loss in LOSSES_OF_NUMBERS.values()),
        graph.sqrt(b).mean(),
        (x ** graph.variable(1.5, "n")).sum(),
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    report = bp.check_gradients(total, points=None)
    assert report.passed, report
    assert [array.name for array in report.arrays] == ["x", "W", "b", "n"]
    for part in parts:
        bp.assert_gradients(part)


SHAPES = {"x": (4, 2), "W": (2, 3), "b": (3,)}


class Counted(bp.Multiply):
    """A node that counts how often it is gone back through."""

    times = 0

    def backward(self, dout):
        Counted.times += 1
        return super().backward(dout)


def test_a_shared_node_is_gone_through_once():
    Counted.times = 0
    x = graph.variable(3.0)
    shared = graph.apply(Counted(), x, x)
    z = shared + shared * shared
    z.backward()
    assert Counted.times == 1
    assert shared.grad == 1 + 2 * 9
    assert x.grad == 19 * 6


def test_paths_that_double_with_every_step():
    node = x = graph.variable(1.0)
    for _ in range(60):
        node = node + node
    node.backward()
    assert x.grad == 2.0**60


@pytest.mark.parametrize("gradient", [1.3, -2, np.float32(0.5), np.array([[1.0, 2.0, 3.0]])])
def test_any_output_gradient(gradient):
    x, y = graph.variable([[10.0, 20.0, 30.0]]), graph.variable(5.0)
    z = x * y
    z.backward(gradient)
    assert np.array_equal(z.grad, np.broadcast_to(gradient, (1, 3)))
    assert np.array_equal(x.grad, np.broadcast_to(gradient, (1, 3)) * 5.0)
    assert y.grad == pytest.approx((np.broadcast_to(gradient, (1, 3)) * x.value).sum(), rel=6 * 2**-53)


def test_a_wrong_output_gradient_changes_nothing():
    price = apples()
    price.backward()
    before = [node.grad for node in price.inputs]
    for wrong, error in (([1.0, 2.0], ValueError), (None, TypeError), ("a", TypeError), (1j, TypeError)):
        with pytest.raises(error, match="backward: gradient"):
            price.backward(wrong)
    assert [node.grad for node in price.inputs] == before


def test_a_layer_whose_gradient_has_another_shape():
    class Wrong:
        def forward(self, x):
            return x.sum()

        def backward(self, dout):
            return dout

    x = graph.variable([1.0, 2.0], "x")
    z = graph.apply(Wrong(), x)
    with pytest.raises(
        ValueError, match=r"Wrong.backward: the gradient of input 1 has shape \(\), wanted \(2,\)"
    ):
        z.backward()
    assert x.grad is None
    assert z.grad is None


def test_gradients_do_not_accumulate():
    x = graph.variable(3.0)
    z = x * x
    for _ in range(3):
        z.backward()
        assert x.grad == 6


def test_gradients_are_those_of_the_last_output():
    x, other = graph.variable(3.0), graph.variable(1.0)
    square, cube = x**2, x**3
    total = cube + other
    total.backward()
    assert (x.grad, other.grad) == (27, 1)
    square.backward()
    assert (x.grad, square.grad) == (6, 1)
    assert all(node.grad is None and node.flows is None for node in (cube, other, total))


def test_a_new_value_reaches_everything_that_depends_on_it():
    price = apples()
    price.backward()
    sums, tax = price.inputs
    tax.value = 2
    assert price.value == 1300
    assert all(node.grad is None for node in (price, sums, tax))
    sums.inputs[0].inputs[0].value = 50.0
    assert (sums.value, price.value) == (550, 1100)
    price.backward()
    assert (tax.grad, sums.grad) == (550, 2)


def test_gradient_descent():
    x = graph.variable(np.array([5.0, -3.0]))
    loss = ((x - np.array([1.0, 2.0])) ** 2).sum()
    for _ in range(100):
        loss.backward()
        x.value = x.value - 0.25 * x.grad  # halves the distance at each step
    assert x.value.tolist() == [1, 2]


def test_values_change_in_no_other_way():
    given_array = np.array([1.0, 2.0])
    x = graph.variable(given_array)
    given_array[0] = 7
    y = x * 2
    y.backward()
    assert x.value.tolist() == [1, 2]
    for array in (x.value, y.value, x.grad):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 3
    with pytest.raises(AttributeError, match="is computed from its inputs"):
        y.value = 3
    with pytest.raises(ValueError, match=r"value has shape \(3,\), <variable = .*> has \(2,\)"):
        x.value = [1, 2, 3]


def test_constants_have_no_gradient():
    x = graph.variable(2.0)
    z = x * 3 + graph.constant(1.0, "one")
    z.backward()
    assert z.inputs[1].grad is None
    assert z.inputs[0].inputs[1].grad is None
    z.inputs[1].value = 5
    assert z.value == 11


def test_deep_graphs():
    output = chain(20_000)
    output.backward()
    twin = copy.deepcopy(output)
    assert output.value == twin.value == 20_000
    leaf = twin
    while leaf.inputs:
        leaf = leaf.inputs[0]
    assert leaf.grad == 1
    leaf.value = 1.0
    assert (output.value, twin.value) == (20_000, 20_001)


def test_what_is_no_longer_used_goes():
    x = graph.variable(1.0)
    gone = weakref.ref(x * 2)
    gc.collect()
    assert gone() is None
    assert not x.consumers


def test_a_check_of_a_wrong_graph_fails():
    class Wrong(bp.Multiply):
        def backward(self, dout):
            dx, dy = super().backward(dout)
            return dx, 1.001 * dy

    x, y = graph.variable(2.0, "x"), graph.variable(3.0, "y")
    report = bp.check_gradients(graph.apply(Wrong(), x, y))
    assert not report.passed
    assert "y" in str(report.findings[0])


def test_a_check_of_a_graph_leaves_it_alone():
    loss = softmax_with_loss()
    loss.backward()
    before = [(node.value, node.grad) for node in loss.inputs]
    bp.assert_gradients(loss)
    assert [(node.value, node.grad) for node in loss.inputs] == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (((1.0,), {}), "a graph has its own inputs"),
        (((), {"params": {"W": "dW"}}), "a graph has its own inputs"),
    ],
)
def test_a_graph_is_checked_without_inputs(options, message):
    inputs, named = options
    with pytest.raises(TypeError, match=message):
        bp.check_gradients(apples(), *inputs, **named)


def test_a_check_needs_names_that_differ():
    with pytest.raises(ValueError, match="two variables of the graph have the same name"):
        bp.check_gradients(graph.variable(1.0, "x") * graph.variable(2.0, "x"))


@given(seed=st.integers(0, 1000), activation=st.sampled_from([*ACTIVATIONS]))
def test_a_network_as_a_graph_has_its_bits(seed, activation):
    net = bp.Network([5, 4, 3], activation, seed=seed, input_mean=0.5, input_scale=2.0)
    rng = np.random.default_rng(seed)
    x, t = rng.normal(size=(6, 5)), rng.integers(0, 3, 6)
    loss = graph.from_network(net, x, t)
    loss.backward()
    gradient = net.gradient(x, t)
    assert loss.value == net.lastLayer.loss
    leaves = {}
    stack = [loss]
    while stack:
        node = stack.pop()
        stack += node.inputs
        leaves[node.name] = node
    for key, array in gradient.items():
        assert leaves[key].grad.tobytes() == array.tobytes()
    scores = graph.from_network(net, x)
    assert scores.name == "scores"
    assert scores.value.tobytes() == net.predict(x).tobytes()


def test_values_that_are_whole_numbers_have_gradients_that_are_not():
    class Rounds:
        def forward(self, x):
            return np.round(x).astype(int)

        def backward(self, dout):
            return dout

    x = graph.variable([0.4, 1.6])
    (graph.apply(Rounds(), x) * 0.25).backward()
    assert x.grad.tolist() == [0.25, 0.25]


def test_targets_are_constants():
    x = graph.variable([[0.5, 1.5]], "x")
    for loss in (getattr(graph, cls.function) for cls in LOSSES.values()):
        with pytest.raises(ValueError, match=r"of which a loss gives no gradient; make <t = .*> a constant"):
            loss(x, graph.variable([[1.0, 0.0]], "t"))
        with pytest.raises(ValueError, match="make <x = "):
            loss(x, graph.sigmoid(x))
        assert loss(x, graph.constant([[0.5, 0.5]]) * 2).value > 0


def test_exponents_that_are_nodes():
    x, n = graph.variable(-3.0, "x"), graph.constant(2.0)
    square = x**n
    square.backward()
    assert (square.value, x.grad) == (9, -6)
    base, exponent = graph.variable(0.0), graph.variable(2.0)
    power = base**exponent
    power.backward()
    assert (power.value, base.grad, exponent.grad) == (0, 0, 0)
    assert (2 ** graph.variable(3.0)).value == 8
    bp.assert_gradients((graph.variable([0.5, 2.0], "x") ** [2.0, -1.5]).sum())
    bp.assert_gradients(graph.variable([[0.5], [2.0]], "x") ** graph.variable([2.0, -1.5, 0.5], "n"))


def test_near_ties_are_kinks():
    x = graph.variable([1.0, 1.0 + 1e-7, 0.0, 3.0, -2.0, 5.0, 4.0, 9.0], "x")
    report = bp.check_gradients(graph.maximum(x, 1.0).sum())
    assert report.passed, report
    # At the tie itself, half of the gradient is what central differences give.
    assert report.arrays[0].kinks == 1
    bp.assert_gradients(graph.variable([1.0, 1.0 + 1e-7, *range(-8, 0)], "x").max())


def test_nan_has_the_gradient_of_a_maximum():
    x, y = graph.variable([np.nan, 1.0, np.nan]), graph.variable([1.0, np.nan, np.nan])
    z = graph.maximum(x, y)
    z.backward()
    assert (x.grad.tolist(), y.grad.tolist()) == ([1, 0, 0.5], [0, 1, 0.5])
    most = x.max()
    most.backward()
    assert x.grad.tolist() == [0.5, 0, 0.5]


def test_copies():
    x = graph.variable(2.0, "x")
    y = x * 3
    y.backward()
    twin = copy.copy(y)
    x.value = 5.0
    assert (y.value, twin.value, twin.grad) == (15, 15, None)
    leaf = copy.copy(x)
    leaf.value = 7.0
    assert (leaf.value, y.value) == (7, 15)
    y.backward()
    x2, y2 = copy.deepcopy([x, y])
    assert y2.inputs[0] is x2
    assert (x2.grad, y2.differentiated) == (3, y2)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(y)


def test_a_value_that_cannot_be_computed():
    x, t = graph.variable([[0.5, 1.5]], "x"), graph.constant([0], "t")
    loss = graph.softmax_cross_entropy(x, t)
    t.value = [5]
    assert repr(loss) == "<SoftmaxWithLoss = ?>"
    with pytest.raises(ValueError, match=r"t\[0\] is 5"):
        loss.backward()
    t.value = [1]
    assert loss.value == pytest.approx(np.log1p(np.exp(-1.0)), rel=8 * 2**-53)


def test_a_leaf_keeps_its_type():
    number, array = graph.variable(3.0), graph.variable(np.ones(2, np.float32))
    product = number * array
    product.backward()
    number.value = number.value - 0.1 * number.grad
    array.value = array.value.astype(np.float64)
    assert product.value.dtype == array.value.dtype == np.float32


def test_constants_get_no_gradient_of_their_own():
    one = graph.constant(3.0)
    one.backward()
    assert one.grad is None


def test_only_the_attributes_that_there_are():
    x = graph.variable(1.0)
    with pytest.raises(AttributeError):
        x.vaule = 3
    assert f"{x * 2:.3f} and {x}" == "2.000 and <variable = 1>"


def test_names_that_the_check_invents_are_free():
    report = bp.check_gradients(graph.variable(1.0, "x1") * graph.variable(2.0))
    assert [array.name for array in report.arrays] == ["x1", "x2"]
    assert report.passed


def test_a_layer_with_an_operation_and_inputs_is_no_graph():
    class Layer(bp.Relu):
        operation, inputs = "relu", 1

    bp.assert_gradients(Layer(), np.array([[0.5, -1.0, 2.0]]))
