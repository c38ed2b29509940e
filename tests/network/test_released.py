"""What a call is given it lets go of, whether it succeeds or raises: memory is not held by a buffer left open."""

import contextlib
import weakref

import numpy as np
import pytest

import backprop as bp
from bpcore.plan import Plan

SETTINGS = bp.SGD(0.1).plan_update()
F = np.float32


def plan():
    return Plan(
        "float32",
        [("affine", "identity", np.ones((3, 2), F), np.zeros(2, F), 0.0)],
        ("softmax", 0.0),
        None,
        None,
        [],
    )


def network(**options):
    return bp.Network([3, 4, 2], seed=0, **options)


def x(dtype=F):
    return np.ones((5, 3), dtype)


def t():
    return np.array([0, 1, 0, 1, 0])


def weights(dtype=F):
    return np.ones((5, 2), dtype)


def indices(last=4):
    return np.array([[0, 1], [2, last]])


def out(columns=2):
    return np.empty((5, columns), F)


# What is called, and makers of the arrays that it gets. Some are refused: of a type or a size that is not right.
CALLS = {
    "plan predict": (lambda x: plan().predict(x), x),
    "plan predict_into": (lambda x, out: plan().predict_into(x, out), x, out),
    "plan predict_into, out refused": (lambda x, out: plan().predict_into(x, out), x, lambda: out(3)),
    "plan count_correct": (lambda x, t: plan().count_correct(x, t), x, t),
    "plan count_correct, labels refused": (lambda x, t: plan().count_correct(x, t[:4]), x, t),
    "plan step": (lambda x, t: plan().step(x, t, SETTINGS), x, t),
    "plan step, weights": (lambda x, t: plan().step(x, t, SETTINGS), x, weights),
    "plan step, label refused": (lambda x, t: plan().step(x, t + 1, SETTINGS), x, t),
    "plan step, weights refused": (lambda x, t: plan().step(x, t, SETTINGS), x, lambda: weights(float)),
    "plan train": (lambda x, t, n: plan().train(x, t, n, SETTINGS, np.empty(2)), x, t, indices),
    "plan train, weights": (lambda x, t, n: plan().train(x, t, n, SETTINGS, np.empty(2)), x, weights, indices),
    "plan train, label refused": (lambda x, t, n: plan().train(x, t + 1, n, SETTINGS, np.empty(2)), x, t, indices),
    "plan train, index refused": (
        lambda x, t, n: plan().train(x, t, n, SETTINGS, np.empty(2)), x, t, lambda: indices(5),
    ),
    "plan train, no steps": (lambda x, t, n: plan().train(x, t, n[:0], SETTINGS, np.empty(0)), x, t, indices),
    "predict": (lambda x: network().predict(x), x),
    "predict, converted": (lambda x: network().predict(x), lambda: x(int)),
    "predict out": (lambda x, out: network().predict(x, out), x, out),
    "predict out, refused": (lambda x, out: network().predict(x, out), x, lambda: out(3)),
    "predict_proba": (lambda x: network().predict_proba(x), x),
    "accuracy": (lambda x, t: network().accuracy(x, t), x, t),
    "accuracy, label refused": (lambda x, t: network().accuracy(x, t + 1), x, t),
}  # fmt: skip
# The network lives on, and so does what it keeps.
LIVING = {
    "predict": (lambda net, x: net.predict(x), x),
    "accuracy": (lambda net, x, t: net.accuracy(x, t), x, t),
    "train_step": (lambda net, x, t: net.train_step(x, t, bp.SGD(0.1)), x, t),
    "train_step, label refused": (lambda net, x, t: net.train_step(x, t + 1, bp.SGD(0.1)), x, t),
    "fit": (lambda net, x, t: net.fit(x, t, epochs=2, batch_size=2, validation=(x, t)), x, t),
    "fit, label refused": (lambda net, x, t: net.fit(x, t + 1, epochs=2), x, t),
    "loss, then clear_cache": (lambda net, x, t: (net.loss(x, t), net.clear_cache()), x, t),
    "loss, label refused": (lambda net, x, t: net.loss(x, t + 1), x, t),
}


def are_let_go(call, *makers):
    """Whether nothing holds the arrays that a call was given."""
    given = [make() for make in makers]
    alive = [weakref.ref(array) for array in given]
    with contextlib.suppress(ValueError):
        call(*given)
    del given
    return [one() for one in alive] == [None] * len(alive)


@pytest.mark.parametrize("name", CALLS)
def test_arrays_are_let_go(name):
    assert are_let_go(*CALLS[name])


@pytest.mark.parametrize("layered", [False, True], ids=["plan", "layers"])
@pytest.mark.parametrize("name", LIVING)
def test_arrays_are_let_go_while_the_network_lives(name, layered):
    net = network()
    if layered:
        net._plan = lambda: None
    call, *makers = LIVING[name]
    assert are_let_go(lambda *given: call(net, *given), *makers)


def test_memory_of_others_may_go_after_a_call():
    """A buffer that is left open would keep its owner from closing it, as of a mapped file or shared memory."""
    one, memory = plan(), memoryview(bytearray(x().tobytes()))
    view = memory.cast("f", (5, 3))
    assert one.predict(view).shape == (5, 2)
    assert one.step(view, t(), SETTINGS) > 0
    one.predict_into(view, out())
    one.train(view, t(), indices(), SETTINGS, np.empty(2))
    view.release()
    memory.release()
