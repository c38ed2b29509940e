"""The notes' own code, run beside ours and over ours."""

import importlib
import runpy
import sys
import types
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from bench.notes import two_layer_net as notes

SCRIPT = Path(notes.__file__).with_name("train_neuralnet.py")


def notes_class_over_our_layers():
    """The notes' class with another import line: `from backprop import …` for `from bench.notes.layers import …`."""
    source = Path(notes.__file__).read_text()
    changed = source.replace("from bench.notes.layers import", "from backprop import")
    assert changed != source
    module = types.ModuleType("over_our_layers")
    exec(compile(changed, "over_our_layers", "exec"), module.__dict__)
    return module.TwoLayerNet


def digits():
    (x, t), _ = bp.load_digits(one_hot_label=True)
    return x.astype(np.float64), t.astype(np.float64)


def made(kind, sizes, seed=1):
    np.random.seed(seed)
    return kind(*sizes)


def steps(net, x, t, count, rng):
    for _ in range(count):
        batch = rng.choice(len(x), 100)
        grad = net.gradient(x[batch], t[batch])
        for key in ("W1", "b1", "W2", "b2"):
            net.params[key] -= 0.1 * grad[key]


@pytest.mark.parametrize("kind", [bp.TwoLayerNet, notes_class_over_our_layers()])
def test_a_hundred_steps_beside_the_notes_numpy_code(kind):
    x, t = digits()
    theirs, ours = made(notes.TwoLayerNet, (64, 50, 10)), made(kind, (64, 50, 10))
    steps(theirs, x, t, 100, np.random.RandomState(2))
    steps(ours, x, t, 100, np.random.RandomState(2))
    for key in ("W1", "b1", "W2", "b2"):
        assert np.abs(theirs.params[key] - ours.params[key]).max() <= 1e-12


@pytest.mark.mnist
def test_a_hundred_steps_beside_the_notes_numpy_code_on_mnist(mnist_root):
    (x, t), _ = bp.load_mnist(one_hot_label=True, root=mnist_root)
    x, t = x[:5000].astype(np.float64), t[:5000].astype(np.float64)
    theirs, ours = made(notes.TwoLayerNet, (784, 50, 10)), made(bp.TwoLayerNet, (784, 50, 10))
    steps(theirs, x, t, 100, np.random.RandomState(2))
    steps(ours, x, t, 100, np.random.RandomState(2))
    for key in ours.params:
        assert np.abs(theirs.params[key] - ours.params[key]).max() <= 1e-12


def test_the_notes_class_over_our_layers():
    x, t = digits()
    x, t = x[:20], t[:20]
    ours, over = made(bp.TwoLayerNet, (64, 8, 10)), made(notes_class_over_our_layers(), (64, 8, 10))
    assert isinstance(over.params, dict)
    assert over.loss(x, t) == ours.loss(x, t)
    assert over.accuracy(x, t) == ours.accuracy(x, t)
    assert np.array_equal(over.predict(x), ours.predict(x))
    theirs, back, numerical = over.gradient(x, t), ours.gradient(x, t), over.numerical_gradient(x, t)
    for key in back:
        assert np.array_equal(theirs[key], back[key])
        assert np.abs(numerical[key] - back[key]).max() <= 1e-7
    over.params["W1"] -= 0.1 * theirs["W1"]
    assert over.loss(x, t) < ours.loss(x, t), "a plain dict holds the layer's own array"


def run_script(monkeypatch, load):
    """Run the notes' script as it stands; `load_mnist` is what it imports."""
    monkeypatch.setattr(bp, "load_mnist", load)
    np.random.seed(0)
    return runpy.run_path(str(SCRIPT))


@pytest.mark.training
@pytest.mark.mnist
def test_the_notes_script_on_mnist(monkeypatch, mnist_root, capsys):
    real = bp.load_mnist
    done = run_script(monkeypatch, lambda **options: real(**options, root=mnist_root))
    assert len(done["train_loss_list"]) == 10_000
    assert len(done["test_acc_list"]) == 17
    assert done["test_acc_list"][0] < 0.5
    # The notes' NumPy code gave 0.9704; a binomial with 10,000 tries has a standard deviation of 0.0017 there.
    assert done["test_acc_list"][-1] > 0.9704 - 3 * 0.0017
    assert len(capsys.readouterr().out.splitlines()) == 17


def digits_as_mnist(normalize, one_hot_label):
    """The embedded digits in the middle of 28 × 28 pixels."""
    parts = bp.load_digits(normalize, flatten=False, one_hot_label=one_hot_label)
    return [(np.pad(x, ((0, 0), (0, 0), (10, 10), (10, 10))).reshape(len(x), 784), t) for x, t in parts]


@pytest.mark.training
def test_the_notes_script_on_the_digits(monkeypatch):
    done = run_script(monkeypatch, digits_as_mnist)
    assert len(done["train_loss_list"]) == 10_000
    # 14.37 iterations an epoch, and no multiple of that number in binary is whole: a trap of the notes' script.
    assert len(done["test_acc_list"]) == 1
    assert done["network"].accuracy(done["x_test"], done["t_test"]) > 0.94


def test_only_the_imports_of_the_script_are_ours():
    lines = SCRIPT.read_text().splitlines()
    ours = [line for line in lines if "backprop" in line or "bpcore" in line]
    assert ours == ["from backprop import TwoLayerNet, load_mnist"]


def test_the_notes_code_does_not_reach_for_ours():
    for name in ("layers", "two_layer_net"):
        module = importlib.import_module(f"bench.notes.{name}")
        used = {
            value
            for value in vars(module).values()
            if getattr(value, "__module__", "").startswith("backprop")
        }
        assert used <= {bp.numerical_gradient}
    assert "bench.notes.train_neuralnet" not in sys.modules
