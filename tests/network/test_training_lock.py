"""One thread at a time trains a network: the others are told so at once, and the first never notices them."""

import copy
import pickle
import sys
import threading
from collections import deque

import numpy as np
import pytest

import backprop as bp
from backprop.training import lock
from tests.network.machine import Halve

MESSAGE = "this network is being trained by another thread"


class Own:
    """A user's own optimizer."""

    def update(self, params, grads):
        for key, grad in grads.items():
            params[key] -= 0.1 * grad


class OwnStep(bp.Network):
    """A subclass with a step of its own."""

    def train_step(self, x, t, optimizer):
        return super().train_step(x, t, optimizer)


def plain():
    return bp.Network([20, 16, 3], seed=0)


def layered():
    net = plain()
    net.layers["Halve"] = Halve()
    return net


KINDS = {
    "plan": (plain, lambda: bp.Adam(0.01)),
    "layers": (layered, lambda: bp.Adam(0.01)),
    "own optimizer": (plain, Own),
    "own step": (lambda: OwnStep([20, 16, 3], seed=0), lambda: bp.SGD(0.1)),
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    return rng.random((60, 20), dtype=np.float32), rng.integers(0, 3, 60)


def bits(net):
    return {key: array.tobytes() for key, array in net.params.items()}


def asked_meanwhile(train, callback_of, intrude):
    """Run `train`, whose last callback ends the attempts of another thread: all of these fall into it."""
    begun, stop, ended, refused = threading.Event(), threading.Event(), threading.Event(), []

    def attempts():
        begun.wait()
        while not stop.is_set() or not refused:
            try:
                intrude()
            except RuntimeError as error:
                refused.append(str(error))
            else:
                refused.append("it was let in")
        ended.set()

    def callback(net, history):
        begun.set()
        if callback_of(history):
            stop.set()
            ended.wait()

    other = threading.Thread(target=attempts)
    other.start()
    try:
        trained = train(callback)
    finally:
        begun.set()
        stop.set()
        other.join()
    return trained, refused


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("call", ["fit", "train_step"])
@pytest.mark.parametrize("times", [5, pytest.param(1000, marks=pytest.mark.exhaustive)])
def test_a_second_thread_is_told_and_the_first_ends_well(kind, call, times, data):
    make, optimizer = KINDS[kind]
    alone = make()
    options = dict(epochs=4, batch_size=7, seed=0, validation=data, track_accuracy=True)
    expected = alone.fit(*data, optimizer=optimizer(), **options)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(times):
            net, others = make(), bp.Adam()
            history, refused = asked_meanwhile(
                lambda callback, net=net: net.fit(
                    *data, optimizer=optimizer(), callbacks=[callback], **options
                ),
                lambda history: len(history.evaluated_at) == 4,
                lambda net=net, others=others: (
                    net.fit(*data, epochs=1, optimizer=others)
                    if call == "fit"
                    else net.train_step(*data, others)
                ),
            )
            assert set(refused) == {MESSAGE}
            assert (others.steps, others.state) == (0, {})
            assert net.history is history
            assert history.loss == expected.loss
            assert history.validation_loss == expected.validation_loss
            assert bits(net) == bits(alone)
    finally:
        sys.setswitchinterval(usual)
    net.train_step(*data, others)


def test_a_thread_that_takes_single_steps_keeps_them(data):
    # What comes while a step runs is refused before it changes anything; afterwards it is let in.
    x, t = np.random.default_rng(0).random((20_000, 200), dtype=np.float32), np.zeros(20_000, int)
    net, sgd, adam = bp.Network([200, 100, 2], seed=0), bp.SGD(1e-3), bp.Adam()
    plan = net.plan_for(sgd)
    net.train_step(x, t, sgd)
    told = 0
    for _ in range(20):
        worker = threading.Thread(target=net.train_step, args=(x, t, sgd))
        worker.start()
        while not plan.training and worker.is_alive():
            pass
        for call in (
            lambda: net.fit(x[:10], t[:10], epochs=1, optimizer=adam),
            lambda: net.train_step(x[:10], t[:10], adam),
        ):
            before = adam.steps, net.history
            try:
                call()
            except RuntimeError as error:
                assert str(error) == MESSAGE
                assert (adam.steps, net.history) == before
                told += 1
        worker.join()
    assert sgd.steps == 21
    assert told > 0
    net.fit(x[:10], t[:10], epochs=1, optimizer=adam)


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_is_free_again_however_training_ended(kind, data):
    def elsewhere(call):
        errors = []

        def run():
            try:
                call()
            except Exception as error:  # noqa: BLE001  # for the assertion below
                errors.append(error)

        worker = threading.Thread(target=run)
        worker.start()
        worker.join()
        return errors

    def fails(net, history):
        raise ZeroDivisionError

    make, optimizer = KINDS[kind]
    net, rule = make(), optimizer()
    x, t = data
    for wrong, error in [
        (lambda: net.fit(x, t, epochs=1, callbacks=[fails], optimizer=rule), ZeroDivisionError),
        (lambda: net.fit(x, t, epochs=0, optimizer=rule), ValueError),
        (lambda: net.train_step(x, t + 7, rule), ValueError),
        (lambda: net.train_step(x, t, "sgd"), TypeError),
    ]:
        with pytest.raises(error):
            wrong()
        assert elsewhere(lambda: net.train_step(x, t, rule)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_callback_may_train_what_its_own_fit_trains(kind, data):
    make, optimizer = KINDS[kind]
    x, t = data
    net, rule = make(), optimizer()

    def more(net, history):
        net.train_step(x[:9], t[:9], rule)
        inside.append(net.fit(x, t, iterations=3, batch_size=5, seed=len(inside), optimizer=rule))

    inside = []
    history = net.fit(x, t, epochs=3, batch_size=13, seed=1, optimizer=rule, callbacks=[more])
    assert len(history.loss) == 3 * 5
    assert net.history is history
    assert [len(one.loss) for one in inside] == [3] * 3
    # The same one after the other: its order is that of the fit.
    bits_gen, rows = np.random.PCG64(1), []
    from backprop.training.sampling import Epochs

    sampler = Epochs(bits_gen, len(x), 13)
    twin, other = make(), optimizer()
    for n in range(3):
        for group in sampler.take(5):
            rows += [twin.train_step(x[batch], t[batch], other) for batch in group]
        twin.train_step(x[:9], t[:9], other)
        twin.fit(x, t, iterations=3, batch_size=5, seed=n, optimizer=other)
    assert history.loss == rows
    assert bits(net) == bits(twin)
    if hasattr(rule, "steps"):
        assert rule.steps == other.steps == 15 + 3 + 9


COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "astype": lambda net: net.astype(np.float64),
    "copy.copy": copy.copy,
}


@pytest.mark.parametrize("twin_of", COPIES)
def test_copies_of_a_network_that_is_being_trained(twin_of, data):
    net, twins, errors = plain(), [], []

    def train_twin(twin):
        try:
            twin.train_step(*data, bp.Adam())
        except RuntimeError as error:
            errors.append(str(error))

    def callback(net, history):
        twins.append(COPIES[twin_of](net))
        worker = threading.Thread(target=train_twin, args=(twins[-1],))
        worker.start()
        worker.join()

    net.fit(*data, epochs=2, seed=0, callbacks=[callback])
    # A shallow copy has the layers, and so the parameters, of the network itself.
    assert errors == ([MESSAGE] * 2 if twin_of == "copy.copy" else [])
    assert all((twin.layers is net.layers) == (twin_of == "copy.copy") for twin in twins)
    assert net.train_step(*data, bp.SGD()) > 0
    assert twins[0].train_step(*data, bp.SGD()) > 0


def test_layers_that_ended_are_forgotten(monkeypatch):
    monkeypatch.setattr(lock, "_known", deque())
    kept = [bp.Network([2, 2], seed=0) for _ in range(5)]
    for _ in range(1000):
        bp.Network([2, 2], seed=0)
    assert len(lock._known) <= 16
    known = [one() for one in lock._known]
    assert all(any(one is net.layers for one in known) for net in kept)
