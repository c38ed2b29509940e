"""What sections 0085 to 0091 of the notes compute, with their numbers."""

import numpy as np
import pytest

import backprop as bp


def test_chain_rule_of_a_square():
    # z = (x + y)², dz/dx = 2(x + y)
    add, square = bp.Add(), bp.Multiply()
    total = add.forward(3.0, 4.0)
    assert square.forward(total, total) == 49
    left, right = square.backward(1.0)
    assert add.backward(left + right) == (14, 14)


def test_buying_apples_and_oranges():
    apples, oranges, fruit, tax = bp.Multiply(), bp.Multiply(), bp.Add(), bp.Multiply()
    price = tax.forward(fruit.forward(apples.forward(100, 2), oranges.forward(150, 3)), 1.1)
    d_fruit, d_tax = tax.backward(1)
    d_apples, d_oranges = fruit.backward(d_fruit)
    d_apple, d_apple_count = apples.backward(d_apples)
    d_orange, d_orange_count = oranges.backward(d_oranges)
    got = [price, d_apple, d_apple_count, d_orange, d_orange_count, d_tax]
    # Each is one or two products of numbers that binary cannot hold: 4 roundings at the most.
    assert got == pytest.approx([715, 2.2, 110, 3.3, 165, 650], rel=4 * 2**-53, abs=0)


def test_the_addition_node_passes_the_gradient_on():
    add = bp.Add()
    assert add.forward(10.0, 5.0) == 15
    assert add.backward(1.3) == (1.3, 1.3)


def test_the_multiplication_node_swaps_its_inputs():
    multiply = bp.Multiply()
    assert multiply.forward(10.0, 5.0) == 50
    assert multiply.backward(1.3) == (6.5, 13.0)


def test_the_sigmoid_of_nodes_is_the_sigmoid():
    x = np.linspace(-20, 20, 101)
    nodes, layer = bp.SigmoidOfNodes(), bp.Sigmoid()
    # exp(-x) and its sum with 1 are off by a few u, and so is the quotient; dx multiplies four such numbers.
    np.testing.assert_allclose(nodes.forward(x), layer.forward(x), rtol=8 * 2**-53)
    # y·(1 − y) loses digits where y is near 1: there 1 − y is known to u, absolutely.
    np.testing.assert_allclose(nodes.backward(x), layer.backward(x), rtol=16 * 2**-53, atol=20 * 4 * 2**-53)


def test_softmax_with_loss_gives_the_difference():
    layer = bp.SoftmaxWithLoss()
    scores = np.log(np.array([[0.3, 0.2, 0.5]]))
    t = np.array([[0.0, 1.0, 0.0]])
    assert layer.forward(scores, t) == pytest.approx(-np.log(0.2), rel=1e-15)
    np.testing.assert_allclose(layer.y, [[0.3, 0.2, 0.5]], rtol=1e-15)
    np.testing.assert_allclose(layer.backward(), [[0.3, -0.8, 0.5]], rtol=1e-15)
