"""Every mistake that a check knows is found in a layer that makes it, by its own name; and in none that is right."""

import numpy as np
import pytest

import backprop as bp
from backprop.gradcheck import GradientError, GradientReport, assert_gradients, check_gradients
from backprop.gradcheck.findings import MENDING
from backprop.gradcheck.report import ArrayReport, Point, told_apart
from bench.notes.two_layer_net import TwoLayerNet
from tests.gradcheck import broken
from tests.registry import ACTIVATIONS, LOSSES, targets

RNG = np.random.default_rng(0)
X = RNG.choice([-1.0, 1.0], (5, 4)) * RNG.uniform(0.5, 2, (5, 4))
SQUARE = RNG.uniform(0.5, 2, (4, 4))


def dense(kind, outputs=3):
    return kind(RNG.normal(size=(4, outputs)), RNG.normal(size=outputs))


def names(report):
    return {finding.name for finding in report.findings}


CASES = [
    (broken.IgnoresDout(), X, "dout ignored"),
    (broken.SquaresDout(), X, "not linear in dout"),
    (broken.DividesByTheBatch(), X, "factor of the batch size"),
    (dense(broken.AveragesBias), X, "factor of the batch size"),
    (broken.WrongSign(), X, "wrong sign"),
    (broken.Half(), X, "constant factor"),
    (broken.OffByOneTenThousandth(), X, "constant factor"),
    (broken.Noisy(), X, "wrong gradient"),
    (broken.Transposed(), X, "transposed"),
    (broken.Transposed(), SQUARE, "transposed"),
    (dense(broken.TransposedWeights), X, "transposed"),
    (dense(broken.BiasNotSummed), X, "not summed over the batch"),
    (dense(broken.BiasSummedOverColumns), X, "wrong shape"),
    (broken.FlatGradient(), X, "wrong shape"),
    (broken.InFloat32(), X, "wrong type"),
    (broken.ReturnsNothing(), X, "missing gradient"),
    (broken.OverwritesInput(), X, "input overwritten"),
    (broken.OverwritesInputGoingBack(), X, "input overwritten"),
    (broken.OverwritesDout(), X, "dout overwritten"),
    (dense(broken.Accumulates), X, "gradients accumulate"),
    (broken.UsesUpItsMemory(), X, "backward differs on its second call"),
    (broken.CountsCalls(), X, "forward depends on hidden state"),
    (broken.Dropout(), X, "non-deterministic forward"),
    (broken.SumsNothing(), X, "all gradients are zero"),
    (broken.Logarithm(), X - X, "non-finite values"),
    (broken.Square(), np.full((2, 2), np.nan), "non-finite values"),
    (broken.OneWrongElement(), X, "single wrong element"),
    (broken.OneWrongElement(), RNG.uniform(0.5, 2, (300, 40)), "single wrong element"),
    (broken.TwoWrongElements(), RNG.uniform(0.5, 2, (300, 40)), "some wrong elements"),
    (broken.BesideALargeNumber(), X, "lost in rounding"),
    (broken.MaskAtATenth(), np.array([[0.05, 0.07, 0.5, -0.3]]), "wrong gradient"),
    (broken.CutsAtATenth(), np.array([[0.1 - 1e-7, 0.5, -0.3]]), "jump"),
    (bp.Relu(), np.zeros((3, 2)), "mostly kinks"),
    (broken.ForgetsItsInput(), X, "function ignores its argument"),
    (broken.Square(), np.empty((0, 4)), "nothing was checked"),
    (broken.AlmostNothing(), X, "wrong gradient"),
]


@pytest.mark.parametrize(("layer", "x", "name"), CASES, ids=[f"{type(c[0]).__name__}-{c[2]}" for c in CASES])
def test_a_mistake_is_found_by_its_name(layer, x, name):
    report = check_gradients(layer, x)
    assert name in names(report)
    assert not report.passed
    (finding, *_) = (finding for finding in report.findings if finding.name == name)
    assert str(finding) in str(report)
    assert finding.mending[1:] in str(finding)


def test_every_name_has_a_layer_that_makes_the_mistake():
    assert {name for _, _, name in CASES} == set(MENDING)


@pytest.mark.parametrize("kind", [broken.Square, broken.Dense])
def test_what_is_right_passes(kind):
    layer = dense(kind) if kind is broken.Dense else kind()
    report = check_gradients(layer, X)
    assert report.passed, str(report)
    assert {array.name for array in report.arrays} == ({"x", "W", "b"} if kind is broken.Dense else {"x"})
    assert all(len(array.points) == np.prod(array.shape) for array in report.arrays)


def test_the_right_layers_of_the_package_have_no_findings():
    for kind in (*ACTIVATIONS.values(), bp.Exp, bp.Reciprocal, bp.SigmoidOfNodes):
        assert_gradients(kind(), X)
    assert_gradients(bp.Affine(RNG.normal(size=(4, 3)), RNG.normal(size=3)), X)
    for node in (bp.Add(), bp.Multiply()):
        assert_gradients(node, X, RNG.normal(size=(5, 4)))
        assert_gradients(node, X, RNG.normal(size=4))


@pytest.mark.parametrize("loss", LOSSES)
def test_losses(loss):
    assert_gradients(LOSSES[loss](), X, targets(loss, RNG, 5, 4))
    assert_gradients(LOSSES[loss](), X, RNG.dirichlet(np.ones(4), 5))


def test_a_single_wrong_element_of_many_is_named():
    x = RNG.uniform(0.5, 2, (300, 40))
    report = check_gradients(broken.OneWrongElement(), x, points=8)
    (finding,) = report.findings
    assert finding.name == "single wrong element"
    assert "[299, 39]" in finding.detail


def test_a_relative_error_of_one_ten_thousandth_in_one_parameter_of_a_network():
    class Nearly(bp.Network):
        def gradient(self, x, t):
            grads = super().gradient(x, t)
            return grads | {"W2": grads["W2"] * (1 + 1e-4)}

    x, t = RNG.normal(size=(7, 6)), RNG.integers(0, 3, 7)
    report = check_gradients(Nearly([6, 8, 3], activation="tanh", seed=0), x, t)
    (finding,) = report.findings
    assert (finding.name, finding.array) == ("constant factor", "W2")


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", LOSSES)
def test_networks(activation, dtype, loss):
    net = bp.Network([6, 9, 8, 4], activation=activation, dtype=dtype, loss=loss, seed=1)
    x = RNG.normal(size=(7, 6))
    t = targets(loss, RNG, 7, 4)
    before = {key: array.copy() for key, array in net.params.items()}
    report = check_gradients(net, x, t)
    assert report.passed, str(report)
    assert [array.name for array in report.arrays] == list(net.params)
    assert all(np.array_equal(net.params[key], before[key]) for key in before)


def test_the_notes_network_class_with_a_plain_dict():
    np.random.seed(0)
    x, t = RNG.normal(size=(6, 5)), np.eye(3)[RNG.integers(0, 3, 6)]
    net = TwoLayerNet(5, 7, 3, 0.5)
    # The notes' loss adds 1e-7 inside the logarithm, which their gradient does not know.
    report = check_gradients(net, x, t)
    assert not report.passed
    assert all(1e-9 < array.worst.error < 1e-5 for array in report.arrays)
    net.lastLayer = bp.SoftmaxWithLoss()
    assert_gradients(net, x, t)


def test_a_function_with_its_gradient():
    def f(x, y):
        return float((np.sin(x) * y).sum())

    def gradient(x, y):
        return np.cos(x) * y, np.sin(x)

    x, y = RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2))
    assert_gradients((f, gradient), x, y)
    report = check_gradients((f, lambda x, y: (np.cos(x) * y, np.cos(x))), x, y)
    assert [finding.array for finding in report.findings] == ["y"]


def test_inputs_without_dimensions():
    report = check_gradients(bp.Multiply(), np.float64(2.0), np.array(3.0))
    assert report.passed
    (x,), (y,) = (array.points for array in report.arrays)
    assert (x.where, y.where) == ("x", "y")
    assert 2 * x.backpropagated == pytest.approx(3 * y.backpropagated, rel=2 * 2**-53)


def test_kinks_are_counted_and_either_side_is_right():
    x = np.array([[0.0, 1.0, -2.0, 0.5, 3.0, -1.0]])
    report = check_gradients(bp.Relu(), x)
    assert report.passed
    assert report.arrays[0].kinks == 1

    class OtherSide(bp.Relu):
        def backward(self, dout):
            return super().backward(dout) + np.where(x == 0, dout, 0)

    assert check_gradients(OtherSide(), x).passed

    class Beyond(bp.Relu):
        def backward(self, dout):
            return super().backward(dout) + np.where(x == 0, 1.5 * dout, 0)

    assert not check_gradients(Beyond(), x).passed


@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-9, 1e-7, 1e-6, 3e-6, 5e-6])
def test_corners_at_any_distance_are_kinks_and_no_jumps(distance):
    x = np.array([[distance, -distance, 0.5, -0.3, 0.8, 0.9, 1.0, 2.0]])
    report = check_gradients(bp.Relu(), x)
    assert report.passed, report


def test_params_may_have_other_names():
    class Scale:
        def __init__(self) -> None:
            self.factor, self.gradient_of_factor = np.array([1.5, 2.5]), None

        def forward(self, x):
            self.x = x
            return x * self.factor

        def backward(self, dout):
            self.gradient_of_factor = (self.x * dout).sum(axis=0)
            return dout * self.factor

    x = RNG.normal(size=(4, 2))
    report = check_gradients(Scale(), x, params={"factor": "gradient_of_factor"})
    assert report.passed
    assert [array.name for array in report.arrays] == ["x", "factor"]
    with pytest.raises(ValueError, match="params names 'W'"):
        check_gradients(Scale(), x, params={"W": "dW"})


def test_a_float32_layer_is_checked_in_float64():
    layer = bp.Affine(RNG.normal(size=(4, 3)).astype("f4"), np.zeros(3, "f4"))
    report = check_gradients(layer, X.astype("f4"))
    assert report.passed, str(report)
    assert max(array.worst_relative for array in report.arrays) < 1e-8
    assert layer.W.dtype == np.float32
    assert layer.x is None


def test_reports():
    report = check_gradients(broken.Half(), X, seed=7)
    text, page = str(report), report._repr_html_()
    for part in ("Half", "seed 7", "FAILED", "backpropagated", "numerical", "constant factor", "x["):
        assert part in text
    assert "<table>" in page
    assert "constant factor" in page
    with pytest.raises(GradientError, match="constant factor"):
        report.raise_if_failed()
    with pytest.raises(AssertionError):
        assert_gradients(broken.Half(), X)
    assert str(check_gradients(broken.Half(), X, seed=7)) == text
    check_gradients(broken.Square(), X).raise_if_failed()


def test_arguments_are_checked():
    with pytest.raises(TypeError, match="target is a int, wanted a layer"):
        check_gradients(3, X)
    for wrong, match in (
        ({"points": 0}, "points is 0"),
        ({"directions": -1}, "directions is -1"),
        ({"rtol": 0}, "rtol is 0"),
    ):
        with pytest.raises(ValueError, match=match):
            check_gradients(bp.Relu(), X, **wrong)
    with pytest.raises(TypeError, match="a network is checked with x and t, 1 inputs"):
        check_gradients(bp.Network([4, 3]), X)
    with pytest.raises(TypeError, match="x has dtype complex128"):
        check_gradients(bp.Relu(), X.astype(complex))
    with pytest.raises(ValueError, match=r"returned shape \(2,\), wanted a number"):
        check_gradients((lambda x: np.ones(2), lambda x: x), X)


def test_a_closure_over_a_networks_parameters_is_told_from_a_wrong_gradient():
    # As the book writes it, for a numerical_gradient that changes the array itself.
    net = bp.TwoLayerNet(4, 5, 3)
    x, t = RNG.normal(size=(6, 4)), RNG.integers(0, 3, 6)
    closure = (lambda W: net.loss(x, t), lambda W: net.gradient(x, t)["W1"])
    (finding,) = check_gradients(closure, net.params["W1"]).findings
    assert (finding.name, finding.array) == ("function ignores its argument", "W")


def test_numbers_that_differ_are_printed_so_that_they_do():
    assert told_apart(-0.4679061, -0.4679063) == ("-0.4679061", "-0.4679063")
    assert told_apart(0.1, 0.1 + 2.0**-56) == ("0.10000000000000001", "0.10000000000000002")
    assert told_apart(1.5, 1.5) == ("1.5", "1.5")


def test_a_row_of_the_report_is_of_one_point():
    points = [Point("x[0]", 1.0, 1.5, 0.5, allowed=1.0), Point("x[1]", 1e-3, 2e-3, 1e-3, allowed=1e-9)]
    report = GradientReport("f", 0, [ArrayReport("x", (2,), points)])
    row = str(report).splitlines()[2].split()
    assert row == ["x", "(2,)", "2", "0", "1.0e-03", "5.0e-01", "x[1]", "0.001", "0.002"]


def test_a_deep_network_of_a_million_parameters():
    net = bp.Network([784, 512, 512, 512, 256, 10], seed=0)
    x, t = RNG.normal(size=(4, 784)), RNG.integers(0, 10, 4)
    assert sum(array.size for array in net.params.values()) > 10**6
    report = check_gradients(net, x, t, points=2)
    assert report.passed, str(report)

    class OneNumber(bp.Network):
        def gradient(self, x, t):
            grads = super().gradient(x, t)
            grads["W2"][17, 130] += np.abs(grads["W2"]).max()
            return grads

    net = OneNumber([784, 512, 512, 512, 256, 10], seed=0)
    (finding,) = check_gradients(net, x, t, points=8).findings
    assert (finding.name, finding.array) == ("single wrong element", "W2")
    assert "[17, 130]" in finding.detail
