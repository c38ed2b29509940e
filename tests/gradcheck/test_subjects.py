"""What may be given to a check, and what forward and backward may return."""

import re

import numpy as np
import pytest

import backprop as bp
from backprop.gradcheck import assert_gradients, check_gradients
from tests.gradcheck import broken

RNG = np.random.default_rng(0)
X = RNG.choice([-1.0, 1.0], (5, 4)) * RNG.uniform(0.5, 2, (5, 4))


def returning(convert):
    class Returns(broken.Square):
        def forward(self, x):
            return convert(super().forward(x))

    return Returns()


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda out: None, "Returns.forward returned None, wanted an array of floating-point numbers"),
        (lambda out: "loss", "Returns.forward returned a str, wanted"),
        (lambda out: {"out": out}, "Returns.forward returned a dict, wanted"),
        (lambda out: (out, out[0]), "Returns.forward returned a tuple, wanted"),
        (lambda out: np.round(out * 10).astype(int), "returned an array of int64, wanted"),
        (lambda out: out > 1, "returned an array of bool, wanted"),
        (lambda out: out + 0j, "returned an array of complex128, wanted"),
        (lambda out: int(out.sum()), r"returned -?\d+, wanted"),
    ],
    ids=["nothing", "text", "dict", "ragged tuple", "integers", "booleans", "complex", "number"],
)
def test_forward_returns_floating_point_numbers(convert, words):
    with pytest.raises(TypeError, match=words):
        check_gradients(returning(convert), X)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: None, "wanted a floating-point number"),
        (lambda x: int((x > 0).sum()), "wanted a floating-point number"),
        (lambda x: (x * 1j).sum(), "wanted a floating-point number"),
    ],
)
def test_a_function_returns_a_floating_point_number(f, words):
    with pytest.raises(TypeError, match=f"^check_gradients: <lambda> returned .*, {words}$"):
        check_gradients((f, lambda x: x), X)


def test_a_loss_that_forgets_to_return_is_named():
    class Forgets(bp.Network):
        def loss(self, x, t):
            super().loss(x, t)

    with pytest.raises(TypeError, match=r"Forgets.loss returned None, wanted a floating-point number"):
        check_gradients(Forgets([4, 3]), X, np.zeros(5, int))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_an_output_of_fewer_digits_is_named_and_its_gradient_is_not_blamed(dtype):
    report = check_gradients(returning(lambda out: out.astype(dtype)), X)
    (finding,) = report.findings
    assert finding.name == "wrong type"
    assert finding.detail == f"forward returned {np.dtype(dtype)}, the arrays have float64"
    assert not report.passed
    (finding,) = check_gradients((lambda x: dtype((x**2).sum()), lambda x: 2 * x), X).findings
    assert finding.name == "wrong type"


def test_an_output_of_more_digits_is_taken():
    assert_gradients(returning(lambda out: out.astype(np.longdouble)), X)
    assert_gradients(returning(lambda out: out.tolist()), X)


def powers(n, x):
    return n * (x**2).sum()


@pytest.mark.parametrize(
    "gradient",
    [
        lambda n, x: 2 * n * x,
        lambda n, x: (None, 2 * n * x),
        lambda n, x: [None, 2 * n * x],
        lambda n, x: ((x**2).sum(), 2 * n * x),
    ],
)
def test_a_function_of_an_integer_too_takes_the_gradient_that_belongs_to_each_input(gradient):
    report = check_gradients((powers, gradient), 3, X)
    assert report.passed, str(report)
    assert [array.name for array in report.arrays] == ["x"]


def test_a_function_says_by_none_that_an_input_has_no_gradient():
    pair = (lambda x, t: ((x - t) ** 2).sum(), lambda x, t: (2 * (x - t), None))
    report = check_gradients(pair, X, X + 1)
    assert report.passed
    assert [array.name for array in report.arrays] == ["x"]
    (finding,) = check_gradients((pair[0], lambda x, t: 2 * (x - t)), X, X + 1).findings
    assert (finding.name, finding.array) == ("missing gradient", "t")


def test_a_gradient_that_returns_nothing_is_missing():
    (finding,) = check_gradients((lambda x: (x**2).sum(), lambda x: None), X).findings
    assert (finding.name, finding.array) == ("missing gradient", "x")


def test_too_many_gradients():
    with pytest.raises(ValueError, match=r"the gradient of <lambda> returned 2 gradients for 1 input$"):
        check_gradients((lambda x: (x**2).sum(), lambda x: (2 * x, x)), X)

    class Two(broken.Square):
        def backward(self, dout):
            return super().backward(dout), dout

    with pytest.raises(ValueError, match=r"Two.backward returned 2 gradients for 1 input$"):
        check_gradients(Two(), X)


@pytest.mark.parametrize(
    ("target", "inputs", "words"),
    [
        (bp.Relu(), [np.arange(4)], "x has dtype int64; give floating-point numbers, x.astype"),
        (bp.Relu(), [[True, False]], "x has dtype bool"),
        (bp.Add(), [1, 2], "x has dtype int64, y has dtype int64"),
        (bp.Affine(np.ones((4, 3)), np.ones(3)), [np.ones((2, 4), int)], "x has dtype int64"),
        ((lambda w: float((w**2).sum()), lambda w: 2 * w), [np.arange(3)], "w has dtype int64"),
        (broken.Square(), [[1, 2]], r"x has dtype int64; give floating-point numbers, x.astype\(float\) or 1.0 for 1"),
        (broken.Square(), [((1, 2), (3, 4))], "x has dtype int64"),
    ],
    ids=[
        "layer",
        "booleans",
        "numbers",
        "layer with parameters",
        "function",
        "list to a layer of one's own",
        "nested tuple to a layer of one's own",
    ],
)  # fmt: skip
def test_integers_are_not_differentiated_by(target, inputs, words):
    with pytest.raises(TypeError, match=words):
        check_gradients(target, *inputs)


def test_what_forward_raises_at_integers_says_beside_it_that_they_are():
    with pytest.raises(TypeError, match="can't multiply sequence") as caught:
        check_gradients(broken.Square(), (1, 2))
    (note,) = caught.value.__notes__
    assert re.match("check_gradients: x has dtype int64; give floating-point numbers", note)


def test_integers_that_have_no_gradient_may_be_given():
    class Embedding:
        def __init__(self):
            self.W, self.dW = RNG.normal(size=(5, 2)), None

        def forward(self, rows):
            self.rows = rows
            return self.W[rows]

        def backward(self, dout):
            self.dW = np.zeros_like(self.W)
            np.add.at(self.dW, self.rows, dout)

    for rows in (np.array([1, 1, 3]), [1, 1, 3]):
        report = check_gradients(Embedding(), rows)
        assert report.passed, str(report)
        assert [array.name for array in report.arrays] == ["W"]


def test_what_is_no_array_of_one_shape_goes_to_forward_as_it_is():
    class SumsGroups:
        def forward(self, x, groups):
            self.x, self.groups = x, groups
            return np.array([x[group].sum() for group in groups])

        def backward(self, dout):
            dx = np.zeros_like(self.x)
            for group, d in zip(self.groups, dout, strict=True):
                dx[group] += d
            return dx

    assert_gradients(SumsGroups(), X[0], [[0, 1], [2]])
    with pytest.raises(TypeError, match="rows is a list; give floating-point numbers"):
        check_gradients((lambda rows: 1.0, lambda rows: None), [[0, 1], [2]])
