"""Scripts in the form of the book's chapters 3 to 6, each run as it stands; the digits take the place of MNIST."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import backprop as bp
from backprop import book
from tests.bounds import gamma

SCRIPTS = Path(__file__).with_name("scripts")
# Two losses below 3, each off by the roundings of some 300 terms, divided by two steps of 1e-5.
NUMERICAL = 3 * gamma(300, np.float64) / 1e-5


@pytest.fixture
def run(monkeypatch):
    """Run a script by its name; returns its names. The global state is put back."""
    monkeypatch.setattr(book, "load_mnist", bp.load_digits)
    state = np.random.get_state()
    yield lambda name: runpy.run_path(str(SCRIPTS / f"{name}.py"))
    np.random.set_state(state)


def test_there_is_nothing_of_the_package_in_a_script_but_the_book():
    for script in SCRIPTS.glob("*.py"):
        lines = script.read_text(encoding="utf-8").splitlines()
        used = [line for line in lines if "backprop" in line and "import" in line]
        assert [line.partition(" import ")[0] for line in used] == ["from backprop.book"]


def test_three_layers(run):
    done = run("three_layers")
    assert list(done["one_by_one"]) == list(done["by_batches"])
    assert 0 <= done["accuracy"] < 0.3, "these weights are chance"
    assert np.allclose(done["predict"](done["x_test"]).sum(axis=1), 1)


def test_simple_net(run):
    done = run("simple_net")
    x, y = done["x"], done["softmax"](done["x"] @ done["net"].W)
    assert done["losses"][-1] < 0.1 < done["losses"][0]
    # The gradient of the last step, by its formula: x·(y − t).
    numerical = done["numerical_gradient"](done["f"], done["net"].W)
    assert np.abs(numerical - np.outer(x, y - done["t"])).max() < NUMERICAL


@pytest.mark.training
def test_sigmoid_net(run):
    done = run("sigmoid_net")
    assert max(done["differences"].values()) < NUMERICAL
    assert done["test_acc_list"][0] < 0.3
    assert done["test_acc_list"][-1] > 0.9


def test_fruit(run):
    done = run("fruit")
    names = ["price", "dapple", "dapple_num", "dorange", "dorange_num", "dtax"]
    assert [done[name] for name in names] == pytest.approx(
        [715, 2.2, 110, 3.3, 165, 650], rel=4 * 2**-53, abs=0
    )


@pytest.mark.training
def test_layers_net(run):
    done = run("layers_net")
    assert max(done["differences"].values()) < NUMERICAL
    assert len(done["test_acc_list"]) == 43  # of every 14th of 600 steps
    assert done["test_acc_list"][-1] > 0.9


def test_optimizers_on_a_bowl(run):
    done = run("optimizers_on_a_bowl")
    ways = done["histories"]
    assert all(way[0] == (-7.0, 2.0) and len(way) == 30 for way in ways.values())
    assert all(type(number) is float for way in ways.values() for place in way for number in place)
    assert all(done["f"](*way[-1]) < 0.2 < done["f"](*way[0]) for way in ways.values())
    # SGD: x·0.905 and y·(−0.9) a step, which is off by less than ten roundings.
    wanted = [(-7.0 * 0.905**n, 2.0 * (-0.9) ** n) for n in range(30)]
    assert np.allclose(ways["SGD"], wanted, rtol=gamma(300, np.float64), atol=0)
    # The others by the book's rules, written out with the epsilons of ours. At every step at most twelve roundings of
    # numbers below 8 are added to what earlier steps are off by.
    for key, rule in {"Momentum": momentum, "AdaGrad": adagrad, "Adam": adam}.items():
        assert np.allclose(
            ways[key], list(rule(done["df"])), rtol=0, atol=8 * 30 * gamma(12 * 30, np.float64)
        ), key


def momentum(df, lr=0.1):
    p, v = np.array([-7.0, 2.0]), 0
    for _ in range(30):
        yield tuple(p)
        v = 0.9 * v - lr * np.array(df(*p))
        p = p + v


def adagrad(df, lr=1.5):
    p, h = np.array([-7.0, 2.0]), 0
    for _ in range(30):
        yield tuple(p)
        g = np.array(df(*p))
        h = h + g * g
        p = p - lr * g / (np.sqrt(h) + 1e-10)


def adam(df, lr=0.3):
    p, m, v = np.array([-7.0, 2.0]), 0, 0
    for n in range(1, 31):
        yield tuple(p)
        g = np.array(df(*p))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        lr_n = lr * np.sqrt(1 - 0.999**n) / (1 - 0.9**n)
        p = p - lr_n * m / (np.sqrt(v) + 1e-8 * np.sqrt(1 - 0.999**n))


@pytest.mark.training
def test_optimizers_on_digits(run):
    done = run("optimizers_on_digits")
    last = {key: curve[-1] for key, curve in done["curves"].items()}
    assert all(len(curve) == 200 for curve in done["curves"].values())
    # What the book's figure shows: SGD is the slowest.
    assert all(last[key] < 0.5 < last["SGD"] for key in ("Momentum", "AdaGrad", "Adam"))


@pytest.mark.training
def test_initial_weights(run):
    last = {key: curve[-1] for key, curve in run("initial_weights")["curves"].items()}
    # Small weights of one size learn nothing: the loss stays that of chance, log 10.
    assert last["std=0.01"] > 2.2
    assert last["He"] < last["Xavier"] < 1


@pytest.mark.training
def test_weight_decay(run):
    done = run("weight_decay")
    train, test, weights = done["train_acc_list"], done["test_acc_list"], done["weights"]
    assert train[0][-1] == 1
    assert train[0][-1] - test[0][-1] > 0.05, "it has overfitted"
    assert train[0.1][-1] < 1
    assert weights[0.1] < weights[0] / 4


@pytest.mark.training
def test_dropout(run, capsys):
    done = run("dropout")
    trainers = done["trainers"]
    assert all(len(trainer.test_acc_list) == 151 for trainer in trainers.values())
    gaps = {key: done["train_acc_list"][key][-1] - done["test_acc_list"][key][-1] for key in trainers}
    assert done["train_acc_list"][False][-1] > done["train_acc_list"][True][-1]
    assert done["test_acc_list"][True][-1] > 0.6
    assert gaps[False] > 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 * (302 + 151 + 1)


@pytest.mark.training
def test_batch_norm(run):
    done = run("batch_norm")
    for scale, (plain, normalised) in done["results"].items():
        assert normalised[-1] > plain[-1], scale
    assert done["results"][0.1][1][-1] > 0.8


@pytest.mark.training
def test_batch_norm_gradients(run):
    done = run("batch_norm_gradients")
    assert max(done["differences"].values()) < NUMERICAL
    grads = done["grad_backprop"]
    assert np.abs(grads["gamma1"]).max() > 1e-3, "there was something to compare"


@pytest.mark.training
def test_hyperparameters(run, capsys):
    done = run("hyperparameters")
    assert len(done["results_val"]) == 20
    best, worst = done["best"][0], done["best"][-1]
    assert done["results_val"][best][-1] > 0.8
    assert done["results_val"][worst][-1] < 0.3
    assert best[0] > worst[0], "the best learning rates are the large ones"
    assert len(capsys.readouterr().out.splitlines()) == 5
