"""What is drawn is what was computed, and wrong arguments are named."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

import backprop as bp
from backprop import plots
from backprop.plots.regions import COLORS, FULL

RNG = np.random.default_rng(1)
X, T = RNG.normal(size=(50, 6)), RNG.integers(0, 3, 50)
NET = bp.Network([6, 5, 3], seed=0, dtype=np.float64)
NUMBERS = bp.Network([6, 1], loss="squared_error", seed=0)
PLANE = bp.Network([2, 4, 3], seed=3, dtype=np.float64)
POINTS = RNG.normal(size=(30, 2))


def ax():
    return Figure().add_subplot()


# --- Weights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("of", [lambda net: net, lambda net: net.params["W1"]])
def test_a_tile_is_a_column(of):
    drawn = plots.weight_images(of(NET), (2, 3), ax(), columns=2)
    picture = drawn.images[0].get_array()
    assert picture.shape == (3 * 3 - 1, 2 * 4 - 1)
    W = NET.params["W1"]
    for n in range(5):
        top, left = n // 2 * 3, n % 2 * 4
        assert np.array_equal(picture[top : top + 2, left : left + 3], W[:, n].reshape(2, 3))
    assert picture.mask.sum() == picture.size - W.size
    assert len(drawn.collections[0].get_paths()) == 5
    assert drawn.images[0].get_clim() == (-np.abs(W).max(), np.abs(W).max())
    assert drawn.get_xlabel() == "5 units"


def test_which_units():
    W = np.arange(36.0).reshape(4, 9)
    assert plots.weight_images(W, ax=ax(), units=4).get_xlabel() == "units 0 to 3 of 9"
    chosen = plots.weight_images(W, ax=ax(), units=[7, 2], columns=2, colorbar=False)
    assert chosen.get_xlabel() == "units 7, 2 of 9"
    assert np.array_equal(chosen.images[0].get_array()[:, :2], W[:, 7].reshape(2, 2))
    assert not chosen.child_axes
    assert plots.weight_images(W).get_xlabel() == "9 units"
    assert plots.weight_images(RNG.normal(size=(4, 70))).get_xlabel() == "units 0 to 63 of 70"


def test_a_two_layer_net():
    net = bp.TwoLayerNet(9, 4, 2)
    picture = plots.weight_images(net).images[0].get_array()
    assert np.array_equal(picture[:3, :3], net.params["W1"][:, 0].reshape(3, 3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            dict(net=NET),
            ValueError,
            "shape is not given, and 6 inputs make no square; wanted .* product is 6",
        ),
        (dict(net=NET, shape=(2, 2)), ValueError, r"shape is \(2, 2\), 4 in all, W has 6 inputs"),
        (dict(net=NET, shape=6), ValueError, r"shape is 6, wanted \(rows, columns\)"),
        (dict(net=NET, shape=(2, 3), units=0), ValueError, "units is 0, wanted how many, or which of 0 to 4"),
        (dict(net=NET, shape=(2, 3), units=[5]), ValueError, r"units is \[5\], wanted how many, or which"),
        (dict(net=NET, shape=(2, 3), units="all"), TypeError, "units is 'all', wanted how many"),
        (dict(net=NET, shape=(2, 3), columns=0), ValueError, "columns is 0, wanted a whole number"),
        (dict(net=np.ones(4)), ValueError, r"W has shape \(4,\), wanted \(inputs, units\)"),
        (dict(net="net"), TypeError, "net has dtype <U3"),
    ],
)
def test_wrong_weights(arguments, error, message):
    with pytest.raises(error, match=f"^weight_images: {message}"):
        plots.weight_images(**arguments)


# --- Classes ------------------------------------------------------------------------------------------------


def test_counts():
    assert plots.confusion_counts([0, 0, 1, 2], [0, 1, 1, 0]).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert plots.confusion_counts([0], [1], classes=3).sum(axis=0).tolist() == [0, 1, 0]
    assert plots.confusion_counts([], []).shape == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(t=[0, 1], predicted=[0]), ValueError, "t has 2 labels, predicted has 1 label"),
        (dict(t=[0.5], predicted=[0]), TypeError, "t has dtype float64, wanted integer labels"),
        (dict(t=[0], predicted=[[0]]), ValueError, r"predicted has shape \(1, 1\), wanted \(N,\) labels"),
        (
            dict(t=[0], predicted=[3], classes=3),
            ValueError,
            r"predicted\[0\] is 3, wanted a label from 0 to 2",
        ),
        (dict(t=[-1], predicted=[0]), ValueError, r"t\[0\] is -1, wanted a label"),
        (dict(t=[0], predicted=[0], classes=0), ValueError, "classes is 0, wanted a whole number"),
    ],
)
def test_wrong_counts(arguments, error, message):
    with pytest.raises(error, match=f"^confusion_counts: {message}"):
        plots.confusion_counts(**arguments)


@pytest.mark.parametrize("t", [T, np.eye(3)[T]])
def test_the_matrix_shows_the_counts(t):
    drawn = plots.confusion_matrix(NET, X, t, ax(), labels=["a", "b", "$c"])
    counts = plots.confusion_counts(T, NET.predict(X).argmax(axis=1), 3)
    written = np.zeros((3, 3), int)
    for text in drawn.texts:
        column, row = text.get_position()
        written[row, column] = int(text.get_text())
    assert np.array_equal(written, counts)
    assert len(drawn.texts) == (counts > 0).sum()
    assert np.array_equal(drawn.images[0].get_array(), counts / counts.sum(axis=1, keepdims=True))
    assert np.trace(counts) / 50 == NET.accuracy(X, T)
    assert [text.get_text() for text in drawn.get_xticklabels()] == ["a", "b", r"\$c"]
    assert (drawn.get_xlabel(), drawn.get_ylabel()) == ("predicted", "true")


def test_wrong_matrices():
    with pytest.raises(TypeError, match="^confusion_matrix: net is a list, wanted a Network"):
        plots.confusion_matrix([], X, T)
    with pytest.raises(ValueError, match="^confusion_matrix: labels has 2 names, wanted 3, one a class"):
        plots.confusion_matrix(NET, X, T, labels=["a", "b"])
    with pytest.raises(TypeError, match="^confusion_matrix: labels is 'abc', wanted 3 names"):
        plots.confusion_matrix(NET, X, T, labels="abc")
    with pytest.raises(ValueError, match="^confusion_matrix: x has 0 rows"):
        plots.confusion_matrix(NET, X[:0], T[:0])
    with pytest.raises(TypeError, match="^confusion_matrix: this network's outputs are numbers"):
        plots.confusion_matrix(NUMBERS, X, T)


# --- Gradients ----------------------------------------------------------------------------------------------


def test_the_flow_of_gradients():
    drawn = plots.gradient_flow(NET, X, T, ax())
    with pytest.raises(RuntimeError, match="no forward pass"):
        NET.layers["Affine1"].backward(np.ones((50, 5)))  # nothing of the network's was changed
    gradients = NET.gradient(X, T)
    NET.clear_cache()
    mean, largest, ratio = (line.get_xdata() for line in drawn.lines)
    assert mean == pytest.approx([np.abs(g).mean() for g in gradients.values()], rel=1e-12)
    assert largest.tolist() == [np.abs(g).max() for g in gradients.values()]
    assert ratio == pytest.approx(
        [np.linalg.norm(g) / np.linalg.norm(NET.params[key]) for key, g in gradients.items()], rel=1e-12
    )
    assert [text.get_text() for text in drawn.get_yticklabels()] == ["W1", "b1", "W2", "b2"]


def test_no_ratio_to_a_parameter_that_is_0():
    net = bp.Network([6, 5, 3], seed=0, weight_init="he")
    ratio = plots.gradient_flow(net, X, T, ax()).lines[2].get_xdata()
    assert np.isnan(ratio).tolist() == [False, True, False, True]


def test_dead_units_and_what_is_not_finite():
    net = bp.Network([6, 4, 3], seed=0, dtype=np.float64)
    net.params["b1"] = [-1e3, -1e3, -1e3, 1e3]
    assert [text.get_text() for text in plots.gradient_flow(net, X, T, ax()).texts] == [
        "75 % zero",
        "75 % zero",
        "75 % zero",
        "0 % zero",
    ]
    net.params["b1"][:] = -1e3
    drawn = plots.gradient_flow(net, X, T, ax())
    assert drawn.texts[0].get_text() == "100 % zero"
    assert np.isnan(drawn.lines[0].get_xdata()[0])
    net.params["b2"][:] = np.nan
    assert plots.gradient_flow(net, X, T, ax()).texts[3].get_text() == "not finite"
    with pytest.raises(ValueError, match="^gradient_flow: x has 0 rows"):
        plots.gradient_flow(net, X[:0], T[:0])
    with pytest.raises(TypeError, match="^gradient_flow: net is a dict, wanted a Network"):
        plots.gradient_flow({}, X, T)
    plots.gradient_flow(NUMBERS, X, X[:, :1], ax())


class Wrong(bp.Relu):
    def backward(self, dout):
        dx = super().backward(dout)
        dx[0, 0] += 0.5
        return dx


def test_every_point_of_a_check_is_drawn():
    x = RNG.normal(size=(4, 5)) + 3
    x[1, 1] = 0.0
    report = bp.check_gradients(Wrong(), x)
    assert not report.passed
    lines = {line.get_label(): line for line in report.plot(ax()).lines}
    points = report.arrays[0].points
    wrong = [point for point in points if not point.passed]
    assert [point.where for point in wrong] == ["x[0, 0]"]
    assert lines["disagrees"].get_xdata().tolist() == [point.relative for point in wrong]
    assert len(lines["at a kink"].get_xdata()) == sum(point.kink for point in points) == 1
    assert len(lines["agrees"].get_xdata()) == len(points) - 2
    assert lines["rtol 1e-07"].get_xdata()[0] == report.rtol == 1e-7


def test_points_agree_with_the_verdict():
    for layer in (bp.Relu(), bp.Sigmoid(), bp.Tanh(), NET):
        report = bp.check_gradients(layer, *((X, T) if layer is NET else (X,)))
        assert report.passed
        assert all(point.passed for array in report.arrays for point in array.points)


def test_a_report_of_nothing():
    with pytest.raises(TypeError, match="^gradient_errors: report is a str, wanted a GradientReport"):
        plots.gradient_errors("report")
    with pytest.raises(ValueError, match="^gradient_errors: the report has no points"):
        plots.gradient_errors(bp.GradientReport("f", 0))


# --- Regions ------------------------------------------------------------------------------------------------


def test_regions_are_what_the_network_says_at_the_pixels_middles():
    t = np.arange(30) % 3
    drawn = plots.decision_regions(PLANE, POINTS, t, ax(), resolution=7)
    pixels = drawn.images[0].get_array()
    left, right, bottom, top = drawn.images[0].get_extent()
    assert drawn.get_xlim() == (left, right)
    assert (left, right) == pytest.approx(
        (POINTS[:, 0].min() - np.ptp(POINTS[:, 0]) / 20, POINTS[:, 0].max() + np.ptp(POINTS[:, 0]) / 20), rel=1e-12
    )  # fmt: skip
    for row in range(7):
        for column in range(7):
            at = left + (column + 0.5) / 7 * (right - left), bottom + (row + 0.5) / 7 * (top - bottom)
            probabilities = PLANE.predict_proba([at])[0]
            assert pixels[row, column, :3].tolist() == list(to_rgba(COLORS[probabilities.argmax()])[:3])
            assert pixels[row, column, 3] == pytest.approx(FULL * (1.5 * probabilities.max() - 0.5), abs=1e-9)
    drawn_points = [marks.get_offsets().data for marks in drawn.collections]
    assert [np.array_equal(drawn_points[k], POINTS[t == k]) for k in range(3)] == [True] * 3


def test_samples_in_one_place_and_one_class():
    net = bp.Network([2, 1], seed=0)
    drawn = plots.decision_regions(net, [[1.0, 2.0]], [0], ax(), resolution=2)
    assert drawn.get_xlim() == (0, 2)
    assert drawn.get_ylim() == (1, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(net=NET, x=X), "net has 6 inputs, wanted exactly 2"),
        (dict(resolution=1), "resolution is 1, wanted a whole number of at least 2"),
        (dict(x=[[np.nan, 1.0]] * 30), "x has nan, wanted finite numbers"),
        (dict(labels=["a"]), "labels has 1 names, wanted 3"),
    ],
)
def test_wrong_regions(arguments, message):
    with pytest.raises(ValueError, match=f"^decision_regions: {message}"):
        plots.decision_regions(**(dict(net=PLANE, x=POINTS, t=np.arange(30) % 3) | arguments))


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    for draw in (
        lambda: plots.weight_images(np.ones((4, 2))),
        lambda: plots.confusion_matrix(NET, X, T),
        lambda: plots.gradient_flow(NET, X, T),
        lambda: bp.check_gradients(bp.Sigmoid(), X).plot(),
        lambda: plots.decision_regions(PLANE, POINTS, np.arange(30) % 3),
    ):
        with pytest.raises(ImportError, match=r"plots need matplotlib: pip install 'bpcore\[plot\]'"):
            draw()
