"""The initial weights of a network: their distributions, what `weight_init` takes, and what it refuses."""

from itertools import pairwise

import numpy as np
import pytest

import backprop as bp
from backprop.layers.elementwise import activations
from backprop.network.initial_weights import ALIASES, INITIAL_WEIGHTS

INPUTS, OUTPUTS = 300, 200
NORMAL = {"he_normal": 2 / INPUTS, "glorot_normal": 2 / (INPUTS + OUTPUTS), "lecun_normal": 1 / INPUTS}
# Variance of uniform numbers between -bound and bound: bound² / 3.
UNIFORM = {
    "he_uniform": 2 / INPUTS,
    "glorot_uniform": 2 / (INPUTS + OUTPUTS),
    "lecun_uniform": 1 / INPUTS,
    "pytorch": 1 / (3 * INPUTS),
}
SIZES = [12, 9, 7, 5]


def first_layer(weight_init, sizes=(INPUTS, OUTPUTS), dtype=np.float64):
    net = bp.Network(sizes, dtype=dtype, seed=0, weight_init=weight_init)
    return net.params["W1"], net.params["b1"]


def same(one, two):
    return all(np.array_equal(one.params[key], two.params[key]) for key in one.params)


def within_four_standard_errors(W, variance, fourth_moment):
    """Mean and mean square of independent numbers: their variances are variance/n and (fourth − variance²)/n."""
    assert abs(W.mean()) < 4 * np.sqrt(variance / W.size)
    assert abs((W**2).mean() - variance) < 4 * np.sqrt((fourth_moment - variance**2) / W.size)


@pytest.mark.parametrize("name", NORMAL)
def test_normal(name):
    W, b = first_layer(name)
    within_four_standard_errors(W, NORMAL[name], 3 * NORMAL[name] ** 2)
    # Of a truncated distribution, as some libraries have it, none lies beyond two standard deviations: here 4.55 %.
    share = 0.0455
    beyond = np.mean(np.abs(W) > 2 * np.sqrt(NORMAL[name]))
    assert abs(beyond - share) < 4 * np.sqrt(share * (1 - share) / W.size)
    assert not b.any()


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform(name):
    W, b = first_layer(name)
    bound = np.sqrt(3 * UNIFORM[name])
    within_four_standard_errors(W, UNIFORM[name], bound**4 / 5)
    # The largest of n falls short of the bound by the share d with probability (1 − d)^n < exp(−nd).
    assert bound * (1 - 20 / W.size) < np.abs(W).max() <= bound
    if name != "pytorch":
        assert not b.any()


def test_pytorchs_biases_are_drawn_within_the_same_bound():
    _, b = first_layer("pytorch", (4, 10_000))
    within_four_standard_errors(b, 1 / 12, 0.5**4 / 5)
    assert 0.5 * (1 - 20 / b.size) < np.abs(b).max() <= 0.5


def test_every_name_is_tested_and_aliases_are_what_their_papers_used():
    assert {*NORMAL, *UNIFORM} == set(INITIAL_WEIGHTS)
    assert ALIASES == {"he": "he_normal", "glorot": "glorot_uniform", "xavier": "glorot_uniform"}
    for alias, name in ALIASES.items():
        one, two = (bp.Network(SIZES, seed=3, weight_init=init) for init in (alias, name))
        assert same(one, two)


@pytest.mark.parametrize("number", [0.05, np.float32(0.25), np.float64(0.05), 1, 0])
def test_a_number_is_the_standard_deviation_of_normal_weights(number):
    net = bp.Network(SIZES, dtype=np.float64, seed=4, weight_init=number)
    randn = np.random.RandomState(4).randn
    for n, (inputs, outputs) in enumerate(pairwise(SIZES), start=1):
        assert np.array_equal(net.params[f"W{n}"], float(number) * randn(inputs, outputs))
        assert not net.params[f"b{n}"].any()


@pytest.mark.parametrize("kind", [list, tuple])
def test_one_of_these_a_layer(kind):
    net = bp.Network(SIZES, dtype=np.float64, seed=5, weight_init=kind(["pytorch", 0.5, "xavier"]))
    rng = np.random.RandomState(5)
    bound = 1 / np.sqrt(12)
    expected = {"W1": rng.uniform(-bound, bound, (12, 9)), "b1": rng.uniform(-bound, bound, 9)}
    expected |= {"W2": 0.5 * rng.randn(9, 7), "b2": np.zeros(7)}
    expected |= {"W3": rng.uniform(-np.sqrt(6 / 12), np.sqrt(6 / 12), (7, 5)), "b3": np.zeros(5)}
    for key, array in expected.items():
        assert np.array_equal(net.params[key], array)
    numbers = bp.Network(SIZES, seed=5, weight_init=np.array([0.1, 0.2, 0.3]))
    assert same(numbers, bp.Network(SIZES, seed=5, weight_init=[0.1, 0.2, 0.3]))


@pytest.mark.parametrize("sizes", [SIZES, [12, 5]], ids=["hidden layers", "none"])
@pytest.mark.parametrize("activation", activations())
def test_the_default(activation, sizes):
    net = bp.Network(sizes, activation, dtype=np.float64, seed=6)
    rng = np.random.RandomState(6)
    for n, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        hidden = n < len(sizes) - 1
        gain = {"sigmoid": 3, "selu": np.sqrt(3)}.get(activation, 1) if hidden else 1
        bound = gain / np.sqrt(inputs)
        assert np.array_equal(net.params[f"W{n}"], rng.uniform(-bound, bound, (inputs, outputs)))
        assert np.array_equal(net.params[f"b{n}"], rng.uniform(-bound, bound, outputs))


def test_an_entry_of_none_is_the_layers_default():
    hidden, output = (
        bp.Network(SIZES, "sigmoid", seed=6, weight_init=init) for init in ([None, None, 0], [0, 0, None])
    )
    default = bp.Network(SIZES, "sigmoid", seed=6)
    for key in ("W1", "b1", "W2", "b2"):
        assert np.array_equal(hidden.params[key], default.params[key])
    assert 0 < np.abs(output.params["W3"]).max() <= np.float32(np.sqrt(1 / 7))
    assert output.params["b3"].all()


@pytest.mark.parametrize("weight_init", [None, 0.1, *INITIAL_WEIGHTS])
def test_seeds_and_the_global_state(weight_init):
    before = np.random.get_state()[1].copy()
    one, two = (bp.Network(SIZES, seed=7, weight_init=weight_init) for _ in range(2))
    assert np.array_equal(np.random.get_state()[1], before), "a seeded network leaves the global state alone"
    assert same(one, two)
    assert not same(one, bp.Network(SIZES, seed=8, weight_init=weight_init))
    np.random.seed(7)
    assert same(one, bp.Network(SIZES, weight_init=weight_init))


@pytest.mark.parametrize("weight_init", [None, 0.1, *INITIAL_WEIGHTS])
def test_float32_is_float64_rounded(weight_init):
    single, double = (
        bp.Network(SIZES, "tanh", "softmax", dtype, 9, weight_init=weight_init) for dtype in ("f4", "f8")
    )
    for key, array in double.params.items():
        assert np.array_equal(single.params[key], array.astype(np.float32))


BAD = {
    "nan": (float("nan"), "weight_init is nan, wanted a finite number of float32, 0 or more"),
    "infinite": (float("inf"), "weight_init is inf, wanted a finite number"),
    "negative": (-1, "weight_init is -1, wanted a finite number"),
    "too large for the type": (1e38, "weight_init is 1e\\+38, wanted a finite number of float32"),
    "boolean": (True, "weight_init is True, wanted a finite number"),
    "a number as text": (
        "0.01",
        "weight_init is '0.01', wanted a standard deviation or one of 'he_normal', 'he_unif",
    ),
    "mistyped": ("he_norml", "weight_init is 'he_norml', .*; did you mean 'he_normal'"),
    "PyTorch's name": ("kaiming_uniform", "weight_init is 'kaiming_uniform', .*; did you mean 'he_uniform'"),
    "bytes": (b"he", "weight_init is b'he', wanted a finite number"),
    "mapping": ({"W1": 0.1}, r"weight_init is \{'W1': 0.1\}, wanted a finite number"),
    "too few": (["he", 0.1], "weight_init has 2 of the 3 entries wanted, one an affine layer"),
    "none": ([], "weight_init has 0 of the 3 entries wanted"),
    "a bad entry": (["he", 0.1, "glorott"], r"weight_init\[2\] is 'glorott', .*; did you mean 'glorot'"),
    "a bad number": (["he", -0.1, "glorot"], r"weight_init\[1\] is -0.1, wanted a finite number"),
    "a nested entry": ([["he"], 0.1, 0.1], r"weight_init\[0\] is \['he'\], wanted"),
    "an array of two dimensions": (np.ones((3, 2)), r"weight_init\[0\] is \[1.0, 1.0\], wanted"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_refused_draws_nothing(case):
    value, message = BAD[case]
    before = np.random.get_state()[1].copy()
    with pytest.raises(ValueError, match=f"^Network: {message}"):
        bp.Network(SIZES, weight_init=value)
    assert np.array_equal(np.random.get_state()[1], before)


def test_two_layer_net_takes_a_number_by_the_notes_name():
    with pytest.raises(
        ValueError, match="^TwoLayerNet: weight_init_std is 'he', wanted a finite number of float64"
    ):
        bp.TwoLayerNet(4, 3, 2, "he")
    with pytest.raises(TypeError, match="'weight_init_std'; did you mean 'weight_init'"):
        bp.Network([4, 3, 2], weight_init_std=0.01)
