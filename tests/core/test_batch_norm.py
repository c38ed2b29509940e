"""The kernels of batch normalisation against their twins, within bounds that the number of roundings gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpcore import kernels
from tests import reference
from tests.bounds import unit_roundoff
from tests.strategies import DTYPES, SIZES, SOME, arrays, dtypes

EPS = st.sampled_from([1e-8, 1e-5, 1.0])
NAMES = ("weight", "bias", "running_mean", "running_var")


def drawn(data, dtype, B, O):  # noqa: E741  # the sizes' letters
    x, *own = (data.draw(arrays(dtype, *shape)) for shape in [(B, O), (O,), (O,), (O,), (O,)])
    own[3] = np.abs(own[3])
    return x, own


def forward(module, x, own, *numbers, name="batch_norm_forward"):
    """What a kernel or its twin gives out, and what it made of the running statistics."""
    outputs = [np.full_like(x, 77), np.full_like(x, 77), np.full_like(own[0], 77)]
    own = [array.copy() for array in own]
    getattr(module, name)(x, *own, *numbers, *outputs)
    return *outputs, *own[2:]


def wide(x, own):
    return x.astype(float), [array.astype(float) for array in own]


@given(st.data(), dtypes(), SIZES, SOME, EPS, st.floats(0, 1))
def test_forward(data, dtype, B, O, eps, momentum):  # noqa: E741
    x, own = drawn(data, dtype, B, O)
    out, z, scale, mean, var = forward(kernels, x, own, eps, momentum)
    of_twin = forward(reference, *wide(x, own), eps, momentum)
    twin, z_twin, scale_twin, mean_twin, var_twin = of_twin
    # In float64: the mean is off by its sum's roundings, which the scale multiplies, the variance by as many. Then z is
    # rounded once, out twice more.
    u, w = unit_roundoff(dtype), 2 * (2 * B + 12) * unit_roundoff(float)
    largest = np.abs(x).astype(float).max(axis=0, initial=0)
    of_z = 2 * u * np.abs(z_twin) + w * (largest * scale_twin + np.abs(z_twin))
    assert (np.abs(scale - scale_twin) <= (2 * u + w) * scale_twin).all()
    assert (np.abs(z - z_twin) <= of_z).all()
    products = np.abs(z_twin * own[0]) + np.abs(own[1].astype(float))
    assert (np.abs(out - twin) <= of_z * np.abs(own[0]) + 2 * (u + w) * products).all()
    # Each running one is rounded once; squares of differences that are off by the mean's roundings.
    tiny = float(np.finfo(dtype).tiny)
    assert (np.abs(mean - mean_twin) <= u * np.abs(mean_twin) + w * (largest + np.abs(own[2])) + tiny).all()
    of_squares = 2 * largest**2 * max(B, 1) / max(B - 1, 1)
    assert (np.abs(var - var_twin) <= u * np.abs(var_twin) + w * (of_squares + own[3]) + tiny).all()
    if B < 2:
        assert np.array_equal(mean, own[2])
        assert np.array_equal(var, own[3])


@given(st.data(), dtypes(), SIZES, SOME, EPS)
def test_inference(data, dtype, B, O, eps):  # noqa: E741
    x, own = drawn(data, dtype, B, O)
    out, z, scale, *running = forward(kernels, x, own, eps, name="batch_norm_inference")
    twin, z_twin, scale_twin, *_ = forward(reference, *wide(x, own), eps, name="batch_norm_inference")
    # The scale is rounded from float64, the difference and its product in the type, out twice more.
    u, w = unit_roundoff(dtype), 8 * unit_roundoff(float)
    assert (np.abs(scale - scale_twin) <= (u + w) * scale_twin).all()
    of_z = (4 * u + w) * np.abs(z_twin)
    assert (np.abs(z - z_twin) <= of_z).all()
    products = np.abs(z_twin * own[0]) + np.abs(own[1].astype(float))
    tiny = float(np.finfo(dtype).tiny)
    assert (np.abs(out - twin) <= of_z * np.abs(own[0]) + 3 * (u + w) * products + tiny).all()
    assert all(np.array_equal(now, before) for now, before in zip(running, own[2:], strict=True))


@given(st.data(), dtypes(), SIZES, SOME)
def test_backward(data, dtype, B, O):  # noqa: E741
    given = [data.draw(arrays(dtype, *shape)) for shape in [(B, O), (B, O), (O,), (O,)]]
    outputs, twins = ([np.full(s, 77, t) for s in [(B, O), (O,), (O,)]] for t in (dtype, np.dtype(float)))
    kernels.batch_norm_backward(*given, *outputs)
    dout, z, scale, weight = wide = [array.astype(float) for array in given]
    reference.batch_norm_backward(*wide, *twins)
    u, w = unit_roundoff(dtype), 2 * (B + 6) * unit_roundoff(float)
    tiny = float(np.finfo(dtype).tiny)
    # Sums in float64 of B products, rounded once.
    of_products, of_dout = (np.abs(dout * z)).sum(axis=0), np.abs(dout).sum(axis=0)
    assert (np.abs(outputs[1] - twins[1]) <= (u + w) * of_products + tiny).all()
    assert (np.abs(outputs[2] - twins[2]) <= (u + w) * of_dout + tiny).all()
    # Seven roundings in the type.
    sizes = np.abs(dout) + of_dout / max(B, 1) + np.abs(z) * of_products / max(B, 1)
    assert (np.abs(outputs[0] - twins[0]) <= (8 * u + w) * np.abs(weight * scale) * sizes + tiny).all()
    in_place = given[0].copy()
    kernels.batch_norm_backward(in_place, *given[1:], in_place, *outputs[1:])
    assert np.array_equal(in_place, outputs[0])


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2000, 83), (700, 512), (4096, 33)])
def test_any_number_of_threads(shape, dtype, threads):
    rng = np.random.default_rng(0)
    x, dout = (rng.normal(size=shape).astype(dtype) for _ in range(2))
    own = [rng.uniform(0.5, 2, shape[1]).astype(dtype) for _ in range(4)]
    found = []
    for number in (1, threads):
        outputs = [np.empty_like(x), np.empty_like(x), np.empty_like(own[0])]
        gradients = [np.empty_like(x), np.empty_like(own[0]), np.empty_like(own[0])]
        moved = [array.copy() for array in own]
        kernels.batch_norm_forward(x, *moved, 1e-5, 0.1, *outputs, threads=number)
        kernels.batch_norm_backward(dout, *outputs[1:], own[0], *gradients, threads=number)
        found.append([array.tobytes() for array in (*outputs, *moved, *gradients)])
    assert found[0] == found[1]


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_many_rows_and_a_large_mean_cost_float32_no_digits(offset):
    rng = np.random.default_rng(0)
    x = (offset + rng.normal(size=(4096, 40))).astype(np.float32)
    own = [
        np.ones(40, np.float32),
        np.zeros(40, np.float32),
        np.zeros(40, np.float32),
        np.ones(40, np.float32),
    ]
    _, z, scale, mean, var = forward(kernels, x, own, 1e-5, 1.0)
    _, z_twin, scale_twin, mean_twin, var_twin = forward(reference, *wide(x, own), 1e-5, 1.0)
    u = unit_roundoff(np.float32)
    # The float64 sums of 4096 numbers are off by 2^12·2^-53 of their sizes, less than u for each of these offsets.
    for one, twin in ((scale, scale_twin), (mean, mean_twin), (var, var_twin)):
        assert (np.abs(one - twin) <= 2 * u * np.maximum(np.abs(twin), 2**-12)).all()
    assert (np.abs(z - z_twin) <= 2 * u * np.maximum(np.abs(z_twin), 1)).all()
