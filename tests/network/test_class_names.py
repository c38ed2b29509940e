"""What classes are called: in targets, in answers, and in files."""

import json

import numpy as np
import pytest

import backprop as bp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
LABELS = RNG.integers(0, 3, 60)
NAMES = ["setosa", "versicolor", "virginica"]
T = np.array(NAMES)[LABELS]


def network(**given):
    return bp.Network([4, 8, 3], seed=0, **given)


def test_names_stand_for_labels(tmp_path):
    named, plain = network(classes=NAMES), network()
    one = named.fit(X, T, epochs=3, seed=0, validation=(X, T), class_weight="balanced")
    other = plain.fit(X, LABELS, epochs=3, seed=0, validation=(X, LABELS), class_weight="balanced")
    assert one.to_dict() == other.to_dict()
    assert named.get_flat_params().tobytes() == plain.get_flat_params().tobytes()
    assert named.accuracy(X, T) == named.accuracy(X, LABELS) == plain.accuracy(X, LABELS)
    assert named.loss(X, T) == plain.loss(X, LABELS)
    assert named.train_step(X, T, bp.SGD(0.1)) == plain.train_step(X, LABELS, bp.SGD(0.1))
    assert named.gradient(X, T)["W1"].tobytes() == plain.gradient(X, LABELS)["W1"].tobytes()
    assert named.input_gradient(X, T).tobytes() == plain.input_gradient(X, LABELS).tobytes()
    found = named.predict_classes(X)
    assert found.tolist() == [NAMES[n] for n in plain.predict_classes(X)]
    named.save(tmp_path / "net.safetensors")
    loaded = bp.Network.load(tmp_path / "net.safetensors")
    assert loaded.classes == tuple(NAMES)
    assert loaded.predict_classes(X).tolist() == found.tolist()
    assert len(named.fit(X, T.astype(object), epochs=1).loss) == 1


def test_without_names_they_are_numbers():
    net = network()
    assert net.classes is None
    assert net.predict_classes(X).tolist() == net.predict(X).argmax(axis=1).tolist()
    net.classes = [10, 20, 30]
    assert set(net.predict_classes(X).tolist()) <= {10, 20, 30}
    net.classes = None
    assert "classes" not in net.metadata
    binary = bp.Network([4, 1], loss="binary_cross_entropy", classes=["no", "yes"], seed=0)
    assert binary.predict_classes(X).tolist() == ["yes" if y > 0 else "no" for y in binary.predict(X)[:, 0]]


def test_standardised_takes_them_from_targets():
    net = bp.Network.standardised(X, [4, 8, 3], T, seed=0)
    assert net.classes == tuple(NAMES)
    assert bp.Network.standardised(X, [4, 8, 3], LABELS, seed=0).classes is None
    with pytest.raises(ValueError, match="classes has 3 names, wanted 4, one a class"):
        bp.Network.standardised(X, [4, 8, 4], T, seed=0)


def test_those_of_the_command_line_are_a_text():
    net = network()
    net.metadata["classes"] = json.dumps(NAMES)
    assert net.classes == tuple(NAMES)
    assert net.accuracy(X, T) == net.accuracy(X, LABELS)
    net.metadata["classes"] = "[1"
    with pytest.raises(ValueError, match="classes: the metadata's classes are damaged"):
        net.classes  # noqa: B018


@pytest.mark.parametrize(
    ("names", "error", "words"),
    [
        (["a", "b"], ValueError, "classes has 2 names, wanted 3, one a class"),
        (["a", "b", "a"], ValueError, "classes has 'a' twice"),
        (["a", "b", 1], TypeError, "wanted texts, or whole numbers"),
        (["a", "b", None], TypeError, "wanted texts, or whole numbers"),
        ([0.5, 1.0, 2.0], TypeError, "wanted texts, or whole numbers"),
        ("abc", TypeError, "classes is 'abc', wanted a sequence of names"),
        (3, TypeError, "classes is 3, wanted a sequence of names"),
        ([2, 1, 0], ValueError, "whole numbers some of which are labels of other classes"),
    ],
)
def test_what_are_no_names(names, error, words):
    with pytest.raises(error, match=f"Network: .*{words}|Network: {words}"):
        network(classes=names)
    net = network(classes=NAMES)
    with pytest.raises(error, match=words):
        net.classes = names
    assert net.classes == tuple(NAMES)


def test_names_that_are_not_known():
    net = network(classes=NAMES)
    with pytest.raises(
        ValueError, match="fit: t has the class 'virginca', wanted one of setosa, .*'virginica'"
    ):
        net.fit(X, np.where(T == "virginica", "virginca", T), epochs=1)
    with pytest.raises(TypeError, match="the outputs are no classes"):
        bp.Network([4, 3], loss="squared_error", classes=NAMES)
    with pytest.raises(TypeError, match="predict_classes: this network's outputs are numbers"):
        bp.Network([4, 3], loss="squared_error").predict_classes(X)


def test_names_that_arrays_would_change():
    for names in (["a", "a\0", "b"], [2**63, -1, 5]):
        net = network(classes=names)
        assert set(net.predict_classes(X).tolist()) <= {*names}
        assert net.classes == tuple(names)


def test_names_that_are_given_keep_their_order():
    order = ["virginica", "setosa", "versicolor"]
    net = bp.Network.standardised(X, [4, 8, 3], T, classes=order, seed=0)
    assert net.classes == tuple(order)
    with pytest.raises(ValueError, match="t has the class '.*', wanted one of a, b, c"):
        bp.Network.standardised(X, [4, 8, 3], T, classes=["a", "b", "c"])
