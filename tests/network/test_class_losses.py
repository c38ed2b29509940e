"""Label smoothing, class weights, ignored labels, and networks whose outputs stand for yes or no."""

import numpy as np
import pytest

import backprop as bp
from tests.bounds import gamma
from tests.network.test_bits import ByLayers

OPTIONS = [
    {},
    {"label_smoothing": 0.1},
    {"class_weights": (1.0, 0.0, 3.0)},
    {"ignored_label": -100},
    {"ignored_label": 1},
    {"ignored_label": 7, "normalise": "count"},
    {"label_smoothing": 0.3, "class_weights": (1.0, 2.0, 0.5), "ignored_label": 2, "normalise": "count"},
]


def data(options, soft=False, rows=40):
    rng = np.random.default_rng(3)
    x, t = rng.normal(size=(rows, 5)), rng.integers(0, 3, rows)
    if soft:
        t = rng.uniform(size=(rows, 3))
        return x, t / t.sum(axis=1, keepdims=True)
    if options.get("ignored_label") is not None:
        t[::6] = options["ignored_label"]
    return x, t


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plan_and_layers_give_the_same_bits(options, soft, dtype):
    x, t = data(options, soft)
    x, t = x.astype(dtype), t.astype(dtype) if soft else t
    results = []
    for cls in (bp.Network, ByLayers):
        net, rule = cls([5, 8, 3], loss=bp.SoftmaxWithLoss(**options), dtype=dtype, seed=0), bp.Adam()
        steps = [net.train_step(x, t, rule) for _ in range(3)]
        history = net.fit(x, t, epochs=2, batch_size=9, optimizer=rule, seed=0, validation=(x, t))
        assert net.is_planned == (cls is bp.Network)
        results.append((steps, history.loss, history.validation_loss, history.train_accuracy, net.loss(x, t)))
        results.append(net.get_flat_params().tolist())
    assert results[:2] == results[2:]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_the_loss_is_what_its_definition_says(options):
    x, t = data(options)
    net = bp.Network([5, 3], loss=bp.SoftmaxWithLoss(**options), dtype=np.float64, seed=0)
    log_y = np.log(bp.softmax(net.predict(x)))
    weights, smooth = np.array(options.get("class_weights", np.ones(3))), options.get("label_smoothing", 0)
    total = divisor = 0.0
    for row, label in zip(log_y, t, strict=True):
        if label == options.get("ignored_label"):
            continue
        wanted = (1 - smooth) * np.eye(3)[label] + smooth / 3
        total -= (weights * wanted * row).sum()
        divisor += 1 if options.get("normalise") == "count" else weights[label]
    # Three terms a row, each with a logarithm and a few products.
    assert abs(net.loss(x, t) - total / divisor) <= gamma(3 * len(x) + 20, float) * 10


def test_an_ignored_label_has_no_part_in_accuracies():
    x, t = data({"ignored_label": 1})
    net = bp.Network([5, 8, 3], loss=bp.SoftmaxWithLoss(ignored_label=1), dtype=np.float64, seed=0)
    history = net.fit(x, t, epochs=1, batch_size=len(x), seed=0, validation=(x, t), track_accuracy=True)
    kept = t != 1
    right = (net.predict(x).argmax(axis=1) == t)[kept].mean()
    assert net.accuracy(x, t) == history.validation_accuracy[-1] == history.train_accuracy[-1] == right
    for cls in (bp.Network, ByLayers):
        net = cls([5, 8, 3], loss=bp.SoftmaxWithLoss(ignored_label=1), dtype=np.float64, seed=0)
        before = (net.predict(x).argmax(axis=1) == t)[kept].mean()
        assert net.fit(x, t, epochs=1, batch_size=len(x), seed=0).train_accuracy == [before]
    with pytest.raises(ValueError, match="accuracy: all labels of t are the ignored one"):
        net.accuracy(x, np.ones(len(x), int))
    with pytest.raises(ValueError, match="fit: validation: all labels of t are the ignored one"):
        net.fit(x, t, epochs=1, validation=(x, np.ones(len(x), int)))
    assert net.loss(x, np.ones(len(x), int)) == 0


@pytest.mark.parametrize("ignored", [None, -1, 7])
def test_other_labels_are_refused_as_ever(ignored):
    x, t = data({})
    t[5] = -2
    net = bp.Network([5, 8, 3], loss=bp.SoftmaxWithLoss(ignored_label=ignored), seed=0)
    for call in (
        lambda: net.loss(x, t),
        lambda: net.train_step(x, t, bp.SGD(0.1)),
        lambda: net.fit(x, t, epochs=1),
        lambda: net.accuracy(x, t),
    ):
        with pytest.raises(ValueError, match=r"t\[5\] is -2, wanted a label from 0 to 2"):
            call()


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"label_smoothing": 1}, ValueError, "label_smoothing is 1, wanted a number from 0 to below 1"),
        ({"class_weights": 2}, TypeError, "class_weights is 2, wanted a sequence of numbers"),
        ({"class_weights": {0: 1}}, TypeError, "wanted a sequence of numbers"),
        ({"class_weights": [1, -1, 1]}, ValueError, r"class_weights\[1\] is -1"),
        ({"class_weights": [0, 0, 0]}, ValueError, "class_weights is all 0"),
        ({"class_weights": []}, ValueError, r"class_weights has shape \(0,\)"),
        ({"class_weights": [1, 2]}, ValueError, "class_weights has 2 numbers, wanted 3, one an output"),
        ({"ignored_label": 1.0}, ValueError, "ignored_label is 1.0, wanted a whole number"),
        ({"normalise": "mean"}, ValueError, "normalise is 'mean', wanted 'weights' or 'count'"),
    ],
)
def test_wrong_options_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        bp.Network([5, 4, 3], loss=bp.SoftmaxWithLoss(**options))


def test_options_may_change_between_steps():
    x, t = data({})
    results = []
    for cls in (bp.Network, ByLayers):
        net, rule = cls([5, 4, 3], dtype=np.float64, seed=0), bp.SGD(0.1)
        losses = [net.train_step(x, t, rule)]
        for name, value in (("label_smoothing", 0.2), ("class_weights", [1, 2, 3]), ("ignored_label", 0)):
            setattr(net.lastLayer, name, value)
            losses.append(net.train_step(x, t, rule))
        results.append(losses)
    assert results[0] == results[1]
    assert len(set(results[0])) == 4


def test_a_callback_may_change_the_options():
    x, t = data({})

    def change(net, history):
        net.lastLayer.class_weights, net.lastLayer.ignored_label = [1, 2, 3], 2

    fitted = []
    for cls in (bp.Network, ByLayers):
        net = cls([5, 4, 3], dtype=np.float64, seed=0)
        fitted.append(net.fit(x, t, epochs=2, batch_size=10, seed=0, callbacks=[change]).loss)
    plain = bp.Network([5, 4, 3], dtype=np.float64, seed=0).fit(x, t, epochs=2, batch_size=10, seed=0).loss
    assert fitted[0] == fitted[1]
    assert fitted[0][:4] == plain[:4]
    assert fitted[0][4:] != plain[4:]


@pytest.mark.parametrize(
    "loss",
    [bp.SoftmaxWithLoss(**OPTIONS[-1]), bp.SoftmaxWithLoss(0.1), bp.Huber(2, "count"), bp.SigmoidWithLoss()],
)
def test_files_hold_the_options(loss, tmp_path):
    net = bp.Network([5, 4, 3], loss=loss, seed=0)
    net.save(tmp_path / "net.safetensors")
    read = bp.Network.load(tmp_path / "net.safetensors").lastLayer
    assert type(read) is type(loss)
    assert read.options() == loss.options()
    assert repr(read) == repr(loss)
    assert read.normalise == loss.normalise


def test_only_what_is_not_as_by_default_is_an_option():
    assert bp.SoftmaxWithLoss().options() == {}
    assert (
        repr(bp.SoftmaxWithLoss(0.1, ignored_label=-1))
        == "SoftmaxWithLoss(label_smoothing=0.1, ignored_label=-1)"
    )
    assert repr(bp.Huber(2.0)) == "Huber(delta=2)"


def test_one_output_classifies_by_its_sign():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    t = x[:, 0] * x[:, 1] > 0
    nets = [
        cls([2, 16, 1], loss="binary_cross_entropy", dtype=np.float64, seed=0)
        for cls in (bp.Network, ByLayers)
    ]
    histories = [
        net.fit(x, t, epochs=40, batch_size=30, optimizer=bp.Adam(0.02), seed=0, validation=(x, t))
        for net in nets
    ]
    net = nets[0]
    assert histories[0].loss == histories[1].loss
    assert histories[0].train_accuracy == histories[1].train_accuracy
    assert histories[0].validation_accuracy == histories[1].validation_accuracy
    assert (
        net.accuracy(x, t) == np.mean((net.predict(x)[:, 0] > 0) == t) == histories[0].validation_accuracy[-1]
    )
    assert net.accuracy(x, t) > 0.95
    proba = net.predict_proba(x)
    assert proba.shape == (300, 1)
    assert np.abs(proba - 1 / (1 + np.exp(-net.predict(x)))).max() <= 8 * 2**-53
    assert net.accuracy(x, t.astype(float)) == net.accuracy(x, t[:, np.newaxis]) == net.accuracy(x, t)


def test_several_outputs_have_no_one_accuracy():
    rng = np.random.default_rng(0)
    x, t = rng.normal(size=(50, 2)), rng.integers(0, 2, (50, 3))
    net = bp.Network([2, 8, 3], loss="binary_cross_entropy", seed=0)
    history = net.fit(x, t, epochs=2, seed=0, validation=(x, t))
    assert history.train_accuracy == history.validation_accuracy == []
    assert net.predict_proba(x).shape == (50, 3)
    with pytest.raises(TypeError, match="accuracy: each of the 3 outputs stands for yes or no"):
        net.accuracy(x, t)


@pytest.mark.parametrize(
    ("loss", "wrong", "text"),
    [
        ("binary_cross_entropy", 1.5, r"t\[3, 1\] is 1.5, wanted numbers from 0 to 1"),
        ("binary_cross_entropy", -1e-9, r"t\[3, 1\] is -1e-09, wanted numbers from 0 to 1"),
        ("binary_cross_entropy", np.nan, r"t\[3, 1\] is nan"),
        ("poisson", -1, r"t\[3, 1\] is -1, wanted numbers at least 0"),
        ("poisson", np.nan, r"t\[3, 1\] is nan"),
    ],
)
@pytest.mark.parametrize("cls", [bp.Network, ByLayers])
def test_targets_that_the_loss_does_not_take_are_refused(loss, wrong, text, cls):
    net = cls([5, 4, 3], loss=loss, dtype=np.float64, seed=0)
    x, t = np.ones((6, 5)), np.ones((6, 3))
    t[3, 1] = wrong
    before = net.get_flat_params()
    for call in (
        lambda: net.loss(x, t),
        lambda: net.gradient(x, t),
        lambda: net.train_step(x, t, bp.SGD(0.1)),
        lambda: net.fit(x, t, epochs=1),
    ):
        with pytest.raises(ValueError, match=text):
            call()
    assert np.array_equal(net.get_flat_params(), before)


def test_a_sigmoid_or_softmax_of_scores_goes_with_no_output():
    for loss in ("softmax", "binary_cross_entropy"):
        with pytest.raises(ValueError, match=rf"loss='{loss}' takes the scores themselves"):
            bp.Network([5, 4, 1], loss=loss, output="sigmoid")


@pytest.mark.parametrize("x", [np.inf, -np.inf, 1e4, -1e4, 0.0, -0.0, 5e-324, np.nan])
@pytest.mark.parametrize("t", [0.0, 1.0, 0.25])
@pytest.mark.parametrize("kind", [bp.SigmoidWithLoss, bp.Poisson])
def test_losses_at_their_limits(kind, x, t):
    layer = kind()
    loss, dx = layer.forward([[x]], [[t]]), layer.backward()[0, 0]
    with np.errstate(all="ignore"):
        if kind is bp.Poisson:
            rate = np.exp(x)
            expected = rate if rate == np.inf else rate - (t * x if t else 0)
            slope = rate - t
        else:
            yes, no = (t * np.logaddexp(0, -x) if t else 0), ((1 - t) * np.logaddexp(0, x) if t < 1 else 0)
            expected, slope = yes + no, 1 / (1 + np.exp(-x)) - t
    if np.isnan(x):
        assert np.isnan(loss)
        assert np.isnan(dx)
    else:
        assert loss == expected or abs(loss - expected) <= 8 * 2**-53 * abs(expected)
        assert dx == slope or abs(dx - slope) <= 8 * 2**-53


def test_pictures_of_two_classes_by_one_output():
    plt = pytest.importorskip("matplotlib.pyplot")
    from backprop import plots

    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    t = (x[:, 0] > 0).astype(int)
    net = bp.Network([2, 8, 1], loss="binary_cross_entropy", dtype=np.float64, seed=0)
    net.fit(x, t, epochs=2, seed=0)
    shares = np.asarray(plots.confusion_matrix(net, x, t, labels=["no", "yes"]).images[0].get_array())
    said = (net.predict(x)[:, 0] > 0).astype(int)
    for true in (0, 1):
        assert np.allclose(shares[true], [np.mean(said[t == true] == k) for k in (0, 1)], rtol=1e-12)
    ax = plots.decision_regions(net, x, t)
    assert [len(one.get_offsets()) for one in ax.collections] == [np.sum(t == 0), np.sum(t == 1)]
    colours = {
        tuple(pixel) for pixel in np.asarray(ax.images[0].get_array())[..., :3].reshape(-1, 3).tolist()
    }
    assert len(colours) == 2
    plt.close("all")


def test_a_loss_with_a_constructor_of_its_own_has_the_defaults():
    class Bare(bp.IdentityWithLoss):
        def __init__(self):
            self.loss = self.y = self.t = None

    class Soft(bp.SoftmaxWithLoss):
        def __init__(self):
            self.loss = self.y = self.t = None

    x, t = np.array([[1.0], [2.0]]), np.zeros((2, 1))
    assert Bare().forward(x, t, [1, 3]) == bp.IdentityWithLoss().forward(x, t, [1, 3]) == 1.625
    assert bp.Network([5, 3], loss=Soft(), seed=0).is_planned
    assert repr(Soft()) == "Soft()"
