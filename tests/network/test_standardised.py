"""A network that takes its scaling from data."""

import tracemalloc

import numpy as np
import pytest

import backprop as bp
from backprop.network import scaling
from tests.bounds import gamma


def scaling_of(x):
    net = bp.Network.standardised(x, [np.shape(x)[1], 2], dtype="float64", seed=0)
    return net.input_mean, net.input_scale


def test_mean_and_deviation(monkeypatch):
    x = np.random.default_rng(0).normal(5, 3, (1000, 7)) * 10.0 ** np.arange(-3, 4)
    mean, scale = scaling_of(x)
    # Of sums of 1000 numbers of the magnitude of x; twice, since NumPy's are off as much.
    bound = 2 * gamma(1002, np.float64)
    assert (np.abs(mean - x.mean(axis=0)) <= bound * np.abs(x).max(axis=0)).all()
    assert (np.abs(scale * x.std(axis=0) - 1) <= 4 * bound * np.abs(x).max(axis=0) / x.std(axis=0)).all()
    monkeypatch.setattr(scaling, "BLOCK", 100)
    for one, other in zip(scaling_of(x), (mean, scale), strict=True):
        np.testing.assert_allclose(one, other, rtol=bound)


@pytest.mark.parametrize("storage", ["u1", "i2", "u2", "i4", "i8", "u8", "f2", "f4", ">f4", "f8"])
@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray], ids=["c", "fortran"])
def test_the_same_bits_from_any_storage(storage, layout):
    x = np.random.default_rng(0).integers(0, 201, (500, 5))
    for one, other in zip(scaling_of(layout(x.astype(storage))), scaling_of(x), strict=True):
        assert np.array_equal(one, other)


def test_integers_beyond_2_to_the_53():
    offsets = np.random.default_rng(0).integers(-500, 500, (400, 1))
    mean, scale = scaling_of(offsets + 1_700_000_000_123_456_789)
    exact = 1_700_000_000_123_456_789 + float(offsets.mean())
    assert abs(mean[0] - exact) <= np.spacing(1.7e18)
    assert abs(scale[0] * offsets.std() - 1) <= gamma(402, np.float64)


@pytest.mark.parametrize("rows", [1, 2, 10, 999, 100_000])
@pytest.mark.parametrize("value", [14.62, 0.1, 0.0, -1e-300, 1e300, 1.7e9 + 0.1])
def test_columns_of_one_value_are_not_scaled(value, rows):
    mean, scale = scaling_of(np.full((rows, 2), value))
    assert np.array_equal(mean, [value, value])
    assert np.array_equal(scale, [1, 1])


@pytest.mark.parametrize(
    ("values", "constant"),
    [
        ([0.1 + 0.2, 0.3], True),
        (np.float32([14.62, np.nextafter(np.float32(14.62), np.float32(15))]), True),
        (14.62 + 1e-13 * np.sin(np.arange(1000)), True),
        (100 * np.random.default_rng(0).dirichlet(np.ones(9), 500).sum(axis=1), True),
        ([1e6, 1e6 + 1e-3], False),
        (1.7e9 + np.random.default_rng(0).uniform(0, 1, 10_000), False),
        (1.7e9 + np.random.default_rng(0).uniform(0, 1, 5_000_000), False),
        (1e6 + np.random.default_rng(0).uniform(-3e-4, 3e-4, 2_000_000), False),
        (np.diff(np.linspace(0, 1e5, 1_000_001)), True),
        (np.float32([1000, 1000.5]), False),
        # Whole numbers were not rounded.
        (1e15 + np.arange(10.0), False),
        (np.float32([20240102, 20240104]), True),
        (np.arange(2) + 2**60, False),
        (np.uint8([7, 8]), False),
        ([1e-200, 2e-200], False),
        ([-1e200, 1e200], False),
    ],
    ids=[
        "sums", "neighbours in float32", "noise", "shares", "a thousandth", "a second",
        "a second of many", "parts of a million", "steps of time", "halves", "whole numbers",
        "dates beyond float32", "large integers", "bytes", "tiny", "huge",
    ],
)  # fmt: skip
def test_what_counts_as_constant(values, constant):
    _, scale = scaling_of(np.asarray(values)[:, np.newaxis])
    assert (scale[0] == 1) == constant


def test_images_and_other_options():
    images = np.random.default_rng(0).integers(0, 255, (30, 4, 4)).astype(np.uint8)
    net = bp.Network.standardised(images, [16, 5, 3], activation="tanh", dtype="float64", seed=2)
    assert net.activation == "tanh"
    inside = net._inputs(images)
    assert np.abs(inside.mean(axis=0)).max() <= gamma(32, np.float64) * np.abs(inside).max()
    assert np.abs(inside.std(axis=0) - 1).max() <= gamma(100, np.float64)


def test_no_copy_of_large_data_is_made():
    x = np.random.default_rng(0).integers(0, 255, (20_000, 784), dtype=np.uint8)
    tracemalloc.start()
    try:
        bp.Network.standardised(x, [784, 2], seed=0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Two arrays of a block and one that comes of them, beside the vectors.
    assert peak < 4 * 8 * scaling.BLOCK < x.size * 8


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        ([[1.0, np.nan], [1.0, 2.0]], {}, ValueError, r"Network.standardised: x\[0, 1\] is nan, wanted finite"),
        ([[1.0, 2.0], [1.0, -np.inf]], {}, ValueError, r"Network.standardised: x\[1, 1\] is -inf, wanted finite"),
        ([[1.0, 1.7e308], [1.0, -1.7e308]], {}, ValueError, "column 1 of x spreads further than float64 reaches"),
        ([[1.0, 1e-320], [2.0, 2e-320]], {}, ValueError, "column 1 of x has the deviation .*e-321, whose inv"),
        (np.ones((0, 2)), {}, ValueError, "Network.standardised: x has 0 rows, wanted at least 1"),
        (np.ones((3, 4)), {}, ValueError, r"Network.standardised: x has 4 columns, sizes\[0\] is 2"),
        (np.ones(2), {}, ValueError, r"Network.standardised: x has 1 dimension, wanted \(batch, features\)"),
        (np.ones((3, 2)), {"input_mean": 0.0}, TypeError, "input_mean is given, and is computed from x"),
        (np.ones((3, 2)), {"sede": 0}, TypeError, "did you mean 'seed'?"),
        ([[0.0, 0.0], [0.0, 2.0**-130]], {}, ValueError, r"input_scale\[1\] is 2.7.*e\+39, .* float64 holds it"),
    ],
    ids=["nan", "infinity", "spread", "subnormal", "no rows", "columns", "dimensions", "mean", "mistyped", "scale"],
)  # fmt: skip
def test_what_is_refused(x, options, error, message):
    with pytest.raises(error, match=message):
        bp.Network.standardised(x, [2, 3], **options)


def test_the_network_of_the_notes_takes_its_inputs_as_they_are():
    with pytest.raises(TypeError, match=r"takes its inputs as they are; bp.Network.standardised\(x, sizes\)"):
        bp.TwoLayerNet.standardised(np.ones((3, 2)), [2, 3, 2])
