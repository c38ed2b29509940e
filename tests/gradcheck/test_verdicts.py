"""What numbers tell: which points decide, and which name the wrong ones get."""

import numpy as np
import pytest

import backprop as bp
from backprop.gradcheck import assert_gradients, check_gradients
from tests.gradcheck import broken

RNG = np.random.default_rng(0)
X = RNG.choice([-1.0, 1.0], (5, 4)) * RNG.uniform(0.5, 2, (5, 4))


def only(report):
    (finding,) = report.findings
    return finding


def squares(beside, factor=2.0):
    """The sum of squares beside a constant, and `factor` times x for its gradient."""
    return lambda x: beside + (x**2).sum(), lambda x: factor * x


# A function that ignores its argument


@pytest.mark.parametrize("key", ["W1", "b1", "W2", "b2"])
def test_the_books_closures_are_named_where_units_are_dead_and_pixels_black(key):
    (x, t), _ = bp.load_digits()
    np.random.seed(0)
    net = bp.TwoLayerNet(64, 50, 10)
    closure = (lambda W: net.loss(x[:3], t[:3]), lambda W: net.gradient(x[:3], t[:3])[key])
    finding = only(check_gradients(closure, net.params[key]))
    assert (finding.name, finding.array) == ("function ignores its argument", "W")


@pytest.mark.parametrize(
    "flat",
    [
        lambda x: float((x > 0).sum()),
        lambda x: float(np.round(x * 10).sum()),
        lambda x: float((x > 40).sum()),
        lambda x: float(np.sign(x).prod()),
    ],
    ids=["sign", "round", "threshold", "product of signs"],
)
def test_what_is_flat_only_near_by_does_not_ignore_its_argument(flat):
    assert only(check_gradients((flat, lambda x: 1 + x), X)).name == "wrong gradient"


def test_what_raises_at_other_numbers_does_not_ignore_its_argument():
    def flat(x):
        if (x <= 0).any():
            raise ValueError("x has to be positive")
        return float(np.ceil(x).sum())

    assert only(check_gradients((flat, np.ones_like), np.abs(X) + 0.25)).name == "wrong gradient"


# Points that decide nothing


@pytest.mark.parametrize("beside", [0.0, 1e6, 1e8, 1e9, 1e10])
def test_a_wrong_sign_is_found_beside_a_large_constant(beside):
    assert check_gradients(squares(beside), X).passed
    assert only(check_gradients(squares(beside, -2.0), X)).name == "wrong sign"


@pytest.mark.parametrize("factor", [-2.0, 0.0, 2.0])
def test_where_rounding_hides_the_gradient_the_check_says_so(factor):
    report = check_gradients(squares(1e12, factor), X)
    finding = only(report)
    assert (finding.name, finding.array) == ("lost in rounding", "x")
    assert not report.arrays[0].points
    assert report.arrays[0].undecided == X.size
    assert "give or take" in finding.detail


def test_a_wrong_sign_in_columns_of_three_sizes():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3)) * [1, 1e-3, 1e-5]
    t = 3e5 * rng.normal(size=200)

    def loss(w):
        return ((x @ w - t) ** 2).mean() / 2

    def gradient(w):
        return x.T @ (x @ w - t) / len(t)

    w = rng.normal(size=3)
    assert check_gradients((loss, gradient), w).passed
    assert only(check_gradients((loss, lambda w: -gradient(w)), w)).name == "wrong sign"


def test_points_that_are_left_out_are_counted():
    x = np.array([1.0, 2.0, 1e-9])
    report = check_gradients(squares(1e6), x)
    assert report.passed
    assert (report.arrays[0].undecided, len(report.arrays[0].points)) == (1, 2)
    assert "x: 1 of 3 points left out: rounding of what forward returns hides so small a gradient" in str(
        report
    )
    assert "1 of 3 points left out" in report._repr_html_()
    assert "left out" not in str(check_gradients(squares(0), x))


@pytest.mark.parametrize("size", [1e-16, 1e-12, 1e-8])
def test_small_numbers(size):
    x = size * X
    assert check_gradients(squares(0.0), x).passed
    assert only(check_gradients(squares(0.0, -2.0), x)).name == "wrong sign"


def test_a_gradient_that_is_zero_but_for_rounding_is_right_beside_larger_ones():
    class Centred:
        """The bias is taken away again: its gradient is what rounding leaves."""

        def __init__(self):
            self.W, self.b = RNG.normal(size=(4, 3)), RNG.normal(size=3)
            self.dW = self.db = None

        def forward(self, x):
            self.x = x
            out = x @ self.W + self.b
            return np.sin(out - out.mean(axis=0))

        def backward(self, dout):
            out = self.x @ self.W + self.b
            d = dout * np.cos(out - out.mean(axis=0))
            d -= d.mean(axis=0)
            self.dW, self.db = self.x.T @ d, d.sum(axis=0)
            return d @ self.W.T

    assert_gradients(Centred(), X)


def test_a_function_that_bends_a_lot_is_right():
    assert_gradients((lambda x: np.sin(300 * x).sum(), lambda x: 300 * np.cos(300 * x)), X)
    assert not check_gradients(
        (lambda x: np.sin(300 * x).sum(), lambda x: 300.001 * np.cos(300 * x)), X
    ).passed


# Names


@pytest.mark.parametrize(
    ("gradient", "x"),
    [(lambda x: x - x.mean(), np.full(3, 0.1)), (lambda x: 5e-18 * x, X), (lambda x: 0 * x, X)],
    ids=["cancelled", "scaled", "zero"],
)
def test_what_rounding_leaves_of_zero_is_no_factor(gradient, x):
    finding = only(check_gradients((lambda x: (x**2).sum() / 2, gradient), x))
    assert finding.name == "wrong gradient"
    assert f"{x.size} of {x.size} elements, zero but for rounding" in finding.detail


def test_a_small_factor_is_one():
    finding = only(check_gradients((lambda x: (x**2).sum() / 2, lambda x: 1e-6 * x), X))
    assert finding.name == "constant factor"


@pytest.mark.parametrize("x", [np.float64(3.0), np.array([3.0]), np.array([[3.0]])])
def test_one_number(x):
    def f(x):
        return float((x**2).sum())

    finding = only(check_gradients((f, lambda x: -2 * x), x))
    assert finding.name == "wrong sign"
    finding = only(check_gradients((f, lambda x: 3 * x), x))
    assert finding.name == "wrong gradient"
    assert "at []" not in str(finding)
    assert "backpropagated 9, numerical 6" in finding.detail


def test_the_bias_of_one_output():
    layer = broken.AveragesBias(RNG.normal(size=(4, 1)), RNG.normal(size=1))
    finding = only(check_gradients(layer, X))
    assert (finding.name, finding.array) == ("factor of the batch size", "b")


def test_elements_that_are_zero_on_both_sides_tell_nothing_of_the_others():
    # Only one element passes the ReLU: that the others are right as zeros does not make it the only one that is wrong.
    class Backwards(bp.Relu):
        def backward(self, dout):
            return -super().backward(dout)

    x = -np.abs(X)
    x[2, 1] = 1.5
    assert only(check_gradients(Backwards(), x)).name == "wrong sign"


class WrongAt(broken.Square):
    def __init__(self, *indices):
        super().__init__()
        self.indices = indices

    def backward(self, dout):
        dx = super().backward(dout)
        for index in self.indices:
            dx[index] *= -1.5
        return dx


MANY = RNG.choice([-1.0, 1.0], (100, 20)) * RNG.uniform(0.5, 2, (100, 20))


@pytest.mark.parametrize(
    ("indices", "name"),
    [
        ([(99, 19)], "single wrong element"),
        ([(99, 19), (3, 4)], "some wrong elements"),
        ([(99, n) for n in range(20)], "some wrong elements"),
    ],
    ids=["one", "two", "a row"],
)
@pytest.mark.parametrize("seed", range(3))
def test_one_wrong_element_of_many_is_told_from_several(indices, name, seed):
    finding = only(check_gradients(WrongAt(*indices), MANY, points=4, seed=seed))
    assert finding.name == name
    assert ("at least one more" in finding.detail) == (name == "some wrong elements")


def test_without_directions_one_wrong_element_of_a_sample_may_not_be_the_only_one():
    x = MANY[:3]
    found = {
        only(check_gradients(WrongAt((1, 2)), x, points=59, directions=0, seed=seed)).name
        for seed in range(1)
    }
    assert found == {"some wrong elements"}
    assert only(check_gradients(WrongAt((1, 2)), x, points=59)).name == "single wrong element"
    assert only(check_gradients(WrongAt((1, 2)), x, points=None)).name == "single wrong element"
