"""`fit`: what is recorded, and that a seed decides every bit."""

import numpy as np
import pytest

import backprop as bp
from backprop._util.progress import Lines
from backprop.training import sampling
from tests.registry import RULES


def data(rows=50, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6))
    return x, (x[:, 0] > 0).astype(int) + (x[:, 1] > 0)


def network(dtype=np.float64):
    return bp.Network([6, 8, 3], dtype=dtype, seed=0)


def test_epochs():
    history = network().fit(*data(), epochs=3, batch_size=20, validation=data(seed=1), seed=0)
    assert len(history.loss) == 9
    assert history.evaluated_at == [3, 6, 9]
    for values in (history.train_accuracy, history.validation_loss, history.validation_accuracy):
        assert len(values) == 3
    assert history.seconds > 0


def test_iterations():
    history = network().fit(*data(), iterations=7, batch_size=20, seed=0, track_accuracy=False)
    assert len(history.loss) == 7
    assert history.evaluated_at == [2, 4, 6, 7]
    assert len(history.train_accuracy) == 4
    assert history.validation_loss == []


def test_the_recorded_loss_is_the_one_before_the_update():
    net, twin = network(), network()
    x, t = data(rows=10)
    history = net.fit(x, t, epochs=1, batch_size=10, seed=0)
    # One batch of everything: a mean over another order of the same 10 rows, each rounded once or twice.
    assert history.loss[0] == pytest.approx(twin.loss(x, t), rel=20 * 2**-53)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [dict(epochs=4), dict(iterations=25)])
def test_a_seed_decides_every_bit(dtype, length):
    runs = []
    for threads in (None, 1, 2):
        net = network(dtype)
        history = net.fit(*data(), **length, batch_size=16, seed=11, threads=threads)
        runs.append((history.loss, {key: value.copy() for key, value in net.params.items()}))
    for losses, params in runs[1:]:
        assert losses == runs[0][0]
        assert all(np.array_equal(params[key], runs[0][1][key]) for key in params)
    other = network(dtype)
    assert other.fit(*data(), **length, batch_size=16, seed=12).loss != runs[0][0]


def test_fit_is_the_loop_of_the_notes():
    net, twin = network(), network()
    x, t = data()
    net.fit(x, t, iterations=30, batch_size=10, optimizer=bp.SGD(0.2), seed=5)
    for batch in sampling.WithReplacement(np.random.PCG64(5), len(x), 10).take(30)[0]:
        grad = twin.gradient(x[batch], t[batch])
        for key in ("W1", "b1", "W2", "b2"):
            twin.params[key] -= 0.2 * grad[key]
    assert all(np.array_equal(net.params[key], twin.params[key]) for key in net.params)


def test_it_learns():
    net = network(np.float32)
    history = net.fit(*data(500), epochs=60, batch_size=20, seed=0, track_accuracy=True)
    assert history.loss[-1] < 0.3 < history.loss[0]
    assert history.train_accuracy[-1] == net.accuracy(*data(500)) > 0.95


def test_soft_targets_and_uint8_images():
    rng = np.random.default_rng(0)
    x, t = rng.integers(0, 256, (30, 6)).astype(np.uint8), rng.dirichlet(np.ones(3), 30)
    net = bp.Network([6, 4, 3], seed=0, input_scale=1 / 255)
    before = net.loss(x, t)
    net.fit(x, t, epochs=20, batch_size=10, seed=0)
    assert net.loss(x, t) < before


def test_only_true_stops():
    net = bp.Network([6, 4, 3], seed=0)
    answers = iter([1.0, None, np.ones(2), np.True_, 0])
    history = net.fit(*data(), epochs=5, seed=0, callbacks=[lambda net, history: next(answers)])
    assert len(history.evaluated_at) == 4


def test_callbacks_run_after_every_epoch_and_can_stop():
    calls = []

    def stop_at_two(net, history):
        calls.append(len(history.train_accuracy))
        return len(calls) == 2

    also = []
    history = network().fit(
        *data(), epochs=9, seed=0, callbacks=[stop_at_two, lambda net, history: also.append(history.loss[-1])]
    )
    assert calls == [1, 2]
    assert len(also) == 2
    assert len(history.evaluated_at) == 2


def test_the_history_of_an_interrupted_run_is_kept():
    net = network()

    def interrupt(net, history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.fit(*data(), epochs=5, batch_size=10, seed=0, callbacks=[interrupt])
    assert len(net.history.loss) == 5
    assert net.history.seconds > 0
    assert np.isfinite(net.predict(data()[0])).all()


def test_progress_is_shown_only_when_asked(capsys):
    network().fit(*data(), epochs=1, seed=0)
    assert capsys.readouterr() == ("", "")
    network().fit(*data(), epochs=1, seed=0, progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "step" in err


def adam_of_another_network():
    optimizer = bp.Adam()
    bp.Network([6, 2], dtype=np.float64, seed=0).train_step(np.ones((1, 6)), [0], optimizer)
    return optimizer


def test_progress_in_a_log_is_ten_lines_at_most(capsys):
    network().fit(*data(), iterations=500, seed=0, progress=True)
    lines = capsys.readouterr().err.splitlines(keepends=True)
    assert 1 <= len(lines) <= 10
    assert lines[-1].startswith("step 500 of 500, ")
    assert all(line.endswith(" s\n") and "\r" not in line for line in lines)


@pytest.mark.parametrize(("steps", "at"), [(50, list(range(5, 51, 5))), (3, [1, 2, 3])])
def test_a_line_at_every_tenth(steps, at, capsys):
    progress = Lines(steps)
    for _ in range(steps):
        progress.update(1)
    progress.close()
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(",")[0] for line in lines] == [f"step {n} of {steps}" for n in at]


def test_progress_on_a_terminal_is_a_bar(capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    network().fit(*data(), epochs=1, seed=0, progress=True)
    assert "100%" in capsys.readouterr().err


def test_progress_without_stderr(monkeypatch):
    monkeypatch.setattr("sys.stderr", None)
    assert len(network().fit(*data(), epochs=1, seed=0, progress=True).loss) > 0


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(), ValueError, "fit: epochs is None, iterations is None; wanted exactly one of them"),
        (dict(epochs=1, iterations=1), ValueError, "wanted exactly one of them"),
        (dict(epochs=0), ValueError, "fit: epochs is 0, wanted a whole number of at least 1"),
        (dict(epochs=1.5), TypeError, "fit: epochs is 1.5, wanted a whole number"),
        (dict(iterations=-1), ValueError, "fit: iterations is -1"),
        (dict(epochs=1, batch_size=0), ValueError, "fit: batch_size is 0"),
        (dict(epochs=1, batch_size=True), TypeError, "fit: batch_size is True"),
        (dict(epochs=1, threads=0), ValueError, "threads is 0, wanted a whole number of at least 1"),
        (dict(epochs=1, threads=10**20), ValueError, f"threads is {10**20}, wanted .* at most 1024"),
        (dict(epochs=1, x=np.empty((0, 6)), t=np.empty(0, int)), ValueError, "fit: x has 0 rows"),
        (dict(epochs=1, t=np.full(50, 3)), ValueError, r"fit: t\[0\] is 3, wanted a label from 0 to 2"),
        (
            dict(epochs=1, validation=(np.ones((2, 6)), [0])),
            ValueError,
            "fit: validation: x has 2 rows, t has 1 label",
        ),
        (
            dict(epochs=1, validation=(np.ones((2, 5)), [0, 1])),
            ValueError,
            "fit: validation: x has 5 columns, the network has 6 inputs",
        ),
        (
            dict(epochs=1, validation=0.2),
            TypeError,
            r"fit: validation is a float, wanted a pair of arrays \(x, t\)",
        ),
        (
            dict(epochs=1, validation=np.ones((2, 6))),
            TypeError,
            "fit: validation is a ndarray, wanted a pair",
        ),
        (
            dict(epochs=1, validation=(np.ones((2, 6)),)),
            TypeError,
            "fit: validation has 1 parts, wanted a pair",
        ),
        (
            dict(epochs=1, callbacks=print),
            TypeError,
            "fit: callbacks is <built-in function print>, wanted a seq",
        ),
        (dict(epochs=1, callbacks="ab"), TypeError, "fit: callbacks is 'ab', wanted a sequence of callables"),
        (dict(epochs=1, callbacks=[print, 3]), TypeError, r"fit: callbacks\[1\] is 3, wanted a callable"),
        (
            dict(epochs=1, callbacks=[print, lambda history: None]),
            TypeError,
            r"fit: callbacks\[1\] is <lambda>\(history\), wanted a callable that is called as f\(network, history\)",
        ),
        (
            dict(epochs=1, callbacks=[dict]),
            TypeError,
            r"fit: callbacks\[0\] is the class dict, wanted a callable",
        ),
        (
            dict(epochs=1, validation=(np.ones((2, 6)), np.zeros((2, 3)))),
            ValueError,
            "fit: validation: all weights of t are 0, wanted at least one row with a class",
        ),
        (
            dict(epochs=1, track_accuracy=True, t=np.zeros((50, 3))),
            ValueError,
            "fit: all weights of t are 0, wanted at least one row",
        ),
        (dict(epochs=1, optimizer=bp.SGD), TypeError, r"fit: optimizer is the class SGD, wanted .*SGD\(\)"),
        (
            dict(epochs=1, optimizer=0.1),
            TypeError,
            r"fit: optimizer is 0.1, wanted an optimizer, such as SGD\(0.1\)",
        ),
        (dict(epochs=1, optimizer="adan"), ValueError, "fit: optimizer is 'adan', .*; did you mean 'adam'?"),
        (
            dict(epochs=1, optimizer=adam_of_another_network()),
            ValueError,
            "another network needs another optimizer",
        ),
        (
            dict(epochs=1, seed="a"),
            TypeError,
            "fit: seed is 'a', wanted a whole number of at least 0, or None",
        ),
        (
            dict(epochs=1, seed=np.random.default_rng(0)),
            TypeError,
            "fit: seed is a Generator, wanted a whole number",
        ),
        (dict(epochs=1, seed=True), TypeError, "fit: seed is True, wanted a whole number"),
        (dict(epochs=1, seed=-1), ValueError, "fit: seed is -1, wanted a whole number of at least 0"),
        (dict(epochs=1, progress="yes"), TypeError, "fit: progress is 'yes', wanted True or False"),
        (dict(epochs=1, track_accuracy=1), TypeError, "fit: track_accuracy is 1, wanted True or False"),
    ],
)
def test_arguments_that_are_refused_before_anything_changes(change, error, message):
    net, x, t = network(), *data()
    history = net.fit(x, t, epochs=1, seed=0)
    before = {key: value.copy() for key, value in net.params.items()}
    arguments = {"x": x, "t": t} | change
    with pytest.raises(error, match=message):
        net.fit(arguments.pop("x"), arguments.pop("t"), **arguments)
    assert all(np.array_equal(net.params[key], before[key]) for key in before)
    assert net.history is history


def test_history_repr():
    history = network().fit(*data(), epochs=1, seed=0)
    assert repr(history).startswith("History(1 step, ")
    assert "train accuracy" in repr(history)


def test_regression():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    t = np.stack([x[:, 0] * x[:, 1], np.sin(x[:, 2])], axis=1)
    net = bp.Network([3, 32, 2], activation="tanh", loss="squared_error", dtype=np.float64, seed=0)
    before = net.loss(x, t)
    history = net.fit(x, t, epochs=60, batch_size=20, optimizer=bp.Adam(0.01), validation=(x, t), seed=0)
    assert net.loss(x, t) < before / 10
    assert len(history.validation_loss) == 60
    # The network's loss and the mean over blocks add the rows in another order: 400 rows, u each.
    assert abs(history.validation_loss[-1] - net.loss(x, t)) <= 400 * 2**-52 * net.loss(x, t)
    assert history.train_accuracy == history.validation_accuracy == []
    assert net.predict(x).shape == (400, 2)
    for method in (lambda: net.accuracy(x, t), lambda: net.predict_proba(x)):
        with pytest.raises(TypeError, match="outputs are numbers"):
            method()
    one = bp.Network([3, 4, 1], loss="squared_error", seed=0)
    assert one.train_step(x, t[:, 0], bp.SGD(0.1)) > 0
    with pytest.raises(
        ValueError, match=r"train_step: t has shape \(400, 2\), wanted \(400, 1\) or \(400,\)"
    ):
        one.train_step(x, t, bp.SGD(0.1))


def test_a_loss_that_was_put_in_the_place_of_the_first():
    net, (x, t) = network(), data()
    net.lastLayer = bp.IdentityWithLoss()
    history = net.fit(x, np.eye(3)[t], epochs=2, validation=(x, np.eye(3)[t]), seed=0)
    assert len(history.validation_loss) == 2
    assert history.train_accuracy == history.validation_accuracy == []


@pytest.mark.parametrize("name", [*RULES, "Adam"])
def test_an_optimizer_by_its_name(name):
    nets = [network(), network()]
    for net, optimizer in zip(nets, (name, RULES[name.lower()]()), strict=True):
        net.fit(*data(), epochs=2, batch_size=10, optimizer=optimizer, seed=0)
    assert all(np.array_equal(nets[0].params[key], nets[1].params[key]) for key in nets[0].params)


def test_one_step_takes_no_name_and_no_class():
    net = network()
    for wrong in ("adam", bp.Adam, 0.1):
        with pytest.raises(TypeError, match="train_step: optimizer is .*, wanted an "):
            net.train_step(*data(), wrong)


@pytest.mark.parametrize("seed", ["a", 1.5, -1, 2**32, True, np.random.default_rng(0)])
def test_seeds_that_no_network_takes(seed):
    with pytest.raises((TypeError, ValueError), match="Network: seed is .*, wanted a whole number of"):
        bp.Network([2, 2], seed=seed)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("value", [10, -1, 10**7])
def test_labels_changed_by_a_callback_are_not_trained_on(value, soft):
    x, t = data()
    t = np.eye(3)[t] if soft else t
    nets, given = [network(), network()], t.copy()

    def change(net, history):
        given[...] = value

    one = nets[0].fit(x, given, epochs=3, batch_size=10, validation=(x, given), callbacks=[change], seed=0)
    other = nets[1].fit(x, t, epochs=3, batch_size=10, validation=(x, t), seed=0)
    assert (given == value).all()
    assert one.loss == other.loss
    assert one.validation_loss == other.validation_loss
    assert all(np.array_equal(nets[0].params[key], nets[1].params[key]) for key in nets[0].params)


@pytest.mark.parametrize("stored", ["f4", "f8"])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_said_once_and_where_it_comes_from(number, stored):
    x, t = data()
    x = x.astype(stored)
    x[17, 4] = number
    with pytest.warns(
        RuntimeWarning, match=r"fit: the loss of step \d+ is nan: x\[17, 4\] is (nan|inf)"
    ) as found:
        history = network().fit(x, t, epochs=3, batch_size=10, seed=0)
    assert len(found) == 1
    assert found[0].filename == __file__
    step = int(np.isfinite(history.loss).argmin()) + 1
    assert f"step {step} is" in str(found[0].message)


def test_a_learning_rate_that_is_too_large_is_said():
    net, (x, t) = bp.Network([6, 8, 1], loss="squared_error", seed=0), data()
    with pytest.warns(
        RuntimeWarning, match=r"x and t are finite; the learning rate may be too large \(SGD\(lr=1e\+20"
    ):
        net.fit(x, t, epochs=5, batch_size=10, optimizer=bp.SGD(1e20), seed=0)
    with pytest.warns(RuntimeWarning, match=r"t\[3, 0\] is nan"):
        bp.Network([6, 1], loss="squared_error", seed=0).fit(
            x, np.where(np.arange(50) == 3, np.nan, t), epochs=1
        )
    with pytest.warns(RuntimeWarning, match=r"x\[0, 0\] is 1e\+300, no finite number of float32"):
        bp.Network([6, 2], seed=0).fit(np.full((5, 6), 1e300), [0, 1, 0, 1, 0], epochs=1)


def test_a_fit_that_is_refused_leaves_the_last_history():
    net, (x, t) = network(), data()
    history = net.fit(x, t, epochs=1, seed=0)
    with pytest.raises(ValueError, match="threads is 0"):
        net.fit(x, t, epochs=1, threads=0)
    assert net.history is history
