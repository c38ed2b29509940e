"""Drawings: the right numbers, each in its place, none over another, and nothing shown that was not computed."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backprop as bp
from backprop import graph
from backprop.graph import layout
from backprop.graph.layout import crossings, ordered
from backprop.graph.scene import scene
from tests.graph.geometry import Picture
from tests.graph.graphs import apples, busy, chain, random_graphs, sigmoid, softmax_with_loss
from tests.registry import ACTIVATIONS


def affine_of_the_notes():
    """Section 0090's: a batch of N = 5, (5, 2)·(2, 3) + (3,)."""
    X, W, B = (
        graph.variable(np.ones(shape), name) for name, shape in zip("XWB", [(5, 2), (2, 3), 3], strict=True)
    )
    product = X @ W
    product.name = "X·W"
    Y = product + B
    Y.name = "Y"
    return Y


def network():
    net = bp.Network([784, 50, 20, 10], seed=0)
    return graph.from_network(net, np.ones((100, 784)), np.zeros(100, int))


def long_names():
    x = graph.variable(1e-300, "학습률 learning rate of the first layer")
    y = x * graph.variable(-123456.789, "W") + graph.constant(3.25e17)
    y.name = "a rather long name of what comes out"
    return y


DRAWN = {
    "apples": apples,
    "sigmoid": sigmoid,
    "softmax with loss": softmax_with_loss,
    "affine": affine_of_the_notes,
    "network": network,
    "60 nodes": busy,
    "a chain": lambda: chain(30),
    "a variable": lambda: graph.variable(3.0, "x"),
    "without names": lambda: graph.variable(3.0) + graph.variable(4.0),
    "long names": long_names,
    "twice the same": lambda: graph.variable(3.0, "x") ** 2 * graph.variable(1.0),
}


@pytest.mark.parametrize("symbols", [False, True, "L"], ids=str)
@pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN)
def test_nothing_covers_anything(make, back, symbols):
    output = make()
    if back:
        output.backward()
    picture = Picture(output.draw(symbols=symbols).svg)
    assert picture.shapes or picture.texts
    assert list(picture.faults()) == []


@given(random_graphs(most=25), st.sampled_from([False, True]))
def test_nothing_covers_anything_in_any_graph(output, symbols):
    output.backward()
    assert list(Picture(output.draw(symbols=symbols).svg).faults()) == []


def test_what_covers_something_is_noticed():
    svg = apples().draw().svg
    assert list(Picture(svg).faults()) == []
    words = re.findall(r'<text class="bp-value"[^>]*>', svg)
    moved = re.sub(
        r' x="[0-9.]+" y="[0-9.]+"', re.search(r' x="[0-9.]+" y="[0-9.]+"', words[1]).group(), words[0]
    )
    assert any("covers" in fault for fault in Picture(svg.replace(words[0], moved)).faults())
    wide = re.sub(f"(?<={re.escape(words[3])})[^<]+", 60 * "0", svg)
    assert len(list(Picture(wide).faults())) >= 3


def test_the_numbers_of_the_shopping():
    price = apples()
    forward = Picture(price.draw().svg)
    assert sorted(forward.words("bp-value"), key=float) == [
        "1.1",
        "2",
        "3",
        "100",
        "150",
        "200",
        "450",
        "650",
        "715",
    ]
    assert forward.words("bp-gradient") == []
    price.backward()
    both = Picture(price.draw().svg)
    assert both.words("bp-value") == forward.words("bp-value")
    assert sorted(both.words("bp-gradient")) == sorted(
        f"← {number}" for number in ["2.2", "110", "3.3", "165", "1.1", "1.1", "1.1", "650", "1"]
    )
    assert both.words("bp-operator").count("×") == 3
    assert {"apple", "count", "orange", "number", "tax", "price"} == {*both.words("bp-name")}
    # Each value above its edge, each gradient below the same.
    at = {one.words: one for one in both.texts}
    assert at["100"].bottom < at["← 2.2"].top
    assert at["100"].left < at["← 2.2"].right
    assert at["← 2.2"].left < at["100"].right


def test_forward_goes_from_left_to_right():
    laid_out = scene(softmax_with_loss(), False)
    place = {box.content.node: box.x for box in laid_out.boxes if box.kind in ("circle", "leaf")}
    assert all(place[one] < place[node] for node in place for one in node.inputs)


def test_a_branching_value_has_the_sum_and_its_parts():
    x = graph.variable(0.5, "x")
    z = x * x + x
    z.backward()
    gradients = Picture(z.draw().svg).words("bp-gradient")
    assert sorted(gradients) == ["← 0.5", "← 0.5", "← 1", "← 1", "← 1", "← 2"]


def test_zero_is_shown_and_what_is_not_computed_is_not():
    x, y = graph.variable(0.0, "x"), graph.variable(0.0, "y")
    z = x * y
    assert Picture(z.draw().svg).words("bp-gradient") == []
    z.backward()
    assert sorted(Picture(z.draw().svg).words("bp-gradient")) == ["← 0", "← 0", "← 1"]
    x.value = 1.0
    assert Picture(z.draw().svg).words("bp-gradient") == []


def test_constants_have_a_value_and_no_gradient():
    y = sigmoid()
    y.backward()
    picture = Picture(y.draw().svg)
    assert {"−1", "1", "x", "y"} == {*picture.words("bp-name")}
    assert picture.words("bp-operator") == ["×", "exp", "+", "1÷"] or sorted(
        picture.words("bp-operator")
    ) == sorted(["×", "exp", "+", "1÷"])
    assert len(picture.words("bp-gradient")) == 5


def test_arrays_have_their_shape():
    Y = affine_of_the_notes()
    Y.backward(np.ones((5, 3)))
    picture = Picture(Y.draw().svg)
    assert {"(5, 2)", "(2, 3)", "(5, 3)", "[1 1 1]"} == {*picture.words("bp-value")}
    assert {"← (5, 2)", "← (2, 3)", "← (5, 3)", "← [5 5 5]"} == {*picture.words("bp-gradient")}


def test_symbols():
    x, y = graph.variable(2, "x"), graph.variable(3, "y")
    t = x + y
    t.name = "t"
    z = t**2
    z.name = "z"
    z.backward()
    picture = Picture(z.draw(symbols=True).svg)
    assert picture.words("bp-gradient").count("← ∂z/∂t·1") == 2
    assert {"← ∂z/∂z", "← ∂z/∂z·2t"} < {*picture.words("bp-gradient")}
    w = x * y
    w.name = "w"
    w.backward()
    assert {"← ∂L/∂w·y", "← ∂L/∂w·x", "← ∂L/∂w"} == {*Picture(w.draw(symbols="L").svg).words("bp-gradient")}
    Y = affine_of_the_notes()
    Y.backward()
    assert {"← ∂L/∂(X·W)·Wᵀ", "← Xᵀ·∂L/∂(X·W)"} < {*Picture(Y.draw(symbols="L").svg).words("bp-gradient")}


SYMBOLS = {
    "Subtract": (lambda x, y: x - y, {"∂L/∂out·1", "∂L/∂out·(−1)"}),
    "Divide": (lambda x, y: x / y, {"∂L/∂out·1/y", "∂L/∂out·(−x/y²)"}),
    "Reciprocal": (lambda x, y: 1 / x, {"∂L/∂out·(−out²)"}),
    "Power of 0": (lambda x, y: x**0, {"∂L/∂out·0"}),
    "PowerOf": (lambda x, y: x**y, {"∂L/∂out·y·x**(y−1)", "∂L/∂out·out·log x"}),
    "broadcast": (lambda x, y: x + graph.constant(np.ones(3), "c"), {"Σ ∂L/∂out·1"}),
    "Exp": (lambda x, y: graph.exp(x), {"∂L/∂out·out"}),
    "Log": (lambda x, y: graph.log(x), {"∂L/∂out·1/x"}),
    "Power": (lambda x, y: x**-1.5, {"∂L/∂out·(−1.5·x**−2.5)"}),
    **{
        cls.__name__: (
            lambda x, y, kind=kind: getattr(graph, kind)(x),
            {cls.derivatives[0].format(d="∂L/∂out", x="x", out="out")},
        )
        for kind, cls in ACTIVATIONS.items()
    },
    "Relu": (lambda x, y: graph.relu(x), {"∂L/∂out·(x>0)"}),
    "Sigmoid": (lambda x, y: graph.sigmoid(x), {"∂L/∂out·out(1−out)"}),
    "Tanh": (lambda x, y: graph.tanh(x), {"∂L/∂out·(1−out²)"}),
    "Sum": (lambda x, y: graph.sum(x), {"∂L/∂out·1"}),
    "Maximum": (lambda x, y: graph.maximum(x, y), {"∂L/∂out·(x>y)", "∂L/∂out·(y>x)"}),
    "Max": (lambda x, y: graph.max(x), {"∂L/∂x"}),
}


@pytest.mark.parametrize(("make", "wanted"), SYMBOLS.values(), ids=SYMBOLS)
def test_symbols_of_the_local_derivatives(make, wanted):
    out = make(graph.variable(2.0, "x"), graph.variable(3.0, "y"))
    out.name = "out"
    out.backward()
    gradients = Picture(out.draw(symbols="L").svg).words("bp-gradient")
    assert {*gradients} - {"← ∂L/∂out"} == {f"← {one}" for one in wanted}


def test_symbols_speak_of_what_was_differentiated():
    x = graph.variable(2.0, "x")
    y = x * x
    y.name = "y"
    z = y * 3
    z.name = "z"
    y.backward()
    assert not [words for words in Picture(z.draw(symbols=True).svg).words("bp-gradient") if "∂z" in words]
    z.backward()
    assert Picture(y.draw(symbols=True).svg).words("bp-gradient").count("← ∂z/∂y") == 1
    unnamed = graph.variable(1.0, "a+b") * graph.variable(2.0, "c")
    unnamed.backward()
    assert Picture(unnamed.draw(symbols=True).svg).words("bp-gradient") == ["← ∂out/∂(a+b)", "← ∂out/∂c"]


def test_a_class_of_ones_own_has_no_rule_of_ours():
    class Alike(bp.Add):
        pass

    class Twice(bp.Add):
        def forward(self, x, y):
            return 2 * super().forward(x, y)

        def backward(self, dout):
            return super().backward(2 * dout)

    for kind, sign, gradient in ((Twice, "Twice", "← ∂L/∂x"), (Alike, "+", "← ∂L/∂out·1")):
        x = graph.variable(2.0, "x")
        out = graph.apply(kind(), x, graph.variable(3.0, "y"), name="out")
        out.backward()
        picture = Picture(out.draw(symbols="L").svg)
        assert sign in picture.words("bp-operator")
        assert gradient in picture.words("bp-gradient")


def test_symbols_of_losses():
    x, t = graph.variable([[1.0, 2.0]], "x"), graph.constant([1], "t")
    for loss, wanted in (
        (graph.softmax_cross_entropy(x, t), "← ∂L/∂L·(softmax(x)−t)/B"),
        (graph.squared_error(x, graph.constant([[0.0, 1.0]], "t")), "← ∂L/∂L·(x−t)/B"),
    ):
        loss.name = "L"
        loss.backward()
        assert [*Picture(loss.draw(symbols=True).svg).words("bp-gradient")].count(wanted) == 1


def test_a_graph_too_large_to_look_at_is_shown_in_words():
    assert "<svg" in chain(100)._repr_html_()
    assert chain(1000)._repr_html_() == "&lt;+ = 1000&gt;, 2001 nodes; draw() draws them"


@given(st.integers(0, 1000), st.integers(2, 12))
def test_trees_are_drawn_without_a_crossing(seed, count):
    rng = np.random.default_rng(seed)
    parts = [graph.variable(float(n), f"x{n}") for n in range(count)]
    while len(parts) > 1:
        one, other = (parts.pop(rng.integers(len(parts))) for _ in range(2))
        parts.append(graph.tanh(one) + other if rng.uniform() < 0.5 else one - other)
    assert crossings(ordered(end_of(parts[0]))) == 0


def end_of(output):
    (end,) = [box for box in scene(output, False).boxes if box.kind == "end"]
    return end


def test_avoidable_crossings_are_avoided():
    x, y = graph.variable(1.0, "x"), graph.variable(1.0, "y")
    # Walked from its output this is drawn with crossings; with the branches of x exchanged there are none.
    (first, second), both = (graph.tanh(x), graph.sigmoid(x)), graph.exp(x)
    output = graph.apply(Three(), second * both, y, first)
    assert crossings(ordered(end_of(output))) == 0


class Three:
    """A node of three inputs."""

    def forward(self, x, y, z):
        return x + y + z

    def backward(self, dout):
        return dout, dout, dout


@pytest.mark.parametrize("make", [softmax_with_loss, busy, lambda: busy(100)], ids=["softmax", "60", "100"])
def test_sweeps_leave_no_more_crossings_than_there_were(make, monkeypatch):
    output = make()
    monkeypatch.setattr(layout, "SWEEPS", 0)
    before = crossings(ordered(end_of(output)))
    monkeypatch.undo()
    assert crossings(ordered(end_of(output))) < before


def test_constants_stand_beside_the_circle_that_they_go_into():
    x = graph.variable(1.0, "x")
    total = x * 1
    for n in range(8):
        total = total + x * float(n + 2)
    assert crossings(ordered(end_of(total))) == 0
