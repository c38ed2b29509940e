"""Soft updates: the parameters of one network move towards those of another."""

import numpy as np
import pytest

import backprop as bp


def networks(dtype="float32", sizes=(5, 8, 3)):
    return [bp.Network(sizes, dtype=dtype, seed=seed) for seed in (0, 1)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("tau", [0, 0.005, 0.5, 1])
def test_it_is_the_numpy_line(tau, dtype):
    target, net = networks(dtype)
    before, theirs = ({key: array.copy() for key, array in one.params.items()} for one in (target, net))
    arrays = dict(target.params)
    x = np.random.default_rng(0).normal(size=(4, 5))
    target.predict(x)
    target.blend(net, tau)
    number = np.dtype(dtype).type(tau)
    for key in before:
        wanted = theirs[key] if tau == 1 else before[key] + number * (theirs[key] - before[key])
        assert np.array_equal(target.params[key], wanted)
        assert np.array_equal(net.params[key], theirs[key])
        assert target.params[key] is arrays[key]
    assert tau != 1 or np.array_equal(target.predict(x), net.predict(x))


def test_an_average_of_weights():
    average, net = networks()
    x, t = np.random.default_rng(0).normal(size=(40, 5)), np.arange(40) % 3
    weights = [net.params["W1"].copy()]
    average.blend(net, 1)
    for _ in range(5):
        net.train_step(x, t, bp.SGD(0.5))
        average.blend(net, 0.1)
        weights.append(net.params["W1"].copy())
    wanted = weights[0].astype(float)
    for one in weights[1:]:
        wanted = 0.9 * wanted + 0.1 * one
    # Five steps of three roundings each of numbers below 1.
    assert np.abs(average.params["W1"] - wanted).max() <= 5 * 3 * 2**-24 * 2


def test_any_layout():
    (target, net), (plain, other) = networks(), networks()
    target.layers["Affine1"].W = np.asfortranarray(target.params["W1"])
    net.layers["Affine1"].W = np.asfortranarray(net.params["W1"])
    target.blend(net, 0.25)
    plain.blend(other, 0.25)
    assert all(np.array_equal(target.params[key], plain.params[key]) for key in plain.params)


def shared(target, net):
    net.layers["Affine1"].W = target.params["W1"]
    return net


@pytest.mark.parametrize(
    ("other", "tau", "error", "message"),
    [
        (lambda target, net: net, 1.5, ValueError, "blend: tau is 1.5, wanted a number from 0 to 1"),
        (lambda target, net: net, -0.1, ValueError, "blend: tau is -0.1"),
        (lambda target, net: net, np.nan, ValueError, "blend: tau is nan"),
        (lambda target, net: net, "a", ValueError, "blend: tau is 'a'"),
        (lambda target, net: 3, 0.5, TypeError, "blend: other is a int, wanted a network"),
        (lambda target, net: target, 0.5, ValueError, "blend: W1 shares memory with a parameter of other"),
        (shared, 0.5, ValueError, "blend: W1 shares memory"),
        (
            lambda target, net: bp.Network([5, 3]),
            0.5,
            ValueError,
            "blend: other has the parameters W1, b1, wanted W1",
        ),
        (
            lambda target, net: bp.Network([5, 9, 3]),
            0.5,
            ValueError,
            r"blend: W1 of other is float32 \(5, 9\), wanted float32 \(5, 8\)",
        ),
        (lambda target, net: net.astype("float64"), 0.5, ValueError, "blend: W1 of other is float64"),
    ],
)
def test_what_is_refused(other, tau, error, message):
    target, net = networks()
    before = [array.copy() for array in target.params.values()]
    with pytest.raises(error, match=f"^{message}"):
        target.blend(other(target, net), tau)
    target.params["b2"].setflags(write=False)
    with pytest.raises(ValueError, match="blend: b2 is read-only"):
        target.blend(networks()[1], 0.5)
    assert all(np.array_equal(a, b) for a, b in zip(before, target.params.values(), strict=True))
