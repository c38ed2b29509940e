"""What the page shows are the network's own numbers; what no page can be made of is refused."""

import io
from importlib import resources

import numpy as np
import pytest

import backprop as bp
from backprop.data import files
from backprop.demo.model import CANVAS, Model, trained
from tests.demo.digits import HANDS, MANNERS, STROKES, enlarged, mapped
from tests.registry import ACTIVATIONS

NAMES = [str(n) for n in range(10)]


def network(sizes=(64, 12, 9, 10), **options):
    return bp.Network(sizes, **{"seed": 0, "input_scale": 1 / 16, "dtype": np.float64, **options})


@pytest.fixture
def no_files(monkeypatch, tmp_path):
    """No MNIST on this machine, and no way to it."""
    monkeypatch.setenv("BACKPROP_DATA", str(tmp_path))
    monkeypatch.setattr(files, "cache_folder", lambda name: tmp_path / name)
    monkeypatch.setattr(files, "_download", lambda *_: pytest.fail("it downloads"))


@pytest.mark.parametrize("activation", ACTIVATIONS)
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
        values = net.layers[f"{ACTIVATIONS[activation].__name__}{n}"].forward(
            net.layers[f"Affine{n}"].forward(values)
        )
        assert np.array_equal(units, values[0])


def test_each_hidden_layer_is_described_by_its_activation():
    for one, first in ACTIVATIONS.items():
        for other, second in ACTIVATIONS.items():
            described = Model(network(activation=[one, other]), NAMES).description()
            assert described["activations"] == [first.label, second.label]
            assert described["signed"] == [first.signed, second.signed]
    assert Model(network((64, 10)), NAMES).description()["activations"] == []


@pytest.mark.parametrize("place", ["before", "between", "behind"])
def test_layers_that_the_page_cannot_show_are_refused(place):
    net = network()
    net.layers["more"] = bp.Tanh()
    order = {"before": ["more"], "between": ["Affine1", "Relu1", "more"], "behind": []}[place]
    for name in reversed(order):
        net.layers.move_to_end(name, last=False)
    with pytest.raises(
        ValueError, match="the network's layers are .*tanh.*, wanted affine layers with an activation"
    ):
        Model(net, NAMES)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "scaling", [{}, {"input_scale": np.linspace(0.1, 2, 64), "input_mean": np.arange(64.0)}]
)
def test_the_gradient_is_that_of_the_loss_on_the_pixels(activation, scaling):
    # Small weights, or all units of what is bounded would be at a bound.
    model = Model(network(activation=activation, weight_init=0.001, **scaling), NAMES, full=16)
    x = np.random.default_rng(2).uniform(0, 16, 64)
    bp.assert_gradients(
        (lambda x: model.view_pixels(x, 3).loss, lambda x: model.view_pixels(x, 3).gradient), x, points=None
    )


def test_a_drawing_comes_in_the_unit_of_the_training_images():
    drawing = np.full((CANVAS, CANVAS), 255.0)
    pixels = Model(network(), NAMES).view(drawing).pixels
    # Two sums of as many shares as the canvas has rows or columns, which NumPy adds in an order of its own.
    assert pixels == pytest.approx(np.full(64, 16.0), rel=2 * CANVAS * np.finfo(float).eps, abs=0)
    assert pixels.max() <= 16
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


def recognized(model, strokes, linear=MANNERS["normal"]):
    """The digits that a model sees in what a hand draws in a manner."""
    drawings = {
        digit: enlarged(mapped(lines, linear), model.fit.pen, CANVAS) for digit, lines in strokes.items()
    }
    return {digit: model.view(drawing).predicted for digit, drawing in drawings.items()}


def test_a_network_of_8_times_8_pixels_recognizes_drawings():
    train, _ = bp.load_digits(normalize=False)
    net = bp.Network([64, 50, 10], seed=0, input_scale=1 / 16)
    net.fit(*train, epochs=60, batch_size=32, optimizer=bp.SGD(0.05, momentum=0.9), seed=0)
    assert recognized(Model(net, NAMES), STROKES) == {digit: digit for digit in range(10)}


def test_the_network_of_the_package_is_an_ordinary_one_and_there_at_once(no_files, monkeypatch, capfd):
    monkeypatch.setattr(bp.Network, "fit", lambda *_, **__: pytest.fail("it trains"))
    model = trained()
    assert capfd.readouterr() == ("", "")
    assert type(model.net) is bp.Network
    assert model.net.dtype == np.float32
    assert model.net.sizes == (784, 128, 48, 10)
    assert model.full == 255
    assert model.source.startswith("trained on MNIST, 98.")
    x = np.random.default_rng(3).uniform(0, 255, (4, 784)).astype(np.float32)
    assert bp.check_gradients(model.net, x, np.arange(4)).passed


def test_the_file_of_the_network_is_small():
    content = (resources.files("backprop.demo") / "network.npz").read_bytes()
    assert len(content) <= 60_000
    with np.load(io.BytesIO(content)) as stored:
        assert {stored[name].dtype for name in ("W1", "W2", "W3")} == {np.dtype(np.int8)}


@pytest.mark.mnist
def test_the_page_says_the_networks_accuracy_on_mnist():
    model = trained()
    _, test = bp.load_mnist(normalize=False)
    assert (
        model.source == f"trained on MNIST, {100 * model.net.accuracy(*test):.1f} % of its test images right"
    )


@pytest.mark.parametrize("manner", MANNERS)
def test_two_hands_are_recognized_in_every_manner(manner):
    """At most one of twenty is wrong; the network has learnt from none of them."""
    model = trained()
    seen = {hand: recognized(model, strokes, MANNERS[manner]) for hand, strokes in HANDS.items()}
    wrong = [
        (hand, digit, got) for hand, digits in seen.items() for digit, got in digits.items() if got != digit
    ]
    assert len(wrong) <= 1, wrong
