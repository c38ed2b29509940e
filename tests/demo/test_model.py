"""What the page shows are the network's own numbers; what no page can be made of is refused."""

import numpy as np
import pytest

import backprop as bp
from backprop.data import files
from backprop.demo.model import CANVAS, Model, trained
from tests.demo.digits import STROKES, enlarged

NAMES = [str(n) for n in range(10)]


def network(sizes=(64, 12, 9, 10), **options):
    return bp.Network(sizes, **{"seed": 0, "input_scale": 1 / 16, "dtype": np.float64, **options})


@pytest.fixture
def no_files(monkeypatch, tmp_path):
    """No MNIST on this machine, and no way to it."""
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path))
    monkeypatch.setattr(files, "cache_folder", lambda name: tmp_path / name)
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("it downloads"))


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize("label", [None, 0, 7])
def test_the_numbers_are_those_of_the_network(activation, label):
    net = network(activation=activation)
    x = np.random.default_rng(1).integers(0, 17, 64).astype(float)
    view = Model(net, NAMES).view_pixels(x, label)
    assert np.array_equal(view.probabilities, net.predict_proba(x[np.newaxis])[0])
    assert np.array_equal(view.scores, net.predict(x[np.newaxis])[0])
    assert view.predicted == view.probabilities.argmax()
    assert view.label == (view.predicted if label is None else label)
    assert view.loss == net.loss(x[np.newaxis], [view.label])
    assert [len(units) for units in view.hidden] == [12, 9]
    values = x[np.newaxis] * net.input_scale
    for n, units in enumerate(view.hidden, start=1):
        values = net.layers[f"{activation.capitalize()}{n}"].forward(net.layers[f"Affine{n}"].forward(values))
        assert np.array_equal(units, values[0])


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
@pytest.mark.parametrize(
    "scaling", [{}, {"input_scale": np.linspace(0.1, 2, 64), "input_mean": np.arange(64.0)}]
)
def test_the_gradient_is_that_of_the_loss_on_the_pixels(activation, scaling):
    model = Model(network(activation=activation, **scaling), NAMES, full=16)
    x = np.random.default_rng(2).uniform(0, 16, 64)
    bp.assert_gradients(
        (lambda x: model.view_pixels(x, 3).loss, lambda x: model.view_pixels(x, 3).gradient), x, points=None
    )


def test_a_drawing_comes_in_the_unit_of_the_training_images():
    drawing = np.full((CANVAS, CANVAS), 255.0)
    assert Model(network(), NAMES).view(drawing).pixels.tolist() == [16.0] * 64
    assert Model(network(input_scale=1.0), NAMES).view(drawing).pixels.max() == 1
    bytes_net = network((784, 10), input_scale=1 / 255, dtype=np.float32)
    model = Model(bytes_net, NAMES)
    assert model.full == 255
    assert Model(bytes_net, NAMES, full=100).view(drawing).pixels.max() == 100


@pytest.mark.parametrize(
    ("sizes", "options", "message"),
    [
        ((64, 10), {"loss": "squared_error"}, "outputs are numbers"),
        ((100, 10), {}, r"the network has 100 inputs, wanted 64 \(8 × 8 pixels\) or 784 \(28 × 28 pixels\)"),
        ((65, 10), {}, "the network has 65 inputs"),
        ((64, 1), {}, "the network has 1 class, wanted at least 2"),
        ((64, 10), {"input_mean": 3.0}, "what value a pixel full of ink has; wanted --full"),
        (
            (64, 10),
            {"input_scale": np.linspace(1, 2, 64)},
            "what value a pixel full of ink has; wanted --full",
        ),
        ((64, 10), {"input_scale": -1.0}, "what value a pixel full of ink has; wanted --full"),
    ],
)
def test_what_is_refused(sizes, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Model(network(sizes, **options), [str(n) for n in range(sizes[-1])])


def recognized(model):
    shown = {
        digit: model.view(enlarged(strokes, model.fit.pen, CANVAS)) for digit, strokes in STROKES.items()
    }
    return {digit: view.predicted for digit, view in shown.items()}


def test_without_mnist_a_network_learns_the_embedded_digits(no_files, capfd):
    model = trained()
    assert capfd.readouterr() == ("", "")
    assert model.net.sizes == (64, 50, 10)
    assert model.full == 16
    assert model.source.startswith("trained on the embedded digits, 9")
    assert recognized(model) == {digit: digit for digit in range(10)}


@pytest.mark.mnist
@pytest.mark.training
def test_with_mnist_it_learns_that(monkeypatch):
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("it downloads"))
    model = trained()
    assert model.net.sizes == (784, 64, 10)
    assert model.full == 255
    assert model.source.startswith("trained on MNIST, 9")
    assert recognized(model) == {digit: digit for digit in range(10)}
