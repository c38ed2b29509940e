"""What a plan's gradients are given: checked before anything is written."""

import numpy as np
import pytest

import backprop as bp
from bpcore.plan import Plan
from tests.contracts.test_plan import SOFTMAX, F, T, X, dense, layer, plan, refused


def test_gradients_of_inputs():
    one, out, dout = plan(), np.empty((5, 3), F), np.ones((5, 2), F)
    calls = [
        (
            lambda: one.input_gradient_into(X, np.empty((5, 3))),
            "Plan: an array is float64 (5, 3), wanted float32",
        ),
        (lambda: one.input_gradient_into(X, out), "Plan: an array is float32 (5, 3), wanted float32 (10, 3)"),
        (
            lambda: one.input_gradient_into(X, out, dout[:4]),
            "Plan: an array is float32 (4, 2), wanted float32 (5, 2)",
        ),
        (
            lambda: one.input_gradient_into(X, out, None, T[:4]),
            "Plan: the targets are int64 (4,), wanted 5 int64 labels from 0 to 1 or float32 (5, 2)",
        ),
        (
            lambda: one.input_gradient_into(X, out, None, T + 1),
            "Plan: t[1] is 2, wanted a label from 0 to 1",
        ),
        (
            lambda: one.input_gradient_into(X[:, :2].copy(), out, dout),
            "Plan: x is float32 (5, 2), wanted contiguous rows of 3",
        ),
    ]
    for call, message in calls:
        with refused(ValueError, message):
            call()
    out[...] = 7
    one.input_gradient_into(X[:0], np.empty((0, 3), F), dout[:0])
    assert (out == 7).all()
    one.input_gradient_into(X, out, dout)
    assert np.array_equal(out, np.full((5, 3), 8, F))  # two outputs of four units of weight 1


def test_gradients_are_not_written_over_what_is_read():
    memory = np.ones(40, F)
    layers = dense()
    one = Plan(
        "float32", [layer(memory[25:37].reshape(3, 4), layers[0][3]), layers[1]], SOFTMAX, None, None, []
    )
    x, dout = memory[:15].reshape(5, 3), memory[15:25].reshape(5, 2)
    for first in (0, 10, 15, 25):
        with refused(ValueError, "Plan: out shares memory with what is read, wanted an array of its own"):
            one.input_gradient_into(x, memory[first : first + 15].reshape(5, 3), dout)
    with refused(ValueError, "Plan: out shares memory with what is read"):
        one.input_gradient_into(X, memory[11:26].reshape(5, 3), None, dout)


@pytest.mark.parametrize("loss", [SOFTMAX, ("squared_error", 0.0)])
def test_loss_and_gradient(loss):
    rng = np.random.default_rng(0)
    net = bp.Network([3, 4, 2], loss=loss[0], seed=0)
    x, t = rng.normal(size=(50, 3)).astype(F), rng.integers(0, 2, 50)
    t = t if loss is SOFTMAX else rng.normal(size=(50, 2)).astype(F)
    gradient, before = np.empty(26, F), net.get_flat_params()
    assert net._plan().loss_and_gradient(x, t, gradient) == net.loss(x, t)
    assert np.array_equal(gradient, np.concatenate([one.reshape(-1) for one in net.gradient(x, t).values()]))
    assert np.array_equal(net.get_flat_params(), before)


def test_loss_and_gradient_of_what_does_not_fit():
    one, gradient = plan(), np.empty(26, F)
    for arguments, message in [
        ((X, T, np.empty(26)), "Plan: an array is float64 (26,), wanted float32 (26,)"),
        ((X, T, np.empty(25, F)), "Plan: an array is float32 (25,), wanted float32 (26,)"),
        ((X, T[:4], gradient), "Plan: t is int64 (4,), wanted targets of 5 rows, at least 1"),
        ((X[:0], T[:0], gradient), "Plan: t is int64 (0,), wanted targets of 0 rows, at least 1"),
        ((X, T + 1, gradient), "Plan: wanted labels from 0 to 1"),
        ((X[:, :2].copy(), T, gradient), "Plan: x is float32 (5, 2), wanted contiguous rows of 3"),
    ]:
        with refused(ValueError, message):
            one.loss_and_gradient(*arguments)
        assert not one.training
    fixed = gradient.copy()
    fixed.setflags(write=False)
    with refused(ValueError, "cannot be used in place"):
        one.loss_and_gradient(X, T, fixed)
