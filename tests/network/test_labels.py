"""A label that no class has is refused by each call that takes labels, whatever type and place it has."""

import re

import numpy as np
import pytest

import backprop as bp

CALLS = {
    "loss": lambda net, x, t, optimizer: net.loss(x, t),
    "gradient": lambda net, x, t, optimizer: net.gradient(x, t),
    "accuracy": lambda net, x, t, optimizer: net.accuracy(x, t),
    "train_step": lambda net, x, t, optimizer: net.train_step(x, t, optimizer),
    "epochs": lambda net, x, t, optimizer: net.fit(x, t, epochs=2, optimizer=optimizer),
    "iterations": lambda net, x, t, optimizer: net.fit(x, t, iterations=1, batch_size=1, optimizer=optimizer),
    "validation": lambda net, x, t, optimizer: net.fit(
        x, np.zeros(len(x), int), epochs=1, validation=(x, t), optimizer=optimizer
    ),
}
each_call = pytest.mark.parametrize("call", CALLS)


def refused(call, x, t, wrong):
    """The call raises for the label at `wrong`, and nothing has changed."""
    message = re.escape(f"t[{wrong}] is {np.asarray(t)[wrong]}, wanted a label from 0 to 2")
    for optimizer in (bp.SGD(0.1), bp.Adam()):
        net = bp.Network([2, 5, 3], seed=0)
        for steps in range(2):
            before = state(net, optimizer)
            with pytest.raises(ValueError, match=message):
                CALLS[call](net, x, t, optimizer)
            assert state(net, optimizer) == before
            assert (optimizer.steps, net.history) == (steps, None)
            # The next time with what a step has made.
            net.train_step(np.ones((1, 2), np.float32), np.array([2]), optimizer)


def state(net, optimizer):
    """The bits of all that learns."""
    state = [array for arrays in optimizer.state.values() for array in arrays]
    return [array.tobytes() for array in (*net.params.values(), *state)]


@pytest.mark.parametrize(("place", "label"), [(0, 3), (1, 3), (3, 3), (0, -1), (3, -1), (2, -128), (1, 127)])
@pytest.mark.parametrize("stored", ["i1", "i4", "i8", ">i8", "list"])
@each_call
def test_labels_that_no_class_has(call, stored, place, label):
    t = np.array([0, 2, 1, 0])
    t[place] = label
    refused(call, np.ones((4, 2), np.float32), t.tolist() if stored == "list" else t.astype(stored), place)


@pytest.mark.parametrize("label", [3, 255, 2**32, 2**63])
@each_call
def test_large_labels_without_a_sign(call, label):
    t = np.array([0, 2, label], np.uint8 if label < 256 else np.uint64)
    refused(call, np.ones((3, 2), np.float32), t, 2)


@pytest.mark.parametrize("label", [3, -1])
@each_call
def test_the_last_of_many_labels(call, label):
    t = np.zeros(20_000, int)
    t[-1] = label
    refused(call, np.ones((len(t), 2), np.float32), t, len(t) - 1)
