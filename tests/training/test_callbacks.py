"""What callbacks are told, and what they can do."""

import numpy as np
import pytest

import backprop as bp
from tests.training.runs import NETWORKS, T, X, bits, plain, targets


class Told(bp.Callback):
    every = 4

    def __init__(self):
        self.calls = []

    def begin(self, run):
        self.calls.append(("begin", run.step, run.steps, run.steps_an_epoch))

    def step(self, run):
        self.calls.append(("step", run.step, len(run.history.loss), run.epoch))

    def epoch(self, run):
        self.calls.append(("epoch", run.step, run.history.evaluated_at[-1], run.epoch))

    def end(self, run):
        self.calls.append(("end", run.step, run.network.history is run.history, run.rate))


def test_when_they_are_called():
    told = Told()
    plain().fit(X, T, epochs=2, batch_size=10, callbacks=[told])
    assert told.calls == [
        ("begin", 0, 12, 6),
        ("step", 4, 4, 0),
        ("epoch", 6, 6, 1),
        ("step", 8, 8, 1),
        ("step", 12, 12, 2),
        ("epoch", 12, 12, 2),
        ("end", 12, True, 0.1),
    ]


@pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS)
def test_they_change_no_bit(made):
    nets = made(), made()
    t = targets(nets[0])
    nets[0].fit(X, t, epochs=3, batch_size=10, seed=0)
    nets[1].fit(X, t, epochs=3, batch_size=10, seed=0, callbacks=[Told()])
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize("how", ["stop", "True"])
@pytest.mark.parametrize(("what", "steps"), [("begin", 0), ("step", 4), ("epoch", 6)])
def test_each_can_stop_a_run(how, what, steps):
    def stops(run):
        return run.stop() if how == "stop" else True

    told = Told()
    setattr(told, what, stops)
    history = plain().fit(X, T, epochs=9, batch_size=10, callbacks=[told])
    assert len(history.loss) == steps
    assert told.calls[-1][:2] == ("end", steps)


def test_a_rate_that_is_changed_holds_from_the_next_step_on():
    class Halves(bp.Callback):
        every = 5

        def step(self, run):
            run.rate = run.rate / 2

    nets, optimizers = (plain(), plain()), (bp.SGD(0.4), bp.SGD(0.4))
    nets[0].fit(X, T, iterations=12, batch_size=10, seed=0, optimizer=optimizers[0], callbacks=[Halves()])
    first = nets[1].fit(X, T, iterations=5, batch_size=10, seed=0, optimizer=optimizers[1])
    optimizers[1].lr = 0.2
    second = nets[1].fit(X, T, iterations=5, continue_from=first)
    optimizers[1].lr = 0.1
    nets[1].fit(X, T, iterations=2, continue_from=second)
    assert bits(nets[0]) == bits(nets[1])
    assert optimizers[0].lr == 0.1


def test_the_end_is_told_also_of_an_error():
    class Fails(Told):
        def epoch(self, run):
            raise OSError("the disk is full")

    told = Fails()
    net = plain()
    with pytest.raises(OSError, match="the disk is full"):
        net.fit(X, T, epochs=2, batch_size=10, callbacks=[told])
    assert told.calls[-1] == ("end", 6, True, 0.1)
    assert len(net.history.loss) == 6


@pytest.mark.parametrize("every", [0, -1, 1.5, True])
def test_a_number_of_steps_that_cannot_be(every):
    told = Told()
    told.every = every
    with pytest.raises((TypeError, ValueError), match=r"fit: callbacks\[0\].every is"):
        plain().fit(X, T, epochs=1, callbacks=[told])


def test_lbfgs_takes_functions_alone():
    pytest.importorskip("scipy")
    with pytest.raises(
        TypeError, match=r"fit: callbacks\[0\] is a Callback, and optimizer='lbfgs' takes functions"
    ):
        plain().fit(X, T, iterations=1, optimizer="lbfgs", callbacks=[Told()])
    for given in (
        dict(schedule="cosine"),
        dict(early_stopping=3),
        dict(validation_fraction=0.1),
        dict(shuffle=False),
    ):
        with pytest.raises(ValueError, match=f"fit: {next(iter(given))} is .*, and optimizer='lbfgs'"):
            plain().fit(X, T, iterations=1, optimizer="lbfgs", **given)
    values = []
    history = plain().fit(
        X, T, iterations=2, optimizer="lbfgs", validation=(X, T), metrics=lambda t, y: values.append(t) or 1.0
    )
    assert [[*row.values()] for row in history.others] == [[1.0]] * len(history.loss)
    np.testing.assert_array_equal(values[0], T)
